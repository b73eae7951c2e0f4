// Networks by the names that other systems give them.
#pragma once

#include <string>
#include <string_view>

namespace millstream {

/// What stands for a model of another system.
struct ModelThere {
    std::string model;   ///< ours
    std::string note;    ///< a sentence for the user where it is not the same network; may be empty
};

/// Real-ESRGAN under its many spellings, OpenCV's bicubic, our own names as they are. A name nobody knows gets the
/// default network, and a note that says so.
ModelThere model_for(std::string_view name);

}   // namespace millstream
