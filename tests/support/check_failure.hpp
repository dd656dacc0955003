// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_CHECK_FAILURE_HPP
#define PADBATCH_TESTS_SUPPORT_CHECK_FAILURE_HPP

#include <onnx_tools/error.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace padbatch::test {

/// Calls `action`, which must throw a `tool_error` of this kind whose message contains all of `words`.
template <typename Action>
void check_failure(onnx_tools::failure kind, const std::vector<std::string>& words, const Action& action)
{
    try {
        action();
    } catch (const onnx_tools::tool_error& e) {
        const std::string message = e.what();
        CAPTURE(message);
        CHECK(static_cast<int>(e.kind()) == static_cast<int>(kind));
        for (const auto& word : words) {
            CAPTURE(word);
            CHECK(message.find(word) != std::string::npos);
        }
        // Every message also says what was expected and what to do.
        CHECK(message.find("\n  expected: ") != std::string::npos);
        CHECK(message.find("\n  what to do: ") != std::string::npos);
        return;
    }
    FAIL_CHECK("no failure");
}

} // namespace padbatch::test

#endif
