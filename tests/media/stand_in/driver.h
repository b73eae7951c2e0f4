// A CUDA driver that is none, for FFmpeg to load in the place of NVIDIA's: the device's memory is the host's, and its
// decoder draws patterns instead of decoding, its encoder gives hashes instead of coding. What it is asked for is
// counted.
#pragma once

#include <cstdint>

namespace millstream::stand_in {

struct Counts {
    int primary_context_users = 0;
    int other_contexts = 0;   ///< made, ever
    std::int64_t allocations = 0;
    int decoders = 0;
    bool decodes_in_primary = false;   ///< the last decoder was made in the primary context
    void* output_stream = nullptr;     ///< on which the last picture was written
    bool encodes_in_primary = false;   ///< the last encoder was opened in the primary context
    void* input_stream = nullptr;      ///< on which it reads pictures
    std::int64_t mapped = 0;           ///< pictures that the decoder has handed out and not got back
    std::int64_t most_mapped = 0;
};

constexpr int kSuccess = 0;          // of all three interfaces
constexpr int kNotSupported = 801;   // CUDA_ERROR_NOT_SUPPORTED

/// Exported by the library under the name "stand_in_counts".
using CountsFunction = Counts*();

}   // namespace millstream::stand_in

// A function that FFmpeg looks for and these tests never reach.
#define NEVER_CALLED(name)                          \
    int name() {                                    \
        return millstream::stand_in::kNotSupported; \
    }
