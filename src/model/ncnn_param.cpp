#include "model/ncnn_param.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "millstream/error.h"

namespace millstream {
namespace {

// ncnn: src/net.cpp (magic), src/paramdict.cpp (32 parameters a layer, lists under -23300 - id).
constexpr std::string_view kMagic = "7767517";
constexpr int kParameters = 32;
constexpr int kListBase = -23300;
constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxList = 1024;

class Parser {
public:
    Parser(std::string_view text, const std::string& file) : rest_(text), file_(file) {}

    std::vector<NcnnLayer> run() {
        if (!next_line() || words_.size() != 1 || words_[0] != kMagic) {
            fail("it does not start with ncnn's number 7767517");
        }
        if (!next_line() || words_.size() != 2) {
            fail("the counts of layers and blobs are missing");
        }
        const std::int64_t layer_count = integer(words_[0]);
        const std::int64_t blob_count = integer(words_[1]);
        std::vector<NcnnLayer> layers;   // not reserved: the count is only a claim
        std::int64_t outputs = 0;
        while (next_line()) {
            layers.push_back(layer());
            outputs += static_cast<std::int64_t>(layers.back().outputs.size());
        }
        if (layer_count != static_cast<std::int64_t>(layers.size()) || blob_count != outputs) {
            fail("it announces " + std::to_string(layer_count) + " layers and " + std::to_string(blob_count) +
                 " blobs but has " + std::to_string(layers.size()) + " and " + std::to_string(outputs) +
                 "; it may be cut short");
        }
        return layers;
    }

private:
    [[noreturn]] void fail(const std::string& why) const {
        throw Error(ErrorKind::model, {"reading the network", file_ + ", line " + std::to_string(line_), why, {}});
    }

    // Splits the next line that is not blank into words_.
    bool next_line() {
        words_.clear();
        while (words_.empty() && !rest_.empty()) {
            ++line_;
            const std::size_t end = std::min(rest_.find('\n'), rest_.size());
            std::string_view line = rest_.substr(0, end);
            rest_.remove_prefix(std::min(end + 1, rest_.size()));
            constexpr std::string_view blank = " \t\r";
            for (std::size_t at = line.find_first_not_of(blank); at != std::string_view::npos;
                 at = line.find_first_not_of(blank)) {
                line.remove_prefix(at);
                const std::size_t length = std::min(line.find_first_of(blank), line.size());
                words_.push_back(line.substr(0, length));
                line.remove_prefix(length);
            }
        }
        return !words_.empty();
    }

    std::int64_t integer(std::string_view word) const {
        std::int64_t value = 0;
        const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), value);
        if (code != std::errc{} || end != word.data() + word.size()) {
            fail(in_quotes(word) + " is not a whole number");
        }
        return value;
    }

    double number(std::string_view word) const {
        if (word.starts_with('+')) {
            word.remove_prefix(1);
        }
        double value = 0;
        const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), value);
        if (code != std::errc{} || end != word.data() + word.size() || !std::isfinite(value)) {
            fail(in_quotes(word) + " is not a number");
        }
        return value;
    }

    std::string name(std::string_view word) const {
        if (word.size() > kMaxName) {
            fail("a name is longer than 255 characters: " + in_quotes(word));
        }
        return std::string(word);
    }

    NcnnLayer layer() const {
        if (words_.size() < 4) {
            fail("it is not a layer: type, name and the numbers of inputs and outputs are missing");
        }
        NcnnLayer result;
        result.type = name(words_[0]);
        result.name = name(words_[1]);
        const std::int64_t inputs = integer(words_[2]);
        const std::int64_t outputs = integer(words_[3]);
        const auto left = static_cast<std::int64_t>(words_.size()) - 4;
        if (inputs < 0 || outputs < 0 || inputs > left || outputs > left - inputs) {
            fail("it announces " + std::to_string(inputs) + " inputs and " + std::to_string(outputs) +
                 " outputs but has " + std::to_string(left) + " words; it may be cut short");
        }
        std::size_t at = 4;
        for (std::int64_t i = 0; i < inputs; ++i) {
            result.inputs.push_back(name(words_[at++]));
        }
        for (std::int64_t i = 0; i < outputs; ++i) {
            result.outputs.push_back(name(words_[at++]));
        }
        for (; at < words_.size(); ++at) {
            parameter(words_[at], result);
        }
        return result;
    }

    void parameter(std::string_view word, NcnnLayer& result) const {
        const std::size_t equals = word.find('=');
        if (equals == std::string_view::npos) {
            fail(in_quotes(word) + " is not of the form id=value");
        }
        std::int64_t id = integer(word.substr(0, equals));
        word.remove_prefix(equals + 1);
        NcnnValue value;
        if (id <= kListBase) {
            id = kListBase - id;
            value.is_list = true;
            value.numbers = list(word);
        } else {
            value.numbers = {number(word)};
        }
        if (id < 0 || id >= kParameters) {
            fail("there is no parameter " + std::to_string(id));
        }
        if (!result.values.emplace(static_cast<int>(id), std::move(value)).second) {
            fail("parameter " + std::to_string(id) + " is given twice");
        }
    }

    // "2,1.0,0.2": the number of values, then the values.
    std::vector<double> list(std::string_view word) const {
        std::vector<double> values;
        const std::string_view whole = word;
        const auto next = [&word] {
            const std::size_t length = std::min(word.find(','), word.size());
            const std::string_view item = word.substr(0, length);
            word.remove_prefix(std::min(length + 1, word.size()));
            return item;
        };
        const std::int64_t count = integer(next());
        while (!word.empty() && values.size() <= kMaxList) {
            values.push_back(number(next()));
        }
        if (count != static_cast<std::int64_t>(values.size())) {
            fail("the list " + in_quotes(whole) + " has not as many values as it says");
        }
        return values;
    }

    std::string_view rest_;
    const std::string& file_;
    std::vector<std::string_view> words_;
    std::size_t line_ = 0;
};

}   // namespace

std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest = 80;
    std::string result = "\"";
    for (const char c : text.substr(0, longest)) {
        result += c >= ' ' && c <= '~' ? c : '?';
    }
    return result + (text.size() > longest ? "...\"" : "\"");
}

std::vector<NcnnLayer> parse_ncnn_param(std::string_view text, const std::string& file) {
    return Parser(text, file).run();
}

}   // namespace millstream
