#include "media/cuda_device.h"

#include <memory>

#include "base/loaded_library.h"
#include "media/log.h"

// FFmpeg's header wants these types and this macro, otherwise from cuda.h, which FFmpeg's packages do not bring along.
// Both types are pointers to something that only the driver knows (CUDA Driver API).
#define CUDA_VERSION 7050
using CUcontext = struct CUctx_st*;
using CUstream = struct CUstream_st*;
extern "C" {
#include <libavutil/hwcontext.h>
#include <libavutil/hwcontext_cuda.h>
}

namespace millstream {
namespace {

// Note [Primary context]
// Memory of one CUDA context means nothing in another, and everything that uses CUDA's run time shares the device's
// primary one. av_hwdevice_ctx_create() would retain it when asked to, but refuses one that is in use already with
// other flags than FFmpeg's (blocking waits), as Torch's is. So it is retained here and handed in, as
// AVCUDADeviceContext allows.

// The primary context of a device, from the driver's interface (CUDA Driver API; 0 is success), for as long as this
// exists.
class PrimaryContext {
public:
    explicit PrimaryContext(int ordinal) {
        auto* const init = driver_.function<int(unsigned)>("cuInit");
        auto* const find = driver_.function<int(int*, int)>("cuDeviceGet");
        auto* const retain = driver_.function<int(CUcontext*, int)>("cuDevicePrimaryCtxRetain");
        release_ = driver_.function<int(int)>("cuDevicePrimaryCtxRelease_v2");
        const bool there = init != nullptr && find != nullptr && retain != nullptr && release_ != nullptr &&
                           init(0) == 0 && find(&device_, ordinal) == 0;
        if (!there || retain(&context_, device_) != 0) {
            context_ = nullptr;
        }
    }
    ~PrimaryContext() {
        if (context_ != nullptr) {
            release_(device_);
        }
    }
    PrimaryContext(const PrimaryContext&) = delete;
    PrimaryContext& operator=(const PrimaryContext&) = delete;

    [[nodiscard]] CUcontext get() const { return context_; }

private:
    LoadedLibrary driver_{"libcuda.so.1"};
    int (*release_)(int) = nullptr;
    int device_ = 0;
    CUcontext context_ = nullptr;
};

// Called when the last frame, decoder or encoder on the device is gone.
void let_go(AVHWDeviceContext* device) {
    const std::unique_ptr<PrimaryContext> context(static_cast<PrimaryContext*>(device->user_opaque));
}

}   // namespace

av::Buffer open_cuda_device(const DevicePlace& place, std::string& why) {
    const LogCapture log;
    auto context = std::make_unique<PrimaryContext>(place.device);
    if (context->get() == nullptr) {
        why = "NVIDIA's driver has no CUDA device " + std::to_string(place.device);
        return nullptr;
    }
    av::Buffer buffer(av_hwdevice_ctx_alloc(AV_HWDEVICE_TYPE_CUDA));
    if (!buffer) {
        why = "this FFmpeg was built without CUDA";
        return nullptr;
    }
    auto* const device = reinterpret_cast<AVHWDeviceContext*>(buffer->data);
    auto* const cuda = static_cast<AVCUDADeviceContext*>(device->hwctx);
    cuda->cuda_ctx = context->get();
    cuda->stream = static_cast<CUstream>(place.stream);
    device->user_opaque = context.release();
    device->free = let_go;
    const int opened = av_hwdevice_ctx_init(buffer.get());
    if (opened < 0) {
        why = log.text().empty() ? av::describe(opened) : log.text();
        return nullptr;
    }
    return buffer;
}

}   // namespace millstream
