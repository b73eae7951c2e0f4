// The packets of a file as what must not change when a stream is copied: payload and time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "media/probe.h"

namespace millstream {

/// A packet, in a form that two containers share. A few dozen bytes: the payload itself is not kept.
struct PacketFacts {
    int stream = 0;          ///< index in the file
    double pts_s = 0;        ///< seconds
    double duration_s = 0;   ///< seconds; 0 = unknown
    std::string payload;     ///< its hash, or the text itself for PacketStream::as_text
    bool hidden = false;     ///< by an edit list: from before a cut
};

struct PacketStream {
    int index = 0;
    bool as_text = false;   ///< subtitles: decoded to plain text, so that different text codecs compare
    bool decode = false;    ///< sound, video: every packet is decoded too, for undecodable()
};

/// Reads some streams of one file in the file's order. Payloads are brought to one form: AAC without its ADTS header,
/// H.264 and HEVC as bare NAL units (neither start codes nor lengths), text without markup. Text packets that show
/// nothing (the gaps of mov_text) are passed over. One thread at a time.
class PacketReader {
public:
    /// Throws Error(input) when the file or a stream cannot be opened.
    PacketReader(const SourceInfo& source, const std::vector<PacketStream>& streams);
    ~PacketReader();
    PacketReader(PacketReader&&) noexcept;
    PacketReader& operator=(PacketReader&&) noexcept;

    /// The next packet, or nothing at the end of what can be read.
    std::optional<PacketFacts> next();

    /// Damaged packets and errors met so far; `truncated`: the file ended too early.
    [[nodiscard]] std::int64_t damaged() const;
    [[nodiscard]] bool truncated() const;
    /// Errors of the decoders of PacketStream::decode so far; complete when next() has ended.
    [[nodiscard]] std::int64_t undecodable() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The text of an ASS dialogue line (the form all text decoders give) without its fields, markup and line breaks.
std::string plain_text_of_ass(const std::string& dialogue);

/// NAL units of an H.264 or HEVC packet behind one another, each with its length in front as four bytes.
/// `length_size`: bytes of the length in front of each unit, 0 = start codes (Annex B).
std::vector<std::uint8_t> nal_units(const std::uint8_t* data, std::size_t size, int length_size);

}   // namespace millstream
