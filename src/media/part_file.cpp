#include "media/part_file.h"

#include <string>

#include "base/bytes.h"
#include "millstream/error.h"

namespace millstream {

PartFile::PartFile(FileCalls& calls, const std::filesystem::path& path, std::uint64_t bytes)
    : file_(calls, path, bytes == 0 ? File::Open::existing_or_empty : File::Open::existing), end_(bytes) {
    if (!file_.lock()) {
        throw Error(ErrorKind::refused, {"opening the output", path.string(), "another run of Millstream is writing it",
                                         "Wait for it, stop it, or choose another output"});
    }
    if (file_.size() < bytes) {
        throw Error(ErrorKind::refused, {"going on with an output", path.string(),
                                         "it holds " + format_bytes(file_.size()) + ", less than the " +
                                             format_bytes(bytes) + " that its checkpoint knows of",
                                         "Start again with --resume never"});
    }
}

void PartFile::append(std::span<const std::byte> bytes) {
    file_.write(end_, bytes);
    end_ += bytes.size();
}

void PartFile::commit() {
    file_.sync();
}

void PartFile::cut(std::uint64_t bytes) {
    file_.resize(bytes);
    end_ = bytes;
}

}   // namespace millstream
