#include "media/output_io.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

namespace millstream {
namespace {

constexpr int kBufferBytes = 64 * 1024;

}   // namespace

void OutputBuffer::write(std::uint64_t position, std::span<const std::byte> bytes) {
    if (position < begin_) {
        const std::uint64_t taken = std::min<std::uint64_t>(begin_ - position, bytes.size());
        bytes = bytes.subspan(static_cast<std::size_t>(taken));
        position = begin_;
    }
    const std::size_t at = static_cast<std::size_t>(position - begin_);
    if (bytes_.size() < at + bytes.size()) {
        bytes_.resize(at + bytes.size());
    }
    std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at));
}

std::vector<std::byte> OutputBuffer::take() {
    begin_ += bytes_.size();
    return std::exchange(bytes_, {});
}

void OutputIo::Free::operator()(AVIOContext* io) const noexcept {
    av_freep(&io->buffer);
    avio_context_free(&io);
}

OutputIo::OutputIo(OutputTarget& target) : cursor_(std::make_unique<Cursor>(Cursor{&target})) {
    auto* buffer = static_cast<unsigned char*>(av_malloc(kBufferBytes));
    io_.reset(buffer == nullptr ? nullptr
                                : avio_alloc_context(buffer, kBufferBytes, 1, cursor_.get(), nullptr, &write, &seek));
    if (!io_) {
        av_free(buffer);
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), "creating the output", "");
    }
}

#if LIBAVFORMAT_VERSION_MAJOR >= 61
int OutputIo::write(void* cursor, const std::uint8_t* bytes, int count) {
#else
int OutputIo::write(void* cursor, std::uint8_t* bytes, int count) {
#endif
    auto& at = *static_cast<Cursor*>(cursor);
    try {
        at.target->write(at.position, std::as_bytes(std::span(bytes, static_cast<std::size_t>(count))));
    } catch (const std::exception&) {
        return AVERROR(ENOMEM);
    }
    at.position += static_cast<std::uint64_t>(count);
    return count;
}

std::int64_t OutputIo::seek(void* cursor, std::int64_t offset, int whence) {
    auto& at = *static_cast<Cursor*>(cursor);
    const auto end = static_cast<std::int64_t>(at.target->end());
    switch (whence) {
        case AVSEEK_SIZE:
            return end;
        case SEEK_CUR:
            offset += static_cast<std::int64_t>(at.position);
            break;
        case SEEK_END:
            offset += end;
            break;
        default:
            break;
    }
    if (offset < 0) {
        return AVERROR(EINVAL);
    }
    at.position = static_cast<std::uint64_t>(offset);
    return offset;
}

}   // namespace millstream
