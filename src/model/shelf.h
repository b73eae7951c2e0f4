// Keeps a network from one job to the next.
#pragma once

#include <memory>
#include <string>

#include "model/network.h"

namespace millstream {

/// Holds the network that was asked for last. One thread at a time.
class ModelShelf {
public:
    /// load_model(), unless it is what was taken last.
    std::shared_ptr<const LoadedModel> take(const std::string& name_or_path, int scale);

private:
    std::string name_;
    int scale_ = 0;
    std::shared_ptr<const LoadedModel> model_;
};

}   // namespace millstream
