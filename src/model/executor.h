// Runs a Network on tensors. Two implementations, one contract.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "millstream/options.h"
#include "model/device_link.h"
#include "model/network.h"

namespace millstream {

struct ExecutorSettings {
    Backend backend = Backend::automatic;
    Precision precision = Precision::automatic;
    std::string device = "cpu";   ///< words of model/device.h; several, with commas between, take turns
    /// The ways to devices with memory of their own, in their order. Filled by resolve_backend(); tests put in their
    /// own.
    std::vector<std::shared_ptr<DeviceLink>> links = {};
    int threads = 1;          ///< CPU threads, all requests together
    int requests = 1;         ///< requests that are worked on at a time
    int waiting = 0;          ///< further slots, so that work is at hand when one is done (OpenVINO)
    bool any_shape = false;   ///< shapes vary from call to call: nothing is made for each of them
};

/// One network, loaded once, run on any number of inputs. A request is a slot with at most one input in flight;
/// requests of different slots run at once where the backend can. One thread calls all methods.
class Executor {
public:
    virtual ~Executor() = default;

    [[nodiscard]] virtual std::size_t requests() const = 0;

    /// Starts slot `request` (must be idle). `input` [N,3,h,w] float32, contiguous, in the host's memory or in that of
    /// the executor's only device; `output` [N,3,scale*h,scale*w] float32 likewise, written in place. Both are kept
    /// alive until wait(). A shape not seen before may cost a compilation, unless any_shape is set. `input` is not
    /// modified.
    virtual void start(std::size_t request, at::Tensor input, at::Tensor output) = 0;

    /// Waits for the slot; the output is complete afterwards, on a device for what it is asked behind this. Idle slots
    /// return at once.
    /// Throws what the request failed with: Error(resource) when memory ran out, else Error(model).
    virtual void wait(std::size_t request) = 0;

    [[nodiscard]] virtual Backend backend() const = 0;       ///< never automatic
    [[nodiscard]] virtual Precision precision() const = 0;   ///< what is really used; never automatic
};

/// What `automatic` means on this machine and device, and an explicit wish that it cannot fulfil: then Error(usage).
/// The devices must be there (choose_devices()).
/// int8 needs a network that quantise() has prepared; any other runs in base_precision() then.
/// bf16 without hardware support is allowed on Torch (slow) and refused on OpenVINO (which would run fp32 silently).
void resolve_backend(ExecutorSettings& settings);

/// What the layers beside those in int8 are computed in: bf16 where the CPU gains by it, else fp32.
Precision base_precision();
/// What a layer that stays out of int8 runs in, where the network runs in `precision`.
Precision beside_int8(Precision precision);

/// Builds and compiles. `settings` must be resolved. Throws Error(model) or Error(usage).
std::unique_ptr<Executor> make_executor(const Network& network, const ExecutorSettings& settings);

/// Most bytes of results alive at once, per input pixel of one request. In reduced precision the layers that stay in
/// fp32 count as such: they work at the output's size, and are often where most is alive.
double activation_bytes_per_pixel(const Network& network, Precision precision);

/// Convenience for tests and probes: start + wait on slot 0; returns the output.
at::Tensor run_once(Executor& executor, const Network& network, const at::Tensor& input);

/// "torch 2.15.0, OpenVINO 2026.4.1".
std::string backend_versions();

}   // namespace millstream
