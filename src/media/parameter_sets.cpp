#include "media/parameter_sets.h"

#include <cstring>
#include <span>
#include <vector>

#include "base/sha256.h"

namespace millstream {
namespace {

using Unit = std::span<const std::uint8_t>;

// NAL units behind start codes.
std::vector<Unit> units_of(Unit bytes) {
    std::vector<std::size_t> starts;
    for (std::size_t i = 0; i + 3 <= bytes.size(); ++i) {
        if (bytes[i] == 0 && bytes[i + 1] == 0 && bytes[i + 2] == 1) {
            starts.push_back(i + 3);
        }
    }
    std::vector<Unit> units;
    for (std::size_t i = 0; i < starts.size(); ++i) {
        std::size_t end = i + 1 < starts.size() ? starts[i + 1] - 3 : bytes.size();
        while (end > starts[i] && bytes[end - 1] == 0) {
            --end;
        }
        units.push_back(bytes.subspan(starts[i], end - starts[i]));
    }
    return units;
}

bool has_units(const AVCodecContext& encoder) {
    return encoder.codec_id == AV_CODEC_ID_H264 || encoder.codec_id == AV_CODEC_ID_HEVC;
}

Unit extradata_of(const AVCodecContext& encoder) {
    return {encoder.extradata, static_cast<std::size_t>(encoder.extradata_size)};
}

// ITU-T H.264 and H.265, table 7-1.
bool is_remark(const AVCodecContext& encoder, Unit unit) {
    constexpr int kH264Sei = 6;
    constexpr int kHevcPrefixSei = 39;
    return encoder.codec_id == AV_CODEC_ID_H264 ? (unit[0] & 0x1f) == kH264Sei
                                                : (unit[0] >> 1 & 0x3f) == kHevcPrefixSei;
}

}   // namespace

std::string parameter_sets_hash(const AVCodecContext& encoder) {
    Sha256 hash;
    if (!has_units(encoder)) {
        hash.add(std::as_bytes(extradata_of(encoder)));
        return hash.hex();
    }
    for (const Unit unit : units_of(extradata_of(encoder))) {
        if (!unit.empty() && !is_remark(encoder, unit)) {
            hash.add(std::as_bytes(unit));
        }
    }
    return hash.hex();
}

int level_of(const AVCodecContext& encoder) {
    constexpr int kH264Sps = 7;
    constexpr int kHevcSps = 33;
    constexpr int kMainProfile = 77;
    constexpr int kConstraintSet3 = 0x10;
    constexpr std::size_t kH264Level = 3;    // behind the unit's head: profile, constraints, level
    constexpr std::size_t kHevcLevel = 14;   // two bytes of head, one of ids, eleven of profile and constraints
    for (const Unit unit : has_units(encoder) ? units_of(extradata_of(encoder)) : std::vector<Unit>{}) {
        if (encoder.codec_id == AV_CODEC_ID_H264 && unit.size() > kH264Level && (unit[0] & 0x1f) == kH264Sps) {
            // Level 1b is written as 1.1 with a flag (ITU-T H.264, A.3.1); x264 calls it 9.
            const bool level_1b = unit[kH264Level] == 11 && unit[1] <= kMainProfile && (unit[2] & kConstraintSet3) != 0;
            return level_1b ? kLevel1b : unit[kH264Level];
        }
        if (encoder.codec_id == AV_CODEC_ID_HEVC && unit.size() > kHevcLevel && (unit[0] >> 1 & 0x3f) == kHevcSps) {
            return unit[kHevcLevel];
        }
    }
    return 0;
}

void adopt_parameter_sets(AVStream& to, const AVStream& from) {
    const AVCodecParameters& source = *from.codecpar;
    AVCodecParameters& target = *to.codecpar;
    if (source.codec_type != AVMEDIA_TYPE_VIDEO || source.extradata_size <= 0) {
        return;
    }
    av_freep(&target.extradata);
    const auto size = static_cast<std::size_t>(source.extradata_size);
    target.extradata = static_cast<std::uint8_t*>(av_mallocz(size + AV_INPUT_BUFFER_PADDING_SIZE));
    target.extradata_size = 0;
    if (target.extradata == nullptr) {
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), "finishing the output", "");
    }
    std::memcpy(target.extradata, source.extradata, size);
    target.extradata_size = source.extradata_size;
}

}   // namespace millstream
