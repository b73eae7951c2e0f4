// The text of a configuration file -> one JSON value, whatever it was written in.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace millstream {

using Json = nlohmann::ordered_json;   // keys in the order of the file

/// Reads JSON or YAML, by the extension of `name`, else by the first character. YAML's plain scalars become what PyYAML
/// makes of them: null, booleans (also yes, no, on, off), whole and decimal numbers, else text.
/// Throws Error(usage) with line and column: syntax, nesting deeper than 64, more than 100,000 values (aliases that
/// multiply), no mapping at the top.
Json read_document(const std::string& text, const std::string& name);

/// JSON text of `value`; bytes that are no UTF-8, which YAML lets through, become U+FFFD. `indent` -1: one line.
std::string to_text(const Json& value, int indent = -1);

}   // namespace millstream
