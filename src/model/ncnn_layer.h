// A layer's parameters, taken one by one: what is left over at the end was not understood.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "model/ncnn_param.h"

namespace millstream {

/// Throws std::runtime_error with the reason; the importer adds file and layer.
class NcnnParameters {
public:
    explicit NcnnParameters(std::map<int, NcnnValue> values) : values_(std::move(values)) {}

    [[nodiscard]] bool has(int id) const { return values_.contains(id); }

    double number(int id, double otherwise) {
        const auto found = values_.find(id);
        if (found == values_.end()) {
            return otherwise;
        }
        if (found->second.is_list) {
            throw std::runtime_error("parameter " + std::to_string(id) + " is a list where a number is expected");
        }
        const double value = found->second.numbers.front();
        values_.erase(found);
        return value;
    }

    /// A whole number in [least, most].
    std::int64_t whole(int id, std::int64_t otherwise, std::int64_t least, std::int64_t most) {
        const double value = number(id, static_cast<double>(otherwise));
        if (value != std::floor(value) || value < static_cast<double>(least) || value > static_cast<double>(most)) {
            throw std::runtime_error("parameter " + std::to_string(id) + " is " + std::to_string(value) +
                                     ", which is not a whole number from " + std::to_string(least) + " to " +
                                     std::to_string(most));
        }
        return static_cast<std::int64_t>(value);
    }

    std::vector<double> list(int id) {
        const auto found = values_.find(id);
        if (found == values_.end()) {
            return {};
        }
        if (!found->second.is_list) {
            throw std::runtime_error("parameter " + std::to_string(id) + " is a number where a list is expected");
        }
        std::vector<double> values = std::move(found->second.numbers);
        values_.erase(found);
        return values;
    }

    /// A parameter that is only understood with this value.
    void expect(int id, double value, const char* meaning) {
        if (number(id, value) != value) {
            throw std::runtime_error("parameter " + std::to_string(id) + " (" + meaning + ") is not supported");
        }
    }

    /// All parameters must have been taken; zeros, ncnn's default nearly everywhere, may be left.
    void finish() const {
        for (const auto& [id, value] : values_) {
            for (const double number : value.numbers) {
                if (number != 0) {
                    throw std::runtime_error("parameter " + std::to_string(id) + " is not understood");
                }
            }
        }
    }

private:
    std::map<int, NcnnValue> values_;
};

}   // namespace millstream
