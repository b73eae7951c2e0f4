// A network as an OpenVINO graph.
#pragma once

#include <openvino/core/model.hpp>

#include <memory>

#include "model/network.h"

namespace millstream {

/// The graph for one input shape, or with [?,3,?,?] for any. Weights are not copied: `lowered` must outlive the graph
/// and what is compiled from it. Layers of layers_in_fp32() are marked to stay in fp32 where the whole runs in bf16.
std::shared_ptr<ov::Model> openvino_graph(const Network& lowered, const ov::PartialShape& input);

}   // namespace millstream
