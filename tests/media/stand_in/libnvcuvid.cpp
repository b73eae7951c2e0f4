// Of the decoder's interface (NVIDIA Video Codec SDK, NVDEC) what FFmpeg 5.1 looks for. Structs as far as they are
// used. A picture handed out is noise once it has been given back.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

#include "media/stand_in/driver.h"

namespace millstream::stand_in {

extern "C" Counts* stand_in_counts();
extern "C" void* stand_in_primary_context();
extern "C" void* stand_in_current_context();

namespace {

constexpr int kInvalidValue = 1;   // CUDA_ERROR_INVALID_VALUE
constexpr int kSixteenBit = 1;     // cudaVideoSurfaceFormat_P016

struct Capabilities {   // CUVIDDECODECAPS
    int codec;
    int chroma_format;
    unsigned depth_minus_8;
    unsigned reserved[3];
    unsigned char supported;
    unsigned char decoders;
    unsigned short output_formats;
    unsigned most_width;
    unsigned most_height;
    unsigned most_macroblocks;
    unsigned short least_width;
    unsigned short least_height;
};
struct CreateInfo {   // CUVIDDECODECREATEINFO
    unsigned long width;
    unsigned long height;
    unsigned long decode_surfaces;
    int codec;
    int chroma_format;
    unsigned long flags;
    unsigned long depth_minus_8;
    unsigned long intra_only;
    unsigned long most_width;
    unsigned long most_height;
    unsigned long reserved;
    short display_area[4];
    int output_format;
    int deinterlacing;
    unsigned long target_width;
    unsigned long target_height;
    unsigned long output_surfaces;
};
struct PictureParameters {   // CUVIDPICPARAMS
    int width_in_macroblocks;
    int height_in_macroblocks;
    int index;
};
struct ProcessingParameters {   // CUVIDPROCPARAMS
    int flags[4];
    unsigned reserved[2];
    unsigned long long raw_input;
    unsigned raw_input_pitch;
    unsigned raw_input_format;
    unsigned long long raw_output;
    unsigned raw_output_pitch;
    unsigned reserved_too;
    void* output_stream;
};

std::mutex mutex;

struct Decoder {
    CreateInfo info;
    int decoded = 0;
    std::map<int, int> numbers = {};   // of the picture in each surface, in decoding order
    std::map<unsigned long long, std::vector<std::uint8_t>> mapped = {};
};

// U and V lie in the rows below Y, in turn.
template <class Sample>
void draw(std::vector<std::uint8_t>& memory, std::size_t pitch, unsigned long width, unsigned long height, int number,
          int empty_bits) {
    const unsigned most = (1U << (8 * sizeof(Sample) - static_cast<unsigned>(empty_bits))) - 1;
    for (unsigned long y = 0; y < height + height / 2; ++y) {
        for (unsigned long x = 0; x < width; ++x) {
            const auto value =
                static_cast<unsigned>((x % 2 + 1) * 37 + x * 5 + y * 3) + static_cast<unsigned>(number) * 11;
            const auto sample = static_cast<Sample>((value & most) << empty_bits);
            std::memcpy(memory.data() + y * pitch + x * sizeof(Sample), &sample, sizeof(Sample));
        }
    }
}

}   // namespace

extern "C" {

int cuvidGetDecoderCaps(Capabilities* capabilities) {
    capabilities->supported = 1;
    capabilities->decoders = 1;
    capabilities->output_formats = 3;   // NV12, P016
    capabilities->most_width = 4096;
    capabilities->most_height = 4096;
    capabilities->most_macroblocks = 65536;
    capabilities->least_width = 16;
    capabilities->least_height = 16;
    return kSuccess;
}
int cuvidCreateDecoder(void** decoder, CreateInfo* info) {
    *decoder = new Decoder{*info};
    const std::lock_guard lock(mutex);
    ++stand_in_counts()->decoders;
    stand_in_counts()->decodes_in_primary = stand_in_current_context() == stand_in_primary_context();
    return kSuccess;
}
int cuvidDestroyDecoder(void* decoder) {
    delete static_cast<Decoder*>(decoder);
    const std::lock_guard lock(mutex);
    --stand_in_counts()->decoders;
    return kSuccess;
}
int cuvidDecodePicture(void* handle, PictureParameters* picture) {
    const std::lock_guard lock(mutex);
    auto& decoder = *static_cast<Decoder*>(handle);
    decoder.numbers[picture->index] = ++decoder.decoded;
    return kSuccess;
}
int cuvidMapVideoFrame64(void* handle, int index, unsigned long long* memory, unsigned* pitch,
                         ProcessingParameters* parameters) {
    const std::lock_guard lock(mutex);
    auto& decoder = *static_cast<Decoder*>(handle);
    const CreateInfo& info = decoder.info;
    if (decoder.mapped.size() >= info.output_surfaces) {
        return kInvalidValue;
    }
    const bool deep = info.output_format == kSixteenBit;
    *pitch = static_cast<unsigned>((info.target_width * (deep ? 2 : 1) + 255) / 256 * 256);
    std::vector<std::uint8_t> samples(*pitch * info.target_height * 3 / 2);
    const int number = decoder.numbers[index];
    if (deep) {
        draw<std::uint16_t>(samples, *pitch, info.target_width, info.target_height, number,
                            8 - static_cast<int>(info.depth_minus_8));
    } else {
        draw<std::uint8_t>(samples, *pitch, info.target_width, info.target_height, number, 0);
    }
    *memory = reinterpret_cast<unsigned long long>(samples.data());
    decoder.mapped[*memory] = std::move(samples);
    Counts& counts = *stand_in_counts();
    counts.output_stream = parameters->output_stream;
    counts.most_mapped = std::max(counts.most_mapped, ++counts.mapped);
    return kSuccess;
}
int cuvidUnmapVideoFrame64(void* handle, unsigned long long memory) {
    const std::lock_guard lock(mutex);
    static_cast<Decoder*>(handle)->mapped.erase(memory);
    --stand_in_counts()->mapped;
    return kSuccess;
}

NEVER_CALLED(cuvidCreateVideoParser)
NEVER_CALLED(cuvidCreateVideoSource)
NEVER_CALLED(cuvidCreateVideoSourceW)
NEVER_CALLED(cuvidCtxLock)
NEVER_CALLED(cuvidCtxLockCreate)
NEVER_CALLED(cuvidCtxLockDestroy)
NEVER_CALLED(cuvidCtxUnlock)
NEVER_CALLED(cuvidDestroyVideoParser)
NEVER_CALLED(cuvidDestroyVideoSource)
NEVER_CALLED(cuvidGetDecodeStatus)
NEVER_CALLED(cuvidGetSourceAudioFormat)
NEVER_CALLED(cuvidGetSourceVideoFormat)
NEVER_CALLED(cuvidGetVideoSourceState)
NEVER_CALLED(cuvidParseVideoData)
NEVER_CALLED(cuvidReconfigureDecoder)
NEVER_CALLED(cuvidSetVideoSourceState)

}   // extern "C"

}   // namespace millstream::stand_in
