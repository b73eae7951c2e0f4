#include "media/muxer.h"

extern "C" {
#include <libavutil/opt.h>
}

#include <string_view>
#include <utility>

#include "media/log.h"

namespace millstream {
namespace {

// Fragments end where we say; the header waits for the first packets, because it holds where each track begins; tracks
// are placed absolutely; and what FFmpeg would write at the end is ours.
constexpr const char* kFragments = "+frag_custom+delay_moov+default_base_moof+skip_trailer";
constexpr const char* kFurtherFragments = "+frag_custom+delay_moov+default_base_moof+skip_trailer+frag_discont";

}   // namespace

Muxer::Muxer(OutputTarget& target, const std::string& container, std::string name)
    : name_(std::move(name)), io_(target) {
    const LogCapture log;
    AVFormatContext* context = nullptr;
    const int found = avformat_alloc_output_context2(&context, nullptr, container.c_str(), nullptr);
    context_.reset(context);
    av::check(found, ErrorKind::usage, "choosing the container", container);
    context_->pb = io_.context();
    context_->flags |= AVFMT_FLAG_CUSTOM_IO;
    context_->avoid_negative_ts = AVFMT_AVOID_NEG_TS_DISABLED;      // Note [Output time line]
    context_->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;   // FLAC and TrueHD in MP4, standard by now
}

AVStream& Muxer::add_stream() {
    AVStream* stream = avformat_new_stream(context_.get(), nullptr);
    if (stream == nullptr) {
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), "creating the output", name_);
    }
    return *stream;
}

// As the ffmpeg program does: libavformat's own function for it is not public. The context frees them.
AVChapter& Muxer::add_chapter() {
    auto* chapter = static_cast<AVChapter*>(av_mallocz(sizeof(AVChapter)));
    auto* chapters =
        static_cast<AVChapter**>(av_realloc_array(context_->chapters, context_->nb_chapters + 1, sizeof(AVChapter*)));
    if (chapter == nullptr || chapters == nullptr) {
        av_free(chapter);
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), "creating the output", name_);
    }
    context_->chapters = chapters;
    context_->chapters[context_->nb_chapters++] = chapter;
    return *chapter;
}

void Muxer::write_header(const MovTiming& timing, MuxerLayout layout, int next_piece) {
    const LogCapture log;
    av::Dictionary options;
    if (is_mov()) {
        std::string flags = timing.free_keys ? "+use_metadata_tags" : "";
        if (layout != MuxerLayout::whole) {
            flags += layout == MuxerLayout::pieces ? kFragments : kFurtherFragments;
            options.set("fragment_index", next_piece);
            options.set("write_tmcd", 0);   // a track of one sample, which comes with the index
        }
        if (!flags.empty()) {
            options.set("movflags", flags);
        }
        options.set("use_editlist", 1);
        if (timing.video_timescale > 0) {
            options.set("video_track_timescale", timing.video_timescale);
        }
        options.set("movie_timescale", timing.movie_timescale);
    }
    const int code = avformat_write_header(context_.get(), options.address());
    if (code < 0) {
        throw Error(ErrorKind::usage,
                    {"writing the header of the output", name_, log.text().empty() ? av::describe(code) : log.text(),
                     "Matroska (.mkv) takes most streams"});
    }
}

void Muxer::place_beginning(int stream, std::int64_t dts, std::int64_t pts) {
    const av::Packet nothing = av::make_packet();
    nothing->stream_index = stream;
    nothing->dts = dts;
    nothing->pts = pts;
    write(*nothing);
}

void Muxer::write(AVPacket& packet) {
    const LogCapture log;
    check_written(av_write_frame(context_.get(), &packet), "writing the output", log.text());
}

// The first flush of an MP4 gives the header alone; other containers have written theirs.
void Muxer::end_header() {
    if (!header_left_ && is_mov()) {
        const LogCapture log;
        check_written(av_write_frame(context_.get(), nullptr), "writing the header of the output", log.text());
    }
    header_left_ = true;
    avio_flush(io_.context());
}

void Muxer::end_piece() {
    end_header();
    const LogCapture log;
    check_written(av_write_frame(context_.get(), nullptr), "writing the output", log.text());
    avio_flush(io_.context());
    if (is_mov()) {
        // Else a fragment begins where the duration of the last packet before it says, which may be rounded.
        av_opt_set(context_->priv_data, "movflags", "+frag_discont", 0);
    }
}

void Muxer::finish() {
    const LogCapture log;
    check_written(av_write_trailer(context_.get()), "finishing the output", log.text());
    avio_flush(io_.context());
}

void Muxer::seek(std::int64_t position) {
    avio_flush(io_.context());
    avio_seek(io_.context(), position, SEEK_SET);
}

void Muxer::check_written(int code, const char* doing, const std::string& said) const {
    if (io_.context()->error < 0) {   // the target had no memory
        av::fail(ErrorKind::resource, io_.context()->error, doing, name_);
    }
    if (code < 0) {
        throw Error(ErrorKind::internal, {doing, name_, said.empty() ? av::describe(code) : said, ""});
    }
}

bool Muxer::is_mov() const {
    const std::string_view name = context_->oformat->name;
    return name == "mp4" || name == "mov";
}

bool Muxer::is_matroska() const {
    const std::string_view name = context_->oformat->name;
    return name == "matroska" || name == "webm";
}

bool Muxer::wants_global_header(const std::string& container) {
    const AVOutputFormat* format = av_guess_format(container.c_str(), nullptr, nullptr);
    return format != nullptr && (format->flags & AVFMT_GLOBALHEADER) != 0;
}

}   // namespace millstream
