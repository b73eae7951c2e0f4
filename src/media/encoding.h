// Which encoder, with which settings, into which container: decided for the plan, before anything is opened.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "media/probe.h"
#include "millstream/options.h"
#include "picture/picture.h"

namespace millstream {

/// Everything an encoder needs to know, resolved.
struct EncoderSettings {
    std::string encoder;   ///< FFmpeg encoder name, e.g. libx264
    int width = 0;
    int height = 0;
    PixelFormat format;
    std::string pixel_format_name;   ///< FFmpeg's name of `format` for this encoder
    Colour colour;                   ///< written into the stream as it is
    Rational frame_rate{25, 1};      ///< nominal; drives rate control only, never time stamps
    Rational sample_aspect{0, 1};
    FieldOrder field_order = FieldOrder::progressive;   ///< coded as fields by x264, else only said
    HdrMetadata hdr;
    int crf = 18;
    std::string preset;
    int threads = 0;               ///< choose_encoder resolves it: what comes out may depend on it
    int lookahead = -1;            ///< frames; -1 = the preset's
    int references = -1;           ///< reference pictures; -1 = the preset's
    int b_frames = -1;             ///< consecutive B-frames at most; -1 = the preset's
    std::int64_t max_rate = 0;     ///< bit/s at most, beside what max_buffer lets through; 0 = unlimited
    std::int64_t max_buffer = 0;   ///< bits that may come faster than max_rate
    int level = 0;   ///< H.264, HEVC: ten times (thirty times) the level's number; 0 = the encoder's choice
    std::vector<std::pair<std::string, std::string>> extra;   ///< the user's own, applied last
};

/// Encoder, container and format for `options` and `source`; lookahead and threads lowered step by step until
/// encoder_memory() fits `memory_budget` (each step a sentence in `notes`).
/// Throws Error(usage): unknown codec or encoder, unknown extension, a codec the container cannot hold, an option value
/// the encoder does not take.
EncoderSettings choose_encoder(const Options& options, const SourceInfo& source, Size output_size,
                               std::uint64_t memory_budget, std::vector<std::string>& notes);

/// Host memory the encoder needs at its peak with these settings, in bytes. Measured for libx264, libx265 and SVT-AV1
/// (tests/media holds the figures); an upper estimate for others.
std::uint64_t encoder_memory(const EncoderSettings& settings);

/// Lowers lookahead, then threads, then references and B-frames, until encoder_memory() fits the budget or nothing is
/// left to lower; what the user set through `extra` stays. Each step is a sentence in `notes`.
void fit_into_memory(EncoderSettings& settings, std::uint64_t memory_budget, std::vector<std::string>& notes);

/// Pictures that must have gone in before the first packet comes out, at most, less one.
int encoder_delay(const EncoderSettings& settings);

/// Pictures of ours that the encoder still refers to after VideoOutput::write() has returned, at most. x264, x265 and
/// SVT-AV1 copy what they read and keep none; others are taken to keep as many as they delay.
int pictures_held_by_encoder(const EncoderSettings& settings);

/// Rough bytes a second of the encoded video, for the disk prediction. On the safe (high) side.
double predicted_video_bytes_per_s(const EncoderSettings& settings);

/// FFmpeg muxer name for the extension of `output`. Throws Error(usage) for an unknown one, naming those that work.
std::string container_for(const std::filesystem::path& output);

/// The usual extension of an FFmpeg muxer's files: ".mkv" of "matroska".
std::string extension_of(std::string_view muxer);

/// The planes that FFmpeg's pixel format of this name has; nothing for an unknown one.
std::optional<PixelFormat> format_called(const std::string& name);

/// Whether the muxer of this FFmpeg writes how a picture is to be turned.
bool holds_rotation(const std::string& container);

/// Whether (and why not) the container takes the stream as it is: empty = it does.
std::string cannot_hold(const std::string& container, const StreamInfo& stream);

}   // namespace millstream
