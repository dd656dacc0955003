// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/help.hpp>

#include <onnx_tools/cli/options.hpp>
#include <onnx_tools/cli/values.hpp>
#include <onnx_tools/plan/layout.hpp>
#include <onnx_tools/recognise/flat_columns.hpp>

#include <doctest/doctest.h>

#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;

namespace {

const std::string text = cli::help;

bool says(const std::string& words)
{
    return text.find(words) != std::string::npos;
}

// Every `--option` of the text.
std::set<std::string> options_in_help()
{
    std::set<std::string> options;
    for (auto at = text.find("--"); at != std::string::npos; at = text.find("--", at)) {
        const auto end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz-", at);
        options.insert(text.substr(at, end - at));
        at = end;
    }
    return options;
}

// What the command line says to these arguments; empty when it takes them.
std::string complaint(const std::vector<std::string>& arguments)
{
    std::vector<const char*> argv{"onnx-pad-outputs"};
    for (const auto& argument : arguments) {
        argv.push_back(argument.c_str());
    }
    try {
        (void)cli::parse(static_cast<int>(argv.size()), argv.data());
    } catch (const tool_error& e) {
        return e.what();
    }
    return "";
}

} // namespace

TEST_CASE("the help names no option that the command does not have")
{
    // An option that is not known is quoted as it was written.
    const auto unknown = [](const std::string& option) {
        return complaint({"in.onnx", "out.onnx", option}).find("'" + option + "'") != std::string::npos;
    };
    REQUIRE(unknown("--max-detection"));
    const auto options = options_in_help();
    CHECK(options.size() > 25);
    for (const auto& option : options) {
        CAPTURE(option);
        CHECK_FALSE(unknown(option));
    }
}

TEST_CASE("the help names every value that is a name")
{
    for (const auto& layout : all_layout_names()) {
        CHECK(says(layout));
    }
    for (const auto column : all_columns()) {
        CHECK(says(std::string(name_of(column))));
    }
    CHECK(says(all_field_names() + "."));
}

TEST_CASE("the examples are commands that the command line takes")
{
    std::istringstream lines(text.substr(text.find("\nExamples:\n")));
    int examples = 0;
    for (std::string line; std::getline(lines, line);) {
        const std::string command = "  onnx-pad-outputs ";
        if (line.rfind(command, 0) == 0) {
            CAPTURE(line);
            CHECK(complaint(cli::split(line.substr(command.size()), " ")).empty());
            ++examples;
        }
    }
    CHECK(examples >= 3);
}

TEST_CASE("the ways to call the command are those that errors name, and each exit code is explained")
{
    CHECK(text.rfind(std::string("Usage: ") + cli::usage + "\n", 0) == 0);
    CHECK(says("--inspect [--json] [OPTIONS] IN.onnx\n"));
    CHECK(says("--triton-repository DIR --model-name NAME IN.onnx\n"));
    const auto codes = text.substr(text.find("\nExit codes:"));
    for (const auto kind : {failure::internal, failure::usage, failure::io, failure::not_onnx, failure::refused}) {
        CHECK(codes.find("; " + std::to_string(static_cast<int>(kind)) + " ") != std::string::npos);
    }
}
