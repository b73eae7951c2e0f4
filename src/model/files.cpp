#include "model/files.h"

#include <fstream>
#include <string>
#include <system_error>

#include "base/bytes.h"
#include "millstream/error.h"

namespace millstream {
namespace {

constexpr std::uintmax_t kLargestParam = 4 * kMiB;
constexpr std::uintmax_t kLargestBin = 4 * kGiB;

std::vector<char> read_file(const std::filesystem::path& path, std::uintmax_t largest) {
    const auto fail = [&path](const std::string& why) {
        throw Error(ErrorKind::model, {"reading the network", path.string(), why, {}});
    };
    std::error_code code;
    if (!std::filesystem::is_regular_file(path, code)) {
        fail(std::filesystem::exists(path, code) ? "it is not a file" : "there is no such file");
    }
    const std::uintmax_t size = std::filesystem::file_size(path, code);
    if (code) {
        fail(code.message());
    }
    if (size > largest) {
        fail("it has " + format_bytes(size) + "; no network of this kind is larger than " + format_bytes(largest));
    }
    std::ifstream file(path, std::ios::binary);
    std::vector<char> bytes(static_cast<std::size_t>(size));
    if (!file || !file.read(bytes.data(), static_cast<std::streamsize>(size))) {
        fail("it cannot be read");
    }
    return bytes;
}

}   // namespace

NcnnFiles read_ncnn(const std::filesystem::path& param, const std::filesystem::path& bin) {
    return {read_file(param, kLargestParam), read_file(bin, kLargestBin)};
}

}   // namespace millstream
