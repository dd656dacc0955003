// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/flags.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using padbatch::onnx_tools::cli::with_flags;

TEST_CASE("options in backquotes become flags")
{
    CHECK(with_flags("`max_detections` is 0") == "--max-detections is 0");
    CHECK(with_flags("pass `batch`, or `count_shape` B") == "pass --batch, or --count-shape B");
    CHECK(with_flags("`fields``order`") == "--fields--order");
    CHECK(with_flags(std::vector<std::string>{"`force`", "", "no"}) == std::vector<std::string>{"--force", "", "no"});
}

TEST_CASE("other texts stay as they are")
{
    for (const std::string text : {"", "max_detections", "`boxes`", "`max-detections`", "` batch`", "``", "a ` b", "`",
                                   "batch`", "`a_b` `c_d`"}) {
        CAPTURE(text);
        CHECK(with_flags(text) == text);
    }
}

TEST_CASE("a backquote in a name of the model hides no option after it")
{
    CHECK(with_flags("'a`b' and `masks`") == "'a`b' and --masks");
    CHECK(with_flags("`boxes` and `masks`") == "`boxes` and --masks");
    CHECK(with_flags("`from` 'a`b'") == "--from 'a`b'");
}
