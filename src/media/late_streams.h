// Sound that a transport stream announces, but that begins further in than anybody looks for its parameters.
#pragma once

#include <vector>

#include "media/av.h"

namespace millstream {

/// What was missing of audio streams' parameters, by their first packets.
class LateParameters {
public:
    /// Finds them, however late these packets come, sets them, and goes back to the begin. Reads at most the first
    /// 512 MiB; keeps none of it. Does nothing, and reads nothing, where no parameters are missing. For formats that
    /// can be sought in by bytes.
    void find(AVFormatContext& file);

    /// Reading on makes libavformat set them back to what its own decoders know, which is nothing.
    void restore(AVFormatContext& file) const;

private:
    struct Free {
        void operator()(AVCodecParameters* codec) const noexcept { avcodec_parameters_free(&codec); }
    };
    struct Found {
        int stream;
        std::unique_ptr<AVCodecParameters, Free> codec;
    };
    std::vector<Found> found_;
};

}   // namespace millstream
