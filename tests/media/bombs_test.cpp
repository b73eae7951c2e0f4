// Files of a few hundred bytes that claim the earth: refused, or read for what they are, in little memory.
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "media/decoder.h"
#include "media/probe.h"
#include "millstream/error.h"
#include "resource/memory.h"

namespace millstream {
namespace {

std::string big_endian(std::uint64_t value, int bytes) {
    std::string text;
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
        text += static_cast<char>((value >> shift) & 0xFFU);
    }
    return text;
}

std::string little_endian(std::uint64_t value, int bytes) {
    const std::string text = big_endian(value, bytes);
    return {text.rbegin(), text.rend()};
}

std::string zeros(std::size_t count) {
    return std::string(count, '\0');
}

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text));
}

/// What an MP4's boxes claim (ISO 14496-12). The one sample that is there has 16x16 RGB pixels.
struct Mp4 {
    std::string codec = "raw ";
    std::uint32_t side = 16;
    std::uint32_t timescale = 25;
    std::uint64_t duration = 1;
    std::uint32_t samples = 1;
    std::uint32_t sample_bytes = 768;
    std::string in_sample_entry;
    std::uint32_t step = 1;   ///< between two samples, in ticks
};

std::string box(const std::string& type, const std::string& content) {
    return big_endian(content.size() + 8, 4) + type + content;
}

std::string full_box(const std::string& type, const std::string& content) {
    return box(type, zeros(4) + content);
}

std::string sample_table(const Mp4& claims, std::uint32_t data_at) {
    const std::string side = big_endian(claims.side, 2);
    const std::string entry =
        box(claims.codec, zeros(6) + big_endian(1, 2) + zeros(16) + side + side + zeros(14) + zeros(32) +
                              big_endian(24, 2) + big_endian(0xFFFF, 2) + claims.in_sample_entry);
    return box(
        "stbl",
        full_box("stsd", big_endian(1, 4) + entry) +
            full_box("stts", big_endian(1, 4) + big_endian(claims.samples, 4) + big_endian(claims.step, 4)) +
            full_box("stsc", big_endian(1, 4) + big_endian(1, 4) + big_endian(claims.samples, 4) + big_endian(1, 4)) +
            full_box("stsz", big_endian(claims.sample_bytes, 4) + big_endian(claims.samples, 4)) +
            full_box("stco", big_endian(1, 4) + big_endian(data_at, 4)));
}

std::string mp4(const Mp4& claims, const std::string& more_tracks = "") {
    const std::string type = box("ftyp", "qt  " + zeros(4) + "qt  ");
    const std::string data = box("mdat", zeros(768));
    const std::string header = box("mdhd", big_endian(0x01000000, 4) + zeros(16) + big_endian(claims.timescale, 4) +
                                               big_endian(claims.duration, 8) + zeros(4));
    const std::string handler = full_box("hdlr", zeros(4) + "vide" + zeros(13));
    const auto data_at = static_cast<std::uint32_t>(type.size() + 8);
    const std::string media =
        box("mdia", header + handler + box("minf", full_box("vmhd", zeros(8)) + sample_table(claims, data_at)));
    return type + data + box("moov", box("trak", media) + more_tracks);
}

std::string chunk(const std::string& type, const std::string& content) {
    return type + little_endian(content.size(), 4) + content;
}

std::string avi(std::uint32_t side) {
    const std::string main = chunk("avih", little_endian(40000, 4) + zeros(20) + little_endian(1, 4) + zeros(4) +
                                               little_endian(side, 4) + little_endian(side, 4) + zeros(16));
    const std::string stream = chunk("strh", "vidsDIB " + zeros(12) + little_endian(1, 4) + little_endian(25, 4) +
                                                 zeros(4) + little_endian(1, 4) + zeros(20));
    const std::string format = chunk("strf", little_endian(40, 4) + little_endian(side, 4) + little_endian(side, 4) +
                                                 little_endian(1, 2) + little_endian(24, 2) + zeros(24));
    const std::string lists = chunk("LIST", "hdrl" + main + chunk("LIST", "strl" + stream + format)) +
                              chunk("LIST", "movi" + chunk("00db", zeros(64)));
    return chunk("RIFF", "AVI " + lists);
}

std::string gif(std::uint32_t side) {
    const std::string size = little_endian(side, 2) + little_endian(side, 2);
    return "GIF89a" + size + "\x80" + zeros(2) + zeros(6) + "," + zeros(4) + size + zeros(1) + "\x02\x02\x4c\x01" +
           zeros(1) + ";";
}

std::string bmp(std::uint32_t side) {
    return "BM" + little_endian(118, 4) + zeros(4) + little_endian(54, 4) + little_endian(40, 4) +
           little_endian(side, 4) + little_endian(side, 4) + little_endian(1, 2) + little_endian(24, 2) + zeros(24) +
           zeros(64);
}

/// MiB by which the memory in use rose above what it was, at most, during `work`; nothing where Linux does not say.
std::optional<double> peak_mib(const std::function<void()>& work) {
    const auto before = static_cast<double>(resident_bytes());
    const bool reset = reset_peak_resident_bytes();
    work();
    return reset ? std::optional((static_cast<double>(peak_resident_bytes()) - before) / kMiB) : std::nullopt;
}

constexpr double kLittleMib = 100;   // decoders' and demuxers' own tables, and what sanitizers add

// An Error(input), in little memory.
void expect_refusal(const std::string& file, const std::string& name) {
    const std::optional<double> peak = peak_mib([&] {
        try {
            probe_memory(bytes_of(file), name);
            ADD_FAILURE() << name << " was taken";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
        }
    });
    EXPECT_LT(peak.value_or(0), kLittleMib) << name;
}

TEST(Bombs, the_files_are_read_when_they_claim_what_they_have) {
    const std::string file = mp4({});
    const SourceInfo source = probe_memory(bytes_of(file), "good.mov");
    EXPECT_EQ(source.video().video->width, 16);
    EXPECT_EQ(source.bytes, file.size());
    EXPECT_TRUE(VideoDecoder(source, {}).next());
    EXPECT_EQ(probe_memory(bytes_of(avi(4)), "good.avi").video().video->width, 4);
    EXPECT_EQ(probe_memory(bytes_of(bmp(4)), "good.bmp").video().video->width, 4);
    EXPECT_EQ(probe_memory(bytes_of(gif(1)), "good.gif").video().video->width, 1);
}

TEST(Bombs, pictures_of_four_thousand_million_pixels_are_refused) {
    for (const char* codec : {"raw ", "png ", "jpeg", "avc1", "hvc1", "mp4v", "apcn"}) {
        Mp4 claims;
        claims.codec = codec;
        claims.side = 65535;
        expect_refusal(mp4(claims), std::string("huge_") + codec + ".mov");
    }
    expect_refusal(avi(65535), "huge.avi");
    expect_refusal(gif(65535), "huge.gif");
    expect_refusal(bmp(65535), "huge.bmp");
    expect_refusal(bmp(100000), "huge.bmp");
}

TEST(Bombs, lower_limits_than_our_own_can_be_set) {
    const std::string file = mp4({});
    EXPECT_EQ(probe_memory(bytes_of(file), "good.mov", {}, {.pixels = 256}).video().video->width, 16);
    EXPECT_THROW(probe_memory(bytes_of(file), "good.mov", {}, {.pixels = 255}), Error);
    EXPECT_THROW(probe_memory(bytes_of(mp4({}, box("trak", ""))), "two.mov", {}, {.streams = 1}), Error);
}

TEST(Bombs, thousands_of_streams_are_refused) {
    std::string tracks;
    for (int i = 0; i < 5000; ++i) {
        tracks += box("trak", "");
    }
    expect_refusal(mp4({}, tracks), "tracks.mov");
}

TEST(Bombs, extradata_larger_than_the_file_are_refused_or_left_out) {
    Mp4 claims;
    claims.codec = "avc1";
    claims.in_sample_entry = big_endian(0x0F000000, 4) + "avcC" + zeros(8);   // a box of 251 MB
    expect_refusal(mp4(claims), "extradata.mov");
}

TEST(Bombs, absurd_durations_are_unknown_ones) {
    for (const std::uint32_t timescale : {1U, 0xFFFFFFFFU}) {
        Mp4 claims;
        claims.timescale = timescale;
        claims.duration = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        claims.step = 0xFFFFFFFFU;
        const std::string file = mp4(claims);
        const SourceInfo source = probe_memory(bytes_of(file), "endless.mov");
        EXPECT_GE(source.video().video->frames, 0);
        EXPECT_LT(source.duration_s, 1e12);
        EXPECT_GE(source.duration_s, 0);
        DecoderSettings settings;
        settings.start_s = 1e300;
        EXPECT_NO_THROW(VideoDecoder(source, settings).next());
    }
}

}   // namespace
}   // namespace millstream
