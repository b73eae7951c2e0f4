// A network as an OpenVINO graph.
#pragma once

#include <openvino/core/model.hpp>

#include <cstddef>
#include <memory>
#include <span>

#include "model/fused_end.h"
#include "model/network.h"

namespace millstream {

/// The graph for one input shape, or with [?,3,?,?] for any. Weights are not copied: `lowered` must outlive the graph
/// and what is compiled from it. Layers of layers_in_fp32() are marked to stay in fp32 where the whole runs in bf16;
/// convolutions with Node::int8 get quantised inputs and weights. `watched`: nodes of whose first input each channel's
/// smallest, largest and mean value are results too, [channels] each, three a node behind the output. `end`, if any, of
/// this network, takes the place of its layers and must outlive the graph, too; for pictures of kLeastFused and more.
std::shared_ptr<ov::Model> openvino_graph(const Network& lowered, const ov::PartialShape& input,
                                          std::span<const int> watched = {}, const FusedEnd* end = nullptr);

/// Input pixels a side: where less is left between the edges there is nothing to be gained.
inline constexpr std::size_t kLeastFused = 16;

}   // namespace millstream
