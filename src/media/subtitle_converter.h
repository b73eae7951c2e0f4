// Text subtitles of one codec -> another, packet by packet.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "media/av.h"

namespace millstream {

/// Text, line breaks and the styling both sides know (bold, italic, colour) are kept; times are the packet's own.
class SubtitleConverter {
public:
    /// `codec`: FFmpeg's name of what comes out: mov_text, subrip or webvtt. Throws Error(input) when the stream's
    /// headers are damaged, Error(usage) when this FFmpeg lacks the encoder.
    SubtitleConverter(const AVStream& from, const std::string& codec, const std::string& file);

    /// What the muxer needs to know.
    void copy_parameters(AVCodecParameters& to) const;

    /// Replaces the packet's payload. False: it shows nothing (a gap), or is damaged (counted): leave it out.
    bool convert(AVPacket& packet);

    [[nodiscard]] std::int64_t damaged() const { return damaged_; }

private:
    av::CodecContext decoder_;
    av::CodecContext encoder_;
    std::vector<std::uint8_t> buffer_;
    std::int64_t damaged_ = 0;
};

}   // namespace millstream
