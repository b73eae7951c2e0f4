// Any bytes -> the reader of checkpoints: a Checkpoint, nothing, or Error(refused). The seal is a hash that no mutation
// meets, so the first byte also chooses whether the bytes are a whole file, or the content of one that is sealed here.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "millstream/error.h"
#include "pipeline/checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
    try {
        if ((data[0] & 1U) != 0) {
            text = millstream::sealed_text(text);
        }
        millstream::parse_checkpoint(text, "OUT.millstream.json");
    } catch (const millstream::Error& error) {
        if (error.kind() != millstream::ErrorKind::refused) {
            std::cerr << "not an Error(refused): " << error.what() << '\n';
            std::abort();
        }
    }
    return 0;
}
