// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_CHECK_OUTPUTS_HPP
#define PADBATCH_TESTS_SUPPORT_CHECK_OUTPUTS_HPP

#include <tests/support/plain_outputs.hpp>
#include <tests/support/runtime.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

namespace padbatch::test {

/// Checks that the outputs of a padded model are these, in this order.
inline void check_outputs(const std::vector<named_tensor>& expected, const model_session& session,
                          const std::map<std::string, tensor>& got)
{
    std::vector<std::string> names;
    for (const auto& output : expected) {
        names.push_back(output.first);
    }
    REQUIRE(session.outputs() == names);
    for (const auto& output : expected) {
        CAPTURE(output.first);
        const auto& value = got.at(output.first);
        CHECK(value.type == output.second.type);
        CHECK(value.shape == output.second.shape);
        CHECK((value.bytes == output.second.bytes));
    }
}

} // namespace padbatch::test

#endif
