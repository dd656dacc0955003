// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/utf8.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace padbatch::onnx_tools;

TEST_CASE("names are UTF-8 without control characters")
{
    for (const std::string text :
         {"", "boxes", "d\xc3\xa9tecteur", "\xe6\xa3\x80\xe6\xb5\x8b", "\xf0\x9f\x93\xa6", "a b~", "\xed\x9f\xbf",
          "\xee\x80\x80", "\xf4\x8f\xbf\xbf", "\xe0\xa0\x80", "\xc2\xa0"}) {
        CAPTURE(text);
        CHECK(is_plain_text(text));
    }
    for (const std::string text : {"\n", "a\tb", "\x7f", "\xff", "\x80", "\xc3", "\xc3(", "\xc0\xaf", "\xe0\x80\xaf",
                                   "\xed\xa0\x80", "\xe2\x82", "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80",
                                   "\xf5\x80\x80\x80", "\xe2\x82\x28", "ok\xe2\x82\xac\x01", "\xc2\x80", "\xc2\x9f"}) {
        CAPTURE(text);
        CHECK_FALSE(is_plain_text(text));
    }
    CHECK_FALSE(is_plain_text(std::string("a\0b", 3)));
}

TEST_CASE("printable text has nothing that a terminal obeys")
{
    const std::string plain =
        "boxes d\xc3\xa9tecteur \xe6\xa3\x80\xe6\xb5\x8b \xf0\x9f\x93\xa6 \\n ' \xc2\xa0 \xe2\x80\x8d";
    CHECK(printable(plain) == plain);
    CHECK(printable("").empty());
    CHECK(printable("a\nb\rc\td") == R"(a\nb\rc\td)");
    CHECK(printable(std::string("a\0b", 3)) == R"(a\u0000b)");
    CHECK(printable("\x1b[31m\x07\x7f\x1f") == R"(\u001b[31m\u0007\u007f\u001f)");
    CHECK(printable("\xc2\x80\xc2\x85\xc2\x9b\xc2\x9f") == R"(\u0080\u0085\u009b\u009f)"); // C1
    // Bytes that are no character: a terminal that does not read UTF-8 takes the first for C1.
    CHECK(printable("\x9b!\xff\xc3(\xed\xa0\x80\xe2\x82") == R"(\x9b!\xff\xc3(\xed\xa0\x80\xe2\x82)");
    // Left-to-right and right-to-left marks, embeddings, overrides and isolates, each range with its neighbours.
    CHECK(printable("\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\x90") == "\xe2\x80\x8d\\u200e\\u200f\xe2\x80\x90");
    CHECK(printable("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad\xe2\x80\xae"
                    "\xe2\x80\xaf") == "\xe2\x80\xa7\\u2028\\u2029\\u202a\\u202b\\u202c\\u202d\\u202e\xe2\x80\xaf");
    CHECK(printable("\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9\xe2\x81\xaa") ==
          "\xe2\x81\xa5\\u2066\\u2067\\u2068\\u2069\xe2\x81\xaa");
    CHECK(printable("\xd8\x9c") == R"(\u061c)");
}

TEST_CASE("lines of printable text stay lines, and nothing is escaped twice")
{
    CHECK(printable_lines("a\nb\x1b\tc\r\n") == "a\nb\\u001b\\tc\\r\n");
    const std::string once = printable("\n\x1b\xe2\x80\xae\xff");
    CHECK(printable(once) == once);
    CHECK(printable_lines(once) == once);
}
