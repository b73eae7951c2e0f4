#include "media/stream_copy.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

namespace millstream {
namespace {

constexpr const char* kCopying = "copying a stream";
constexpr std::size_t kMostBytesAhead = std::size_t{4} << 20;
constexpr std::size_t kMostPacketsAhead = 2000;

// AAC out of MPEG-TS or raw ADTS carries its parameters in every packet; MP4 and Matroska want them once, in the
// header.
bool needs_adts_filter(const AVStream& stream, std::string_view container) {
    return stream.codecpar->codec_id == AV_CODEC_ID_AAC && stream.codecpar->extradata_size == 0 &&
           (container == "mp4" || container == "mov" || container == "matroska");
}

av::BitstreamFilter make_filter(const char* name, const AVStream& stream, const std::string& file) {
    const AVBitStreamFilter* description = av_bsf_get_by_name(name);
    AVBSFContext* context = nullptr;
    av::check(description == nullptr ? AVERROR_BSF_NOT_FOUND : av_bsf_alloc(description, &context), ErrorKind::internal,
              kCopying, name);
    av::BitstreamFilter filter(context);
    av::check(avcodec_parameters_copy(filter->par_in, stream.codecpar), ErrorKind::internal, kCopying, file);
    filter->time_base_in = stream.time_base;
    av::check(av_bsf_init(filter.get()), ErrorKind::input, kCopying, file);
    return filter;
}

}   // namespace

StreamCopy::StreamCopy(const SourceInfo& source, const std::vector<int>& streams, const std::string& container)
    : demuxer_(source), track_of_stream_(static_cast<std::size_t>(demuxer_.streams()), -1) {
    for (const int index : streams) {
        if (index < 0 || index >= demuxer_.streams()) {
            throw Error(ErrorKind::input, {kCopying, demuxer_.name(),
                                           "it has no stream " + std::to_string(index) + " any more", "Start again"});
        }
        Track track;
        track.stream = &demuxer_.stream(index);
        if (needs_adts_filter(*track.stream, container)) {
            track.filter = make_filter("aac_adtstoasc", *track.stream, demuxer_.name());
        }
        track_of_stream_[static_cast<std::size_t>(index)] = static_cast<int>(tracks_.size());
        tracks_.push_back(std::move(track));
    }
    demuxer_.select(streams);
    look_ahead();
}

void StreamCopy::copy_parameters(std::size_t track, AVStream& to) const {
    const Track& from = tracks_[track];
    AVCodecParameters& parameters = *to.codecpar;
    av::check(avcodec_parameters_copy(&parameters, from.stream->codecpar), ErrorKind::resource, kCopying,
              demuxer_.name());
    parameters.codec_tag = 0;   // the source container's name for the codec; the muxer knows its own
    if (!from.extradata.empty()) {
        av_freep(&parameters.extradata);
        parameters.extradata =
            static_cast<std::uint8_t*>(av_mallocz(from.extradata.size() + AV_INPUT_BUFFER_PADDING_SIZE));
        if (parameters.extradata == nullptr) {
            av::fail(ErrorKind::resource, AVERROR(ENOMEM), kCopying, demuxer_.name());
        }
        std::memcpy(parameters.extradata, from.extradata.data(), from.extradata.size());
        parameters.extradata_size = static_cast<int>(from.extradata.size());
    }
    to.time_base = from.stream->time_base;
    to.disposition = from.stream->disposition;
    av_dict_copy(&to.metadata, from.stream->metadata, 0);
}

void StreamCopy::look_ahead() {
    const auto unseen = [](const Track& track) { return !track.first_pts; };
    std::size_t bytes = 0;
    while (std::any_of(tracks_.begin(), tracks_.end(), unseen) && bytes < kMostBytesAhead &&
           ahead_.size() < kMostPacketsAhead) {
        const std::size_t before = ahead_.size();
        if (!read_one()) {
            break;
        }
        for (std::size_t i = before; i < ahead_.size(); ++i) {
            bytes += static_cast<std::size_t>(ahead_[i]->size);
        }
    }
    looking_ahead_ = false;
}

AVPacket* StreamCopy::peek() {
    while (ahead_.empty()) {
        if (tracks_.empty() || !read_one()) {
            return nullptr;
        }
    }
    return ahead_.front().get();
}

void StreamCopy::pop() {
    ahead_.pop_front();
}

// One packet of the source; it may come out of the filter as none or as several. False at the end of the source.
bool StreamCopy::read_one() {
    av::Packet packet = av::make_packet();
    if (!demuxer_.read(*packet)) {
        return false;
    }
    const int index = track_of_stream_[static_cast<std::size_t>(packet->stream_index)];
    Track& track = tracks_[static_cast<std::size_t>(index)];
    packet->stream_index = index;
    packet->pos = -1;
    if (!track.filter) {
        take(track, std::move(packet));
        return true;
    }
    // A packet that the filter refuses is damaged: it is left out, as a player would.
    if (av_bsf_send_packet(track.filter.get(), packet.get()) >= 0) {
        av::Packet filtered = av::make_packet();
        while (av_bsf_receive_packet(track.filter.get(), filtered.get()) >= 0) {
            take(track, std::exchange(filtered, av::make_packet()));
        }
    }
    return true;
}

void StreamCopy::take(Track& track, av::Packet packet) {
    if (track.filter && looking_ahead_) {
        take_extradata(track, *packet);
    }
    complete_time_stamps(track, *packet);
    if (!track.first_pts) {
        track.first_pts = packet->pts;
    }
    track.expected_dts = packet->dts + packet->duration;
    ahead_.push_back(std::move(packet));
}

// For the header. Left on the packet the muxer would write it a second time over what follows.
void StreamCopy::take_extradata(Track& track, AVPacket& packet) {
    std::size_t size = 0;
    const std::uint8_t* extradata = av_packet_get_side_data(&packet, AV_PKT_DATA_NEW_EXTRADATA, &size);
    if (extradata != nullptr && size > 0) {
        track.extradata.assign(extradata, extradata + size);
        av_packet_shrink_side_data(&packet, AV_PKT_DATA_NEW_EXTRADATA, 0);
    }
}

void StreamCopy::complete_time_stamps(Track& track, AVPacket& packet) const {
    if (packet.dts == AV_NOPTS_VALUE) {
        packet.dts = packet.pts != AV_NOPTS_VALUE ? packet.pts : track.expected_dts.value_or(0);
    }
    if (packet.pts == AV_NOPTS_VALUE || packet.pts < packet.dts) {
        packet.pts = packet.dts;
    }
}

}   // namespace millstream
