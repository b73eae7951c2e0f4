#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <openvino/runtime/core.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <utility>

#include "millstream/error.h"
#include "model/analyse.h"
#include "model/executor_error.h"
#include "model/lower.h"
#include "model/openvino_graph.h"
#include "model/quantise.h"

namespace millstream {
namespace {

// More are tried together, as groups of neighbours: a compilation each.
constexpr std::size_t kMostGroups = 24;
// Where less of the work than this could be in integers, it is not worth the loss.
constexpr double kLeastShare = 0.25;

double macs_of(const Node& node) {   // an output pixel; the sizes of neighbours differ little where it matters
    return is_convolution(node) ? static_cast<double>(node.weights.size()) : 0.0;
}

double share_of(const Network& lowered, std::span<const int> chosen) {
    double all = 0;
    double these = 0;
    for (std::size_t i = 0; i < lowered.nodes.size(); ++i) {
        all += macs_of(lowered.nodes[i]);
    }
    for (const int index : chosen) {
        these += macs_of(lowered.nodes[static_cast<std::size_t>(index)]);
    }
    return all > 0 ? these / all : 0;
}

// The middle quarter of each: enough to rank by, and ranking is most of the work.
std::vector<at::Tensor> middles(std::span<const at::Tensor> pictures, int alignment) {
    std::vector<at::Tensor> parts;
    for (const at::Tensor& picture : pictures) {
        at::Tensor part = picture;
        for (const std::int64_t side : {2, 3}) {
            const std::int64_t length =
                std::max<std::int64_t>(alignment, picture.size(side) / 2 / alignment * alignment);
            part = part.narrow(side, (picture.size(side) - length) / 2, length);
        }
        parts.push_back(part.contiguous());
    }
    return parts;
}

at::Tensor as_codes(const at::Tensor& picture) {
    return picture.clamp(0, 1).mul(255).round();
}

// Runs variants of one network on the same pictures.
class Trial {
public:
    Trial(const Network& lowered, const ExecutorSettings& settings, std::span<const at::Tensor> pictures,
          std::stop_token stop)
        : pictures_(pictures), settings_(settings), stop_(std::move(stop)) {
        settings_.requests = 1;
        settings_.precision = base_precision();
        const auto executor = make_executor(lowered, settings_);
        for (const at::Tensor& picture : pictures_) {
            wanted_.push_back(as_codes(run_once(*executor, lowered, picture)));
        }
        settings_.precision = Precision::int8;
    }

    // Mean squared difference, in codes.
    [[nodiscard]] double error(const Network& variant) const {
        if (stop_.stop_requested()) {
            throw Error(ErrorKind::interrupted,
                        {"stopped on request", "", "while the network was fitted to 8-bit integers", ""});
        }
        const auto executor = make_executor(variant, settings_);
        double sum = 0;
        double count = 0;
        for (std::size_t i = 0; i < wanted_.size(); ++i) {
            const at::Tensor difference = as_codes(run_once(*executor, variant, pictures_[i])) - wanted_[i];
            sum += difference.square().sum(at::kDouble).item<double>();
            count += static_cast<double>(difference.numel());
        }
        return sum / count;
    }

private:
    std::span<const at::Tensor> pictures_;
    ExecutorSettings settings_;
    std::stop_token stop_;
    std::vector<at::Tensor> wanted_;
};

double psnr_of(double error) {
    constexpr double kMost = 99;   // no difference at all
    return error > 0 ? std::min(kMost, 20 * std::log10(255.0) - 10 * std::log10(error)) : kMost;
}

using Group = std::vector<int>;

std::vector<Group> grouped(const std::vector<int>& nodes) {
    const std::size_t count = std::min(kMostGroups, nodes.size());
    std::vector<Group> groups(count);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        groups[i * count / nodes.size()].push_back(nodes[i]);
    }
    return groups;
}

Group joined(std::span<const Group> groups) {
    Group all;
    for (const Group& group : groups) {
        all.insert(all.end(), group.begin(), group.end());
    }
    std::sort(all.begin(), all.end());
    return all;
}

// Groups of candidates, those that do the least harm for the work they save first.
std::vector<Group> by_harm(const Network& plain, std::span<const InputValues> seen, const std::vector<int>& candidates,
                           const Trial& trial) {
    std::vector<std::pair<double, Group>> judged;
    std::vector<Group> all = grouped(candidates);
    for (Group& group : all) {
        const double harm = trial.error(quantised(plain, seen, group)) / share_of(plain, group);
        judged.emplace_back(harm, std::move(group));
    }
    std::stable_sort(judged.begin(), judged.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Group> groups;
    for (auto& [harm, group] : judged) {
        groups.push_back(std::move(group));
    }
    return groups;
}

}   // namespace

std::vector<InputValues> watch_inputs(const Network& lowered, std::span<const int> nodes,
                                      std::span<const at::Tensor> pictures, int threads) {
    std::vector<InputValues> seen(nodes.size());
    try {
        ov::Core core;
        const ov::PartialShape any{1, 3, ov::Dimension::dynamic(), ov::Dimension::dynamic()};
        auto request =
            core.compile_model(openvino_graph(lowered, any, nodes), "CPU", ov::inference_num_threads(threads),
                               ov::hint::enable_cpu_pinning(false), ov::hint::inference_precision(ov::element::f32))
                .create_infer_request();
        for (const at::Tensor& picture : pictures) {
            const ov::Shape shape{picture.sizes().begin(), picture.sizes().end()};
            request.set_input_tensor({ov::element::f32, shape, picture.mutable_data_ptr<float>()});
            request.infer();
            for (std::size_t i = 0; i < nodes.size(); ++i) {
                const auto result = [&](std::size_t which) {
                    const ov::Tensor values = request.get_output_tensor(1 + 3 * i + which);
                    const auto* first = values.data<const float>();
                    return std::span(first, values.get_size());
                };
                InputValues& one = seen[i];
                if (one.mean.empty()) {
                    one.node = nodes[i];
                    one.low.assign(result(0).size(), std::numeric_limits<float>::max());
                    one.high.assign(result(1).size(), std::numeric_limits<float>::lowest());
                    one.mean.assign(result(2).size(), 0.0F);
                }
                for (std::size_t c = 0; c < one.mean.size(); ++c) {
                    one.low[c] = std::min(one.low[c], result(0)[c]);
                    one.high[c] = std::max(one.high[c], result(1)[c]);
                    one.mean[c] += result(2)[c] / static_cast<float>(pictures.size());
                }
            }
        }
    } catch (...) {
        throw_executor_error(std::current_exception(), "watching the network at work", lowered.name);
    }
    return seen;
}

Int8Choice quantise(const Network& network, const ExecutorSettings& settings, std::span<const at::Tensor> watched,
                    std::span<const at::Tensor> held_back, const std::stop_token& stop) {
    const Network plain = lowered(network);
    const std::vector<int> candidates = quantisable(plain);
    Int8Choice choice;
    choice.candidates = static_cast<int>(candidates.size());
    if (share_of(plain, candidates) < kLeastShare) {
        return choice;
    }
    const std::vector<InputValues> seen = watch_inputs(plain, candidates, watched, settings.threads);
    const Trial trial(plain, settings, held_back, stop);
    const auto succeeds = [&](const Group& chosen) {
        Network variant = quantised(plain, seen, chosen);
        const double psnr = psnr_of(trial.error(variant));
        if (psnr < kLeastInt8Psnr) {
            choice.psnr = choice.network ? choice.psnr : std::max(choice.psnr, psnr);
            return false;
        }
        choice.network = std::move(variant);
        choice.chosen = static_cast<int>(chosen.size());
        choice.share = share_of(plain, chosen);
        choice.psnr = psnr;
        return true;
    };
    if (succeeds(candidates)) {
        return choice;
    }
    const std::vector<at::Tensor> parts = middles(held_back, network.alignment);
    const std::vector<Group> sorted = by_harm(plain, seen, candidates, Trial(plain, settings, parts, stop));
    std::size_t good = 0;   // groups that will do; the more, the worse: found by halving
    std::size_t bad = sorted.size();
    while (bad - good > 1) {
        const std::size_t middle = (good + bad) / 2;
        const Group chosen = joined(std::span(sorted).first(middle));
        const bool worth_it = share_of(plain, chosen) >= kLeastShare;
        (worth_it && !succeeds(chosen) ? bad : good) = middle;
    }
    return choice;
}

}   // namespace millstream
