#include <gmock/gmock.h>

#include <algorithm>

#include "config/key_rules.h"
#include "millstream/config.h"
#include "millstream/error.h"

namespace millstream {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const ConfigContext kTenGib{.quality = {}, .available_memory = std::uint64_t{10} << 30};

Configuration parse(const std::string& text, const ConfigContext& context = kTenGib) {
    return parse_configuration(text, "c.yaml", context);
}

std::string text_of(const Configuration& configuration, const std::string& name) {
    const auto found = std::find_if(configuration.settings.begin(), configuration.settings.end(),
                                    [&](const Setting& setting) { return setting.name == name; });
    return found == configuration.settings.end() ? "-" : found->text;
}

const ConfigKey& key(const Configuration& configuration, const std::string& name) {
    const auto found = std::find_if(configuration.keys.begin(), configuration.keys.end(),
                                    [&](const ConfigKey& entry) { return entry.key == name; });
    if (found == configuration.keys.end()) {
        throw std::out_of_range(name);
    }
    return *found;
}

std::string refusal(const std::string& text) {
    try {
        parse(text);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        return error.what();
    }
    return "read";
}

TEST(configuration, the_streaming_section_becomes_options) {
    const Configuration read = parse(R"(
streaming: {enabled: true, max_memory_mb: 2048, max_vram_mb: 3072, batch_size: 1, enable_temporal_stabilization: false,
            checkpoint_interval: 500, temporal_buffer_size: 3}
)");
    EXPECT_EQ(text_of(read, "max_memory"), "2048MiB");
    EXPECT_EQ(text_of(read, "max_vram"), "3072MiB");
    EXPECT_EQ(text_of(read, "batch"), "1");
    EXPECT_EQ(text_of(read, "temporal"), "off");
    EXPECT_TRUE(read.streaming);
    EXPECT_EQ(text_of(read, "chunk"), "500f");
    EXPECT_EQ(key(read, "streaming.temporal_buffer_size").effect, ConfigKey::Effect::ignored);
    EXPECT_THAT(read.warnings, IsEmpty());
}

TEST(configuration, a_window_of_no_frames_is_an_error_that_names_file_key_and_value) {
    EXPECT_THAT(refusal("streaming: {temporal_buffer_size: 0}"),
                AllOf(HasSubstr("c.yaml: streaming.temporal_buffer_size = 0"), HasSubstr("whole number from 1 to 64")));
    EXPECT_EQ(refusal("streaming: {temporal_buffer_size: 1}"), "read");
}

TEST(configuration, settings_name_file_and_key_they_come_from) {
    EXPECT_EQ(parse("streaming: {batch_size: 2}").settings.at(0).origin, "c.yaml: streaming.batch_size");
}

TEST(configuration, streaming_can_be_switched_off_in_two_ways_of_which_the_section_wins) {
    EXPECT_FALSE(parse("streaming: {enabled: false}").streaming);
    EXPECT_FALSE(parse("streaming_mode: false").streaming);
    const Configuration both = parse("{streaming_mode: false, streaming: {enabled: true}}");
    EXPECT_TRUE(both.streaming);
    EXPECT_THAT(key(both, "streaming_mode").meaning, HasSubstr("streaming.enabled"));
}

TEST(configuration, what_is_said_first_in_the_list_of_rules_goes_before_the_rest) {
    const Configuration read =
        parse("{memory_safety_margin: 0.5, performance: {max_memory_usage: 0.7}, streaming: {max_memory_mb: 1024}}");
    EXPECT_EQ(text_of(read, "max_memory"), "1024MiB");
    EXPECT_EQ(key(read, "memory_safety_margin").effect, ConfigKey::Effect::ignored);
    EXPECT_THAT(key(read, "memory_safety_margin").meaning, HasSubstr("streaming.max_memory_mb"));
}

TEST(configuration, a_share_of_memory_is_one_of_what_is_available) {
    EXPECT_EQ(text_of(parse("performance: {max_memory_usage: 0.7}"), "max_memory"), "7168MiB");
}

TEST(configuration, quality_presets_take_effect_only_for_the_quality_in_use) {
    const std::string text = R"(
video: {quality_presets: {fast: {tile_size: 512, batch_size: 4}, high: {tile_size: 1024, batch_size: 1}}}
)";
    EXPECT_EQ(text_of(parse(text), "tile"), "-");
    ConfigContext high = kTenGib;
    high.quality = "high";
    EXPECT_EQ(text_of(parse(text, high), "tile"), "1024");
    EXPECT_EQ(text_of(parse(text, high), "batch"), "1");
}

TEST(configuration, model_names_of_other_systems_find_a_network_and_it_is_said) {
    const Configuration compact = parse("video: {ai_model: real_esrgan_x4}");
    EXPECT_EQ(text_of(compact, "model"), "realesr-animevideov3");
    EXPECT_THAT(compact.warnings, ElementsAre(HasSubstr("real_esrgan_x4")));
    EXPECT_EQ(text_of(parse("video: {ai_model: RealESRGAN_x4plus}"), "model"), "realesrgan-x4plus");
    EXPECT_EQ(text_of(parse("video: {ai_model: opencv_cubic}"), "model"), "identity");
    EXPECT_EQ(text_of(parse("video: {ai_model: span}"), "model"), "span");
    const Configuration unknown = parse("ai_models: {default_model: mystery}");
    EXPECT_EQ(text_of(unknown, "model"), "realesr-animevideov3");
    EXPECT_THAT(unknown.warnings, ElementsAre(HasSubstr("no model \"mystery\"")));
}

TEST(configuration, intermediate_file_features_are_off_with_one_warning_each) {
    const Configuration read = parse(R"(
{temp_dir: /tmp/x, paths: {cache_dir: ./cache, temp_dir: null}, ui: {save_processing_logs: true}, keep_frames: false}
)");
    EXPECT_THAT(read.warnings,
                ElementsAre(HasSubstr("temp_dir"), HasSubstr("paths.cache_dir"), HasSubstr("save_processing_logs")));
    EXPECT_THAT(read.settings, IsEmpty());
}

TEST(configuration, unknown_keys_get_one_warning_together) {
    const Configuration read = parse("{gizmo: 1, video: {wheel: {size: 2}}, streaming: {speed: 3}}");
    EXPECT_THAT(read.warnings,
                ElementsAre(AllOf(HasSubstr("gizmo"), HasSubstr("video.wheel.size"), HasSubstr("streaming.speed"))));
    EXPECT_EQ(key(read, "gizmo").effect, ConfigKey::Effect::unknown);
}

TEST(configuration, wrong_types_and_ranges_name_file_key_value_and_what_is_allowed) {
    EXPECT_THAT(refusal("streaming: {max_memory_mb: lots}"),
                AllOf(HasSubstr("c.yaml: streaming.max_memory_mb = \"lots\""), HasSubstr("whole number from 1")));
    EXPECT_THAT(refusal("streaming: {enabled: 1}"), HasSubstr("true or false"));
    EXPECT_THAT(refusal("streaming: {batch_size: 17}"), HasSubstr("1 to 16"));
    EXPECT_THAT(refusal("streaming: {batch_size: 1.5}"), HasSubstr("whole number"));
    EXPECT_THAT(refusal("streaming: {batch_size: 7e56}"), HasSubstr("1 to 16"));
    EXPECT_THAT(refusal("millstream: {crf: 7e56}"), HasSubstr("7e+56"));
    EXPECT_THAT(refusal("streaming: 5"), HasSubstr("a section"));
    EXPECT_THAT(refusal("performance: {max_memory_usage: 1.5}"), HasSubstr("0.1 to 0.9"));
    EXPECT_THAT(refusal("performance: {max_memory_usage: {a: 1}}"), HasSubstr("0.1 to 0.9"));
    EXPECT_THAT(refusal("target_resolution: large"), HasSubstr("1920x1080"));
    EXPECT_THAT(refusal("log_level: LOUD"), HasSubstr("DEBUG|INFO"));
    EXPECT_THAT(refusal("video: {output: {codec: mpeg2}}"), HasSubstr("h264"));
    EXPECT_THAT(refusal("millstream: {scale: 9}"), AllOf(HasSubstr("millstream.scale"), HasSubstr("1 to 4")));
    EXPECT_THAT(refusal("millstream: {scael: 2}"), HasSubstr("no such option"));
    EXPECT_THAT(refusal("millstream: 5"), HasSubstr("a section"));
}

TEST(configuration, checkpoint_intervals_count_frames_in_one_section_and_seconds_in_the_other) {
    const Configuration read = parse("{streaming: {checkpoint_interval: 5}, performance: {checkpoint_interval: 60}}");
    EXPECT_EQ(text_of(read, "chunk"), "24f");   // the shortest there is
    EXPECT_EQ(key(read, "performance.checkpoint_interval").effect, ConfigKey::Effect::ignored);
    EXPECT_THAT(key(read, "performance.checkpoint_interval").meaning, HasSubstr("seconds"));
}

// Every key that huaju4k's loaders know, with its value there: `null` where that is the default.
constexpr const char* kEveryKey = R"(
streaming: {enabled: true, max_memory_mb: 1024, max_vram_mb: 6144, checkpoint_interval: 1000, temporal_buffer_size: 3,
            batch_size: 1, enable_temporal_stabilization: true}
streaming_mode: false
models_dir: ./models
temp_dir: null
progress_update_interval: 0.5
model_cache_size: 2
theater_preset: medium
memory_safety_margin: 0.7
ai_models: {default_model: real-esrgan}
video:
  ai_model: real_esrgan_x4
  model_path: ./models/RealESRGAN_x4plus.pth
  quality_presets:
    fast: {tile_size: 512, batch_size: 4, denoise_strength: 0.5, overlap_pixels: 16}
    balanced: {tile_size: 768, batch_size: 2, denoise_strength: 0.7, overlap_pixels: 32}
    high: {tile_size: 1024, batch_size: 1, denoise_strength: 0.9, overlap_pixels: 64}
  output: {format: mp4, codec: h264, crf: 18, preset: slow}
audio:
  theater_presets:
    small: {reverb_reduction: 0.8, dialogue_boost: 6, noise_reduction: 0.7, spatial_enhancement: 0.3}
    theater_medium_balanced: {spatial_enhancement: true, preserve_naturalness: true, dynamic_range_compression: 0.3}
  sample_rate: 48000
  bitrate: 192k
  channels: 2
  theater_enhancement_enabled: false
performance: {use_gpu: true, gpu_id: 0, max_memory_usage: 0.7, tile_overlap: 32, num_workers: 2, prefetch_factor: 2,
              checkpoint_interval: 60}
logging: {level: INFO, file: null, console: true, format: "%(message)s"}
paths: {temp_dir: null, models_dir: ./models, presets_dir: ./presets, cache_dir: ./cache}
ui: {progress_update_interval: 0.5, auto_cleanup: true, save_processing_logs: true, show_advanced_options: false}
_metadata: {version: "1.0", created_by: huaju4k, schema_version: "1.0"}
log_level: INFO
log_file: null
presets_dir: ./presets
auto_cleanup: true
save_processing_logs: true
name: x
description: x
theater_size: medium
quality_level: balanced
target_resolution: 3840x2160
denoise_strength: 0.7
dialogue_boost: 4
noise_reduction: 0.5
reverb_reduction: 0.6
preserve_naturalness: true
tile_size: 768
batch_size: 2
memory_usage: 0.7
created_by: system
created_at: null
version: "1.0"
)";

TEST(configuration, r8_3_every_key_of_the_existing_system_is_mapped_or_ignored_with_its_reason) {
    const Configuration read = parse(kEveryKey);
    EXPECT_EQ(read.keys.size(), 87U);
    for (const ConfigKey& entry : read.keys) {
        EXPECT_NE(entry.effect, ConfigKey::Effect::unknown) << entry.key;
        EXPECT_FALSE(entry.meaning.empty()) << entry.key;
    }
}

TEST(configuration, no_memory_of_a_gpu_means_the_processor) {
    EXPECT_EQ(text_of(parse("streaming: {max_vram_mb: 0}"), "device"), "cpu");
    EXPECT_EQ(text_of(parse("streaming: {max_vram_mb: 0}"), "max_vram"), "-");
    EXPECT_THAT(refusal("streaming: {max_vram_mb: -1}"), HasSubstr("from 0"));
}

TEST(configuration, a_hardware_encoder_may_stand_for_a_codec) {
    EXPECT_EQ(text_of(parse("video: {output: {codec: h264_nvenc}}"), "encoder"), "h264_nvenc");
    EXPECT_EQ(text_of(parse("video: {output: {codec: libx265}}"), "codec"), "hevc");
    const Configuration both = parse("{millstream: {codec: hevc}, video: {output: {codec: h264_nvenc}}}");
    EXPECT_EQ(text_of(both, "codec"), "hevc");
    EXPECT_EQ(text_of(both, "encoder"), "-") << "one thing, and our own section goes first";
}

TEST(configuration, a_quality_that_nothing_knows_is_refused_and_one_of_the_files_own_is_not) {
    const std::string text = "video: {quality_presets: {night: {tile_size: 640}}}";
    ConfigContext quality = kTenGib;
    quality.quality = "night";
    EXPECT_EQ(text_of(parse(text, quality), "tile"), "640");
    quality.quality = "ultra";
    try {
        parse(text, quality);
        FAIL();
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), AllOf(HasSubstr("quality = ultra"), HasSubstr("fast, balanced, high, night")));
    }
}

TEST(configuration, null_means_that_nothing_is_said) {
    EXPECT_THAT(parse("{streaming: {max_memory_mb: null}, temp_dir: null, video: null}").settings, IsEmpty());
}

TEST(configuration, our_own_section_takes_every_option_by_name) {
    const Configuration read = parse(R"(
millstream: {scale: 3, size: [1280, 720], audio: [1, 2], encoder_options: {tune: grain, bf: 2}, strict: true, tile: auto}
)");
    EXPECT_EQ(text_of(read, "scale"), "3");
    EXPECT_EQ(text_of(read, "size"), "1280x720");
    EXPECT_EQ(text_of(read, "audio"), "1,2");
    EXPECT_EQ(text_of(read, "encoder_options"), "tune=grain:bf=2");
    EXPECT_EQ(text_of(read, "strict"), "true");
}

TEST(configuration, a_preset_file_says_target_tile_batch_and_share) {
    const Configuration read = parse(R"(
{name: x, theater_size: medium, quality_level: balanced, target_resolution: 3840x2160, tile_size: 768, batch_size: 2,
 memory_usage: 0.6, denoise_strength: 0.7}
)");
    EXPECT_EQ(text_of(read, "fit"), "3840x2160");
    EXPECT_EQ(text_of(read, "tile"), "768");
    EXPECT_EQ(text_of(read, "max_memory"), "6144MiB");
    EXPECT_EQ(read.quality, "balanced");
    EXPECT_EQ(key(read, "denoise_strength").effect, ConfigKey::Effect::ignored);
}

TEST(configuration, a_quality_changes_the_batch_of_a_preset_that_names_none) {
    const auto batch = [](const std::string& preset, const std::string& quality) {
        ConfigContext context = kTenGib;
        context.quality = quality;
        return text_of(read_preset(preset, {}, context), "batch");
    };
    EXPECT_EQ(batch("theater_small", "fast"), "4");   // 4 x 1.2, whole frames
    EXPECT_EQ(batch("theater_small", "high"), "3");   // 4 x 0.8
    EXPECT_EQ(batch("theater_medium", "high"), "1");
    EXPECT_EQ(batch("theater_large", "high"), "1");   // not none
    EXPECT_EQ(batch("theater_small_fast", "high"), "4") << "it names its own";
}

TEST(configuration, every_built_in_preset_can_be_read) {
    EXPECT_THAT(preset_names(), Contains("theater_medium_balanced"));
    for (const std::string& name : preset_names()) {
        EXPECT_EQ(text_of(read_preset(name, {}, kTenGib), "fit"), "3840x2160") << name;
    }
}

TEST(configuration, an_unknown_preset_is_an_error_that_lists_those_there_are) {
    try {
        read_preset("theater_tiny");
        FAIL();
    } catch (const Error& error) {
        EXPECT_THAT(error.context().hint, HasSubstr("theater_small_fast"));
    }
}

TEST(configuration, explanations_stay_utf8_however_long_and_odd_the_values) {
    const std::string text =
        explain_text(parse("{description: \"" + std::string(36, 'x') + "\u8bdd\u5267\u8bdd\u5267\"}"));
    EXPECT_THAT(text, HasSubstr(std::string(35, 'x')));
    EXPECT_THAT(text, testing::Not(HasSubstr("\xE8...")));
    EXPECT_THAT(explain_text(parse("description: \"a\xFF\"")), HasSubstr("a\xEF\xBF\xBD"));
}

TEST(configuration, every_rule_has_a_meaning_or_says_why_not) {
    for (const KeyRule& rule : key_rules()) {
        if (rule.use == Use::nothing || rule.use == Use::nothing_warned) {
            EXPECT_FALSE(rule.reason.empty()) << rule.pattern;
        }
    }
}

TEST(Configuration, a_gpus_number_is_a_wish_and_no_gpu_is_the_processor) {
    const auto device = [](const std::string& text) {
        for (const Setting& setting : parse_configuration(text, "c.json").settings) {
            if (setting.name == "device") {
                return setting.text;
            }
        }
        return std::string("not said");
    };
    EXPECT_EQ(device(R"({"performance": {"gpu_id": 1}})"), "auto:1");
    EXPECT_EQ(device(R"({"performance": {"use_gpu": true, "gpu_id": 0}})"), "auto:0");
    EXPECT_EQ(device(R"({"performance": {"gpu_id": 1, "use_gpu": false}})"), "cpu");
    EXPECT_EQ(device(R"({"performance": {"use_gpu": true}})"), "not said");
}

}   // namespace
}   // namespace millstream
