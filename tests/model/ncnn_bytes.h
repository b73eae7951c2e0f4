// Small ncnn models written in memory, for tests of the importer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "model/ncnn.h"

namespace millstream {

/// A .param and a .bin that grow together.
class NcnnBytes {
public:
    NcnnBytes() { layer("Input data 0 1 data", 1); }

    /// One line and the blobs it writes.
    NcnnBytes& layer(const std::string& line, int blobs = 1) {
        lines_ += line + "\n";
        ++layers_;
        blobs_ += blobs;
        return *this;
    }
    NcnnBytes& plain(const std::vector<float>& values) { return append(values.data(), values.size() * sizeof(float)); }
    NcnnBytes& tag(std::uint32_t tag) { return append(&tag, sizeof tag); }
    NcnnBytes& halves(const std::vector<std::uint16_t>& values) { return append(values.data(), values.size() * 2); }
    NcnnBytes& append(const void* data, std::size_t size) {
        const std::size_t at = bin.size();
        bin.resize(at + size);
        std::memcpy(bin.data() + at, data, size);
        return *this;
    }

    [[nodiscard]] std::string param() const {
        return "7767517\n" + std::to_string(layers_) + " " + std::to_string(blobs_) + "\n" + lines_;
    }
    [[nodiscard]] Network import() const { return parse_ncnn(param(), bin, "net.param", "net.bin"); }

    std::vector<std::byte> bin;

private:
    std::string lines_;
    int layers_ = 0;
    int blobs_ = 0;
};

/// data -> 1x1 convolution with a unit matrix (fp32) -> output.
inline NcnnBytes small_model() {
    NcnnBytes model;
    model.layer("Convolution unit 1 1 data output 0=3 1=1 5=1 6=9");
    model.tag(0).plain({1, 0, 0, 0, 1, 0, 0, 0, 1}).plain({0, 0, 0});
    return model;
}

}   // namespace millstream
