#include "cli/suggestion.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace millstream {
namespace {

// Levenshtein distance, one row of the table at a time.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t above = row[j + 1];
            row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0U : 1U)});
            diagonal = above;
        }
    }
    return row.back();
}

}   // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
    std::string best;
    std::size_t least = std::min<std::size_t>(3, (word.size() + 1) / 2);
    for (const std::string& candidate : known) {
        if (const std::size_t changes = distance(word, candidate); changes < least) {
            least = changes;
            best = candidate;
        }
    }
    return best;
}

}   // namespace millstream
