#include "media/input_io.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

namespace millstream {
namespace {

constexpr const char* kOpening = "opening the input";

[[noreturn]] void refuse(const std::string& name, std::string why, std::string hint) {
    throw Error(ErrorKind::input, {kOpening, name, std::move(why), std::move(hint)});
}

void check_is_readable_file(const std::filesystem::path& path, const std::string& name) {
    std::error_code code;
    const auto status = std::filesystem::status(path, code);
    if (status.type() == std::filesystem::file_type::not_found) {
        refuse(name, "there is no such file", "Check the spelling of the path");
    }
    if (code) {
        refuse(name, code.message(), "Check the rights of the file and of its folders");
    }
    if (status.type() == std::filesystem::file_type::directory) {
        refuse(name, "it is a folder, not a file", "Name one video file");
    }
    if (status.type() != std::filesystem::file_type::regular) {
        refuse(name, "it is no regular file (a device, pipe or socket)", "Copy the video into a file first");
    }
    if (std::filesystem::file_size(path, code) == 0 && !code) {
        refuse(name, "the file is empty (0 bytes)", "Download or copy it again");
    }
}

void close_file(AVIOContext* io) {
    avio_closep(&io);
}

/// What the callbacks of an AVIOContext over memory know.
struct Memory {
    std::span<const std::byte> bytes;
    std::size_t at = 0;   ///< never behind the end
};

int read_memory(void* opaque, std::uint8_t* target, int size) {
    Memory& memory = *static_cast<Memory*>(opaque);
    const std::size_t count = std::min(memory.bytes.size() - memory.at, static_cast<std::size_t>(std::max(size, 0)));
    if (count == 0) {
        return AVERROR_EOF;
    }
    std::memcpy(target, &memory.bytes[memory.at], count);
    memory.at += count;
    return static_cast<int>(count);
}

std::int64_t seek_memory(void* opaque, std::int64_t offset, int whence) {
    Memory& memory = *static_cast<Memory*>(opaque);
    const auto size = static_cast<std::int64_t>(memory.bytes.size());
    if ((whence & AVSEEK_SIZE) != 0) {
        return size;
    }
    if ((whence & ~AVSEEK_FORCE) != SEEK_SET || offset < 0) {   // libavformat asks for nothing else
        return AVERROR(EINVAL);
    }
    memory.at = static_cast<std::size_t>(std::min(offset, size));   // behind the end there is the end, as in a file
    return offset;
}

void close_memory(AVIOContext* io) {
    delete static_cast<Memory*>(io->opaque);
    av_freep(&io->buffer);
    avio_context_free(&io);
}

}   // namespace

InputIo open_file(const std::filesystem::path& path) {
    const std::string name = path.string();
    check_is_readable_file(path, name);
    AVIOContext* io = nullptr;
    // "file:" so that no part of the name is taken for a protocol.
    const int opened = avio_open2(&io, ("file:" + name).c_str(), AVIO_FLAG_READ, nullptr, nullptr);
    if (opened < 0) {
        av::fail(ErrorKind::input, opened, kOpening, name, "Check the rights of the file");
    }
    return {io, close_file};
}

InputIo open_memory(std::span<const std::byte> bytes, const std::string& name) {
    if (bytes.empty()) {
        refuse(name, "there is nothing in it (0 bytes)", "Give the bytes of a video");
    }
    constexpr int kBufferBytes = 1 << 15;   // as libavformat has for files
    auto memory = std::make_unique<Memory>(Memory{bytes});
    auto* buffer = static_cast<std::uint8_t*>(av_malloc(kBufferBytes));
    AVIOContext* io = buffer == nullptr ? nullptr
                                        : avio_alloc_context(buffer, kBufferBytes, 0, memory.get(), read_memory,
                                                             nullptr, seek_memory);
    if (io == nullptr) {
        av_free(buffer);
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), kOpening, name);
    }
    (void)memory.release();   // close_memory frees it
    return {io, close_memory};
}

}   // namespace millstream
