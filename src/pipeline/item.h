// Room `pipeline`: the stages of a job joined together, the plan, the job itself. Knows every other room.
// This header: what travels between stages.
#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "millstream/options.h"
#include "motion/motion.h"
#include "picture/picture.h"

namespace millstream {

/// Counts the frames alive between decoder and encoder, so that the plan's bound can be held against it. Thread-safe.
class LiveFrames {
public:
    /// Held by a frame; counts it for as long as it exists.
    class Token {
    public:
        explicit Token(LiveFrames& counter) : counter_(&counter) { counter.enter(); }
        Token(Token&& other) noexcept : counter_(std::exchange(other.counter_, nullptr)) {}
        Token& operator=(Token&& other) noexcept {
            std::swap(counter_, other.counter_);
            return *this;
        }
        ~Token() {
            if (counter_ != nullptr) {
                counter_->now_.fetch_sub(1);
            }
        }

    private:
        LiveFrames* counter_;
    };

    [[nodiscard]] std::int64_t now() const { return now_.load(); }
    [[nodiscard]] std::int64_t peak() const { return peak_.load(); }

private:
    void enter();

    std::atomic<std::int64_t> now_{0};
    std::atomic<std::int64_t> peak_{0};
};

/// One frame on its way. Each representation is written once and released as soon as the next one exists.
struct Frame {
    Frame(LiveFrames& live, std::int64_t number) : token(live), index(number) {}

    LiveFrames::Token token;
    std::int64_t index;          ///< 0, 1, 2, ... in presentation order
    std::int64_t pts = 0;        ///< source stream's time base
    std::int64_t duration = 0;   ///< source stream's time base; 0 = unknown
    Picture source;              ///< the decoder's planes
    Picture alpha;               ///< the source's alpha plane, where the output keeps it; shares the decoder's memory
    at::Tensor input;            ///< [3,h,w] float32, R G B, 0..1
    Motion motion;               ///< how `input` follows from the frame before; a cut where nobody measured it
    at::Tensor output;           ///< [3,scale*h,scale*w] float32, the network's
    Precision precision = Precision::automatic;   ///< that `output` was computed in
    Picture result;                               ///< the encoder's planes
    bool warm_up = false;                         ///< already in the output; Note [Restart by rule]
    std::string source_hash;                      ///< of `source`, where a chunk ends with this frame
    bool source_repaired = false;                 ///< there too: something so far was damaged or had to be repaired

    /// Pixels held right now.
    [[nodiscard]] std::size_t bytes() const;
};

/// Travels in band with the frames.
enum class Mark { end_of_stream };

using Item = std::variant<Frame, Mark>;

std::size_t item_bytes(const Item& item);

}   // namespace millstream
