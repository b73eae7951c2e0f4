#include "pipeline/plan_words.h"

#include <cstdio>
#include <iomanip>
#include <sstream>

#include "base/bytes.h"
#include "base/counted.h"
#include "millstream/job.h"

namespace millstream {
namespace {

void describe_input(PreparedJob& job) {
    Plan& plan = job.plan;
    const StreamInfo& stream = job.source.video();
    const VideoStreamInfo& video = *stream.video;
    plan.input_container = job.source.container;
    plan.input_size = {video.width, video.height};
    plan.input_pixel_format = video.pixel_format_name;
    plan.input_colour = describe_colour(video.colour);
    plan.frame_rate = video.average_rate.value();
    plan.frames = video.frames;
    plan.duration_s = stream.duration_s > 0 ? stream.duration_s : job.source.duration_s;
}

void describe_network(PreparedJob& job) {
    Plan& plan = job.plan;
    const Network& network = job.model->network;
    plan.model = job.model->name;
    plan.model_file = job.model->file.string();
    plan.model_scale = network.scale;
    plan.receptive_radius = network.receptive_radius;
    plan.device = job.executor.device;
    plan.device_name = names(job.devices);
    plan.backend = words(job.executor.backend);
    plan.precision = words(job.executor.precision);
    plan.tile = job.memory.layout.tile;
    plan.tiles_per_frame = static_cast<int>(cut_tiles(plan.input_size, job.memory.layout).size());
    plan.halo = job.memory.layout.halo;
    plan.tiles_exact = plan.tiles_per_frame == 1 || plan.halo >= network.receptive_radius;
    plan.batch = job.memory.requests;
    plan.threads = job.executor.threads;
    if (!plan.tiles_exact) {
        plan.notes.push_back("The network sees " + std::to_string(network.receptive_radius) +
                             " px around each pixel; tiles carry " + std::to_string(plan.halo) +
                             " px and are cross-faded at their seams.");
    }
    if (job.memory.joining == Joining::fused) {
        plan.notes.push_back("Conversion and network share a thread to stay inside the memory budget.");
    }
}

void describe_output(PreparedJob& job) {
    Plan& plan = job.plan;
    const EncoderSettings& encoder = job.encoder;
    plan.output_size = {encoder.width, encoder.height};
    plan.encoder = encoder.encoder;
    plan.output_pixel_format = encoder.pixel_format_name;
    plan.output_colour = describe_colour(encoder.colour);
    plan.crf = encoder.crf;
    plan.preset = encoder.preset;
    plan.encoder_threads = encoder.threads;
    plan.lookahead = encoder.lookahead;
    plan.encoder_options = encoder.extra;
}

std::string stream_line(const StreamPlan& stream) {
    std::string line = "  " + std::to_string(stream.index) + "  " + stream.kind + " " + stream.codec;
    if (!stream.language.empty()) {
        line += " [" + stream.language + "]";
    }
    line += ": " + stream.action;
    return stream.reason.empty() ? line : line + " (" + stream.reason + ")";
}

std::string length_words(const Plan& plan) {
    std::ostringstream text;
    text.precision(3);
    if (plan.frames > 0) {
        text << plan.frames << " frames";
    } else {
        text << "unknown number of frames";
    }
    text << std::fixed;
    if (plan.frame_rate > 0) {
        text << ", " << plan.frame_rate << " fps";
    }
    if (plan.duration_s > 0) {
        text << ", " << plan.duration_s << " s";
    }
    return text.str();
}

}   // namespace

std::string words(Size size) {
    return std::to_string(size.width) + "x" + std::to_string(size.height);
}

std::string words(Backend backend) {
    switch (backend) {
        case Backend::torch:
            return "torch";
        case Backend::openvino:
            return "openvino";
        case Backend::automatic:
            break;
    }
    return "auto";
}

std::string words(Precision precision) {
    switch (precision) {
        case Precision::fp32:
            return "fp32";
        case Precision::bf16:
            return "bf16";
        case Precision::fp16:
            return "fp16";
        case Precision::int8:
            return "int8";
        case Precision::automatic:
            break;
    }
    return "auto";
}

Precision precision_called(const std::string& name) {
    for (const Precision precision : {Precision::fp32, Precision::bf16, Precision::fp16, Precision::int8}) {
        if (words(precision) == name) {
            return precision;
        }
    }
    return Precision::automatic;
}

std::string words(TemporalPreset preset) {
    switch (preset) {
        case TemporalPreset::low:
            return "low";
        case TemporalPreset::medium:
            return "medium";
        case TemporalPreset::high:
            return "high";
        case TemporalPreset::off:
            break;
    }
    return "off";
}

std::string words(Reuse reuse) {
    switch (reuse) {
        case Reuse::exact:
            return "exact";
        case Reuse::safe:
            return "safe";
        case Reuse::fast:
            return "fast";
        case Reuse::off:
            break;
    }
    return "off";
}

std::string words(FlowQuality quality) {
    return quality == FlowQuality::fast ? "fast" : "full";
}

std::string words(DebugView view) {
    switch (view) {
        case DebugView::flow:
            return "flow";
        case DebugView::confidence:
            return "confidence";
        case DebugView::split:
            return "split";
        case DebugView::none:
            break;
    }
    return "none";
}

void describe(PreparedJob& job) {
    describe_input(job);
    describe_network(job);
    describe_output(job);
    job.plan.live_frames = job.memory.live_frames;
    job.plan.queue_bytes =
        job.memory.picture_queue + job.memory.input_queue + job.memory.output_queue + job.memory.result_queue;
    job.plan.memory = job.memory.memory;
    job.plan.chunk_frames = job.chunk_frames;
    job.plan.chunk_wall_s = job.chunk_wall_s;
    job.plan.resumed_frames = job.checkpoint ? job.checkpoint->output.frames : 0;
}

std::string to_text(const Plan& plan) {
    std::ostringstream text;
    text << "Input    " << plan.options.input.string() << "\n"
         << "         " << plan.input_container << ", " << words(plan.input_size) << " " << plan.input_pixel_format
         << ", " << plan.input_colour << ", " << length_words(plan) << "\n"
         << "Streams\n";
    for (const StreamPlan& stream : plan.streams) {
        text << stream_line(stream) << "\n";
    }
    if (plan.chapters > 0) {
        text << "  " << counted(plan.chapters, "chapter", "chapters") << ": copy\n";
    }
    text << "Network  " << plan.model << " (x" << plan.model_scale << ", sees " << plan.receptive_radius << " px)\n"
         << "         " << plan.backend << " " << plan.precision << " on " << plan.device << " (" << plan.device_name
         << "), " << counted(plan.threads, "thread", "threads") << ", " << counted(plan.batch, "request", "requests")
         << " in flight\n";
    if (plan.tiles_per_frame == 1) {
        text << "         whole frames\n";
    } else {
        text << "         " << plan.tiles_per_frame << " tiles of " << words(plan.tile) << " a frame, halo "
             << plan.halo << " px (" << (plan.tiles_exact ? "exact" : "cross-faded") << ")\n";
    }
    if (plan.options.colour_fix == ColourFixing::low_pass) {
        text << "         colours kept as in the source (--color-fix lowpass)\n";
    }
    text << "Reuse    " << words(plan.reuse) << "\n";
    text << "Temporal " << words(plan.temporal);
    if (plan.temporal != TemporalPreset::off) {
        text << ", " << words(plan.options.temporal_flow) << " flow";
    }
    if (plan.options.debug_view != DebugView::none) {
        text << "; the output shows the " << words(plan.options.debug_view) << " view";
    }
    text << "\n";
    text << "Output   " << plan.options.output.string() << "\n"
         << "         " << plan.container << ", " << words(plan.output_size) << " " << plan.output_pixel_format << ", "
         << plan.output_colour << "\n"
         << "         " << plan.encoder << " crf " << plan.crf << " preset " << plan.preset << ", "
         << plan.encoder_threads << " threads";
    if (plan.lookahead >= 0) {
        text << ", lookahead " << plan.lookahead << " frames";
    }
    const MemoryPlan& memory = plan.memory;
    if (memory.vram > 0) {
        text << "\nVRAM     " << format_bytes(memory.vram) << " of " << format_bytes(memory.vram_budget)
             << " on each device";
    }
    text << "\nMemory   " << format_bytes(memory.expected()) << " of " << format_bytes(memory.budget) << ": program "
         << format_bytes(memory.base) << ", decoder " << format_bytes(memory.decoder) << ", network "
         << format_bytes(memory.network) << ", frames " << format_bytes(memory.frames) << ", temporal "
         << format_bytes(memory.temporal) << ", reuse " << format_bytes(memory.reuse) << ", encoder "
         << format_bytes(memory.encoder) << "\n"
         << "         at most " << plan.live_frames << " frames between decoder and encoder\n"
         << "Disk     up to " << format_bytes(plan.disk.predicted_output) << " of " << format_bytes(plan.disk.allowed)
         << " allowed (" << format_bytes(plan.disk.free) << " free)\n";
    if (plan.disk.most_output > 0) {
        text << "         quality is lowered where it would grow beyond " << format_bytes(plan.disk.most_output)
             << " (--max-total)\n";
    }
    text << "Safety   a checkpoint every " << plan.chunk_frames << " frames";
    if (plan.frame_rate > 0) {
        text << " (" << std::fixed << std::setprecision(1) << static_cast<double>(plan.chunk_frames) / plan.frame_rate
             << " s of video)";
    }
    if (plan.chunk_wall_s > 0) {
        text << ", about " << std::fixed << std::setprecision(plan.chunk_wall_s < 10 ? 1 : 0) << plan.chunk_wall_s
             << " s of work";
    }
    text << "\n";
    if (plan.resumed_frames > 0) {
        text << "         goes on behind frame " << plan.resumed_frames << " of an interrupted run\n";
    }
    for (const std::string& note : plan.notes) {
        text << "Note     " << note << "\n";
    }
    return text.str();
}

}   // namespace millstream
