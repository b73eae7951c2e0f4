// The output's tracks, chapters and metadata, set up before the header is written.
#pragma once

#include <vector>

#include "media/carriage.h"
#include "media/muxer.h"
#include "media/stream_copy.h"
#include "media/time_line.h"
#include "media/video_encoder.h"

namespace millstream {

/// Where things are in the muxer. Tracks stand in the source's order, with the enhanced video in the place of the one
/// it was made from; attachments, which have no packets, follow.
struct OutputTracks {
    int video = 0;
    std::vector<int> copied;          ///< of StreamCopy's tracks, in their order
    std::vector<int> covers;          ///< in the order of cover_sources
    std::vector<int> cover_sources;   ///< streams of the source whose picture goes there
    [[nodiscard]] bool one_video() const { return videos == 1; }
    int videos = 1;
};

/// Adds every track to muxer and time line.
OutputTracks add_tracks(Muxer& muxer, TimeLine& time_line, const VideoEncoder& encoder, const HdrMetadata& hdr,
                        const StreamCopy& copy, const StreamInfo& video, const std::vector<CarriedStream>& carried);

/// Chapters and the file's own metadata, without what describes the source's container.
void add_chapters(Muxer& muxer, const AVFormatContext& source, std::int64_t shift_us);
void add_metadata(Muxer& muxer, const AVFormatContext& source);

}   // namespace millstream
