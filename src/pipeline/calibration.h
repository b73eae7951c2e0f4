// Pictures of a video for a network in 8-bit integers to be fitted to.
#pragma once

#include <ATen/core/Tensor.h>

#include <stop_token>
#include <string>
#include <vector>

#include "media/decoder.h"
#include "media/probe.h"
#include "pipeline/planner.h"

namespace millstream {

/// Parts of a video's pictures, [1,3,h,w] float32, RGB, as the network would get them.
struct Samples {
    std::vector<at::Tensor> watched;
    std::vector<at::Tensor> held_back;
};

/// Decodes a picture at each of eight places from the first to the last tenth (a place that cannot be reached is left
/// out) and cuts the squares with the most detail out of it: `side` pixels at most, a multiple of `alignment`. Places
/// take turns. A short video that has only one picture gives the same to both. The same every time.
/// Throws Error(input) when nothing can be decoded.
Samples take_samples(const SourceInfo& source, const DecoderSettings& settings, int side, int alignment);

/// For a job whose precision is int8, with source, network and executor chosen: puts the fitted network into it, or,
/// where too little of it bears integers, the precision that the processor has instead. A sentence about what was done.
/// Throws as the executor does, as above, and Error(interrupted) on a stop request.
std::string fit_to_int8(PreparedJob& job, const std::stop_token& stop);

/// What the ranges of a network in integers come to, as SHA-256: two networks that are fitted alike have the same.
/// Empty for a network that is not in integers.
std::string int8_digest(const Network& network);

}   // namespace millstream
