// Any bytes -> the small parsers of what is inside packets and finished files: NAL units, dialogue lines, EBML
// elements, MP4 boxes. What they give is looked at: it lies within what they were given.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>
#include <span>
#include <string>

#include "base/file.h"
#include "media/ebml.h"
#include "media/mov_box.h"
#include "media/packet_reader.h"

namespace millstream {
namespace {

constexpr int kMostElements = 1000;

void require(bool holds, const char* what) {
    if (!holds) {
        std::cerr << "not what was given: " << what << '\n';
        std::abort();
    }
}

// A file that is the bytes.
class BytesAsFile : public FileCalls {
public:
    explicit BytesAsFile(std::span<const std::byte> bytes) : bytes_(bytes) {}
    int open(const char* /*path*/, int /*flags*/, mode_t /*mode*/) override { return 1; }
    int close(int /*file*/) override { return 0; }
    ssize_t read_at(int /*file*/, void* bytes, std::size_t count, off_t offset) override {
        const auto from = std::min(static_cast<std::size_t>(offset), bytes_.size());
        const std::size_t there = std::min(count, bytes_.size() - from);
        if (there > 0) {
            std::memcpy(bytes, bytes_.data() + from, there);
        }
        return static_cast<ssize_t>(there);
    }

private:
    std::span<const std::byte> bytes_;
};

// Each unit comes out with its length in front, and no longer than all that went in.
void nal_units_of(std::span<const std::uint8_t> bytes, int length_size) {
    const auto units = nal_units(bytes.data(), bytes.size(), length_size);
    std::size_t at = 0;
    std::size_t sum = 0;
    while (at < units.size()) {
        require(units.size() - at > 4, "a NAL unit without a length");
        std::size_t length = 0;
        for (int i = 0; i < 4; ++i) {
            length = length << 8U | units[at++];
        }
        require(length > 0 && length <= units.size() - at, "a NAL unit's length");
        at += length;
        sum += length;
    }
    require(sum <= bytes.size(), "NAL units");
}

void elements_of(std::span<const std::byte> bytes) {
    for (int i = 0; i < kMostElements && !bytes.empty(); ++i) {
        const std::optional<ebml::Head> head = ebml::read_head(bytes);
        if (!head) {
            return;
        }
        require(head->head_size > 0 && head->head_size <= bytes.size(), "an element's head");
        bytes = bytes.subspan(head->head_size);
        if (const auto number = ebml::read_number(bytes)) {
            require(number->size > 0 && number->size <= bytes.size(), "a number");
        }
        const auto content = std::min<std::uint64_t>(head->size.value_or(0), bytes.size());
        (void)ebml::read_unsigned(bytes.first(std::min<std::size_t>(content, sizeof(std::uint64_t))));
        bytes = bytes.subspan(content);
    }
}

void boxes_of(std::span<const std::byte> bytes) {
    BytesAsFile calls(bytes);
    const File file(calls, "input.mp4", File::Open::existing);
    std::uint64_t offset = 0;
    for (int i = 0; i < kMostElements; ++i) {
        const std::optional<mov::Box> box = mov::box_at(file, offset, bytes.size());
        if (!box) {
            return;
        }
        require(box->size >= mov::kBoxHead && box->size <= bytes.size() - offset, "a box");
        require(box->type.size() == 4, "a box's type");
        offset += box->size;
    }
}

}   // namespace
}   // namespace millstream

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::span bytes(data + 1, size - 1);
    switch (*data % 8) {
        case 0:   // start codes
        case 1:
        case 2:
        case 3:
        case 4:
            millstream::nal_units_of(bytes, *data % 8);
            break;
        case 5: {
            const std::string text = millstream::plain_text_of_ass({bytes.begin(), bytes.end()});
            millstream::require(text.size() <= bytes.size(), "a text");
            break;
        }
        case 6:
            millstream::elements_of(std::as_bytes(bytes));
            break;
        default:
            millstream::boxes_of(std::as_bytes(bytes));
    }
    return 0;
}
