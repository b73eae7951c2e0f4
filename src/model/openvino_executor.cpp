#include "model/openvino_executor.h"

#include <openvino/runtime/core.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "millstream/error.h"
#include "model/device.h"
#include "model/executor_error.h"
#include "model/lower.h"
#include "model/openvino_graph.h"

namespace millstream {
namespace {

// A job has one tile shape; a probe may have another. Each keeps memory for its results, so more are not kept.
constexpr std::size_t kCompiledShapes = 2;

// Shapes that vary are run on one network that takes any: measured on 2 cores, 32x32 to 640x352, default network in
// fp32, it is as quick as one compiled for the shape, and gives the same values; a compilation takes 60 ms.
const ov::PartialShape kAnyShape{1, 3, ov::Dimension::dynamic(), ov::Dimension::dynamic()};

ov::Shape shape_of(const at::Tensor& tensor) {
    return {tensor.sizes().begin(), tensor.sizes().end()};
}

ov::Tensor wrapped(const at::Tensor& tensor) {
    if (!tensor.is_contiguous()) {
        throw Error(ErrorKind::internal, {"starting a network request", {}, "its tensor is not contiguous", {}});
    }
    return {ov::element::f32, shape_of(tensor), tensor.mutable_data_ptr<float>()};
}

bool runs_in_bf16(const ExecutorSettings& settings) {
    return beside_int8(settings.precision) == Precision::bf16;
}

class OpenVinoExecutor final : public Executor {
public:
    OpenVinoExecutor(const Network& network, const ExecutorSettings& settings)
        : network_(lowered(network)),
          end_(is_openvino_gpu(settings.device) || runs_in_bf16(settings) ? std::nullopt : fused_end(network_)),
          settings_(settings),
          slots_(static_cast<std::size_t>(settings.requests + settings.waiting)) {}
    ~OpenVinoExecutor() override {
        for (Slot& slot : slots_) {
            try {
                finish(slot);
            } catch (...) {   // NOLINT(bugprone-empty-catch): whoever wanted to know has not waited
            }
        }
    }
    OpenVinoExecutor(const OpenVinoExecutor&) = delete;
    OpenVinoExecutor& operator=(const OpenVinoExecutor&) = delete;

    [[nodiscard]] std::size_t requests() const override { return slots_.size(); }

    void start(std::size_t request, at::Tensor input, at::Tensor output) override {
        Slot& slot = slots_.at(request);
        if (slot.running) {
            throw Error(ErrorKind::internal, {"starting a network request", {}, "the slot is not idle", {}});
        }
        try {
            const bool any = settings_.any_shape && (!end_ || may_be_fused(shape_of(input)));
            slot.running = compiled(any ? kAnyShape : ov::PartialShape(shape_of(input))).requests[request];
            slot.running.set_input_tensor(wrapped(input));
            slot.running.set_output_tensor(wrapped(output));
            slot.input = std::move(input);
            slot.output = std::move(output);
            slot.running.start_async();
        } catch (...) {
            slot = {};
            failed("starting the network on OpenVINO");
        }
    }

    void wait(std::size_t request) override {
        try {
            finish(slots_.at(request));
        } catch (...) {
            failed("running the network on OpenVINO");
        }
    }

    [[nodiscard]] Backend backend() const override { return Backend::openvino; }
    [[nodiscard]] Precision precision() const override { return settings_.precision; }

private:
    struct Slot {
        ov::InferRequest running;   ///< empty when idle
        at::Tensor input;           ///< keeps the memory alive that the request reads
        at::Tensor output;
    };
    struct Compiled {
        ov::PartialShape shape;
        ov::CompiledModel model;
        std::vector<ov::InferRequest> requests;
    };

    static void finish(Slot& slot) {
        if (slot.running) {
            Slot done = std::exchange(slot, {});   // idle again, even if wait() throws
            done.running.wait();
        }
    }

    // Called with an exception in flight. When memory ran out, what is kept for later goes: the next try is smaller.
    [[noreturn]] void failed(const std::string& doing) {
        try {
            throw_executor_error(std::current_exception(), doing, network_.name);
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::resource) {
                compiled_.clear();
            }
            throw;
        }
    }

    static bool may_be_fused(const ov::Shape& shape) { return shape[2] >= kLeastFused && shape[3] >= kLeastFused; }

    ov::CompiledModel compile(const ov::PartialShape& shape) {
        if (is_openvino_gpu(settings_.device)) {   // it computes in fp16 or fp32 and has threads of its own
            const bool fp16 = settings_.precision == Precision::fp16;
            return core_.compile_model(openvino_graph(network_, shape),
                                       settings_.device.substr(std::string("openvino:").size()),
                                       ov::num_streams(ov::streams::Num(settings_.requests)),
                                       ov::hint::inference_precision(fp16 ? ov::element::f16 : ov::element::f32));
        }
        const bool fused = end_ && (shape.is_dynamic() || may_be_fused(shape.to_shape()));
        const auto type = runs_in_bf16(settings_) ? ov::element::bf16 : ov::element::f32;
        return core_.compile_model(openvino_graph(network_, shape, {}, fused ? &*end_ : nullptr), "CPU",
                                   ov::num_streams(ov::streams::Num(settings_.requests)),
                                   ov::inference_num_threads(settings_.threads), ov::hint::enable_cpu_pinning(false),
                                   ov::hint::inference_precision(type));
    }

    // The one used last stands at the end. Requests that are running keep what they need.
    Compiled& compiled(const ov::PartialShape& shape) {
        const auto known = std::find_if(compiled_.begin(), compiled_.end(),
                                        [&shape](const Compiled& entry) { return entry.shape == shape; });
        if (known != compiled_.end()) {
            std::rotate(known, known + 1, compiled_.end());
            return compiled_.back();
        }
        while (compiled_.size() >= kCompiledShapes) {
            compiled_.erase(compiled_.begin());
        }
        Compiled fresh{shape, compile(shape), {}};
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            fresh.requests.push_back(fresh.model.create_infer_request());
        }
        return compiled_.emplace_back(std::move(fresh));
    }

    ov::Core core_;
    Network network_;   ///< its weights are used where they lie
    std::optional<FusedEnd> end_;
    ExecutorSettings settings_;
    std::vector<Compiled> compiled_;
    std::vector<Slot> slots_;
};

}   // namespace

std::unique_ptr<Executor> make_openvino_executor(const Network& network, const ExecutorSettings& settings) {
    try {
        return std::make_unique<OpenVinoExecutor>(network, settings);
    } catch (...) {
        throw_executor_error(std::current_exception(), "preparing the network for OpenVINO", network.name);
    }
}

}   // namespace millstream
