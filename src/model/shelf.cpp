#include "model/shelf.h"

namespace millstream {

std::shared_ptr<const LoadedModel> ModelShelf::take(const std::string& name_or_path, int scale) {
    if (model_ == nullptr || name_ != name_or_path || scale_ != scale) {
        model_.reset();   // before the next one needs memory
        model_ = std::make_shared<const LoadedModel>(load_model(name_or_path, scale));
        name_ = name_or_path;
        scale_ = scale;
    }
    return model_;
}

}   // namespace millstream
