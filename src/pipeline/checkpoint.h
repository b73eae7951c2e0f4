// OUT.millstream.json: what a later run needs to go on with an interrupted job. docs/checkpoint.md describes the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "media/output_state.h"
#include "millstream/options.h"
#include "pipeline/size_governor.h"

namespace millstream {

/// The source as it was. A run goes on only with the very same file.
struct SourceIdentity {
    std::uint64_t bytes = 0;
    std::int64_t modified_ns = 0;   ///< since 1970
    std::string ends_sha256;        ///< of its first and last MiB
    friend bool operator==(const SourceIdentity&, const SourceIdentity&) = default;
};
SourceIdentity identify(const std::filesystem::path& source);

/// Everything resolved that can change a picture or a packet. Tiles (where they are exact), batch, queues and threads
/// of the network may change freely.
struct ResolvedJob {
    std::string backend;
    std::string precision;
    std::string int8;   ///< int8_digest() of the network
    int halo = 0;
    int blend = 0;
    int tile_width = 0;   ///< where tiles are not exact, else 0
    int tile_height = 0;
    std::string reuse;
    std::string temporal;
    std::string encoder;
    std::string pixel_format;
    int width = 0;
    int height = 0;
    std::string preset;
    int encoder_threads = 0;
    int lookahead = -1;
    int references = -1;
    int b_frames = -1;
    std::int64_t chunk_frames = 0;
    std::uint64_t index_bytes = 0;
    friend bool operator==(const ResolvedJob&, const ResolvedJob&) = default;
};

/// A value. At most 64 KiB as text.
struct Checkpoint {
    static constexpr int kVersion = 4;

    std::string program;           ///< "millstream 0.1.0"
    std::filesystem::path input;   ///< for the reader only
    std::string asked;             ///< the options that change the output, as JSON text
    bool filtered = false;         ///< a FrameFilter of the caller's was among the stages
    std::string model_sha256;
    SourceIdentity source;
    ResolvedJob resolved;
    OutputState output;
    std::string last_frame_sha256;   ///< of the source's picture before the next chunk
    bool source_repaired = false;    ///< time stamps or frames: positions in it are found by counting
    ChunkRate rate;                  ///< of the next chunk
    GovernorState governor;
    double done_s = 0;                 ///< of video
    std::uint64_t written_other = 0;   ///< what is no video is now expected to take in the whole output, in bytes
};

/// The part of the options that `Checkpoint::asked` holds.
std::string asked_for(const Options& options);

/// Throws Error(resource) where it cannot be written, Error(refused) where it would be larger than it may be; the one
/// before is then still there.
void write_checkpoint(FileCalls& files, const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Note [Begun]
/// What stands in the checkpoint's place from before the first byte of OUT.part to the first commit: there is nothing
/// to go on with, but OUT.part is ours. An OUT.part without it is somebody else's (browsers call a download so),
/// whatever it begins with, and is not touched.
std::string begun_text();

/// A checkpoint's file around `content`, JSON text. Throws Error(refused) where it is none.
std::string sealed_text(std::string_view content);

/// Nothing where there is none, or begun_text(). Throws Error(refused) where it cannot be read or is no checkpoint of
/// ours.
std::optional<Checkpoint> read_checkpoint(const std::filesystem::path& path);
/// The same for its text; `path` is for messages.
std::optional<Checkpoint> parse_checkpoint(std::string_view text, const std::filesystem::path& path);

}   // namespace millstream
