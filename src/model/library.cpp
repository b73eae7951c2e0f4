// Where weights are looked for, and which of the catalogue are there.
#include "model/library.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <system_error>

namespace millstream {
namespace {

namespace fs = std::filesystem;

// The site-packages folder that Torch was loaded from: the project's .venv for the command, the user's own environment
// for the Python module. Weight packages are installed beside Torch.
fs::path site_packages() {
    Dl_info library{};
    if (dladdr(reinterpret_cast<void*>(&at::get_num_threads), &library) == 0 || library.dli_fname == nullptr) {
        return {};
    }
    return fs::path(library.dli_fname).lexically_normal().parent_path().parent_path().parent_path();
}

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

}   // namespace

fs::path user_models_folder() {
    fs::path data(environment("XDG_DATA_HOME"));
    if (!data.is_absolute()) {   // as the XDG Base Directory Specification says
        const fs::path home(environment("HOME"));
        if (home.empty()) {
            return {};
        }
        data = home / ".local" / "share";
    }
    return data / "millstream" / "models";
}

std::vector<fs::path> model_search_path() {
    std::vector<fs::path> folders;
    std::string_view list = environment("MILLSTREAM_MODELS");
    while (!list.empty()) {
        const std::size_t length = std::min(list.find(':'), list.size());
        if (length > 0) {
            folders.emplace_back(list.substr(0, length));
        }
        list.remove_prefix(std::min(length + 1, list.size()));
    }
    for (const fs::path& folder : {site_packages(), user_models_folder()}) {
        if (!folder.empty()) {
            folders.push_back(folder);
        }
    }
    return folders;
}

fs::path find_entry(const CatalogueEntry& entry, const std::vector<fs::path>& folders) {
    const std::string param = std::string(entry.stem) + ".param";
    const std::string bin = std::string(entry.stem) + ".bin";
    std::error_code ignored;   // an unreadable folder holds nothing
    for (const fs::path& root : folders) {
        for (const fs::path& folder : {root / entry.folder, root}) {
            if (fs::is_regular_file(folder / param, ignored) && fs::is_regular_file(folder / bin, ignored)) {
                return folder;
            }
        }
    }
    return {};
}

std::vector<ModelInfo> list_models() {
    const std::vector<fs::path> folders = model_search_path();
    std::vector<ModelInfo> models;
    for (const CatalogueEntry& entry : catalogue()) {
        ModelInfo& info = models.emplace_back();
        info.name = entry.name;
        info.scale = entry.scale;
        info.architecture = entry.architecture;
        info.description = entry.description;
        info.licence = entry.licence;
        info.origin = entry.origin;
        info.package = entry.package;
        info.files = {{std::string(entry.stem) + ".param", std::string(entry.param_sha256)},
                      {std::string(entry.stem) + ".bin", std::string(entry.bin_sha256)}};
        info.path = find_entry(entry, folders);
    }
    ModelInfo& identity = models.emplace_back();
    identity.name = "identity";
    identity.architecture = "multiplication by one";
    identity.description = "Gives every pixel back as it is, through the whole machinery: for tests and measurements";
    identity.licence = "Apache-2.0";
    identity.origin = "Millstream";
    return models;
}

}   // namespace millstream
