#include "media/stream_copy.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>
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

StreamCopy::StreamCopy(const SourceInfo& source, const std::vector<CarriedStream>& streams,
                       const std::string& container)
    : demuxer_(source), track_of_stream_(static_cast<std::size_t>(demuxer_.streams()), -1) {
    std::vector<int> selected;
    for (const CarriedStream& carried : streams) {
        if (carried.index < 0 || carried.index >= demuxer_.streams()) {
            throw Error(ErrorKind::input,
                        {kCopying, demuxer_.name(), "it has no stream " + std::to_string(carried.index) + " any more",
                         "Start again"});
        }
        if (carried.how != Carriage::copy && carried.how != Carriage::convert) {
            continue;
        }
        Track track;
        track.stream = &demuxer_.stream(carried.index);
        if (carried.how == Carriage::convert) {
            track.converter = std::make_unique<SubtitleConverter>(*track.stream, carried.codec, demuxer_.name());
        } else if (needs_adts_filter(*track.stream, container)) {
            track.filter = make_filter("aac_adtstoasc", *track.stream, demuxer_.name());
        }
        track_of_stream_[static_cast<std::size_t>(carried.index)] = static_cast<int>(tracks_.size());
        tracks_.push_back(std::move(track));
        selected.push_back(carried.index);
    }
    hides_by_edit_list_ = container == "mp4" || container == "mov";
    demuxer_.select(selected);
    look_ahead();
    if (hides_by_edit_list_) {
        refuse_late_dolby(source.video());
    }
}

// FFmpeg's MP4 muxer learns what (E-)AC-3 is from its packets, and a growing file's header is written behind those of
// the first two seconds.
void StreamCopy::refuse_late_dolby(const StreamInfo& video) const {
    constexpr double kLate_s = 1.5;
    const double begin_s = static_cast<double>(video.start_pts) * video.time_base.value();
    for (const Track& track : tracks_) {
        const AVCodecID codec = track.stream->codecpar->codec_id;
        if ((codec == AV_CODEC_ID_AC3 || codec == AV_CODEC_ID_EAC3) &&
            (!track.first_pts ||
             static_cast<double>(*track.first_pts) * av_q2d(track.stream->time_base) - begin_s > kLate_s)) {
            throw Error(ErrorKind::usage,
                        {kCopying, demuxer_.name(),
                         "stream " + std::to_string(track.stream->index) + " (" + avcodec_get_name(codec) +
                             ") begins after the pictures, which a growing MP4 or MOV cannot say",
                         "Choose an output that ends in .mkv, or leave that stream out with --audio"});
        }
    }
}

void check_beginnings(const SourceInfo& source, const std::vector<CarriedStream>& streams,
                      const std::string& container) {
    std::vector<CarriedStream> dolby;
    std::copy_if(streams.begin(), streams.end(), std::back_inserter(dolby), [&](const CarriedStream& stream) {
        const std::string& codec = source.streams.at(static_cast<std::size_t>(stream.index)).codec;
        return codec == "ac3" || codec == "eac3";
    });
    if (!dolby.empty()) {
        const StreamCopy looked_at(source, dolby, container);   // throws
    }
}

void StreamCopy::copy_parameters(std::size_t track, AVStream& to) const {
    const Track& from = tracks_[track];
    AVCodecParameters& parameters = *to.codecpar;
    to.time_base = from.stream->time_base;
    if (from.converter) {
        from.converter->copy_parameters(parameters);
        return;
    }
    av::check(avcodec_parameters_copy(&parameters, from.stream->codecpar), ErrorKind::resource, kCopying,
              demuxer_.name());
    if (parameters.codec_type != AVMEDIA_TYPE_DATA) {
        parameters.codec_tag = 0;   // the source container's name for the codec; the muxer knows its own
    }
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
}

// Subtitles and data come now and then, and may begin late.
bool StreamCopy::is_awaited(const Track& track) {
    const AVMediaType type = track.stream->codecpar->codec_type;
    return !track.first_pts && (type == AVMEDIA_TYPE_AUDIO || type == AVMEDIA_TYPE_VIDEO);
}

void StreamCopy::look_ahead() {
    std::size_t bytes = 0;
    while (std::any_of(tracks_.begin(), tracks_.end(), is_awaited) && bytes < kMostBytesAhead &&
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
    } else {
        ++damaged_;
    }
    return true;
}

void StreamCopy::take(Track& track, av::Packet packet) {
    if (track.filter && looking_ahead_) {
        take_extradata(track, *packet);
    }
    complete_time_stamps(track, *packet);
    if (is_hidden(track, *packet)) {
        return;
    }
    if (track.converter && !track.converter->convert(*packet)) {
        return;
    }
    if (was_taken(track, *packet)) {
        return;
    }
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

// Matroska stores no dts; those of a video's first packets lie before what FFmpeg's reader can work out. They are as
// far ahead of the pts as pictures are reordered.
std::int64_t StreamCopy::guessed_dts(const Track& track, const AVPacket& packet) {
    if (packet.pts == AV_NOPTS_VALUE) {
        return track.expected_dts.value_or(0);
    }
    const AVStream& stream = *track.stream;
    const AVRational rate = stream.avg_frame_rate;
    if (stream.codecpar->codec_type != AVMEDIA_TYPE_VIDEO || rate.num <= 0 || rate.den <= 0) {
        return packet.pts;
    }
    const std::int64_t reordered = av_rescale_q(stream.codecpar->video_delay, av_inv_q(rate), stream.time_base);
    return std::min(track.expected_dts.value_or(packet.pts - reordered), packet.pts);
}

void StreamCopy::complete_time_stamps(Track& track, AVPacket& packet) {
    const bool incomplete = packet.dts == AV_NOPTS_VALUE && packet.pts == AV_NOPTS_VALUE;
    repaired_ += incomplete ? 1 : 0;
    if (packet.dts == AV_NOPTS_VALUE) {
        packet.dts = guessed_dts(track, packet);
    }
    if (packet.pts == AV_NOPTS_VALUE || packet.pts < packet.dts) {
        packet.pts = packet.dts;
    }
}

// Sound from before a cut, which an edit list of the source hides. Containers without edit lists would let it be heard;
// what a decoder may need to start (Opus: 80 ms, AAC: one packet) stays.
bool StreamCopy::is_hidden(const Track& track, const AVPacket& packet) const {
    constexpr std::int64_t kPreRoll = AV_TIME_BASE * 80 / 1000;
    const std::int64_t start = demuxer_.context().start_time;
    return !hides_by_edit_list_ && start != AV_NOPTS_VALUE && (packet.flags & AV_PKT_FLAG_DISCARD) != 0 &&
           track.stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO &&
           av_compare_ts(packet.pts + packet.duration, track.stream->time_base, start - kPreRoll, AV_TIME_BASE_Q) < 0;
}

std::int64_t StreamCopy::damaged() const {
    std::int64_t count = damaged_ + marked_;
    for (const Track& track : tracks_) {
        count += track.converter ? track.converter->damaged() : 0;
    }
    return count;
}

}   // namespace millstream
