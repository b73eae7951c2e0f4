#include "media/packet_reader.h"

#include <algorithm>
#include <deque>
#include <map>
#include <string_view>
#include <utility>

#include "media/av.h"
#include "media/demuxer.h"
#include "media/file_description.h"
#include "media/frame_decoder.h"
#include "media/log.h"

namespace millstream {
namespace {

constexpr const char* kReading = "reading the packets";

// Bytes of the length in front of NAL units; 0 = start codes. ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1.
int length_size_of(const AVCodecParameters& parameters) {
    const std::uint8_t* extradata = parameters.extradata;
    const int size = parameters.extradata_size;
    if (extradata == nullptr || size < 7 || extradata[0] != 1) {
        return 0;
    }
    if (parameters.codec_id == AV_CODEC_ID_HEVC) {
        return size > 21 ? (extradata[21] & 3) + 1 : 0;
    }
    return (extradata[4] & 3) + 1;
}

void append_unit(std::vector<std::uint8_t>& units, const std::uint8_t* begin, const std::uint8_t* end) {
    while (end > begin && end[-1] == 0) {   // trailing_zero_8bits of Annex B
        --end;
    }
    const auto size = static_cast<std::uint32_t>(end - begin);
    if (size == 0) {
        return;
    }
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
        units.push_back(static_cast<std::uint8_t>(size >> shift));
    }
    units.insert(units.end(), begin, end);
}

// The first start code at or after `at`: its three bytes begin there; `end` where there is none.
const std::uint8_t* start_code(const std::uint8_t* at, const std::uint8_t* end) {
    for (; end - at >= 3; ++at) {
        if (at[0] == 0 && at[1] == 0 && at[2] == 1) {
            return at;
        }
    }
    return end;
}

void append_annex_b(std::vector<std::uint8_t>& units, const std::uint8_t* data, const std::uint8_t* end) {
    const std::uint8_t* at = start_code(data, end);
    while (at < end) {
        const std::uint8_t* begin = at + 3;
        at = start_code(begin, end);
        append_unit(units, begin, at);
    }
}

bool is_adts(const AVPacket& packet) {
    return packet.size > 7 && packet.data[0] == 0xFF && (packet.data[1] & 0xF6U) == 0xF0;
}

// ADTS header: 7 bytes, 9 with a checksum (ISO/IEC 14496-3, 1.A.2.2).
std::size_t adts_header_bytes(const AVPacket& packet) {
    return (packet.data[1] & 1U) != 0 ? 7 : 9;
}

av::CodecContext open_text_decoder(const AVStream& stream, const std::string& file) {
    const AVCodec* codec = avcodec_find_decoder(stream.codecpar->codec_id);
    if (codec == nullptr) {
        throw Error(
            ErrorKind::input,
            {kReading, file,
             std::string("this FFmpeg has no decoder for '") + avcodec_get_name(stream.codecpar->codec_id) + "'", ""});
    }
    av::CodecContext context(avcodec_alloc_context3(codec));
    if (!context) {
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), kReading, file);
    }
    av::check(avcodec_parameters_to_context(context.get(), stream.codecpar), ErrorKind::input, kReading, file);
    context->pkt_timebase = stream.time_base;
    av::check(avcodec_open2(context.get(), codec, nullptr), ErrorKind::input, kReading, file);
    return context;
}

}   // namespace

std::vector<std::uint8_t> nal_units(const std::uint8_t* data, std::size_t size, int length_size) {
    std::vector<std::uint8_t> units;
    units.reserve(size + 64);
    const std::uint8_t* const end = data + size;
    if (length_size == 0) {
        append_annex_b(units, data, end);
        return units;
    }
    while (end - data > length_size) {
        std::size_t length = 0;
        for (int i = 0; i < length_size; ++i) {
            length = length << 8U | *data++;
        }
        const std::uint8_t* const next = data + std::min(length, static_cast<std::size_t>(end - data));
        append_unit(units, data, next);
        data = next;
    }
    return units;
}

std::string plain_text_of_ass(const std::string& dialogue) {
    // ReadOrder,Layer,Style,Name,MarginL,MarginR,MarginV,Effect,Text
    std::size_t begin = 0;
    for (int field = 0; field < 8 && begin != std::string::npos; ++field) {
        begin = dialogue.find(',', begin);
        begin = begin == std::string::npos ? begin : begin + 1;
    }
    constexpr std::string_view kSpaces = "Nnh";   // \N and \n break a line, \h is a hard space
    std::string text;
    bool markup = false;
    for (std::size_t i = begin; i < dialogue.size(); ++i) {
        const char letter = dialogue[i];
        if (letter == '{' || letter == '}') {
            markup = letter == '{';
        } else if (letter == '\\' && i + 1 < dialogue.size() &&
                   kSpaces.find(dialogue[i + 1]) != std::string_view::npos) {
            text += markup ? "" : " ";
            ++i;
        } else if (!markup && letter != '\r' && letter != '\n') {
            text += letter;
        }
    }
    const auto last = text.find_last_not_of(' ');
    const auto first = text.find_first_not_of(' ');
    return last == std::string::npos ? "" : text.substr(first, last - first + 1);
}

struct PacketReader::State {
    struct Stream {
        bool wanted = false;
        int length_size = 0;
        av::CodecContext text_decoder;
        std::unique_ptr<FrameDecoder> decoder;
        std::optional<std::int64_t> expected_dts;
    };

    State(const SourceInfo& source, const std::vector<PacketStream>& wanted);
    void complete_time_stamps(Stream& stream) const;
    std::optional<std::string> payload(Stream& stream, AVCodecID codec);
    std::optional<std::string> text(AVCodecContext& decoder);
    void decode(FrameDecoder& decoder);
    void drain();

    Demuxer demuxer;
    std::vector<Stream> streams;
    av::Packet packet = av::make_packet();
    av::Frame frame = av::make_frame();
    std::int64_t refused = 0;
    std::int64_t undecodable = 0;
};

PacketReader::State::State(const SourceInfo& source, const std::vector<PacketStream>& wanted)
    : demuxer(source), streams(static_cast<std::size_t>(demuxer.streams())) {
    std::vector<int> indices;
    for (const auto& [index, as_text, decoded] : wanted) {
        if (index < 0 || index >= demuxer.streams()) {
            throw Error(ErrorKind::input, {kReading, demuxer.name(),
                                           "it has no stream " + std::to_string(index) + " any more", "Start again"});
        }
        Stream& stream = streams[static_cast<std::size_t>(index)];
        const AVStream& from = demuxer.stream(index);
        stream.wanted = true;
        stream.length_size = length_size_of(*from.codecpar);
        if (as_text) {
            stream.text_decoder = open_text_decoder(from, demuxer.name());
        }
        if (decoded && avcodec_find_decoder(from.codecpar->codec_id) != nullptr) {
            stream.decoder =
                std::make_unique<FrameDecoder>(demuxer, index, DecoderSettings{.threads = 1, .hwaccel = ""});
        }
        indices.push_back(index);
    }
    demuxer.select(indices);
}

// As when a stream is copied: what has no time follows what was before it.
void PacketReader::State::complete_time_stamps(Stream& stream) const {
    if (packet->dts == AV_NOPTS_VALUE) {
        packet->dts = packet->pts != AV_NOPTS_VALUE ? packet->pts : stream.expected_dts.value_or(0);
    }
    if (packet->pts == AV_NOPTS_VALUE || packet->pts < packet->dts) {
        packet->pts = packet->dts;
    }
    stream.expected_dts = packet->dts + packet->duration;
}

std::optional<std::string> PacketReader::State::text(AVCodecContext& decoder) {
    const LogCapture log;
    AVSubtitle subtitle{};
    int found = 0;
    if (avcodec_decode_subtitle2(&decoder, &subtitle, &found, packet.get()) < 0) {
        ++refused;
        return std::nullopt;
    }
    std::string text;
    for (unsigned i = 0; found != 0 && i < subtitle.num_rects; ++i) {
        const AVSubtitleRect& rectangle = *subtitle.rects[i];
        text += (text.empty() ? "" : " ") + plain_text_of_ass(rectangle.ass == nullptr ? "" : rectangle.ass);
    }
    if (found != 0) {
        avsubtitle_free(&subtitle);
    }
    return text.empty() ? std::nullopt : std::optional(text);
}

// Takes out what the decoder has. A decoder that fails without end is given up on.
void PacketReader::State::decode(FrameDecoder& decoder) {
    constexpr int kMostFailures = 1000;
    for (int failures = 0; failures < kMostFailures;) {
        const FrameDecoder::Result result = decoder.receive(*frame);
        if (result == FrameDecoder::Result::needs_packet || result == FrameDecoder::Result::finished) {
            return;
        }
        const bool damaged = result == FrameDecoder::Result::damaged;
        failures += damaged ? 1 : 0;
        undecodable += damaged ? 1 : 0;
    }
}

void PacketReader::State::drain() {
    for (Stream& stream : streams) {
        if (stream.decoder) {
            stream.decoder->drain();
            decode(*stream.decoder);
            undecodable += stream.decoder->concealed();
            stream.decoder.reset();
        }
    }
}

std::optional<std::string> PacketReader::State::payload(Stream& stream, AVCodecID codec) {
    if (stream.text_decoder) {
        return text(*stream.text_decoder);
    }
    const auto size = static_cast<std::size_t>(packet->size);
    if (codec == AV_CODEC_ID_AAC && is_adts(*packet)) {
        const std::size_t header = std::min(adts_header_bytes(*packet), size);
        return hash_of(packet->data + header, size - header);
    }
    if (codec == AV_CODEC_ID_H264 || codec == AV_CODEC_ID_HEVC) {
        const std::vector<std::uint8_t> units = nal_units(packet->data, size, stream.length_size);
        return hash_of(units.data(), units.size());
    }
    return hash_of(packet->data, size);
}

PacketReader::PacketReader(const SourceInfo& source, const std::vector<PacketStream>& streams)
    : state_(std::make_unique<State>(source, streams)) {}
PacketReader::~PacketReader() = default;
PacketReader::PacketReader(PacketReader&&) noexcept = default;
PacketReader& PacketReader::operator=(PacketReader&&) noexcept = default;

std::optional<PacketFacts> PacketReader::next() {
    State& state = *state_;
    AVPacket& packet = *state.packet;
    while (state.demuxer.read(packet)) {
        const AVStream& from = state.demuxer.stream(packet.stream_index);
        State::Stream& stream = state.streams[static_cast<std::size_t>(packet.stream_index)];
        state.complete_time_stamps(stream);
        if (stream.decoder) {
            state.undecodable += stream.decoder->send(packet) ? 0 : 1;
            state.decode(*stream.decoder);
        }
        if (auto payload = state.payload(stream, from.codecpar->codec_id)) {
            const double tick = av_q2d(from.time_base);
            return PacketFacts{packet.stream_index, static_cast<double>(packet.pts) * tick,
                               static_cast<double>(packet.duration) * tick, std::move(*payload),
                               (packet.flags & AV_PKT_FLAG_DISCARD) != 0};
        }
    }
    state.drain();
    return std::nullopt;
}

std::int64_t PacketReader::undecodable() const {
    return state_->undecodable;
}

std::int64_t PacketReader::damaged() const {
    return state_->refused + state_->demuxer.corrupt_packets();
}

bool PacketReader::truncated() const {
    return state_->demuxer.truncated();
}

}   // namespace millstream
