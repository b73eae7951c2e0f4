#include "pipeline/memory_plan.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "enhance/blocks.h"
#include "millstream/error.h"

namespace millstream {
namespace {

// A halo as deep as the network sees makes tiles exact; beyond this many pixels it would cost more than it is worth
// and seams are cross-faded instead, as the ecosystem does for deep networks.
constexpr int kLargestExactHalo = 48;
constexpr int kInexactHalo = 32;
constexpr int kInexactBlend = 8;

// One request alone leaves the cores idle at layer borders; measured 4-6 % on two cores (design notes).
constexpr double kOneRequestPenalty = 1.05;
// Fused stages do not overlap conversion with the network. Conversion is 1-3 % of the default network's time.
constexpr double kFusedPenalty = 1.02;
// Multiply-adds an input pixel, from which a network costs clearly more than reuse does: a few thousand operations.
constexpr double kReuseWorth = 20'000;
// Below this many kept pixels a side a tile is all halo.
constexpr int kSmallestKept = 16;
constexpr int kMostSplits = 64;

struct Candidate {
    TileLayout layout;
    std::size_t tiles = 1;
    double area = 0;   // input pixels computed a frame, halo included
};

Candidate candidate(const MemoryNeeds& needs, Size tile) {
    const auto columns = cut_side(needs.frame.width, tile.width, needs.halo, needs.blend, needs.alignment);
    const auto rows = cut_side(needs.frame.height, tile.height, needs.halo, needs.blend, needs.alignment);
    Candidate result;
    result.tiles = columns.size() * rows.size();
    result.layout.tile = {columns.front().length, rows.front().length};
    result.layout.halo = result.tiles == 1 ? 0 : needs.halo;
    result.layout.blend = result.tiles == 1 ? 0 : needs.blend;
    result.layout.alignment = needs.alignment;
    result.area = static_cast<double>(result.tiles) * result.layout.tile.width * result.layout.tile.height;
    return result;
}

// The longest tile that cuts `length` into `splits` parts.
int tile_for(int length, int splits, int halo) {
    return splits == 1 ? length : (length + 2 * halo * (splits - 1) + splits - 1) / splits;
}

std::vector<Candidate> candidates(const MemoryNeeds& needs) {
    if (needs.tile && *needs.tile > 0) {
        return {
            candidate(needs, {std::min(*needs.tile, needs.frame.width), std::min(*needs.tile, needs.frame.height)})};
    }
    if (needs.tile) {
        return {candidate(needs, needs.frame)};
    }
    const int least = 2 * needs.halo + std::max({kSmallestKept, 2 * needs.blend, needs.alignment});
    std::vector<Candidate> result;
    for (int across = 1; across <= kMostSplits; ++across) {
        const int width = tile_for(needs.frame.width, across, needs.halo);
        for (int down = 1; down <= kMostSplits; ++down) {
            const int height = tile_for(needs.frame.height, down, needs.halo);
            const bool too_small = (across > 1 && width < least) || (down > 1 && height < least);
            // Long strips waste halo; near-square tiles and the whole frame are enough to choose from.
            const bool strip = across * down > 1 && (width > 3 * height || height > 3 * width);
            if (!too_small && !strip) {
                result.push_back(candidate(needs, {width, height}));
            }
        }
    }
    return result;
}

MemoryChoice lay_out(const MemoryNeeds& needs, const Candidate& tiles, int requests, Joining joining) {
    MemoryChoice choice;
    choice.layout = tiles.layout;
    choice.halo = needs.halo;
    choice.blend = needs.blend;
    choice.requests = requests;
    choice.joining = joining;
    const bool separate = joining == Joining::separate;
    const auto items = static_cast<std::uint64_t>(separate ? 2 : 1);
    choice.picture_queue = items * needs.source_picture;
    choice.result_queue = items * needs.result_picture;
    const std::uint64_t alpha = needs.alpha_kept ? needs.source_picture : 0;
    choice.input_queue = separate ? needs.input_tensor + needs.motion + alpha : 0;
    choice.output_queue =
        separate ? needs.output_tensor + needs.motion + alpha + (needs.input_kept ? needs.input_tensor : 0) : 0;
    // Frames inside the network stage: the one being fed and those whose tiles are still in flight.
    const auto in_network =
        separate ? 1 + (static_cast<std::uint64_t>(requests) + tiles.tiles - 1) / tiles.tiles : std::uint64_t{1};
    // Working sets: one item in each stage that holds that representation.
    const std::uint64_t kept = separate && needs.input_kept ? 2 : 0;   // beside the outputs behind the network
    const std::uint64_t inputs = (separate ? 2 : 0) + in_network + kept;
    const std::uint64_t outputs = (separate ? 2 : 0) + in_network;
    choice.live_frames = static_cast<int>(1 + items + (separate ? 4 : 1) + in_network + items + 1);

    if (needs.motion > 0) {   // the last input, the last output, and the motion of frames from the one to the other
        choice.memory.temporal = needs.input_tensor + needs.output_tensor +
                                 (separate ? needs.temporal_apart : needs.temporal_in_turn) +
                                 ((separate ? 4 : 0) + in_network) * needs.motion;
    }

    choice.frames_in_flight = separate ? in_network : 0;
    if (needs.reuse) {   // the last output; of each frame its input, base, cuttings and results
        choice.memory.reuse = needs.output_tensor + 2 * needs.input_tensor + needs.reuse_work +
                              in_network * (needs.output_tensor + 3 * needs.input_tensor);
    }

    const double tile_pixels = static_cast<double>(tiles.layout.tile.width) * tiles.layout.tile.height;
    double a_request = needs.cost.bytes_per_pixel * tile_pixels;
    if (tiles.tiles > 1) {   // the tile's own input and output
        a_request += tile_pixels * 12.0 * (1 + needs.scale * needs.scale);
    }
    choice.memory.budget = needs.budget;
    choice.memory.base = needs.base;
    choice.memory.decoder = needs.decoder;
    choice.memory.encoder = needs.encoder;
    if (needs.devices > 0) {   // there the activations, the weights, the request's own input and output
        const double tensors = tile_pixels * 12.0 * (1 + needs.scale * needs.scale);
        const int of_one = (requests + needs.devices - 1) / needs.devices;
        choice.memory.vram = needs.cost.fixed_bytes + needs.surfaces +
                             static_cast<std::uint64_t>(needs.surfaces_read) * needs.result_picture +
                             static_cast<std::uint64_t>((needs.cost.bytes_per_pixel * tile_pixels + tensors) * of_one);
        choice.memory.vram_budget = needs.vram_budget;
        a_request = tiles.tiles > 1 && !needs.resident ? tensors : 0;
    } else {
        choice.memory.base += needs.cost.fixed_bytes;
    }
    choice.memory.network = static_cast<std::uint64_t>(a_request * requests);
    choice.memory.frames = static_cast<std::uint64_t>(choice.live_frames) * alpha + (items + 2) * needs.source_picture +
                           inputs * needs.input_tensor + outputs * needs.output_tensor +
                           (items + 2) * needs.result_picture;
    if (needs.devices > 0) {   // what crosses goes through buffers: Note [Staging]
        const auto tile_input = static_cast<std::uint64_t>(tile_pixels * 12.0);
        const auto scale = static_cast<std::uint64_t>(needs.scale);
        const std::uint64_t buffers = needs.resident
                                          ? staging_bytes(needs.source_picture) + staging_bytes(needs.result_picture)
                                          : staging_bytes(tile_input) + staging_bytes(tile_input * scale * scale);
        choice.memory.frames += static_cast<std::uint64_t>(needs.devices) * buffers;
    }
    if (needs.resident) {   // tensors and what motion and lock keep are there, too; pictures are on both sides
        const std::uint64_t tensors = inputs * needs.input_tensor + outputs * needs.output_tensor;
        // Nobody waits for the device before the encoder's side: planes are kept until it has come to them.
        const std::uint64_t planes = (outputs + (separate ? 2 : 0)) * needs.source_picture + needs.result_picture;
        choice.memory.vram += tensors + choice.memory.temporal + choice.memory.reuse + planes;
        choice.memory.frames -= tensors;
        choice.memory.temporal = 0;
        choice.memory.reuse = 0;
    }
    return choice;
}

// On a device its memory counts first: the host's is seldom what is missing there.
bool lower(const MemoryPlan& a, const MemoryPlan& b) {
    return a.vram != b.vram ? a.vram < b.vram : a.expected() < b.expected();
}

// A request without a tile to run would take its share of the threads from those that have one.
int most_requests(const MemoryNeeds& needs, const Candidate& tiles) {
    if (needs.batch > 0) {
        return needs.batch;
    }
    const std::int64_t work = needs.frames * static_cast<std::int64_t>(tiles.tiles);
    return work > 0 ? static_cast<int>(std::min<std::int64_t>(needs.threads, work)) : needs.threads;
}

}   // namespace

std::uint64_t vram_budget(const Options& options, const std::vector<DeviceInfo>& devices) {
    constexpr double kShareOfFree = 0.9;
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (const DeviceInfo& device : devices) {
        least = std::min(least, static_cast<std::uint64_t>(kShareOfFree * static_cast<double>(device.free)));
    }
    return std::min(options.max_vram.value_or(least), least);
}

std::optional<std::string> limit_devices(const ExecutorSettings& settings, std::uint64_t bytes) {
    bool told = true;
    for (const auto& link : settings.links) {
        told = link->limit(bytes) && told;
    }
    return told ? std::nullopt
                : std::optional<std::string>(
                      "The limit on device memory is planned for, but Torch's allocator cannot be told of it here.");
}

void check_alignment(const Network& network, Size frame) {
    if (frame.width % network.alignment == 0 && frame.height % network.alignment == 0) {
        return;
    }
    const std::string alignment = std::to_string(network.alignment);
    throw Error(ErrorKind::model, {"fitting the network to the video", network.name,
                                   "it takes pictures whose sides are multiples of " + alignment + ", and these are " +
                                       std::to_string(frame.width) + "x" + std::to_string(frame.height),
                                   "Cut them to such a size with --crop, or choose another network"});
}

void set_halo(MemoryNeeds& needs, const Network& network) {
    const bool exact = network.receptive_radius <= kLargestExactHalo;
    const int halo = exact ? network.receptive_radius : kInexactHalo;
    needs.alignment = network.alignment;
    needs.halo = (halo + network.alignment - 1) / network.alignment * network.alignment;
    needs.blend = exact ? 0 : kInexactBlend;
}

bool reuse_pays(const Network& network) {
    return network.macs_per_pixel >= kReuseWorth && kBlock % network.alignment == 0;
}

std::optional<MemoryChoice> fit_memory(const MemoryNeeds& needs, MemoryChoice& smallest) {
    std::optional<MemoryChoice> best;
    double best_time = 0;
    bool first = true;
    for (const Candidate& tiles : candidates(needs)) {
        for (int requests = most_requests(needs, tiles); requests >= 1; --requests) {
            for (const Joining joining : {Joining::separate, Joining::fused}) {
                const MemoryChoice choice = lay_out(needs, tiles, requests, joining);
                if (first || lower(choice.memory, smallest.memory)) {
                    smallest = choice;
                    first = false;
                }
                if (choice.memory.expected() > needs.budget || choice.memory.vram > choice.memory.vram_budget) {
                    continue;
                }
                const double time = tiles.area * (requests == 1 && needs.threads > 1 ? kOneRequestPenalty : 1.0) *
                                    (joining == Joining::fused ? kFusedPenalty : 1.0) *
                                    // among equals: fewer tiles, more requests
                                    (1.0 + 1e-6 * static_cast<double>(tiles.tiles) - 1e-7 * requests);
                if (!best || time < best_time) {
                    best = choice;
                    best_time = time;
                }
            }
            if (needs.batch > 0) {
                break;
            }
        }
    }
    return best;
}

}   // namespace millstream
