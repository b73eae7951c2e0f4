#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "millstream/error.h"

namespace millstream {
namespace {

using testing::HasSubstr;

std::string usage_error(const std::vector<std::string>& arguments) {
    try {
        (void)parse_command_line(arguments);
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), 2);
        return error.what();
    }
    return "accepted";
}

TEST(CommandLine, defaults_are_those_of_the_library) {
    const CommandLine line = parse_command_line({"enhance", "in.mp4", "-o", "out.mkv"});
    const Options defaults;
    EXPECT_EQ(line.verb, Verb::enhance);
    EXPECT_EQ(line.options.input, "in.mp4");
    EXPECT_EQ(line.options.output, "out.mkv");
    EXPECT_EQ(line.options.model, defaults.model);
    EXPECT_EQ(line.options.scale, defaults.scale);
    EXPECT_EQ(line.options.tile, defaults.tile);
    EXPECT_EQ(line.options.disk_limit.percent, defaults.disk_limit.percent);
    EXPECT_EQ(line.options.audio, StreamSelection{});
    EXPECT_FALSE(line.options.overwrite);
    EXPECT_EQ(line.progress, ProgressMode::automatic);
}

TEST(CommandLine, every_option_reaches_its_field) {
    const CommandLine line = parse_command_line({"enhance",
                                                 "in.mp4",
                                                 "-o",
                                                 "out.mkv",
                                                 "--model",
                                                 "identity",
                                                 "--scale",
                                                 "4",
                                                 "--size",
                                                 "1920x1080",
                                                 "--backend",
                                                 "torch",
                                                 "--precision",
                                                 "fp32",
                                                 "--tile",
                                                 "off",
                                                 "--batch",
                                                 "3",
                                                 "--threads",
                                                 "2",
                                                 "--reuse",
                                                 "exact",
                                                 "--temporal",
                                                 "high",
                                                 "--temporal-flow",
                                                 "fast",
                                                 "--debug-view",
                                                 "split",
                                                 "--max-memory",
                                                 "2GiB",
                                                 "--max-vram",
                                                 "6GiB",
                                                 "--disk-limit",
                                                 "none",
                                                 "--codec",
                                                 "hevc",
                                                 "--encoder",
                                                 "libx265",
                                                 "--crf",
                                                 "0",
                                                 "--preset",
                                                 "slow",
                                                 "--encoder-options",
                                                 "tune=grain",
                                                 "--encoder-options",
                                                 "bf=2:g=48",
                                                 "--hwaccel",
                                                 "vaapi",
                                                 "--video",
                                                 "1",
                                                 "--no-audio",
                                                 "-y",
                                                 "--runner",
                                                 "serial",
                                                 "--progress",
                                                 "json",
                                                 "-v"});
    const Options& o = line.options;
    EXPECT_EQ(o.model, "identity");
    EXPECT_EQ(o.scale, 4);
    EXPECT_EQ(o.size, (Size{1920, 1080}));
    EXPECT_EQ(o.backend, Backend::torch);
    EXPECT_EQ(o.precision, Precision::fp32);
    EXPECT_EQ(o.reuse, Reuse::exact);
    EXPECT_EQ(o.temporal, TemporalPreset::high);
    EXPECT_EQ(o.temporal_flow, FlowQuality::fast);
    EXPECT_EQ(o.debug_view, DebugView::split);
    EXPECT_EQ(o.tile, 0);
    EXPECT_EQ(o.batch, 3);
    EXPECT_EQ(o.threads, 2);
    EXPECT_EQ(o.max_memory, 2 * kGiB);
    EXPECT_EQ(o.max_vram, 6 * kGiB);
    EXPECT_EQ(o.disk_limit.kind, DiskLimit::Kind::none);
    EXPECT_EQ(o.codec, "hevc");
    EXPECT_EQ(o.encoder, "libx265");
    EXPECT_EQ(o.crf, 0);
    EXPECT_EQ(o.preset, "slow");
    const std::vector<std::pair<std::string, std::string>> pairs = {{"tune", "grain"}, {"bf", "2"}, {"g", "48"}};
    EXPECT_EQ(o.encoder_options, pairs);
    EXPECT_EQ(o.hwaccel, "vaapi");
    EXPECT_EQ(o.video_stream, 1);
    EXPECT_EQ(o.audio.kind, StreamSelection::Kind::none);
    EXPECT_TRUE(o.overwrite);
    EXPECT_EQ(o.runner, Runner::serial);
    EXPECT_EQ(line.progress, ProgressMode::json);
    EXPECT_EQ(line.verbosity, Verbosity::verbose);
}

TEST(CommandLine, file_names_may_start_with_a_dash_or_be_any_bytes) {
    const std::string odd = "-v 日本 'quote' \xff.mp4";
    const CommandLine line = parse_command_line({"enhance", "-o", "-out.mp4", "--", odd});
    EXPECT_EQ(line.options.input, odd);
    EXPECT_EQ(line.options.output, "-out.mp4");
    EXPECT_EQ(parse_command_line({"enhance", "--output=-x.mp4", "in"}).options.output, "-x.mp4");
    EXPECT_EQ(parse_command_line({"enhance", "doctor", "-o", "models"}).options.input, "doctor");
    EXPECT_EQ(parse_command_line({"enhance", "[a,b].mp4", "-o", "[c]"}).options.input, "[a,b].mp4");
}

TEST(CommandLine, mistakes_get_a_sentence_and_exit_code_2) {
    EXPECT_THAT(usage_error({}), HasSubstr("the command is missing"));
    EXPECT_THAT(usage_error({"enhence", "in", "-o", "out"}), HasSubstr("Did you mean enhance?"));
    EXPECT_THAT(usage_error({"models"}), HasSubstr("the command is missing"));
    EXPECT_THAT(usage_error({"models", "lisst"}), HasSubstr("Did you mean list?"));
    EXPECT_THAT(usage_error({"enhance", "in", "-o", "out", "--scael", "2"}), HasSubstr("Did you mean --scale?"));
    EXPECT_THAT(usage_error({"inspect", "in", "-o", "out", "another"}), HasSubstr("one word more than expected"));
    EXPECT_THAT(usage_error({"enhance", "-film.mp4", "-o", "out"}), HasSubstr("write it last, after --"));
    EXPECT_THAT(usage_error({"enhance", "in"}), HasSubstr("--output is required"));
    EXPECT_THAT(usage_error({"enhance", "-o", "out"}), HasSubstr("IN is required"));
    EXPECT_THAT(usage_error({"enhance", "in", "-o"}), HasSubstr("--output"));
    EXPECT_THAT(usage_error({"enhance", "in", "-o", "out", "--scale", "5"}), HasSubstr("from 1 to 4"));
    EXPECT_THAT(usage_error({"enhance", "in", "-o", "out", "--max-memory", "much"}), HasSubstr("--max-memory much"));
    EXPECT_THAT(usage_error({"enhance", "in", "-o", "out", "--scale", "2", "--scale", "3"}), HasSubstr("--scale"));
}

TEST(CommandLine, inspect_takes_the_options_of_enhance_and_needs_no_output) {
    const CommandLine line = parse_command_line({"inspect", "in.mp4", "--scale", "3", "--json"});
    EXPECT_EQ(line.verb, Verb::inspect);
    EXPECT_EQ(line.options.scale, 3);
    EXPECT_TRUE(line.json);
}

TEST(CommandLine, verify_takes_two_files_and_tolerances) {
    const CommandLine line =
        parse_command_line({"verify", "in.mkv", "out.mkv", "--video", "2", "--no-audio", "--time", "0.5",
                            "--psnr-margin", "3", "--frame-drop", "9.5", "--levels", "1", "--json"});
    EXPECT_EQ(line.verb, Verb::verify);
    EXPECT_EQ(line.verify_options.input, "in.mkv");
    EXPECT_EQ(line.verify_options.output, "out.mkv");
    EXPECT_EQ(line.verify_options.video_stream, 2);
    EXPECT_FALSE(line.verify_options.audio);
    EXPECT_DOUBLE_EQ(line.verify_options.time_tolerance_s, 0.0005);
    EXPECT_DOUBLE_EQ(line.verify_options.psnr_margin_db, 3);
    EXPECT_DOUBLE_EQ(line.verify_options.frame_drop_db, 9.5);
    EXPECT_DOUBLE_EQ(line.verify_options.level_tolerance, 1);
    EXPECT_TRUE(line.json);
    EXPECT_THAT(usage_error({"verify", "in.mkv"}), HasSubstr("OUT is required"));
    EXPECT_THAT(usage_error({"verify", "in", "out", "--time", "-1"}), HasSubstr("--time -1"));
    EXPECT_TRUE(parse_command_line({"enhance", "in", "-o", "out", "--verify"}).options.verify);
}

TEST(CommandLine, models_and_doctor_are_commands) {
    EXPECT_EQ(parse_command_line({"models", "list"}).verb, Verb::list_models);
    EXPECT_EQ(parse_command_line({"models", "fetch"}).verb, Verb::fetch_models);
    EXPECT_EQ(parse_command_line({"models", "info", "identity"}).model_name, "identity");
    EXPECT_EQ(parse_command_line({"doctor"}).verb, Verb::doctor);
}

TEST(CommandLine, help_and_version_are_texts_to_print) {
    const CommandLine help = parse_command_line({"--help"});
    EXPECT_EQ(help.verb, Verb::print);
    for (const char* part : {"Examples:", "Exit codes:", "  130  ", "enhance", "inspect", "models", "doctor"}) {
        EXPECT_THAT(help.text, HasSubstr(part));
    }
    EXPECT_THAT(parse_command_line({"enhance", "--help"}).text, HasSubstr("--disk-limit"));
    EXPECT_EQ(parse_command_line({"--version"}).text, version_text() + "\n");
}

TEST(CommandLine, the_hidden_runner_is_not_in_the_help) {
    EXPECT_THAT(parse_command_line({"enhance", "--help"}).text, testing::Not(HasSubstr("--runner")));
}

TEST(Enhance, takes_several_inputs_and_devices) {
    const CommandLine line = parse_command_line(
        {"enhance", "a.mp4", "b.mkv", "-o", "out/", "--fail-fast", "--device", "cuda:0", "--device", "cuda:1,cuda:2"});
    EXPECT_EQ(line.inputs, (std::vector<std::filesystem::path>{"a.mp4", "b.mkv"}));
    EXPECT_EQ(line.options.output, "out/");
    EXPECT_TRUE(line.fail_fast);
    EXPECT_EQ(line.options.device, "cuda:0,cuda:1,cuda:2");
    const EffectiveOptions effective = resolve_options(line.layers);
    EXPECT_EQ(effective.options.device, "cuda:0,cuda:1,cuda:2");
    for (const char* wrong : {"tpu", "cuda:x", "cuda:", "", "cpu,", "openvino"}) {
        EXPECT_THAT(usage_error({"enhance", "a", "-o", "b", "--device", wrong}), HasSubstr("--device")) << wrong;
    }
    EXPECT_EQ(parse_command_line({"enhance", "a", "-o", "b"}).options.device, "auto");
}

}   // namespace
}   // namespace millstream
