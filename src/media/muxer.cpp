#include "media/muxer.h"

extern "C" {
#include <libavutil/opt.h>
}

#include <algorithm>
#include <string_view>

#include "media/index_in_front.h"
#include "media/log.h"

namespace millstream {

Muxer::Muxer(const std::filesystem::path& path, const std::string& container) : name_(path.string()) {
    const LogCapture log;
    AVFormatContext* context = nullptr;
    const int found = avformat_alloc_output_context2(&context, nullptr, container.c_str(), nullptr);
    context_.reset(context);
    av::check(found, ErrorKind::usage, "choosing the container", container);
    AVIOContext* io = nullptr;
    const int opened = avio_open2(&io, ("file:" + name_).c_str(), AVIO_FLAG_WRITE, nullptr, nullptr);
    if (opened < 0) {
        throw Error(ErrorKind::refused, {"creating the output", name_, av::describe(opened),
                                         "Check that its folder exists and can be written to"});
    }
    io_.reset(io);
    context_->pb = io;
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

void Muxer::write_header(const MovTiming& timing) {
    const LogCapture log;
    av::Dictionary options;
    if (is_mov()) {
        options.set("use_editlist", 1);
        if (timing.video_timescale > 0) {
            options.set("video_track_timescale", timing.video_timescale);
        }
        options.set("movie_timescale", timing.movie_timescale);
        if (timing.index_bytes > 0) {
            options.set("moov_size", static_cast<std::int64_t>(timing.index_bytes));
        }
        if (timing.free_keys) {
            options.set("movflags", "+use_metadata_tags");
        }
    }
    const int code = avformat_write_header(context_.get(), options.address());
    if (code < 0 && io_->error >= 0) {
        throw Error(ErrorKind::usage,
                    {"writing the header of the output", name_, log.text().empty() ? av::describe(code) : log.text(),
                     "Matroska (.mkv) takes most streams"});
    }
    check_written(code, "writing the header of the output", log.text());
    if (is_mov() && timing.index_bytes > 0) {
        leave_room(timing.index_bytes);
    }
}

// Note [Index in front]: the muxer has skipped the room behind its first box. It is made free space, and the muxer is
// told that there is none, so that it writes the index at the end.
void Muxer::leave_room(std::uint64_t bytes) {
    avio_flush(io_.get());
    const std::int64_t behind = avio_tell(io_.get());
    room_bytes_ = bytes;
    room_offset_ = first_box_bytes(name_);
    avio_seek(io_.get(), static_cast<std::int64_t>(room_offset_), SEEK_SET);
    avio_wb32(io_.get(), static_cast<unsigned>(bytes));
    avio_wb32(io_.get(), MKBETAG('f', 'r', 'e', 'e'));
    avio_seek(io_.get(), behind, SEEK_SET);
    av_opt_set_int(context_->priv_data, "moov_size", 0, 0);
}

void Muxer::write(AVPacket& packet) {
    const LogCapture log;
    check_written(av_write_frame(context_.get(), &packet), "writing the output", log.text());
}

void Muxer::finish() {
    const LogCapture log;
    const int code = av_write_trailer(context_.get());
    avio_flush(io_.get());
    check_written(code, "finishing the output", log.text());
    AVIOContext* io = io_.release();
    context_->pb = nullptr;
    const int closed = avio_closep(&io);
    if (closed < 0) {
        av::fail(ErrorKind::resource, closed, "closing the output", name_);
    }
    if (room_bytes_ > 0) {
        index_in_front_ = move_index_to_front(name_, room_offset_, room_bytes_);
        bytes_ = std::filesystem::file_size(name_);
    }
}

// What the disk says sticks to the AVIO context, and may come out of a later call.
void Muxer::check_written(int code, const char* doing, const std::string& said) {
    if (io_->error < 0) {
        const int error = io_->error;
        const bool full = error == AVERROR(ENOSPC) || error == AVERROR(EDQUOT);
        throw Error(ErrorKind::resource, {doing, name_, av::describe(error),
                                          full ? "Free some space there, or write the output to another disk" : ""});
    }
    if (code < 0) {
        throw Error(ErrorKind::internal, {doing, name_, said.empty() ? av::describe(code) : said, ""});
    }
    bytes_ = std::max(bytes_, static_cast<std::uint64_t>(std::max<std::int64_t>(avio_tell(io_.get()), 0)));
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
