// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/error.hpp>

#include <tests/support/check_failure.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

TEST_CASE("kinds of failure are the exit codes that the page of the command promises")
{
    CHECK(static_cast<int>(failure::internal) == 1);
    CHECK(static_cast<int>(failure::usage) == 2);
    CHECK(static_cast<int>(failure::io) == 3);
    CHECK(static_cast<int>(failure::not_onnx) == 4);
    CHECK(static_cast<int>(failure::refused) == 5);
}

TEST_CASE("a message has a line each for what was found, what was expected and what to do")
{
    const tool_error error(failure::refused, {"seven rows", "eight", "add one"});
    CHECK(std::string(error.what()) == "seven rows\n  expected: eight\n  what to do: add one");
    CHECK(static_cast<int>(error.kind()) == static_cast<int>(failure::refused));
    const std::runtime_error& base = error; // caught where nothing knows of kinds
    CHECK(std::string(base.what()) == error.what());
}

TEST_CASE("a name in a message can neither add a line to it nor cut it off")
{
    const std::string name("a\n  what to do: this\0\x1b[31m", 26);
    const tool_error error(failure::refused, {name, name, name});
    const std::string shown = R"(a\n  what to do: this\u0000\u001b[31m)";
    CHECK(std::string(error.what()) == shown + "\n  expected: " + shown + "\n  what to do: " + shown);
}

TEST_CASE("misuse is a failure of usage")
{
    check_failure(failure::usage, {"seven rows\n  expected: eight\n  what to do: add one"},
                  [] { misused("seven rows", "eight", "add one"); });
}
