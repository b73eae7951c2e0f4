// "Did you mean ...?"
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace millstream {

/// The known word nearest to `word`: at most two letters changed, added or left out. Empty when none is.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}   // namespace millstream
