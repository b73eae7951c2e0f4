#include "enhance/enhancer.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include <utility>

namespace millstream {
namespace {

at::Tensor window(const at::Tensor& picture, int x, int width, int y, int height) {
    return picture.narrow(-1, x, width).narrow(-2, y, height);
}

// The part of a side a tile writes: its kept part plus the cross-fade on either side, in input pixels.
struct Written {
    int begin;
    int length;
};

Written written(const TileSpan& span) {
    return {span.keep - span.blend_before, span.keep_length + span.blend_before + span.blend_after};
}

// Weights of one side over its written part, in output pixels. Two neighbours' ramps add up to 1.
at::Tensor ramp(const TileSpan& span, int scale) {
    const Written part = written(span);
    at::Tensor weights = at::ones({part.length * scale}, at::kFloat);
    auto* w = weights.mutable_data_ptr<float>();
    const auto fade = [&](int blend, auto&& at_index) {
        const int steps = 2 * blend * scale;
        for (int i = 0; i < steps; ++i) {
            w[at_index(i)] = (static_cast<float>(i) + 0.5F) / static_cast<float>(steps);
        }
    };
    const int last = part.length * scale - 1;
    fade(span.blend_before, [](int i) { return i; });
    fade(span.blend_after, [last](int i) { return last - i; });
    return weights;
}

}   // namespace

Enhancer::Enhancer(Executor& executor, int scale, const TileLayout& layout)
    : executor_(executor), scale_(scale), layout_(layout), requests_(executor.requests()) {}

Enhancer::~Enhancer() {
    for (std::size_t slot = 0; slot < requests_.size(); ++slot) {
        try {
            executor_.wait(slot);
        } catch (...) {   // NOLINT(bugprone-empty-catch): a destructor after a failure; the failure has been reported
        }
    }
}

const Enhancer::Tiles& Enhancer::tiles_of(const at::Tensor& input) {
    const Size size{static_cast<int>(input.size(2)), static_cast<int>(input.size(1))};
    const auto [entry, fresh] = tiles_.try_emplace({size.width, size.height});
    if (fresh) {
        entry->second = cut_tiles(size, layout_);
    }
    return entry->second;
}

void Enhancer::submit(EnhancerFrame frame) {
    const Tiles& tiles = tiles_of(frame.input);
    pending_.push_back({std::move(frame), &tiles, tiles.size()});
    Pending& owner = pending_.back();
    if (blended(owner)) {
        owner.frame.output.zero_();
    }
    for (const Tile& tile : tiles) {
        Request& request = requests_[next_];
        finish(request, next_);
        start(request, next_, owner, tile);
        next_ = (next_ + 1) % requests_.size();
    }
}

std::optional<EnhancerFrame> Enhancer::poll() {
    if (pending_.empty() || pending_.front().open_tiles > 0) {
        return std::nullopt;
    }
    EnhancerFrame frame = std::move(pending_.front().frame);
    pending_.pop_front();
    return frame;
}

std::optional<EnhancerFrame> Enhancer::drain() {
    for (std::size_t i = 0; i < requests_.size() && !pending_.empty() && pending_.front().open_tiles > 0; ++i) {
        const std::size_t slot = (next_ + i) % requests_.size();
        finish(requests_[slot], slot);
    }
    return poll();
}

void Enhancer::start(Request& request, std::size_t slot, Pending& frame, const Tile& tile) {
    request.tile = &tile;
    request.frame = &frame;
    if (frame.whole()) {
        request.input = frame.frame.input.unsqueeze(0);
        request.output = frame.frame.output.unsqueeze(0);
    } else {
        if (!request.input.defined() || request.input.size(2) != tile.y.length ||
            request.input.size(3) != tile.x.length) {
            const auto like = frame.frame.input.options();
            request.input = at::empty({1, 3, tile.y.length, tile.x.length}, like);
            request.output = at::empty({1, 3, tile.y.length * scale_, tile.x.length * scale_}, like);
        }
        request.input[0].copy_(window(frame.frame.input, tile.x.start, tile.x.length, tile.y.start, tile.y.length));
        copies_ += 1.0 / static_cast<double>(frame.tiles->size());
    }
    executor_.start(slot, request.input, request.output);
    request.busy = true;
}

void Enhancer::finish(Request& request, std::size_t slot) {
    if (!request.busy) {
        return;
    }
    request.busy = false;
    executor_.wait(slot);
    if (request.frame->whole()) {
        request.input.reset();
        request.output.reset();
    } else {
        scatter(request);
        copies_ += 1.0 / static_cast<double>(request.frame->tiles->size());
    }
    --request.frame->open_tiles;
}

void Enhancer::scatter(const Request& request) {
    const TileSpan& x = request.tile->x;
    const TileSpan& y = request.tile->y;
    const Written columns = written(x);
    const Written rows = written(y);
    const at::Tensor result = window(request.output[0], (columns.begin - x.start) * scale_, columns.length * scale_,
                                     (rows.begin - y.start) * scale_, rows.length * scale_);
    at::Tensor target = window(request.frame->frame.output, columns.begin * scale_, columns.length * scale_,
                               rows.begin * scale_, rows.length * scale_);
    if (blended(*request.frame)) {
        const at::Tensor weights = ramp(y, scale_).unsqueeze(1) * ramp(x, scale_).unsqueeze(0);
        target.add_(result * weights.to(result.device()));
    } else {
        target.copy_(result);
    }
}

}   // namespace millstream
