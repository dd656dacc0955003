// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/flags.hpp>

#include <onnx_tools/cli/help.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>
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

TEST_CASE("every option that help lists, and that changes the result, can be named by the library")
{
    const std::set<std::string> own{"--inspect", "--json",   "--quiet", "--version",
                                    "--help",    "--layout", "--conf",  "--max-det"}; // other names
    const std::map<std::string, std::string> members{
        {"--to", "layout"}, {"--normalized", "normalised"}, {"--normalised", "normalised"}};
    const std::string text = padbatch::onnx_tools::cli::help;
    static const std::regex flag("--[a-z]+(-[a-z]+)*");
    std::set<std::string> all;
    for (auto at = std::sregex_iterator(text.begin(), text.end(), flag); at != std::sregex_iterator(); ++at) {
        all.insert(at->str());
    }
    CHECK(all.size() > 35);
    for (const auto& each : all) {
        if (own.count(each) != 0) {
            continue;
        }
        auto option = each.substr(2);
        std::replace(option.begin(), option.end(), '-', '_');
        const auto member = members.find(each);
        option = member != members.end() ? member->second : option;
        CHECK(with_flags("`" + option + "`") == (each == "--normalised" ? "--normalized" : each));
    }
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
