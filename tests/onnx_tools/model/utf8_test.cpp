// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/utf8.hpp>

#include <doctest/doctest.h>

#include <string>

using padbatch::onnx_tools::is_plain_text;

TEST_CASE("names are UTF-8 without control characters")
{
    for (const std::string text : {"", "boxes", "d\xc3\xa9tecteur", "\xe6\xa3\x80\xe6\xb5\x8b", "\xf0\x9f\x93\xa6",
                                   "a b~", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf", "\xe0\xa0\x80"}) {
        CAPTURE(text);
        CHECK(is_plain_text(text));
    }
    for (const std::string text :
         {"\n", "a\tb", "\x7f", "\xff", "\x80", "\xc3", "\xc3(", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xe2\x82",
          "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82\x28", "ok\xe2\x82\xac\x01"}) {
        CAPTURE(text);
        CHECK_FALSE(is_plain_text(text));
    }
    CHECK_FALSE(is_plain_text(std::string("a\0b", 3)));
}
