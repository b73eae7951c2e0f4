#include "config/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

#include "base/bytes.h"
#include "millstream/error.h"

#include <sstream>

namespace millstream {
namespace {

[[noreturn]] void refuse(std::string_view option, std::string_view text, std::string why, std::string hint = {}) {
    throw Error(ErrorKind::usage, {"reading the command line", std::string(option) + " " + std::string(text),
                                   std::move(why), std::move(hint)});
}

template <class T>
std::optional<T> read_whole(std::string_view text) {
    T value{};
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

template <class T>
struct Choice {
    std::string_view name;
    T value;
};

constexpr std::array<Choice<Backend>, 3> kBackends{
    {{"auto", Backend::automatic}, {"torch", Backend::torch}, {"openvino", Backend::openvino}}};
constexpr std::array<Choice<Precision>, 5> kPrecisions{{{"auto", Precision::automatic},
                                                        {"fp32", Precision::fp32},
                                                        {"bf16", Precision::bf16},
                                                        {"fp16", Precision::fp16},
                                                        {"int8", Precision::int8}}};
constexpr std::array<Choice<ColourFixing>, 2> kColourFixes{
    {{"off", ColourFixing::off}, {"lowpass", ColourFixing::low_pass}}};
constexpr std::array<Choice<Alpha>, 3> kAlphas{
    {{"auto", Alpha::automatic}, {"drop", Alpha::drop}, {"require", Alpha::require}}};
constexpr std::array<Choice<Deinterlace>, 4> kDeinterlaces{{{"auto", Deinterlace::automatic},
                                                            {"off", Deinterlace::off},
                                                            {"on", Deinterlace::on},
                                                            {"field", Deinterlace::fields}}};
constexpr std::array<Choice<ReleasePolicy>, 3> kReleasePolicies{{{"auto", ReleasePolicy::automatic},
                                                                 {"every_frame", ReleasePolicy::every_frame},
                                                                 {"on_pressure", ReleasePolicy::on_pressure}}};
constexpr std::array<Choice<Resume>, 3> kResumes{
    {{"auto", Resume::automatic}, {"never", Resume::never}, {"require", Resume::require}}};
constexpr std::array<Choice<Runner>, 2> kRunners{{{"threaded", Runner::threaded}, {"serial", Runner::serial}}};
constexpr std::array<Choice<Reuse>, 4> kReuses{
    {{"off", Reuse::off}, {"exact", Reuse::exact}, {"safe", Reuse::safe}, {"fast", Reuse::fast}}};
constexpr std::array<Choice<TemporalPreset>, 4> kTemporalPresets{{{"off", TemporalPreset::off},
                                                                  {"low", TemporalPreset::low},
                                                                  {"medium", TemporalPreset::medium},
                                                                  {"high", TemporalPreset::high}}};
constexpr std::array<Choice<FlowQuality>, 2> kFlowQualities{{{"full", FlowQuality::full}, {"fast", FlowQuality::fast}}};
constexpr std::array<Choice<DebugView>, 3> kDebugViews{
    {{"flow", DebugView::flow}, {"confidence", DebugView::confidence}, {"split", DebugView::split}}};
constexpr std::array<Choice<std::string_view>, 3> kCodecs{{{"h264", "h264"}, {"hevc", "hevc"}, {"av1", "av1"}}};
constexpr std::array<Choice<bool>, 6> kSwitches{
    {{"true", true}, {"false", false}, {"on", true}, {"off", false}, {"yes", true}, {"no", false}}};

template <class T, std::size_t N>
std::string name_of(T value, const std::array<Choice<T>, N>& choices) {
    const auto* const found = std::find_if(choices.begin(), choices.end(),
                                           [value](const Choice<T>& choice) { return choice.value == value; });
    return found == choices.end() ? "" : std::string(found->name);
}

template <class T, std::size_t N>
T choose(std::string_view option, std::string_view text, const std::array<Choice<T>, N>& choices) {
    std::string names;
    for (const Choice<T>& choice : choices) {
        if (choice.name == text) {
            return choice.value;
        }
        names += (names.empty() ? "" : ", ") + std::string(choice.name);
    }
    refuse(option, text, "it takes one of " + names);
}

}   // namespace

int parse_number(std::string_view option, std::string_view text, int smallest, int largest) {
    const std::optional<int> value = read_whole<int>(text);
    if (!value || *value < smallest || *value > largest) {
        refuse(option, text,
               "it takes a whole number from " + std::to_string(smallest) + " to " + std::to_string(largest));
    }
    return *value;
}

double parse_decimal(std::string_view option, std::string_view text, double smallest, double largest) {
    const std::optional<double> value = read_whole<double>(text);
    if (!value || !(*value >= smallest) || *value > largest) {
        std::ostringstream why;
        why << "it takes a number from " << smallest << " to " << largest;
        refuse(option, text, why.str());
    }
    return *value;
}

Size parse_size(std::string_view option, std::string_view text) {
    constexpr int kLargest = 65535;
    const std::size_t cross = text.find('x');
    if (cross == std::string_view::npos) {
        refuse(option, text, "it takes a size as WIDTHxHEIGHT", "Write for example 1920x1080");
    }
    const std::optional<int> width = read_whole<int>(text.substr(0, cross));
    const std::optional<int> height = read_whole<int>(text.substr(cross + 1));
    if (!width || !height || *width < 1 || *height < 1 || *width > kLargest || *height > kLargest) {
        refuse(option, text, "it takes a size as WIDTHxHEIGHT, each from 1 to " + std::to_string(kLargest),
               "Write for example 1920x1080");
    }
    return {*width, *height};
}

std::optional<int> parse_tile(std::string_view text) {
    if (text == "auto") {
        return std::nullopt;
    }
    if (text == "off") {
        return 0;
    }
    const std::optional<int> pixels = read_whole<int>(text);
    if (!pixels || *pixels < 16 || *pixels > 16384) {
        refuse("--tile", text, "it takes auto, off or the side of a tile in input pixels, from 16 to 16384");
    }
    return *pixels;
}

int parse_batch(std::string_view text) {
    if (text == "auto") {
        return 0;
    }
    const std::optional<int> count = read_whole<int>(text);
    if (!count || *count < 1 || *count > 256) {
        refuse("--batch", text, "it takes auto or a number of frames or tiles in flight, from 1 to 256");
    }
    return *count;
}

DiskLimit parse_disk_limit(std::string_view text) {
    if (text == "none") {
        return {DiskLimit::Kind::none, 0, 0};
    }
    if (text.ends_with('%')) {
        const std::optional<double> percent = read_whole<double>(text.substr(0, text.size() - 1));
        if (!percent || !(*percent > 0) || *percent > 100) {
            refuse("--disk-limit", text, "a share of the free space is more than 0% and at most 100%");
        }
        return {DiskLimit::Kind::percent, *percent, 0};
    }
    if (const std::optional<double> bare = read_whole<double>(text); bare && *bare <= 100) {
        refuse("--disk-limit", text, "a bare number means bytes, and so few are surely not meant",
               "Write " + std::string(text) + "% for a share of the free space, or " + std::string(text) +
                   "GiB for an amount");
    }
    return {DiskLimit::Kind::bytes, 0, parse_memory("--disk-limit", text)};
}

std::pair<double, double> parse_thresholds(std::string_view text) {
    const std::size_t comma = text.find(',');
    const auto elevated = read_whole<double>(text.substr(0, comma));
    const auto critical = comma == std::string_view::npos ? std::nullopt : read_whole<double>(text.substr(comma + 1));
    if (!elevated || !critical || !(*elevated > 0) || *critical > 100 || *elevated >= *critical) {
        refuse("--pressure", text, "it takes two rising percentages, for example 80,92");
    }
    return {*elevated / 100, *critical / 100};
}

TotalLimit parse_total(std::string_view text) {
    if (text == "none") {
        return {TotalLimit::Kind::none, 0, 0};
    }
    if (const std::optional<double> ratio = read_whole<double>(text)) {
        if (!(*ratio > 1) || *ratio > 1000) {
            refuse("--max-total", text, "input and output together are more than 1 and at most 1000 times the input",
                   "Write 3.0 for three times the input, 20GiB for an amount, or none");
        }
        return {TotalLimit::Kind::ratio, *ratio, 0};
    }
    return {TotalLimit::Kind::bytes, 0, parse_memory("--max-total", text)};
}

ChunkLength parse_chunk(std::string_view text) {
    constexpr std::int64_t kShortest = 24;
    if (text == "auto") {
        return {};
    }
    const std::string_view number = text.substr(0, text.empty() ? 0 : text.size() - 1);
    if (text.ends_with('s')) {
        const std::optional<double> seconds = read_whole<double>(number);
        if (seconds && *seconds > 0 && *seconds <= 3600) {
            return {ChunkLength::Kind::seconds, *seconds, 0};
        }
    } else if (text.ends_with('f')) {
        const std::optional<std::int64_t> frames = read_whole<std::int64_t>(number);
        if (frames && *frames >= kShortest && *frames <= 1'000'000) {
            return {ChunkLength::Kind::frames, 0, *frames};
        }
    }
    refuse("--chunk", text, "it takes auto, seconds of video like 8s, or frames like 200f, of which at least 24");
}

Resume parse_resume(std::string_view text) {
    return choose("--resume", text, kResumes);
}

std::uint64_t parse_memory(std::string_view option, std::string_view text) {
    std::uint64_t bytes = 0;
    try {
        bytes = parse_bytes(text);
    } catch (const Error& error) {
        refuse(option, text, error.context().why, error.context().hint);
    }
    if (bytes == 0) {
        refuse(option, text, "the amount must be more than nothing");
    }
    return bytes;
}

KeyValues parse_key_values(std::string_view option, std::string_view text) {
    KeyValues values;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(':', begin), text.size());
        const std::string_view pair = text.substr(begin, end - begin);
        const std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos || equals == 0) {
            refuse(option, text, "\"" + std::string(pair) + "\" is not of the form key=value",
                   "Several are joined by colons: tune=grain:bf=2");
        }
        values.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
        begin = end + 1;
    }
    return values;
}

StreamSelection parse_selection(std::string_view option, std::string_view text) {
    if (text == "all" || text == "none") {
        return {text == "all" ? StreamSelection::Kind::all : StreamSelection::Kind::none, {}};
    }
    StreamSelection selection{StreamSelection::Kind::chosen, {}};
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        const std::optional<int> index = read_whole<int>(text.substr(begin, end - begin));
        if (!index || *index < 0) {
            refuse(option, text, "it takes all, none, or numbers of streams joined by commas",
                   "`millstream inspect` lists the streams with their numbers");
        }
        selection.indices.push_back(*index);
        begin = end + 1;
    }
    return selection;
}

Backend parse_backend(std::string_view text) {
    return choose("--backend", text, kBackends);
}

Precision parse_precision(std::string_view text) {
    return choose("--precision", text, kPrecisions);
}

ColourFixing parse_colour_fix(std::string_view text) {
    return choose("--color-fix", text, kColourFixes);
}

Crop parse_crop(std::string_view text) {
    if (text == "off" || text == "auto") {
        return {.kind = text == "auto" ? Crop::Kind::automatic : Crop::Kind::off};
    }
    std::array<int, 4> numbers{};
    std::size_t begin = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const std::size_t end = i + 1 < numbers.size() ? text.find(':', begin) : text.size();
        const std::optional<int> number =
            end == std::string_view::npos ? std::nullopt : read_whole<int>(text.substr(begin, end - begin));
        if (!number || *number < 0) {
            refuse("--crop", text, "it takes off, auto or a part of the picture as WIDTH:HEIGHT:X:Y in pixels",
                   "Write for example 1920:800:0:140");
        }
        numbers.at(i) = *number;
        begin = end + 1;
    }
    return {Crop::Kind::rectangle, numbers[0], numbers[1], numbers[2], numbers[3]};
}

Alpha parse_alpha(std::string_view text) {
    return choose("--alpha", text, kAlphas);
}

Deinterlace parse_deinterlace(std::string_view text) {
    return choose("--deinterlace", text, kDeinterlaces);
}

ReleasePolicy parse_release(std::string_view text) {
    return choose("--release", text, kReleasePolicies);
}

Runner parse_runner(std::string_view text) {
    return choose("--runner", text, kRunners);
}

Reuse parse_reuse(std::string_view text) {
    return choose("--reuse", text, kReuses);
}

TemporalPreset parse_temporal(std::string_view text) {
    return choose("--temporal", text, kTemporalPresets);
}

FlowQuality parse_temporal_flow(std::string_view text) {
    return choose("--temporal-flow", text, kFlowQualities);
}

DebugView parse_debug_view(std::string_view text) {
    return choose("--debug-view", text, kDebugViews);
}

std::string parse_codec(std::string_view text) {
    return std::string(choose("--codec", text, kCodecs));
}

std::string parse_device(std::string_view text) {
    constexpr std::array<std::string_view, 4> kWhole{"auto", "cpu", "cuda", "openvino:GPU"};
    constexpr std::array<std::string_view, 3> kNumbered{"auto:", "cuda:", "openvino:GPU."};
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        const std::string_view word = text.substr(begin, end - begin);
        begin = end + 1;
        if (std::find(kWhole.begin(), kWhole.end(), word) != kWhole.end()) {
            continue;
        }
        const auto* const numbered = std::find_if(kNumbered.begin(), kNumbered.end(),
                                                  [word](std::string_view name) { return word.starts_with(name); });
        if (numbered == kNumbered.end()) {
            refuse("--device", word, "it takes auto, cpu, cuda:N or openvino:GPU, several with commas between");
        }
        parse_number("--device " + std::string(*numbered) + "N", word.substr(numbered->size()), 0, 99);
    }
    return std::string(text);
}

bool parse_switch(std::string_view option, std::string_view text) {
    return choose(option, text, kSwitches);
}

std::string text_of(Backend value) {
    return name_of(value, kBackends);
}

std::string text_of(Precision value) {
    return name_of(value, kPrecisions);
}

std::string text_of(ColourFixing value) {
    return name_of(value, kColourFixes);
}

std::string text_of(Alpha value) {
    return name_of(value, kAlphas);
}

std::string text_of(Deinterlace value) {
    return name_of(value, kDeinterlaces);
}

std::string text_of(ReleasePolicy value) {
    return name_of(value, kReleasePolicies);
}

std::string text_of(Resume value) {
    return name_of(value, kResumes);
}

std::string text_of(Runner value) {
    return name_of(value, kRunners);
}

std::string text_of(Reuse value) {
    return name_of(value, kReuses);
}

std::string text_of(TemporalPreset value) {
    return name_of(value, kTemporalPresets);
}

std::string text_of(FlowQuality value) {
    return name_of(value, kFlowQualities);
}

std::string text_of(DebugView value) {
    return value == DebugView::none ? "none" : name_of(value, kDebugViews);
}

std::string text_of(Size size) {
    return std::to_string(size.width) + "x" + std::to_string(size.height);
}

std::string text_of(const Crop& crop) {
    if (crop.kind == Crop::Kind::rectangle) {
        return std::to_string(crop.width) + ":" + std::to_string(crop.height) + ":" + std::to_string(crop.x) + ":" +
               std::to_string(crop.y);
    }
    return crop.kind == Crop::Kind::automatic ? "auto" : "off";
}

std::string text_of(const DiskLimit& limit) {
    if (limit.kind == DiskLimit::Kind::percent) {
        std::ostringstream text;
        text << limit.percent << "%";
        return text.str();
    }
    return limit.kind == DiskLimit::Kind::none ? "none" : std::to_string(limit.bytes);
}

std::string text_of(const TotalLimit& limit) {
    std::ostringstream text;
    text.precision(17);
    if (limit.kind == TotalLimit::Kind::none) {
        text << "none";
    } else if (limit.kind == TotalLimit::Kind::ratio) {
        text << limit.ratio;
    } else {
        text << static_cast<double>(limit.bytes) / static_cast<double>(kKiB) << "KiB";   // a bare number is a ratio
    }
    return text.str();
}

std::string text_of(const ChunkLength& chunk) {
    std::ostringstream text;
    if (chunk.kind == ChunkLength::Kind::automatic) {
        text << "auto";
    } else if (chunk.kind == ChunkLength::Kind::seconds) {
        text << chunk.seconds << "s";
    } else {
        text << chunk.frames << "f";
    }
    return text.str();
}

std::string text_of(const KeyValues& pairs) {
    std::string text;
    for (const auto& [key, value] : pairs) {
        text += (text.empty() ? "" : ":") + key + "=" + value;
    }
    return text;
}

std::string text_of(const StreamSelection& selection) {
    if (selection.kind != StreamSelection::Kind::chosen) {
        return selection.kind == StreamSelection::Kind::all ? "all" : "none";
    }
    std::string text;
    for (const int index : selection.indices) {
        text += (text.empty() ? "" : ",") + std::to_string(index);
    }
    return text;
}

}   // namespace millstream
