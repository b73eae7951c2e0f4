#include "config/models_there.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "millstream/options.h"

namespace millstream {
namespace {

// Without case, and without what spellings differ in: real_esrgan_x4, Real-ESRGAN x4, RealESRGAN_x4plus.pth.
std::string bare(std::string_view name) {
    std::string letters;
    for (const char c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
            letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        }
    }
    return letters.ends_with("pth") ? letters.substr(0, letters.size() - 3) : letters;
}

struct Known {
    std::string_view bare_name;
    std::string_view model;
    std::string_view why;   // empty: the same network
};

constexpr std::string_view kFast =
    "the compact network of the same family stands for it: about 30 times as fast, steadier from frame to frame; "
    "--model realesrgan-x4plus is the large one";
constexpr std::array<Known, 12> kKnown{{
    {"realesrganx4plus", "realesrgan-x4plus", ""},
    {"realesrganx4plusanime", "realesrgan-x4plus-anime", ""},
    {"realesrganx4plusanime6b", "realesrgan-x4plus-anime", ""},
    {"realesranimevideov3", "realesr-animevideov3", ""},
    {"realesrgan", "realesr-animevideov3", kFast},
    {"realesrganx4", "realesr-animevideov3", kFast},
    {"realesrganx2", "realesr-animevideov3", kFast},
    {"realesrganx2plus", "realesr-animevideov3", kFast},
    {"esrgan", "realesr-animevideov3", kFast},
    {"waifu2x", "realesr-animevideov3", "a network for drawn pictures, too, stands for it"},
    {"opencvcubic", "identity", "no network at all: the picture is only resampled (Spline36)"},
    {"opencv", "identity", "no network at all: the picture is only resampled (Spline36)"},
}};

constexpr std::array<std::string_view, 9> kOurs{"realesr-animevideov3",
                                                "realesrgan-x4plus",
                                                "realesrgan-x4plus-anime",
                                                "span",
                                                "span-ch52",
                                                "span-hfa2k",
                                                "span-kendata",
                                                "clearreality",
                                                "identity"};

}   // namespace

ModelThere model_for(std::string_view name) {
    if (std::find(kOurs.begin(), kOurs.end(), name) != kOurs.end() || name.ends_with(".param")) {
        return {std::string(name), {}};
    }
    const std::string wanted = bare(name);
    const auto* const found =
        std::find_if(kKnown.begin(), kKnown.end(), [&](const Known& known) { return known.bare_name == wanted; });
    const std::string quoted = "\"" + std::string(name) + "\"";
    if (found == kKnown.end()) {
        const std::string standard = Options().model;
        return {standard, "There is no model " + quoted + ": " + standard +
                              " is used. `millstream models list` has those there are"};
    }
    const std::string model(found->model);
    return {model, found->why.empty() ? "" : quoted + " becomes " + model + ": " + std::string(found->why)};
}

}   // namespace millstream
