#include "cli/model_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "millstream/error.h"

namespace millstream {
namespace {

using testing::HasSubstr;

std::vector<ModelInfo> catalogue() {
    ModelInfo small;
    small.name = "small";
    small.scale = 2;
    small.package = "weights==1";
    small.files = {{"small-x2.param", "abc123"}};
    ModelInfo larger = small;
    larger.scale = 4;
    ModelInfo built_in;
    built_in.name = "identity";
    return {small, larger, built_in};
}

TEST(ModelText, a_name_is_one_row_with_its_scales) {
    const std::string table = model_table(catalogue());
    EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 3);
    EXPECT_THAT(table, HasSubstr("x2 x4"));
    EXPECT_THAT(table, HasSubstr("not installed"));
    EXPECT_THAT(table, HasSubstr("built in"));
}

TEST(ModelText, details_name_files_and_hashes) {
    EXPECT_THAT(model_details(catalogue(), "small"), HasSubstr("small-x2.param  sha256 abc123"));
}

TEST(ModelText, an_unknown_name_is_a_model_error_with_a_suggestion) {
    try {
        (void)model_details(catalogue(), "smal");
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.exit_code(), 5);
        EXPECT_THAT(error.what(), HasSubstr("Did you mean small?"));
    }
}

TEST(ModelText, json_has_every_field_and_can_be_limited_to_a_name) {
    const auto all = nlohmann::json::parse(model_json(catalogue()));
    EXPECT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0]["files"][0]["sha256"], "abc123");
    EXPECT_EQ(all[0]["installed"], false);
    EXPECT_EQ(nlohmann::json::parse(model_json(catalogue(), "identity")).size(), 1U);
}

}   // namespace
}   // namespace millstream
