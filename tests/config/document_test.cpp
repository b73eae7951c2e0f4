#include "config/document.h"

#include <gmock/gmock.h>

#include "millstream/error.h"

namespace millstream {
namespace {

using testing::HasSubstr;

std::string refusal(const std::string& text, const std::string& name) {
    try {
        read_document(text, name);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        return error.what();
    }
    return "read";
}

TEST(document, yaml_and_json_of_the_same_content_are_the_same) {
    const Json json =
        read_document(R"({"a": {"b": 1, "c": 0.5, "d": true, "e": null, "f": "x", "g": [1, 2]}})", "x.json");
    const Json yaml = read_document("a:\n  b: 1\n  c: 0.5\n  d: yes\n  e: ~\n  f: x\n  g: [1, 2]\n", "x.yaml");
    EXPECT_EQ(json, yaml);
}

TEST(document, a_merge_key_of_yaml_gives_what_the_mapping_itself_does_not_say) {
    const Json document = read_document(R"(
base: &base {tile: 512, batch: 4}
more: &more {batch: 9, crf: 20}
one: {<<: *base, tile: 64}
two: {<<: [*base, *more]}
)",
                                        "x.yaml");
    EXPECT_EQ(document["one"], Json({{"tile", 64}, {"batch", 4}}));
    EXPECT_EQ(document["two"], Json({{"tile", 512}, {"batch", 4}, {"crf", 20}}));
    EXPECT_THAT(refusal("a: {<<: [1]}", "x.yaml"), HasSubstr("after <<"));
}

TEST(document, quoted_scalars_of_yaml_stay_text) {
    const Json document = read_document("a: '1'\nb: \"true\"\nc: \"\"\n", "x.yml");
    EXPECT_EQ(document["a"], "1");
    EXPECT_EQ(document["b"], "true");
    EXPECT_EQ(document["c"], "");
}

TEST(document, names_without_a_known_extension_are_told_by_their_first_character) {
    EXPECT_EQ(read_document(" {\"a\": 1}", "x.conf")["a"], 1);
    EXPECT_EQ(read_document("a: 1", "x.conf")["a"], 1);
}

TEST(document, a_byte_order_mark_is_no_part_of_it) {
    EXPECT_EQ(read_document("\xEF\xBB\xBF{\"a\": 1}", "x.json")["a"], 1);
}

TEST(document, syntax_errors_name_file_and_line) {
    EXPECT_THAT(refusal("{\"a\": 1,\n\"b\" 2}", "broken.json"),
                testing::AllOf(HasSubstr("broken.json"), HasSubstr("line 2")));
    EXPECT_THAT(refusal("a: 1\nb: [1\n", "broken.yaml"), testing::AllOf(HasSubstr("broken.yaml"), HasSubstr("line 3")));
}

TEST(document, what_is_no_mapping_is_refused) {
    EXPECT_THAT(refusal("[1, 2]", "x.json"), HasSubstr("no mapping"));
    EXPECT_THAT(refusal("", "x.yaml"), HasSubstr("no mapping"));
}

TEST(document, aliases_that_multiply_end_in_an_error) {
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 9; ++i) {
        const std::string last = "*a" + std::to_string(i - 1);
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
        for (int k = 0; k < 10; ++k) {
            bomb += (k == 0 ? "" : ", ") + last;
        }
        bomb += "]\n";
    }
    EXPECT_THAT(refusal(bomb, "bomb.yaml"), HasSubstr("more than 100000 values"));
}

TEST(document, deep_nesting_is_refused) {
    EXPECT_THAT(refusal("{\"a\": " + std::string(5000, '[') + std::string(5000, ']') + "}", "x.json"),
                HasSubstr("nested deeper"));
}

}   // namespace
}   // namespace millstream
