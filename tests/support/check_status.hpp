// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_CHECK_STATUS_HPP
#define PADBATCH_TESTS_SUPPORT_CHECK_STATUS_HPP

#include <padbatch/error.hpp>

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>

namespace padbatch::test {

/// Checks that a call failed with this code, and that its text holds all of `texts`.
inline void check_status(const status& outcome, status_code code, std::initializer_list<const char*> texts = {})
{
    const std::string message = outcome.message();
    CAPTURE(message);
    CHECK(static_cast<int>(outcome.code()) == static_cast<int>(code));
    CHECK(outcome.ok() == (code == status_code::none));
    CHECK(message.empty() == (code == status_code::none));
    CHECK(message.find("{}") == std::string::npos);
    for (const std::string text : texts) {
        CAPTURE(text);
        CHECK(message.find(text) != std::string::npos);
    }
}

/// Checks that a call throws `error` with this code, and that its text holds all of `texts`.
template <class Call>
void check_error(const Call& call, status_code code, std::initializer_list<const char*> texts = {})
{
    try {
        call();
    } catch (const error& e) {
        check_status(e.status(), code, texts);
        return;
    }
    FAIL_CHECK("no error");
}

} // namespace padbatch::test

#endif
