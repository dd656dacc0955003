// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/undecided.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace padbatch::onnx_tools;

namespace {

recognise_options saying_index(const std::string& name)
{
    recognise_options said;
    said.batch_index = name;
    return said;
}

} // namespace

TEST_CASE("what a user says is written as it can be typed")
{
    CHECK(text_of(recognise_options()).empty());
    recognise_options said;
    said.fields = {field::boxes, field::scores};
    said.batch = 2;
    CHECK(text_of(said) == "`fields` boxes,scores `batch` 2");
    said = {};
    said.columns = {flat_column::label, flat_column::x1};
    said.count_output = "num/dets:0";
    said.boxes = box_format::cxcywh;
    CHECK(text_of(said) == "`columns` label,x1 `box_format` cxcywh `count_output` num/dets:0");
    CHECK(text_of(saying_index("of")) == "`batch_index` of");
    for (const std::string name : {"the image", "-i", "$x", ""}) {
        CAPTURE(name);
        CHECK(text_of(saying_index(name)) == "`batch_index` '" + name + "'");
    }
}

TEST_CASE("what is said comes to what was said before")
{
    recognise_options before;
    before.from = export_kind::flat;
    before.batch_index = "a";
    before.count_output = "c";
    const auto both = with(before, saying_index("b"));
    CHECK(both.from == export_kind::flat);
    CHECK(both.batch_index == "b");
    CHECK(both.count_output == "c");
    CHECK_FALSE(both.columns);
}

TEST_CASE("a refusal keeps what could be said apart from its text")
{
    const undecided refusal({"found", "expected", "say which"}, {saying_index("a"), saying_index("b")}, "; or none");
    CHECK(refusal.kind() == failure::refused);
    CHECK(std::string(refusal.what()) ==
          "found\n  expected: expected\n  what to do: say which: `batch_index` a, or `batch_index` b; or none");
    CHECK(refusal.sayings().size() == 2);
    CHECK(refusal.lead() == "say which");
    CHECK(refusal.or_else() == "; or none");
    const undecided open({"found", "expected", "name the columns as the model has them"}, {});
    CHECK(open.parts().remedy == "name the columns as the model has them");
}
