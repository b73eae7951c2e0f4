#include "pipeline/stages.h"

#include <ATen/ops/empty.h>

#include <utility>

#include "enhance/second_try.h"
#include "pipeline/shortage.h"

namespace millstream {
namespace {

std::vector<std::int64_t> rgb_shape(int width, int height) {
    return {3, height, width};
}

TableWays table_ways(const std::shared_ptr<DeviceLink>& link) {
    if (!link) {
        return {};
    }
    const auto fetch = [link](const at::Tensor& there) {
        at::Tensor here = at::empty(there.sizes(), there.scalar_type());
        link->download({there}, {here});
        return here;
    };
    return {fetch, [link](const at::Tensor& here) { return link->upload({here}).front(); }};
}

}   // namespace

DecodeSource::DecodeSource(VideoDecoder& decoder, LiveFrames& live, const Chunks& chunks, const DecodeStart& start,
                           std::int64_t first_new, std::stop_token stop)
    : decoder_(decoder),
      live_(live),
      chunks_(chunks),
      start_(start),
      first_new_(first_new),
      stop_(std::move(stop)),
      next_index_(start.first_pts ? start.first_index : 0) {}

std::optional<Frame> DecodeSource::next() {
    while (!stop_.stop_requested()) {
        std::optional<Picture> picture = decoder_.next();
        if (!picture) {
            return std::nullopt;
        }
        if (start_.first_pts && picture->pts < *start_.first_pts) {
            continue;
        }
        const std::int64_t index = next_index_++;
        if (index < start_.first_index) {
            continue;
        }
        Frame frame(live_, index);
        frame.pts = picture->pts;
        frame.duration = picture->duration;
        frame.warm_up = index < first_new_;
        if (chunks_.begins(index + 1)) {
            frame.source_hash = hash_of(picture->on_device ? decoder_.fetched(*picture) : *picture);
            frame.source_repaired = !describe_damage(decoder_.statistics()).empty();
        }
        frame.source = *std::move(picture);
        return frame;
    }
    return std::nullopt;
}

ToTensorStage::ToTensorStage(const PixelFormat& format, int width, int height, bool keep_alpha,
                             std::shared_ptr<DeviceLink> link)
    : format_(format),
      width_(width),
      height_(height),
      keep_alpha_(keep_alpha),
      link_(std::move(link)),
      pool_(rgb_shape(width, height)) {}

void ToTensorStage::prepare(const Colour& colour) {
    if (colour_ == colour) {
        return;
    }
    colour_.reset();
    convert_.reset();
    convert_there_.reset();
    if (link_ && converts_on_device(format_, colour)) {
        convert_there_.emplace(format_, colour, width_, height_, link_->device());
    } else {
        convert_.emplace(format_, colour, width_, height_);
    }
    colour_ = colour;   // last: what fails for lack of memory is done again
}

at::Tensor ToTensorStage::converted(const Picture& picture) {
    prepare(resolve_colour(picture.colour, format_, height_));
    if (picture.on_device) {
        std::vector<at::Tensor> planes = link_->take_over(plane_tensors(picture, link_->device()));
        return convert_there_.value().convert(without_empty_bits(std::move(planes), format_, *picture.on_device));
    }
    if (convert_there_) {
        return convert_there_->convert(link_->upload(plane_tensors(picture)));
    }
    at::Tensor tensor = pool_.take();
    convert_->convert(picture, tensor);
    return link_ ? link_->upload({tensor}).front() : tensor;
}

void ToTensorStage::process(Item item, const Emit& emit) {
    if (auto* frame = std::get_if<Frame>(&item)) {
        with_second_try([&] { frame->input = converted(frame->source); });
        if (keep_alpha_) {
            frame->alpha = alpha_plane(frame->source);
        }
        frame->source = {};
    }
    emit(std::move(item));
}

EnhanceStage::EnhanceStage(const Settings& settings, SteadyEnhancer::Surroundings surroundings, std::stop_token stop)
    : settings_(settings),
      pool_(rgb_shape(settings.enhancer.frame.width * settings.enhancer.scale,
                      settings.enhancer.frame.height * settings.enhancer.scale),
            settings.link ? settings.link->device() : at::Device(at::kCPU)),
      network_(settings.enhancer, completed(std::move(surroundings))),
      enhancer_({settings.reuse, settings.enhancer.frame, settings.enhancer.executor.threads, settings.strips,
                 table_ways(settings.link)},
                network_, [this] { return pool_.take(); }),
      stop_(std::move(stop)) {
    if (settings.reuse && !settings.reuse->exact && settings.find_motion) {
        motion_.emplace(*settings.find_motion, settings.link != nullptr);
    }
}

SteadyEnhancer::Surroundings EnhanceStage::completed(SteadyEnhancer::Surroundings surroundings) {
    surroundings.make_output = [this](Size size) {
        const at::Tensor whole = pool_.take();
        const bool is_whole = whole.size(1) == size.height && whole.size(2) == size.width;
        return is_whole ? whole : at::empty(rgb_shape(size.width, size.height), whole.options());
    };
    surroundings.release_caches = [this, release = std::move(surroundings.release_caches)] {
        pool_.drop_idle();
        release();
    };
    return surroundings;
}

void EnhanceStage::process(Item item, const Emit& emit) {
    if (auto* frame = std::get_if<Frame>(&item)) {
        if (stop_.stop_requested()) {
            return;
        }
        submit(std::move(*frame));
        const bool short_queues = network_.effort().short_queues;
        short_queues_.store(short_queues);
        while (auto done = enhancer_.poll()) {
            emit_done(*std::move(done), emit);
        }
        const std::size_t most = short_queues ? 0 : settings_.frames_in_flight;
        while (enhancer_.frames_in_flight() > most) {
            emit_done(*enhancer_.drain(), emit);
        }
        return;
    }
    while (enhancer_.frames_in_flight() > 0) {
        emit_done(*enhancer_.drain(), emit);
    }
    emit(std::move(item));
}

void EnhanceStage::submit(Frame frame) {
    at::Tensor input = frame.input;
    if (!settings_.keep_input) {
        frame.input.reset();   // the enhancer's copy is the last one: its memory goes back with the last tile
    }
    const std::int64_t index = frame.index;
    const bool restart = settings_.chunk_frames > 0 && Chunks(settings_.chunk_frames).begins(index + Chunks::kWarmUp);
    Motion motion = frame.motion;
    if (motion_) {
        motion.cut = !with_second_try([&] { return motion_->follows(input); });
    } else if (settings_.find_motion) {
        motion.cut = false;   // nobody asks
    }
    waiting_.push_back(std::move(frame));
    enhancer_.submit(index, std::move(input), motion, restart,
                     motion_ ? [this] { return motion_->flow(); } : FindFlow());
}

void EnhanceStage::emit_done(EnhancerFrame done, const Emit& emit) {
    Frame frame = std::move(waiting_.front());
    waiting_.pop_front();
    frame.output = std::move(done.output);
    frame.precision = network_.effort().precision;   // a frame that is still inside when it changes is computed again
    emit(std::move(frame));
}

void ColourFixStage::process(Item item, const Emit& emit) {
    if (auto* frame = std::get_if<Frame>(&item)) {
        fix_.apply(frame->input, frame->output);
        frame->input.reset();
    }
    emit(std::move(item));
}

ToPictureStage::ToPictureStage(Size network_output, const EncoderSettings& encoder, std::shared_ptr<DeviceLink> link,
                               std::function<Picture()> surface)
    : pool_(encoder.format, encoder.width, encoder.height), link_(std::move(link)), surface_(std::move(surface)) {
    if (link_) {
        convert_there_.emplace(encoder.format, encoder.colour, encoder.width, encoder.height, link_->device());
    } else {
        convert_.emplace(network_output.width, network_output.height, encoder.format, encoder.colour, encoder.width,
                         encoder.height);
    }
}

Picture ToPictureStage::converted(const Frame& frame) {
    if (!convert_there_) {
        Picture picture = pool_.take();
        convert_->convert(frame.output, picture, frame.alpha.owner ? &frame.alpha : nullptr);
        return picture;
    }
    std::vector<at::Tensor> planes = convert_there_->convert(frame.output);
    Picture picture = surface_ ? surface_() : pool_.take();
    if (picture.on_device) {
        link_->hand_over(with_empty_bits(std::move(planes), *picture.on_device),
                         plane_tensors(picture, link_->device()));
    } else {
        link_->download(planes, plane_tensors(picture));
    }
    return picture;
}

void ToPictureStage::process(Item item, const Emit& emit) {
    auto* frame = std::get_if<Frame>(&item);
    if (frame != nullptr && frame->warm_up) {
        frame->output.reset();
        frame->alpha = {};
    } else if (frame != nullptr) {
        Picture picture;
        with_second_try([&] { picture = converted(*frame); });
        frame->output.reset();
        frame->alpha = {};
        picture.pts = frame->pts;
        picture.duration = frame->duration;
        frame->result = std::move(picture);
    }
    emit(std::move(item));
}

void EncodeStage::process(Item item, const Emit& emit) {
    if (auto* frame = std::get_if<Frame>(&item)) {
        if (frame->warm_up) {
            return;
        }
        if (chunks_.begins(frame->index) && frame->index > committer_.committed_frames()) {
            committer_.end_chunk(frame->pts, frame->precision);
        }
        output_.write(frame->result);
        committer_.taken(*frame);
        progress_.frames.fetch_add(1);
        progress_.last_pts.store(frame->pts);
        progress_.bytes.store(output_.statistics().bytes);
        return;
    }
    emit(std::move(item));
}

}   // namespace millstream
