#include "verify/findings.h"

#include <algorithm>
#include <array>
#include <utility>

namespace millstream {
namespace {

constexpr std::array<const char*, kChecks> kNames = {
    "streams",      "frames",      "frame times",  "frame order", "packets", "packet times",   "chapters", "metadata",
    "dispositions", "attachments", "picture data", "decoding",    "scenes",  "damaged frames", "levels"};
constexpr std::size_t kMostExamples = 10;
constexpr std::size_t kMostNotes = 50;

}   // namespace

std::int64_t VerifyReport::differences() const {
    std::int64_t sum = 0;
    for (const VerifyCheck& check : checks) {
        sum += check.differences;
    }
    return sum;
}

Findings::Findings() {
    for (const char* name : kNames) {
        checks_.push_back({name, 0, 0, {}});
    }
}

void Findings::compared(CheckKind kind, std::int64_t count) {
    check(kind).compared += count;
}

void Findings::differ(CheckKind kind, Difference difference, std::int64_t count) {
    VerifyCheck& of = check(kind);
    of.differences += count;
    if (of.examples.size() < kMostExamples) {
        of.examples.push_back(std::move(difference));
    }
}

void Findings::compare(CheckKind kind, const std::string& place, const std::string& source, const std::string& result) {
    compared(kind);
    if (source != result) {
        differ(kind, {place, source, result});
    }
}

void Findings::note(std::string sentence) {
    if (notes_.size() < kMostNotes && std::find(notes_.begin(), notes_.end(), sentence) == notes_.end()) {
        notes_.push_back(std::move(sentence));
    }
}

void Findings::fill(VerifyReport& report) {
    report.checks = std::exchange(checks_, {});
    report.notes = std::exchange(notes_, {});
}

}   // namespace millstream
