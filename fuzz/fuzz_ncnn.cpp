// Any bytes -> the ncnn importer: a network or Error(model), nothing else.
// An input is the .param text up to the first zero byte, and behind it the .bin.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <span>
#include <string_view>

#include "millstream/error.h"
#include "model/lower.h"
#include "model/ncnn.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::byte> input = std::as_bytes(std::span(data, size));
    const auto zero = static_cast<std::size_t>(std::find(data, data + size, std::uint8_t{0}) - data);
    const std::string_view param(reinterpret_cast<const char*>(data), zero);
    try {
        const millstream::Network network =
            millstream::parse_ncnn(param, input.subspan(std::min(zero + 1, size)), "net.param", "net.bin");
        millstream::lowered(network);   // what executors are given
    } catch (const millstream::Error& error) {
        if (error.kind() != millstream::ErrorKind::model) {
            std::cerr << "not an Error(model): " << error.what() << '\n';
            std::abort();
        }
    }
    return 0;
}
