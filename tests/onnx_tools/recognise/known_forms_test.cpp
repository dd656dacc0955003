// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/known_forms.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string_view>

using namespace padbatch::onnx_tools;

TEST_CASE("each form is known once")
{
    std::set<std::string_view> names;
    for (const auto& form : all_forms) {
        CHECK(static_cast<bool>(form.recognise));
        CHECK(form.kind != export_kind::automatic);
        names.insert(name_of(form.kind));
    }
    CHECK(names == std::set<std::string_view>{"fields", "flat", "nms", "padded", "raw"});
    CHECK(names.size() == all_forms.size());
}
