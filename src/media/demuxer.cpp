#include "media/demuxer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "media/flv_clock.h"
#include "media/log.h"
#include "media/time_limits.h"

namespace millstream {
namespace {

constexpr const char* kOpening = "opening the input";
constexpr AVRational kMilliseconds{1, 1000};

// Formats that name other files or urls, run scripts, or make a picture of any text.
constexpr std::array<std::string_view, 18> kRefusedFormats{
    "concat",     "concatf", "hls",  "dash",  "webm_dash_manifest", "imf",      "image2",
    "image2pipe", "sdp",     "rtsp", "lavfi", "vapoursynth",        "avisynth", "tty",
    "bin",        "xbin",    "adf",  "idf"};

bool is_refused(const AVInputFormat& format) {
    std::string_view names = format.name;
    while (!names.empty()) {
        const std::string_view name = names.substr(0, names.find(','));
        if (std::find(kRefusedFormats.begin(), kRefusedFormats.end(), name) != kRefusedFormats.end()) {
            return true;
        }
        names.remove_prefix(std::min(names.size(), name.size() + 1));
    }
    return (format.flags & AVFMT_NOFILE) != 0;
}

[[noreturn]] void refuse(const std::string& name, std::string why, std::string hint) {
    throw Error(ErrorKind::input, {kOpening, name, std::move(why), std::move(hint)});
}

// Matroska, MP4 and others say so, and then report a plain end of file.
bool says_that_the_file_is_cut(const LogCapture& log) {
    return std::any_of(log.lines().begin(), log.lines().end(), [](const std::string& line) {
        return line.find("prematurely") != std::string::npos || line.find("partial file") != std::string::npos;
    });
}

void drop_absurd_times(AVPacket& packet, AVRational time_base) {
    for (std::int64_t* time : {&packet.pts, &packet.dts}) {
        if (!is_sane_time(*time, time_base)) {
            *time = AV_NOPTS_VALUE;
        }
    }
    if (packet.duration < 0 || !is_sane_time(packet.duration, time_base)) {
        packet.duration = 0;
    }
}

bool is_flv(const AVInputFormat& format) {
    const std::string_view name = format.name;
    return name == "flv" || name == "live_flv" || name == "kux";
}

int refuse_other_files(AVFormatContext* /*context*/, AVIOContext** /*io*/, const char* /*url*/, int /*flags*/,
                       AVDictionary** /*options*/) {
    return AVERROR(EPERM);
}

}   // namespace

Demuxer::Demuxer(const std::filesystem::path& path, const InputLimits& limits)
    : Demuxer(open_file(path), path.string(), limits, nullptr) {}

Demuxer::Demuxer(std::span<const std::byte> bytes, const std::string& name, const InputLimits& limits)
    : Demuxer(open_memory(bytes, name), name, limits, nullptr) {}

Demuxer::Demuxer(const SourceInfo& source)
    : Demuxer(source.memory.empty() ? open_file(source.path) : open_memory(source.memory, source.path.string()),
              source.path.string(), source.limits, source.late) {}

Demuxer::Demuxer(InputIo io, std::string name, const InputLimits& limits, std::shared_ptr<const LateParameters> late,
                 PacketForm form)
    : name_(std::move(name)), limits_(limits), io_(std::move(io)), late_(std::move(late)) {
    quiet_ffmpeg();
    read_headers(recognise(), form);
    io_->error = 0;   // of a place that opening could do without; read() will meet it again
    const bool flv = is_flv(*context_->iformat);
    if (flv || (context_->iformat->flags & AVFMT_TS_DISCONT) != 0) {
        clock_.emplace();
    }
    if (flv && is_sane_time(context_->start_time, AV_TIME_BASE_Q)) {
        flv_start_ = av_rescale_q(context_->start_time, AV_TIME_BASE_Q, kMilliseconds);
        for (unsigned i = 0; i < context_->nb_streams; ++i) {
            unwrap(context_->streams[i]->start_time);
        }
    }
}

void Demuxer::unwrap(std::int64_t& time) const {
    if (flv_start_ && time != AV_NOPTS_VALUE) {
        time = unwrapped_flv_time(time, *flv_start_);
    }
}

std::uint64_t Demuxer::bytes() const {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(avio_size(io_.get()), 0));
}

std::uint64_t Demuxer::bytes_read() const {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(io_->bytes_read, 0));
}

const AVInputFormat& Demuxer::recognise() {
    const LogCapture log;
    const AVInputFormat* format = nullptr;
    const std::string file_name = std::filesystem::path(name_).filename().string();
    probe_score_ = av_probe_input_buffer2(io_.get(), &format, file_name.c_str(), nullptr, 0, 0);
    if (format != nullptr && std::string_view(format->name) == "image2") {
        // Chosen by its extension, and it would take the name for a pattern: by content it is a plain picture.
        format = nullptr;
        avio_seek(io_.get(), 0, SEEK_SET);
        probe_score_ = av_probe_input_buffer2(io_.get(), &format, "", nullptr, 0, 0);
    }
    if (probe_score_ < 0 || format == nullptr) {
        refuse(name_, "its content is no video format that FFmpeg knows", "Check that the file is what its name says");
    }
    if (is_refused(*format)) {
        refuse(name_, std::string("its content is '") + format->name + "', a script, playlist or text and not a video",
               "Name the video file itself; what a playlist names is not followed");
    }
    return *format;
}

void Demuxer::read_headers(const AVInputFormat& format, PacketForm form) {
    const LogCapture log;
    AVFormatContext* context = avformat_alloc_context();
    if (context == nullptr) {
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), kOpening, name_);
    }
    context->pb = io_.get();
    context->io_open = refuse_other_files;
    context->flags |= form == PacketForm::as_stored ? AVFMT_FLAG_NOPARSE : 0;
    av::Dictionary options;
    options.set("protocol_whitelist", "file");
    options.set("max_streams", limits_.streams);
    const int opened = avformat_open_input(&context, name_.c_str(), &format, options.address());   // frees on failure
    if (opened < 0) {
        if (probe_score_ <= AVPROBE_SCORE_RETRY) {   // recognised by little more than the extension
            refuse(name_, "its content is no video format that FFmpeg knows",
                   "Check that the file is what its name says");
        }
        refuse(
            name_, log.text().empty() ? av::describe(opened) : log.text(),
            std::string("The file is damaged or cut off (format '") + format.name +
                "'); an MP4 cannot be read without its index, which many programs write last. Copy or record it again");
    }
    context_.reset(context);

    // A decoder that find_stream_info opens must not allocate for absurd sizes either.
    std::vector<AVDictionary*> limits(context->nb_streams, nullptr);
    for (AVDictionary*& limit : limits) {
        av_dict_set_int(&limit, "max_pixels", limits_.pixels, 0);
    }
    const int found = avformat_find_stream_info(context, limits.empty() ? nullptr : limits.data());
    for (AVDictionary*& limit : limits) {
        av_dict_free(&limit);
    }
    if (found < 0) {
        refuse(name_, log.text().empty() ? av::describe(found) : log.text(), "The file is damaged or cut off");
    }
    if ((format.flags & AVFMT_TS_DISCONT) != 0 && (format.flags & AVFMT_NO_BYTE_SEEK) == 0) {
        if (late_) {
            late_->restore(*context_);
        } else {
            auto late = std::make_shared<LateParameters>();
            late->find(*context_);
            late_ = std::move(late);
        }
    }
}

void Demuxer::select(const std::vector<int>& streams) {
    selected_.emplace(context_->nb_streams, false);
    for (const int stream : streams) {
        selected_->at(static_cast<std::size_t>(stream)) = true;
    }
    // Where the clock may jump every packet must be seen: see ClockJumps.
    const AVDiscard unwanted = clock_ ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    for (unsigned i = 0; i < context_->nb_streams; ++i) {
        context_->streams[i]->discard = (*selected_)[i] ? AVDISCARD_DEFAULT : unwanted;
    }
}

bool Demuxer::wanted(const AVPacket& packet) const {
    const auto index = static_cast<std::size_t>(packet.stream_index);
    // Streams that appear in mid-file were never asked for.
    return !selected_ || (index < selected_->size() && (*selected_)[index]);
}

// libavformat turns it into an end of file, or into damage; the code of the read itself stays in the AVIOContext.
// FFmpeg's own codes, which are far below any errno, are about content.
void Demuxer::look_for_read_error() const {
    constexpr int kMostErrno = 4095;
    if (io_->error < 0 && io_->error >= AVERROR(kMostErrno)) {
        throw Error(ErrorKind::resource,
                    {"reading the input", name_, std::generic_category().message(AVUNERROR(io_->error)),
                     "Check the disk or the network it is on"});
    }
}

bool Demuxer::read(AVPacket& packet) {
    constexpr int kAttempts = 16;   // some demuxers resynchronise behind damage; none gets for ever
    const LogCapture log;
    int failures = 0;
    while (failures < kAttempts) {
        av_packet_unref(&packet);
        const int code = av_read_frame(context_.get(), &packet);
        look_for_read_error();
        if (code == AVERROR_EOF) {
            break;
        }
        if (code < 0) {
            truncated_ = true;
            ++failures;
            continue;
        }
        if (late_) {
            late_->restore(*context_);
        }
        const AVRational time_base = context_->streams[packet.stream_index]->time_base;
        drop_absurd_times(packet, time_base);
        unwrap(packet.pts);
        unwrap(packet.dts);
        if (clock_) {
            clock_->apply(packet, time_base);
        }
        if (!wanted(packet)) {
            continue;
        }
        if ((packet.flags & AV_PKT_FLAG_CORRUPT) != 0) {
            ++corrupt_packets_;
        }
        truncated_ = truncated_ || says_that_the_file_is_cut(log);
        return true;
    }
    truncated_ = truncated_ || says_that_the_file_is_cut(log);
    return false;
}

void Demuxer::seek_near(double seconds) {
    const LogCapture log;
    const std::int64_t start = is_sane_time(context_->start_time, AV_TIME_BASE_Q) ? context_->start_time : 0;
    const double ticks = std::min(seconds, kMostSeconds) * AV_TIME_BASE;
    av_seek_frame(context_.get(), -1, start + static_cast<std::int64_t>(ticks), AVSEEK_FLAG_BACKWARD);
}

}   // namespace millstream
