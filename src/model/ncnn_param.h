// The text half of an ncnn model: its .param file, line by line. Knows the syntax, not what the layers mean.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace millstream {

/// One value of a layer: a number, or a list of numbers.
struct NcnnValue {
    std::vector<double> numbers;
    bool is_list = false;
};

/// One line: `Type name inputs outputs input... output... id=value...`.
struct NcnnLayer {
    std::string type;
    std::string name;
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    std::map<int, NcnnValue> values;   ///< lists under their plain id, not ncnn's -23300 - id
};

/// Reads the text. `file` is only named in errors. Throws Error(model) with the line where it is not a .param file, is
/// cut short or contradicts its own counts.
std::vector<NcnnLayer> parse_ncnn_param(std::string_view text, const std::string& file);

/// `text` fit for a message: printable ASCII, at most 80 characters.
std::string in_quotes(std::string_view text);

}   // namespace millstream
