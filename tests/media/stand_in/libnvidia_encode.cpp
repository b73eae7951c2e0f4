// Of the encoder's interface (NVIDIA Video Codec SDK 11.1, NVENC) what FFmpeg 5.1 calls for frames in CUDA's memory.
// Structs as far as they are used. A packet is the hash of its picture, read when FFmpeg asks for the packet.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

#include "media/stand_in/driver.h"

namespace millstream::stand_in {

extern "C" Counts* stand_in_counts();
extern "C" void* stand_in_primary_context();

namespace {

constexpr int kUnsupported = 12;           // NV_ENC_ERR_UNSUPPORTED_PARAM
constexpr std::uint32_t kEnd = 8;          // NV_ENC_PIC_FLAG_EOS
constexpr int kKeyPicture = 3;             // NV_ENC_PIC_TYPE_IDR
constexpr std::uint32_t kTenBit = 65536;   // NV_ENC_BUFFER_FORMAT_YUV420_10BIT

struct Guid {
    std::uint32_t first;
    std::uint16_t second;
    std::uint16_t third;
    std::uint8_t rest[8];
};
constexpr std::array<Guid, 2> kCodecs{{{0x6bc82762, 0x4e63, 0x4ca4, {0xaa, 0x85, 0x1e, 0x50, 0xf3, 0x21, 0xf6, 0xbf}},
                                       {0x790cdc88, 0x4522, 0x4d7b, {0x94, 0x25, 0xbd, 0xa9, 0x97, 0x5f, 0x76, 0x03}}}};

struct SessionParameters {   // NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS
    std::uint32_t version;
    int device_type;
    void* context;
};
struct CapabilityQuery {   // NV_ENC_CAPS_PARAM
    std::uint32_t version;
    int what;
};
struct PresetConfiguration {   // NV_ENC_PRESET_CONFIG
    std::uint32_t version;
    std::byte configuration[3584];
};
struct BitstreamBuffer {   // NV_ENC_CREATE_BITSTREAM_BUFFER
    std::uint32_t reserved[4];
    void* buffer;
};
struct Resource {   // NV_ENC_REGISTER_RESOURCE
    std::uint32_t version;
    int type;
    std::uint32_t width;
    std::uint32_t height;
    std::uint32_t pitch;
    std::uint32_t subresource;
    const std::uint8_t* memory;
    void* registered;
    std::uint32_t format;
};
struct Mapping {   // NV_ENC_MAP_INPUT_RESOURCE
    std::uint32_t reserved[4];
    void* registered;
    void* mapped;
    std::uint32_t format;
};
struct PictureParameters {   // NV_ENC_PIC_PARAMS
    std::uint32_t version;
    std::uint32_t size[3];
    std::uint32_t flags;
    std::uint32_t index;
    std::uint64_t time;
    std::uint64_t duration;
    void* input;
    void* output;
};
struct LockedBitstream {   // NV_ENC_LOCK_BITSTREAM
    std::uint32_t version;
    std::uint32_t flags;
    void* buffer;
    void* slice_offsets;
    std::uint32_t counters[3];
    std::uint32_t bytes;
    std::uint64_t time;
    std::uint64_t duration;
    void* memory;
    int picture_type;
    int structure;
    std::uint32_t average_qp;
};

struct Packet {
    const Resource* picture = nullptr;
    std::uint64_t time = 0;
    std::uint64_t hash = 0;
};

std::uint64_t hash_of(const Resource& picture) {
    std::uint64_t value = 14695981039346656037ULL;   // FNV-1a, as in synthetic_file.h
    const std::size_t bytes = std::size_t{picture.width} * (picture.format == kTenBit ? 2 : 1);
    for (std::size_t y = 0; y < picture.height + picture.height / 2; ++y) {   // U and V lie in the rows below Y
        for (std::size_t x = 0; x < bytes; ++x) {
            value = (value ^ picture.memory[y * picture.pitch + x]) * 1099511628211ULL;
        }
    }
    return value;
}

int count_codecs(void* /*encoder*/, std::uint32_t* count) {
    *count = kCodecs.size();
    return kSuccess;
}
int list_codecs(void* /*encoder*/, Guid* list, std::uint32_t room, std::uint32_t* count) {
    *count = std::min<std::uint32_t>(room, kCodecs.size());
    std::copy_n(kCodecs.begin(), *count, list);
    return kSuccess;
}
int find_capability(void* /*encoder*/, Guid /*codec*/, CapabilityQuery* query, int* value) {
    constexpr int kMostWidth = 16;
    constexpr int kMostHeight = 17;
    constexpr int kCodesTenBit = 39;
    *value = query->what == kMostWidth || query->what == kMostHeight ? 4096 : query->what == kCodesTenBit ? 1 : 0;
    return kSuccess;
}
int configure(void* /*encoder*/, Guid /*codec*/, Guid /*preset*/, PresetConfiguration* /*zeros*/) {
    return kSuccess;
}
int configure_tuned(void* /*encoder*/, Guid /*codec*/, Guid /*preset*/, int /*tuning*/,
                    PresetConfiguration* /*zeros*/) {
    return kSuccess;
}
int open(const SessionParameters* parameters, void** encoder) {
    *encoder = stand_in_counts();
    stand_in_counts()->encodes_in_primary = parameters->context == stand_in_primary_context();
    return kSuccess;
}
int initialise(void* /*encoder*/, void* /*parameters*/) {
    return kSuccess;
}
int set_streams(void* /*encoder*/, void** input, void** /*output*/) {
    stand_in_counts()->input_stream = *input;
    return kSuccess;
}
int make_buffer(void* /*encoder*/, BitstreamBuffer* made) {
    made->buffer = new Packet;
    return kSuccess;
}
int free_buffer(void* /*encoder*/, void* buffer) {
    delete static_cast<Packet*>(buffer);
    return kSuccess;
}
int register_resource(void* /*encoder*/, Resource* resource) {
    resource->registered = new Resource(*resource);
    return kSuccess;
}
int unregister_resource(void* /*encoder*/, void* registered) {
    delete static_cast<Resource*>(registered);
    return kSuccess;
}
int map(void* /*encoder*/, Mapping* mapping) {
    mapping->mapped = mapping->registered;
    mapping->format = static_cast<const Resource*>(mapping->registered)->format;
    return kSuccess;
}
int unmap(void* /*encoder*/, void* /*mapped*/) {
    return kSuccess;
}
int encode(void* /*encoder*/, PictureParameters* picture) {
    if ((picture->flags & kEnd) == 0) {
        *static_cast<Packet*>(picture->output) = {static_cast<const Resource*>(picture->input), picture->time};
    }
    return kSuccess;
}
int lock(void* /*encoder*/, LockedBitstream* locked) {
    auto& packet = *static_cast<Packet*>(locked->buffer);
    packet.hash = hash_of(*packet.picture);
    locked->memory = &packet.hash;
    locked->bytes = sizeof(packet.hash);
    locked->time = packet.time;
    locked->picture_type = kKeyPicture;
    return kSuccess;
}
int unlock(void* /*encoder*/, void* /*buffer*/) {
    return kSuccess;
}
int close(void* /*encoder*/) {
    return kSuccess;
}
const char* last_error(void* /*encoder*/) {
    return "an error of the stand-in";
}
int never_called() {
    return kUnsupported;
}

// NV_ENCODE_API_FUNCTION_LIST, by the places in it.
struct Functions {
    std::uint32_t version;
    std::uint32_t reserved;
    void* at[40];
};

}   // namespace

extern "C" {

int NvEncodeAPIGetMaxSupportedVersion(std::uint32_t* version) {
    *version = 0xff;   // 15.15
    return kSuccess;
}

int NvEncodeAPICreateInstance(Functions* functions) {
    std::fill(std::begin(functions->at), std::end(functions->at), reinterpret_cast<void*>(never_called));
    const auto put = [&](int place, auto* function) { functions->at[place] = reinterpret_cast<void*>(function); };
    put(1, count_codecs);
    put(4, list_codecs);
    put(7, find_capability);
    put(10, configure);
    put(11, initialise);
    put(14, make_buffer);
    put(15, free_buffer);
    put(16, encode);
    put(17, lock);
    put(18, unlock);
    put(25, map);
    put(26, unmap);
    put(27, close);
    put(29, open);
    put(30, register_resource);
    put(31, unregister_resource);
    put(37, last_error);
    put(38, set_streams);
    put(39, configure_tuned);
    return kSuccess;
}

}   // extern "C"

}   // namespace millstream::stand_in
