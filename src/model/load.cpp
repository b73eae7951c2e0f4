// A network by name or path, its files checked against the catalogue.
#include <algorithm>
#include <atomic>
#include <span>
#include <string>

#include "base/sha256.h"
#include "millstream/error.h"
#include "model/files.h"
#include "model/library.h"
#include "model/ncnn.h"
#include "model/network.h"

namespace millstream {
namespace {

namespace fs = std::filesystem;

std::atomic<std::int64_t> loads{0};

LoadedModel load_files(const fs::path& param, const fs::path& bin, const CatalogueEntry* expected) {
    const NcnnFiles files = read_ncnn(param, bin);
    const auto check = [&](const fs::path& file, const std::string& found, std::string_view wanted) {
        if (found != wanted) {
            throw Error(ErrorKind::model, {"checking the network's files", file.string(),
                                           "its SHA-256 is " + found + ", not " + std::string(wanted) +
                                               " as published: it is damaged or not the file it is called",
                                           "Remove it and run: millstream models fetch"});
        }
    };
    const std::string sha256 = sha256_of(std::as_bytes(std::span(files.bin)));
    if (expected != nullptr) {
        check(param, sha256_of(std::as_bytes(std::span(files.param))), expected->param_sha256);
        check(bin, sha256, expected->bin_sha256);
    }
    LoadedModel model;
    model.network = parse_ncnn({files.param.data(), files.param.size()}, std::as_bytes(std::span(files.bin)),
                               param.string(), bin.string());
    model.name = model.network.name;
    model.file = param;
    model.sha256 = sha256;
    return model;
}

// The file set that makes `scale` exactly; else the smallest larger one, because shrinking loses least; else the
// largest.
const CatalogueEntry* best_entry(const std::string& name, int scale) {
    const CatalogueEntry* best = nullptr;
    for (const CatalogueEntry& entry : catalogue()) {   // scales rise within a name
        if (entry.name == name && (best == nullptr || best->scale < scale)) {
            best = &entry;
        }
    }
    return best;
}

LoadedModel load_entry(const CatalogueEntry& entry) {
    const std::vector<fs::path> folders = model_search_path();
    const fs::path folder = find_entry(entry, folders);
    if (folder.empty()) {
        std::string searched;
        for (const fs::path& path : folders) {
            searched += (searched.empty() ? "" : ", ") + path.string();
        }
        throw Error(ErrorKind::model, {"looking for the network's files", std::string(entry.name),
                                       std::string(entry.stem) + ".param and .bin are in none of " + searched,
                                       "Run: millstream models fetch"});
    }
    const std::string stem(entry.stem);
    LoadedModel model = load_files(folder / (stem + ".param"), folder / (stem + ".bin"), &entry);
    model.name = entry.name;
    model.network.name = entry.name;
    return model;
}

[[noreturn]] void unknown(const std::string& name) {
    std::string known = "identity";
    std::string_view last;
    for (const CatalogueEntry& entry : catalogue()) {
        if (entry.name != last) {
            known += ", " + std::string(entry.name);
            last = entry.name;
        }
    }
    throw Error(ErrorKind::model, {"choosing the network", name, "there is no network and no file of this name",
                                   "Known networks: " + known + "; or give the path of an ncnn .param file"});
}

LoadedModel load_path(const fs::path& path) {
    if (path.extension() != ".param") {
        throw Error(ErrorKind::model,
                    {"choosing the network", path.string(), "networks are read from ncnn's .param and .bin files",
                     path.extension() == ".bin" ? "Give the .param file; the .bin is found beside it" : ""});
    }
    return load_files(path, fs::path(path).replace_extension(".bin"), nullptr);
}

LoadedModel load(const std::string& name_or_path, int scale) {
    if (name_or_path == "identity") {
        LoadedModel model;
        model.network = identity_network();
        model.name = model.network.name;
        return model;
    }
    if (const CatalogueEntry* entry = best_entry(name_or_path, scale)) {
        return load_entry(*entry);
    }
    const fs::path path(name_or_path);
    std::error_code ignored;
    if (!fs::exists(path, ignored) && path.extension() != ".param") {
        unknown(name_or_path);
    }
    return load_path(path);
}

}   // namespace

LoadedModel load_model(const std::string& name_or_path, int scale) {
    LoadedModel model = load(name_or_path, scale);
    loads.fetch_add(1, std::memory_order_relaxed);
    return model;
}

std::int64_t model_load_count() {
    return loads.load(std::memory_order_relaxed);
}

}   // namespace millstream
