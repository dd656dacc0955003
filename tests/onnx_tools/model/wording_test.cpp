// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/wording.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using padbatch::element_type;

namespace {

std::vector<typed_value> values(std::size_t n)
{
    std::vector<typed_value> all;
    for (std::size_t i = 0; i < n; ++i) {
        all.push_back({"v" + std::to_string(i), {element_type::float32, 1, {{{}, "n"}}}});
    }
    return all;
}

bool contains(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("items are joined with separators between them only")
{
    const auto same = [](const std::string& item) { return item; };
    const std::vector<std::string> none;
    CHECK(joined(none, ", ", same).empty());
    CHECK(joined(std::vector<std::string>{"a"}, ", ", same) == "a");
    CHECK(joined(std::vector<std::string>{"", "b", "c"}, "/", same) == "/b/c"); // an empty item is an item
    CHECK(joined(std::vector<std::string>{"a", "b"}, ", ", quoted) == "'a', 'b'");
}

TEST_CASE("names are shown on one line, whatever is in them")
{
    CHECK(shown("boxes") == "boxes");
    CHECK(quoted("boxes") == "'boxes'");
    CHECK(quoted("").size() == 2);
    CHECK(quoted(std::string("a\n\0b", 4)) == R"('a\n\u0000b')");
    CHECK(text_of_shape({{{}, "n\n"}}) == R"([n\n])");
    CHECK(text_of({"a\t", {}}).rfind(R"('a\t' ()", 0) == 0);
}

TEST_CASE("of a long name both ends are shown, and its length")
{
    const std::string longest(200, 'n');
    CHECK(quoted(longest) == "'" + longest + "'");
    const auto name = std::string(500'000, 'a') + std::string(499'990, 'b') + "/last.onnx";
    CHECK(shown(name) == std::string(120, 'a') + "..." + std::string(50, 'b') + "/last.onnx (1000000 bytes)");
    CHECK(quoted(name) == "'" + std::string(120, 'a') + "..." + std::string(50, 'b') + "/last.onnx' (1000000 bytes)");
    // No character is cut in two.
    std::string wide = "aa";
    for (int i = 0; i < 100; ++i) {
        wide += "\xe6\xa3\x80";
    }
    const auto text = shown(wide);
    CHECK_FALSE(contains(text, "\\x"));
    CHECK(contains(text, "\xe6\xa3\x80...\xe6\xa3\x80"));
    CHECK(contains(text, " (302 bytes)"));
    // Nor is there anything to find the beginning of a character by in bytes that are none.
    CHECK(contains(shown(std::string(300, '\x80')), "\\x80...\\x80"));
}

TEST_CASE("one thing is singular")
{
    CHECK(count_of(0, "row") == "0 rows");
    CHECK(count_of(1, "row") == "1 row");
    CHECK(count_of(2, "row") == "2 rows");
    CHECK(count_of(3, "class") == "3 classes");
    CHECK(count_of(std::int64_t{1} << 32, "row") == "4294967296 rows");
}

TEST_CASE("numbers are as short as they can be written")
{
    CHECK(text_of_number(static_cast<double>(0.05F)) == "0.05"); // what a model's float32 says
    CHECK(text_of_number(0.05) == "0.05");
    CHECK(text_of_number(0.1) == "0.1");
    CHECK(text_of_number(0.0) == "0");
    CHECK(text_of_number(-1.5) == "-1.5");
    CHECK(text_of_number(1e39) == "1e+39"); // more than a float32 holds
    CHECK(text_of_number(1.0 / 3) == "0.3333333333333333");
    CHECK(text_of_number(16777217) == "16777217"); // 2^24 + 1, no float32
    CHECK(text_of_number(-std::numeric_limits<double>::min()) == "-2.2250738585072014e-308");
    CHECK(text_of_number(-std::numeric_limits<double>::infinity()) == "-inf");
    CHECK(contains(text_of_number(std::nan("")), "nan"));
}

TEST_CASE("extents are sizes, symbols or question marks")
{
    CHECK(text_of_shape({}) == "[]");
    CHECK(text_of_shape({{2, ""}, {{}, "max_detections"}, {{}, ""}, {0, ""}}) == "[2, max_detections, ?, 0]");
}

TEST_CASE("a table of words is read both ways, in its order")
{
    constexpr words<element_type, 2> all{{{element_type::int64, "whole"}, {element_type::float32, "real"}}};
    CHECK(word_for(all, element_type::int64) == "whole");
    CHECK(word_for(all, element_type::float32) == "real");
    CHECK(word_for(all, element_type::boolean).empty());
    CHECK(value_for(all, "real") == element_type::float32);
    CHECK(value_for(all, "rea") == std::nullopt);
    CHECK(value_for(all, "") == std::nullopt);
    CHECK(listed(all) == std::vector<std::pair<std::string, element_type>>{{"whole", element_type::int64},
                                                                           {"real", element_type::float32}});
}

TEST_CASE("values say as much of their type as is known")
{
    CHECK(text_of({"boxes", {element_type::float32, 2, {{{}, "n"}, {4, ""}}}}) == "'boxes' (float32 [n, 4])");
    const auto no_shape = text_of({"v", {element_type::int64, 3, {}}});
    CHECK(contains(no_shape, "int64"));
    CHECK(contains(no_shape, "3"));
    const auto no_rank = text_of({"v", {element_type::int64, {}, {}}});
    CHECK(contains(no_rank, "int64"));
    CHECK(contains(no_rank, "unknown"));
    CHECK(contains(text_of({"v", {}}), "'v' ("));
    CHECK_FALSE(contains(text_of({"v", {}}), "unknown"));
}

TEST_CASE("lists of values end after twelve, and say how many more there are")
{
    CHECK_FALSE(list_of(values(0)).empty());
    CHECK(list_of(values(2)) == "'v0' (float32 [n]), 'v1' (float32 [n])");
    const auto twelve = list_of(values(12));
    CHECK(contains(twelve, "'v11'"));
    CHECK_FALSE(contains(twelve, "more"));
    const auto thirteen = list_of(values(13));
    CHECK(thirteen.substr(0, twelve.size()) == twelve);
    CHECK_FALSE(contains(thirteen, "'v12'"));
    CHECK(contains(thirteen, " 1 "));
    CHECK(contains(list_of(values(112)), " 100 "));
}
