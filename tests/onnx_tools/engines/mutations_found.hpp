// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_ONNX_TOOLS_ENGINES_MUTATIONS_FOUND_HPP
#define PADBATCH_TESTS_ONNX_TOOLS_ENGINES_MUTATIONS_FOUND_HPP

#include <array>
#include <string_view>

namespace padbatch::test {

/// A mutant that once showed a fault, in the smallest form that shows it.
struct found_mutation {
    std::string_view fixture;
    std::string_view steps;
    std::string_view options;
    std::string_view what;
};

inline constexpr std::array<found_mutation, 1> mutations_found{{
    {"mask_rcnn_tv014_b2_list_op11", "order 0 1 2 7 4 5 6 3", "",
     "the masks of two images, exchanged: as many rows in all, and every row of masks shifted"},
}};

} // namespace padbatch::test

#endif
