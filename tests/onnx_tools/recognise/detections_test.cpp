// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/detections.hpp>

#include <doctest/doctest.h>

using namespace padbatch::onnx_tools;

TEST_CASE("a field of detections is found by its kind, wherever it stands")
{
    detections d;
    CHECK(find_field(d, field::boxes) == nullptr);
    for (const auto kind : {field::labels, field::boxes, field::masks}) {
        d.fields.emplace_back().kind = kind;
    }
    CHECK(find_field(d, field::labels) == &d.fields[0]);
    CHECK(find_field(d, field::boxes) == &d.fields[1]);
    CHECK(find_field(d, field::masks) == &d.fields[2]);
    CHECK(find_field(d, field::scores) == nullptr);
}

TEST_CASE("a form has the name that the option has")
{
    CHECK(name_of(export_kind::automatic) == "auto");
    CHECK(name_of(export_kind::fields) == "fields");
    CHECK(name_of(export_kind::flat) == "flat");
    CHECK(name_of(export_kind::nms) == "nms");
    CHECK(name_of(export_kind::padded) == "padded");
}
