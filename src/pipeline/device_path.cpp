#include "pipeline/device_path.h"

#include "frame/plane_tensors.h"
#include "media/device_pictures.h"
#include "model/device_link.h"

namespace millstream {
namespace {

const VideoStreamInfo& video_of(const PreparedJob& job) {
    return *job.source.video().video;
}

// What has to be done there with frames, as the end of a sentence; empty: nothing.
std::string work_of_host(const PreparedJob& job) {
    const VideoStreamInfo& video = video_of(job);
    const int scale = job.model->network.scale;
    if (job.filtered) {
        return "a filter of the caller's looks at them there";
    }
    if (job.plan.options.debug_view != DebugView::none) {
        return "the debug view is drawn there";
    }
    if (job.encoder.format.alpha) {
        return "alpha is scaled there";
    }
    if (job.encoder.width != video.width * scale || job.encoder.height != video.height * scale) {
        return "they are brought to another size there";
    }
    if (!converts_on_device(video.format, resolve_colour(video.colour, video.format, video.height)) ||
        !converts_on_device(job.encoder.format, job.encoder.colour)) {
        return "their colour matrix is converted there";
    }
    return {};
}

std::string why_on_host(const PreparedJob& job) {
    if (job.executor.links.size() != 1) {
        return job.executor.links.empty() ? "the network runs on no CUDA device"
                                          : "the network runs on several devices";
    }
    return work_of_host(job);
}

std::string why_decoded_to_host(const PreparedJob& job) {
    const VideoStreamInfo& video = video_of(job);
    if (job.plan.options.hwaccel != "cuda") {
        return "only those of cuda can stay on their device";
    }
    if (std::string why = why_on_host(job); !why.empty()) {
        return why;
    }
    if (job.deinterlacing.rate != DeinterlacedRate::none) {
        return "they are deinterlaced there";
    }
    if (video.turned) {
        return "they are turned there";
    }
    return video.format.is_420() ? "" : "only 4:2:0 can stay on the device";
}

DevicePlace place_of(const PreparedJob& job, DeviceStream stream) {
    return {at::Device(job.executor.device).index(), job.executor.links.front()->native(stream)};
}

}   // namespace

bool stays_on_device(const PreparedJob& job) {
    return why_on_host(job).empty();
}

// Judging what differs takes the processor 380 ms a frame of 1080p, which is too long where a device computes; that
// nothing differs at all is soon found.
std::string words_of_refused_reuse(const PreparedJob& job) {
    const bool judged = job.plan.reuse == Reuse::safe || job.plan.reuse == Reuse::fast;
    return judged && !job.executor.links.empty() && !stays_on_device(job)
               ? "Frames go through the host's memory, so that --reuse is off: " + why_on_host(job) + "."
               : "";
}

std::optional<DevicePlace> place_of_decoding(const PreparedJob& job) {
    if (!why_decoded_to_host(job).empty()) {
        return std::nullopt;
    }
    // The decoder's last step goes on the stream that planes are copied on: Note [Surfaces].
    return place_of(job, DeviceStream::upload);
}

std::string words_of_decoding(const PreparedJob& job) {
    const std::string& decoder = job.plan.options.hwaccel;
    if (decoder.empty()) {
        return {};
    }
    const std::string why = why_decoded_to_host(job);
    return why.empty() ? "Frames that cuda decodes stay on " + job.executor.device + "."
                       : "Frames that " + decoder + " decodes are fetched into the host's memory: " + why + ".";
}

std::optional<DevicePlace> place_of_encoding(const PreparedJob& job) {
    if (!stays_on_device(job) || !reads_on_device(job.encoder)) {
        return std::nullopt;
    }
    return place_of(job, DeviceStream::download);
}

std::string words_of_encoding(const PreparedJob& job) {
    return place_of_encoding(job) ? job.encoder.encoder + " reads its frames on " + job.executor.device + "." : "";
}

}   // namespace millstream
