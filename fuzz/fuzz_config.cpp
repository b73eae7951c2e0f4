// Any bytes -> the reader of configuration files: a Configuration or Error(usage), nothing else; and what was read sets
// options and can be explained. The first byte chooses how the file is called.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "config/option_table.h"
#include "millstream/config.h"
#include "millstream/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::array<const char*, 3> kNames{"c.json", "c.yaml", "c.conf"};
    if (size == 0) {
        return 0;
    }
    const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
    millstream::ConfigContext context;
    context.available_memory = 1ULL << 32;
    context.quality = (data[0] & 4U) != 0 ? "fast" : "";
    try {
        const millstream::Configuration read =
            millstream::parse_configuration(text, kNames[data[0] % kNames.size()], context);
        millstream::Options options;
        for (const millstream::Setting& setting : read.settings) {
            millstream::set_option(options, setting.name, setting.text);
        }
        if (millstream::explain_text(read).empty() && !read.keys.empty()) {
            std::cerr << "keys that nothing is said of\n";
            std::abort();
        }
    } catch (const millstream::Error& error) {
        if (error.kind() != millstream::ErrorKind::usage) {
            std::cerr << "not an Error(usage): " << error.what() << '\n';
            std::abort();
        }
    }
    return 0;
}
