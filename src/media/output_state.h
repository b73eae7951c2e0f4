// What of an output is on the disk, and what a later run of the program needs to know to go on behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millstream {

/// Where a track of the output has come to. Time stamps are in the muxer's time base.
struct TrackState {
    std::optional<std::int64_t> first_dts;   ///< nothing = no packet yet
    std::optional<std::int64_t> first_pts;
    std::optional<std::int64_t> last_dts;
    std::optional<std::int64_t> rescaling;   ///< what av_rescale_delta carries from packet to packet
    std::int64_t shown_last = 0;             ///< the highest pts
    std::optional<std::int64_t> end;         ///< of what is shown last
    bool late = false;                       ///< an MP4's header was written before its first packet
};

/// Where a copied stream has come to in the source.
struct CopiedState {
    std::int64_t packets = 0;    ///< taken
    std::int64_t last_dts = 0;   ///< of the last one, in the source stream's time base
    std::int64_t last_bytes = 0;
    std::uint32_t last_check = 0;   ///< CRC-32 of its payload
};

/// A value, true at a chunk boundary.
struct OutputState {
    std::int64_t frames = 0;              ///< pictures encoded: the index of the next one
    std::uint64_t bytes = 0;              ///< of the file
    int pieces = 0;                       ///< fragments or clusters' flushes so far
    bool complete = false;                ///< everything is in; only the index is missing
    std::int64_t first_pts = 0;           ///< of the first picture, source video stream's time base
    std::vector<std::int64_t> last_pts;   ///< of the last pictures, oldest first
    std::int64_t last_duration = 0;       ///< of the last picture; 0 = unknown
    std::int64_t last_dts_index = -1;     ///< Note [Frame indices]
    std::uint64_t video_bytes = 0;        ///< of the encoded video alone
    int level = 0;                        ///< the encoder's, as its first chunk chose it; 0 = none
    std::string parameter_sets;           ///< SHA-256 of the encoder's: they stand once, in the header
    std::vector<TrackState> tracks;       ///< the muxer's
    std::vector<CopiedState> copied;      ///< StreamCopy's
    bool copies_repaired = false;         ///< time stamps were repaired: the source cannot be sought in
    std::int64_t copied_packets = 0;
    std::int64_t repaired_packets = 0;
    std::int64_t damaged_packets = 0;
};

}   // namespace millstream
