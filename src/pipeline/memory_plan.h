// Fits tile, requests and queues into the memory budget.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "enhance/cost_model.h"
#include "enhance/tiles.h"
#include "millstream/options.h"
#include "millstream/plan.h"
#include "model/device.h"
#include "model/executor.h"
#include "model/network.h"

namespace millstream {

/// Everything the choice depends on. Bytes are those of one frame in each representation.
struct MemoryNeeds {
    std::uint64_t budget = 0;
    std::uint64_t base = 0;   ///< program and libraries
    std::uint64_t decoder = 0;
    std::uint64_t encoder = 0;
    std::uint64_t source_picture = 0;
    std::uint64_t input_tensor = 0;
    std::uint64_t output_tensor = 0;
    std::uint64_t result_picture = 0;
    bool input_kept = false;              ///< the input tensor is needed until the output has been corrected by it
    bool alpha_kept = false;              ///< the decoder's picture is held until the output picture exists
    std::uint64_t motion = 0;             ///< what a frame carries of its motion; 0 = nothing looks at it
    std::uint64_t temporal_apart = 0;     ///< what motion and lock take beside that, each on a thread of its own
    std::uint64_t temporal_in_turn = 0;   ///< the same on one thread
    bool reuse = false;                   ///< what did not change is brought along
    std::uint64_t reuse_work = 0;         ///< work space of its own
    NetworkCost cost;
    int devices = 0;                 ///< with memory of their own, which share the requests; 0 = the host computes
    std::uint64_t vram_budget = 0;   ///< of each of them
    std::uint64_t surfaces = 0;      ///< what a decoder takes of the first one
    int surfaces_read = 0;           ///< result pictures there, where the encoder reads them there
    bool resident = false;           ///< frames stay on the one device between their planes there and back
    Size frame;                      ///< input pixels
    std::int64_t frames = 0;         ///< of the whole job; 0 = unknown
    int scale = 1;
    int halo = 0;
    int blend = 0;
    int alignment = 1;         ///< of the network
    std::optional<int> tile;   ///< the user's; 0 = whole frame
    int batch = 0;             ///< the user's; 0 = choose
    int threads = 1;
};

/// How the stages between decoder and encoder are joined.
enum class Joining {
    separate,   ///< every stage on its own thread, two items a queue, frames overlap in the network
    fused,      ///< to-tensor, enhance and to-picture share a thread: one frame of each kind, the least memory
};

struct MemoryChoice {
    TileLayout layout;
    int halo = 0;    ///< that tiles need, also where the frame is one tile
    int blend = 0;   ///< likewise
    int requests = 1;
    Joining joining = Joining::separate;
    std::size_t frames_in_flight = 0;   ///< in the network while nobody waits for it
    int live_frames = 0;                ///< bound on the frames between decoder and encoder
    std::uint64_t picture_queue = 0;    ///< bound in bytes of the queue behind the decoder
    std::uint64_t input_queue = 0;      ///< before the network (separate only)
    std::uint64_t output_queue = 0;     ///< behind the network (separate only)
    std::uint64_t result_queue = 0;     ///< before the encoder
    MemoryPlan memory;
};

/// How much of each device's own memory Torch's allocator may take: what the user allows, and no more than 90 % of what
/// is free on the fullest. What the driver takes for itself is in use already when that is looked at.
std::uint64_t vram_budget(const Options& options, const std::vector<DeviceInfo>& devices);

/// Tells each device's allocator of `bytes`, its budget. Where one cannot be told: a sentence that says so.
std::optional<std::string> limit_devices(const ExecutorSettings& settings, std::uint64_t bytes);

/// Whether caches are given back behind each frame.
inline bool releases_every_frame(const Options& options) {
    return options.release == ReleasePolicy::every_frame ||
           (options.release == ReleasePolicy::automatic && options.max_vram.has_value());
}

/// Throws Error(model) where a network that shrinks its pictures first cannot take this size.
void check_alignment(const Network& network, Size frame);

/// Fills needs.halo, .blend and .alignment for a network: exact tiles, or for networks that see too far, cross-faded
/// ones.
void set_halo(MemoryNeeds& needs, const Network& network);

/// Whether reuse costs clearly less than the network that it saves, and blocks can be cut as the network needs it.
bool reuse_pays(const Network& network);

/// The fastest choice that fits: least area computed, then most requests, then separate stages. Nothing when even the
/// smallest tile does not fit; `smallest` then holds what it would take.
std::optional<MemoryChoice> fit_memory(const MemoryNeeds& needs, MemoryChoice& smallest);

}   // namespace millstream
