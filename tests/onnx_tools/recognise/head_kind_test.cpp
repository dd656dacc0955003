// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/head_kind.hpp>

#include <doctest/doctest.h>

using namespace padbatch::onnx_tools;

TEST_CASE("every word for a head, an activation and a suppression reads back as what it is")
{
    CHECK(all_head_kinds().size() == 8);
    for (const auto& [name, kind] : all_head_kinds()) {
        CHECK(name_of(kind) == name);
    }
    CHECK(all_score_activations().size() == 3);
    for (const auto& [name, activation] : all_score_activations()) {
        CHECK(name_of(activation) == name);
    }
    CHECK(all_suppressions().size() == 3);
    for (const auto& [name, nms] : all_suppressions()) {
        CHECK(name_of(nms) == name);
    }
}
