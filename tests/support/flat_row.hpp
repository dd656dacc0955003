// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_FLAT_ROW_HPP
#define PADBATCH_TESTS_SUPPORT_FLAT_ROW_HPP

#include <array>

namespace padbatch::test {

/// One row of a list; its numbers are those of the list's type.
struct flat_row {
    double image = 0;
    std::array<double, 4> corners{};
    double label = 0;
    double score = 0;
};

} // namespace padbatch::test

#endif
