#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "millstream/config.h"

namespace millstream {
namespace {

using testing::HasSubstr;

// A file that goes with the test.
class ConfigFile {
public:
    explicit ConfigFile(const std::string& text)
        : path_(std::filesystem::temp_directory_path() /
                ("millstream_layers_" + std::to_string(::getpid()) + "_" + std::to_string(text.size()) + ".yaml")) {
        std::ofstream(path_) << text;
    }
    ConfigFile(const ConfigFile&) = delete;
    ConfigFile& operator=(const ConfigFile&) = delete;
    ~ConfigFile() { std::filesystem::remove(path_); }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

const Setting& value(const EffectiveOptions& effective, const std::string& name) {
    return *std::find_if(effective.values.begin(), effective.values.end(),
                         [&](const Setting& entry) { return entry.name == name; });
}

TEST(layers, the_caller_goes_before_the_configuration_that_before_the_preset_that_before_the_default) {
    const ConfigFile file("{streaming: {batch_size: 3}, video: {output: {crf: 21}}}");
    const EffectiveOptions effective = resolve_options({.preset = "theater_small_fast",
                                                        .configuration = file.path(),
                                                        .configuration_text = {},
                                                        .context = {},
                                                        .caller = {{"crf", "17", "command line"}}});
    EXPECT_EQ(effective.options.crf, 17);         // all three say something
    EXPECT_EQ(effective.options.batch, 3);        // preset 4, configuration 3
    EXPECT_EQ(effective.options.tile, 512);       // preset alone
    EXPECT_EQ(effective.options.codec, "h264");   // nobody
    EXPECT_EQ(value(effective, "crf").origin, "command line");
    EXPECT_THAT(value(effective, "batch").origin, HasSubstr("streaming.batch_size"));
    EXPECT_THAT(value(effective, "tile").origin, HasSubstr("preset theater_small_fast"));
    EXPECT_EQ(value(effective, "codec").origin, "default");
}

TEST(layers, a_scale_of_the_caller_goes_before_a_size_of_the_configuration) {
    const ConfigFile file("millstream: {size: 1280x720}");
    const EffectiveOptions asked = resolve_options({.preset = {},
                                                    .configuration = file.path(),
                                                    .configuration_text = {},
                                                    .context = {},
                                                    .caller = {{"scale", "3", {}}}});
    EXPECT_EQ(asked.options.scale, 3);
    EXPECT_FALSE(asked.options.size);
    const EffectiveOptions silent = resolve_options(
        {.preset = {}, .configuration = file.path(), .configuration_text = {}, .context = {}, .caller = {}});
    EXPECT_EQ(silent.options.size, (Size{1280, 720}));
}

TEST(layers, a_codec_of_the_caller_goes_before_an_encoder_of_the_configuration_and_the_other_way_round) {
    const ConfigFile file("video: {output: {codec: h264_nvenc}}");
    ConfigLayers layers;
    layers.configuration = file.path();
    EXPECT_EQ(resolve_options(layers).options.encoder, "h264_nvenc");
    layers.caller = {{"codec", "hevc", {}}};
    const EffectiveOptions codec = resolve_options(layers);
    EXPECT_EQ(codec.options.codec, "hevc");
    EXPECT_EQ(codec.options.encoder, "");   // it would go before the codec
    EXPECT_EQ(value(codec, "encoder").origin, "default");
    const ConfigFile other("millstream: {codec: av1}");
    layers.configuration = other.path();
    layers.caller = {{"encoder", "libx264", {}}};
    const EffectiveOptions encoder = resolve_options(layers);
    EXPECT_EQ(encoder.options.encoder, "libx264");
    EXPECT_EQ(encoder.options.codec, Options().codec);
    EXPECT_EQ(value(encoder, "codec").origin, "default");
}

TEST(layers, a_quality_of_a_preset_chooses_among_the_configurations_quality_presets) {
    const ConfigFile file("video: {quality_presets: {fast: {tile_size: 640}, high: {tile_size: 1024}}}");
    const EffectiveOptions effective = resolve_options({.preset = "theater_small_fast",
                                                        .configuration = file.path(),
                                                        .configuration_text = {},
                                                        .context = {},
                                                        .caller = {}});
    EXPECT_EQ(effective.options.tile, 640);
}

TEST(layers, a_quality_with_nothing_to_choose_from_is_a_warning) {
    ConfigLayers layers;
    layers.context.quality = "high";
    EXPECT_THAT(resolve_options(layers).warnings, testing::ElementsAre(HasSubstr("has no effect")));
    layers.preset = "theater_medium_balanced";
    EXPECT_TRUE(resolve_options(layers).warnings.empty());
}

TEST(layers, nothing_said_gives_the_defaults) {
    const EffectiveOptions effective = resolve_options({});
    EXPECT_EQ(effective.options.scale, Options().scale);
    EXPECT_TRUE(std::all_of(effective.values.begin(), effective.values.end(),
                            [](const Setting& entry) { return entry.origin == "default"; }));
}

TEST(Layers, a_preset_is_looked_for_in_the_configurations_folder_before_the_built_in_ones) {
    const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "millstream-presets";
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "theater_medium_balanced.yaml") << "tile_size: 96\n";
    ConfigLayers layers;
    layers.preset = "theater_medium_balanced";
    const EffectiveOptions built_in = resolve_options(layers);
    EXPECT_NE(built_in.options.tile, 96);
    layers.configuration = "c.json";
    layers.configuration_text = R"({"paths": {"presets_dir": ")" + folder.string() + R"("}})";
    EXPECT_EQ(resolve_options(layers).options.tile, 96);
    layers.preset = "theater_small_fast";
    EXPECT_TRUE(resolve_options(layers).preset) << "what the folder does not have is built in";
    std::filesystem::remove_all(folder);
}

}   // namespace
}   // namespace millstream
