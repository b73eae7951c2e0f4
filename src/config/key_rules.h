// What each key of a configuration file may hold and what it means here.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/document.h"

namespace millstream {

/// What a value must be. Ranges are inclusive.
struct ValueKind {
    enum class Type { anything, truth, whole, number, text, choice, size };
    Type type = Type::anything;
    double smallest = 0;
    double largest = 0;
    std::string_view choices = {};   ///< of a choice, separated by |

    /// Empty = `value` is of this kind; else what is allowed, in words. null is allowed everywhere: it means "not
    /// said".
    [[nodiscard]] std::string objection(const Json& value) const;
};

/// How a key takes effect. `option`: one option of Options gets the value; the others are handled by the reader.
enum class Use {
    option,              ///< Options' field `target` gets the value as text
    megabytes,           ///< likewise, a number of MiB
    gigabytes,           ///< likewise, a number of GiB
    frames_of_chunk,     ///< a number of frames between two checkpoints: `chunk`
    memory_share,        ///< max_memory becomes this share of the memory that is available
    model,               ///< a model's name there, looked up among ours
    model_file,          ///< a weight file; only .param can be used
    temporal_switch,     ///< true: medium; false: off
    codec,               ///< a codec's or encoder's name
    gpu_switch,          ///< false: the network stays on the CPU
    gpu_megabytes,       ///< a number of MiB of a GPU's memory: `max_vram`; 0: the network stays on the CPU
    gpu_number,          ///< that CUDA device where it is there: `device`
    presets_folder,      ///< where presets are looked for by their names
    target_size,         ///< "WxH" or [w,h]: `fit`
    streaming_switch,    ///< whether streaming is the mode
    quality,             ///< names the entry of video.quality_presets
    progress_interval,   ///< seconds between two reports of progress
    own_options,         ///< in the section `millstream`: an option of ours by its name
    nothing,             ///< ignored; `reason` says why
    nothing_warned,      ///< ignored, and worth a warning where it asks for something that streaming mode does not do
};

struct KeyRule {
    /// Dotted path. `*` stands for one part, a last `**` for everything below; QUALITY for the quality in use.
    std::string_view pattern;
    ValueKind kind;
    Use use = Use::nothing;
    std::string_view target = {};   ///< of `option`, `megabytes`, `gigabytes`
    std::string_view reason = {};
};

/// All keys that are known. Where several set the same option, the first in this list that the file has wins.
std::span<const KeyRule> key_rules();

/// A quality that every configuration has, said or not: fast, balanced, high.
bool is_usual_quality(std::string_view name);

/// The first rule for `path`, or none. With `quality` empty, QUALITY stands for nothing.
const KeyRule* find_rule(std::string_view path, std::string_view quality);

/// `path` is a section that rules have keys in.
bool is_section(std::string_view path);

}   // namespace millstream
