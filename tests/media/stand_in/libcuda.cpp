// Of the driver's interface (CUDA Driver API) what FFmpeg 5.1 looks for; what it calls does something.
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

#include "media/stand_in/driver.h"

namespace millstream::stand_in {
namespace {

std::mutex mutex;
Counts counts;
char primary_context = 0;   // its address stands for it
char other_context = 0;
thread_local std::vector<void*> contexts;

constexpr int kOutOfMemory = 2;   // CUDA_ERROR_OUT_OF_MEMORY

// CUDA_MEMCPY2D.
struct Side {
    std::size_t column;
    std::size_t row;
    unsigned memory_type;
    void* host;
    unsigned long long device;
    void* array;
    std::size_t pitch;

    [[nodiscard]] char* line(std::size_t y) const {
        constexpr unsigned kHost = 1;   // CU_MEMORYTYPE_HOST
        char* const begin = memory_type == kHost ? static_cast<char*>(host) : reinterpret_cast<char*>(device);
        return begin + (row + y) * pitch + column;
    }
};
struct Rectangle {
    Side from;
    Side to;
    std::size_t width;
    std::size_t height;
};

}   // namespace

extern "C" {

Counts* stand_in_counts() {
    return &counts;
}
void* stand_in_primary_context() {
    return &primary_context;
}
void* stand_in_current_context() {
    return contexts.empty() ? nullptr : contexts.back();
}

int cuInit(unsigned /*flags*/) {
    return kSuccess;
}
int cuDeviceGet(int* device, int ordinal) {
    *device = ordinal;
    return kSuccess;
}
int cuDeviceGetAttribute(int* value, int /*attribute*/, int /*device*/) {
    *value = 512;   // the alignment of textures is all that is asked for
    return kSuccess;
}
int cuGetErrorName(int /*error*/, const char** text) {
    *text = "an error of the stand-in";
    return kSuccess;
}
int cuGetErrorString(int error, const char** text) {
    return cuGetErrorName(error, text);
}
int cuDevicePrimaryCtxGetState(int /*device*/, unsigned* flags, int* active) {
    *flags = 0;   // as Torch leaves it
    *active = 1;
    return kSuccess;
}
int cuDevicePrimaryCtxRetain(void** context, int /*device*/) {
    const std::lock_guard lock(mutex);
    ++counts.primary_context_users;
    *context = &primary_context;
    return kSuccess;
}
int cuDevicePrimaryCtxRelease_v2(int /*device*/) {
    const std::lock_guard lock(mutex);
    --counts.primary_context_users;
    return kSuccess;
}
int cuDevicePrimaryCtxRelease(int device) {
    return cuDevicePrimaryCtxRelease_v2(device);
}
int cuCtxPushCurrent_v2(void* context) {
    contexts.push_back(context);
    return kSuccess;
}
int cuCtxPopCurrent_v2(void** context) {
    *context = contexts.back();
    contexts.pop_back();
    return kSuccess;
}
int cuCtxCreate_v2(void** context, unsigned /*flags*/, int /*device*/) {
    const std::lock_guard lock(mutex);
    ++counts.other_contexts;
    *context = &other_context;
    return cuCtxPushCurrent_v2(*context);
}
int cuCtxDestroy_v2(void* /*context*/) {
    return kSuccess;
}
int cuMemAlloc_v2(unsigned long long* memory, std::size_t bytes) {
    void* const own = std::malloc(bytes);
    if (own == nullptr) {
        return kOutOfMemory;
    }
    const std::lock_guard lock(mutex);
    ++counts.allocations;
    *memory = reinterpret_cast<unsigned long long>(own);
    return kSuccess;
}
int cuMemFree_v2(unsigned long long memory) {
    std::free(reinterpret_cast<void*>(memory));
    const std::lock_guard lock(mutex);
    --counts.allocations;
    return kSuccess;
}
int cuMemcpy2D_v2(const Rectangle* copy) {
    for (std::size_t y = 0; y < copy->height; ++y) {
        std::memcpy(copy->to.line(y), copy->from.line(y), copy->width);
    }
    return kSuccess;
}
int cuMemcpy2DAsync_v2(const Rectangle* copy, void* /*stream*/) {
    return cuMemcpy2D_v2(copy);
}
int cuStreamSynchronize(void* /*stream*/) {
    return kSuccess;
}

NEVER_CALLED(cuArray3DCreate_v2)
NEVER_CALLED(cuArrayDestroy)
NEVER_CALLED(cuCtxGetDevice)
NEVER_CALLED(cuCtxSetLimit)
NEVER_CALLED(cuDestroyExternalMemory)
NEVER_CALLED(cuDestroyExternalSemaphore)
NEVER_CALLED(cuDeviceComputeCapability)
NEVER_CALLED(cuDeviceGetCount)
NEVER_CALLED(cuDeviceGetName)
NEVER_CALLED(cuDeviceGetUuid)
NEVER_CALLED(cuDevicePrimaryCtxReset)
NEVER_CALLED(cuDevicePrimaryCtxSetFlags)
NEVER_CALLED(cuEGLStreamConsumerDisconnect)
NEVER_CALLED(cuEGLStreamProducerConnect)
NEVER_CALLED(cuEGLStreamProducerDisconnect)
NEVER_CALLED(cuEGLStreamProducerPresentFrame)
NEVER_CALLED(cuEGLStreamProducerReturnFrame)
NEVER_CALLED(cuEventCreate)
NEVER_CALLED(cuEventDestroy_v2)
NEVER_CALLED(cuEventQuery)
NEVER_CALLED(cuEventRecord)
NEVER_CALLED(cuEventSynchronize)
NEVER_CALLED(cuExternalMemoryGetMappedBuffer)
NEVER_CALLED(cuExternalMemoryGetMappedMipmappedArray)
NEVER_CALLED(cuGLGetDevices_v2)
NEVER_CALLED(cuGraphicsGLRegisterImage)
NEVER_CALLED(cuGraphicsMapResources)
NEVER_CALLED(cuGraphicsResourceGetMappedPointer_v2)
NEVER_CALLED(cuGraphicsSubResourceGetMappedArray)
NEVER_CALLED(cuGraphicsUnmapResources)
NEVER_CALLED(cuGraphicsUnregisterResource)
NEVER_CALLED(cuImportExternalMemory)
NEVER_CALLED(cuImportExternalSemaphore)
NEVER_CALLED(cuLaunchKernel)
NEVER_CALLED(cuLinkAddData)
NEVER_CALLED(cuLinkComplete)
NEVER_CALLED(cuLinkCreate)
NEVER_CALLED(cuLinkDestroy)
NEVER_CALLED(cuMemAllocManaged)
NEVER_CALLED(cuMemAllocPitch_v2)
NEVER_CALLED(cuMemcpy)
NEVER_CALLED(cuMemcpyAsync)
NEVER_CALLED(cuMemcpyDtoDAsync_v2)
NEVER_CALLED(cuMemcpyDtoD_v2)
NEVER_CALLED(cuMemcpyDtoHAsync_v2)
NEVER_CALLED(cuMemcpyDtoH_v2)
NEVER_CALLED(cuMemcpyHtoDAsync_v2)
NEVER_CALLED(cuMemcpyHtoD_v2)
NEVER_CALLED(cuMemsetD8Async)
NEVER_CALLED(cuMipmappedArrayDestroy)
NEVER_CALLED(cuMipmappedArrayGetLevel)
NEVER_CALLED(cuModuleGetFunction)
NEVER_CALLED(cuModuleGetGlobal)
NEVER_CALLED(cuModuleLoadData)
NEVER_CALLED(cuModuleUnload)
NEVER_CALLED(cuSignalExternalSemaphoresAsync)
NEVER_CALLED(cuStreamAddCallback)
NEVER_CALLED(cuStreamCreate)
NEVER_CALLED(cuStreamDestroy_v2)
NEVER_CALLED(cuStreamQuery)
NEVER_CALLED(cuTexObjectCreate)
NEVER_CALLED(cuTexObjectDestroy)
NEVER_CALLED(cuWaitExternalSemaphoresAsync)

}   // extern "C"

}   // namespace millstream::stand_in
