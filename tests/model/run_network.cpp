// run_network MODEL SCALE IN OUT BACKEND PRECISION [THREADS [REQUESTS]]: one tensor through one network, for the golden
// tests and for measurements by hand. A tensor file is four int32 (n, channels, height, width) and the float32 values.
#include <ATen/ops/empty.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>

#include "millstream/error.h"
#include "model/executor.h"

namespace millstream {
namespace {

at::Tensor read_tensor(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::array<std::int32_t, 4> shape{};
    file.read(reinterpret_cast<char*>(shape.data()), sizeof shape);
    at::Tensor tensor = at::empty({shape[0], shape[1], shape[2], shape[3]}, at::kFloat);
    file.read(static_cast<char*>(tensor.mutable_data_ptr()), static_cast<std::streamsize>(tensor.nbytes()));
    if (!file) {
        throw std::runtime_error("cannot read " + path);
    }
    return tensor;
}

void write_tensor(const at::Tensor& tensor, const std::string& path) {
    std::ofstream file(path, std::ios::binary);
    for (int i = 0; i < 4; ++i) {
        const auto side = static_cast<std::int32_t>(tensor.size(i));
        file.write(reinterpret_cast<const char*>(&side), sizeof side);
    }
    file.write(static_cast<const char*>(tensor.const_data_ptr()), static_cast<std::streamsize>(tensor.nbytes()));
    if (!file.flush()) {
        throw std::runtime_error("cannot write " + path);
    }
}

int run(const std::vector<std::string>& words) {
    if (words.size() < 6) {
        std::cerr << "usage: run_network MODEL SCALE IN OUT BACKEND PRECISION [THREADS [REQUESTS]]\n";
        return 2;
    }
    const LoadedModel model = load_model(words[0], std::stoi(words[1]));
    ExecutorSettings settings;
    settings.backend = words[4] == "torch" ? Backend::torch : Backend::openvino;
    settings.precision = words[5] == "bf16" ? Precision::bf16 : Precision::fp32;
    settings.threads = words.size() > 6 ? std::stoi(words[6]) : 0;
    settings.requests = words.size() > 7 ? std::stoi(words[7]) : 1;
    resolve_backend(settings);
    const auto executor = make_executor(model.network, settings);
    write_tensor(run_once(*executor, model.network, read_tensor(words[2])), words[3]);
    return 0;
}

}   // namespace
}   // namespace millstream

int main(int argc, char** argv) {
    try {
        return millstream::run({argv + 1, argv + argc});
    } catch (const millstream::Error& error) {
        std::cerr << error.what() << '\n';
        return error.exit_code();
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
