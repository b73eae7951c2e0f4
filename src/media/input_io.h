// What a demuxer reads through: a local file, or bytes in memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "media/av.h"

namespace millstream {

/// An AVIOContext with the way it is closed, which depends on how it was opened.
using InputIo = std::unique_ptr<AVIOContext, void (*)(AVIOContext*)>;

/// Throws Error(input): missing, no regular file, unreadable, empty.
InputIo open_file(const std::filesystem::path& path);

/// `bytes` stay the caller's and must outlive the result. `name` is for messages. Throws Error(input) for no bytes.
InputIo open_memory(std::span<const std::byte> bytes, const std::string& name);

}   // namespace millstream
