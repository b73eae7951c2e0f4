#include "media/input_with_gaps.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <span>

namespace millstream {
namespace {

struct Cursor {
    const File* file;
    const Gaps* gaps;
    std::uint64_t end;
    std::uint64_t at = 0;
};

int read_file(void* opaque, std::uint8_t* target, int size) {
    Cursor& cursor = *static_cast<Cursor*>(opaque);
    if (cursor.at >= cursor.end || size <= 0) {
        return AVERROR_EOF;
    }
    std::uint64_t count = std::min(cursor.end - cursor.at, static_cast<std::uint64_t>(size));
    const std::vector<ByteRange>& gaps = cursor.gaps->ranges;
    const auto gap = std::ranges::upper_bound(gaps, cursor.at, {}, &ByteRange::end);   // the first that ends behind
    if (gap != gaps.end() && gap->begin <= cursor.at) {
        count = std::min(count, gap->end - cursor.at);
        std::memset(target, 0, static_cast<std::size_t>(count));
    } else {
        count = gap == gaps.end() ? count : std::min(count, gap->begin - cursor.at);
        try {
            const std::span bytes(target, static_cast<std::size_t>(count));
            cursor.file->read(cursor.at, std::as_writable_bytes(bytes));
        } catch (const std::exception&) {
            return AVERROR(EIO);
        }
    }
    cursor.at += count;
    return static_cast<int>(count);
}

std::int64_t seek_file(void* opaque, std::int64_t offset, int whence) {
    Cursor& cursor = *static_cast<Cursor*>(opaque);
    if ((whence & AVSEEK_SIZE) != 0) {
        return static_cast<std::int64_t>(cursor.end);
    }
    if ((whence & ~AVSEEK_FORCE) != SEEK_SET || offset < 0) {   // libavformat asks for nothing else
        return AVERROR(EINVAL);
    }
    cursor.at = static_cast<std::uint64_t>(offset);
    return offset;
}

void close_cursor(AVIOContext* io) {
    delete static_cast<Cursor*>(io->opaque);
    av_freep(&io->buffer);
    avio_context_free(&io);
}

}   // namespace

InputIo open_with_gaps(const File& file, std::uint64_t end, const Gaps& gaps) {
    constexpr int kBufferBytes = 1 << 15;   // as libavformat has for files
    auto cursor = std::make_unique<Cursor>(Cursor{&file, &gaps, end});
    auto* buffer = static_cast<std::uint8_t*>(av_malloc(kBufferBytes));
    AVIOContext* io = buffer == nullptr
                          ? nullptr
                          : avio_alloc_context(buffer, kBufferBytes, 0, cursor.get(), read_file, nullptr, seek_file);
    if (io == nullptr) {
        av_free(buffer);
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), "reading the output", file.path().string());
    }
    (void)cursor.release();   // close_cursor frees it
    return {io, close_cursor};
}

}   // namespace millstream
