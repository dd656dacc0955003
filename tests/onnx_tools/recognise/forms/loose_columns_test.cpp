// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/forms/loose_columns.hpp>

#include <onnx_tools/recognise/forms/loose_nodes.hpp>
#include <onnx_tools/recognise/graph_outputs.hpp>
#include <onnx_tools/recognise/row_columns.hpp>
#include <tests/support/check_failure.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// A model of one image, whose first output is rows with columns: of boxes, of scores, and of labels that were integers.
struct rows_example {
    explicit rows_example(const std::string& outputs, const std::string& joined)
        : model(parse_model("<ir_version: 8, opset_import: [\"\" : 13]> g (float[9,4] box, float[9] s0, "
                            "int64[9] l0) => (" +
                            outputs +
                            ") { back = Constant<value = int64[1] {1}>() score = Unsqueeze(s0, back) "
                            "l1 = Unsqueeze(l0, back) l = Cast<to = 1>(l1) " +
                            joined + " }")),
          index(model.graph()), outputs_of_model(typed_outputs(model, index))
    {
    }

    [[nodiscard]] loose_value value(std::size_t i) const
    {
        return {&outputs_of_model[i], false, outputs_of_model[i].type.shape};
    }

    onnx::ModelProto model;
    graph_index index;
    std::vector<typed_value> outputs_of_model;
};

flat_columns with_box(std::initializer_list<flat_column> more)
{
    auto columns = corners;
    columns.insert(columns.end(), more);
    return columns;
}

} // namespace

TEST_CASE("columns are named by what was joined")
{
    using enum flat_column;
    const auto shown = [](const std::string& parts) {
        const rows_example rows("float[9,6] d", "d = Concat<axis = 1>(" + parts + ")");
        return columns_as_joined(rows.index, rows.value(0));
    };
    CHECK(shown("box, score, l") == with_box({score, label}));
    CHECK(shown("box, l, score") == with_box({label, score}));
    CHECK(shown("box, score, score").empty());
    const rows_example opaque("float[9,6] d", "e = Concat<axis = 1>(box, score, l) d = Sub(e, e)");
    CHECK(columns_as_joined(opaque.index, opaque.value(0)).empty());
    check_failure(failure::refused, {"`columns` x1,y1,x2,y2,score,label", "x1,y1,x2,y2,label,score"},
                  [&] { refuse_columns(opaque.value(0)); });
}

TEST_CASE("lists that nothing tells apart are named in the order of the outputs")
{
    const rows_example lists("float[9,4] b, float[9] s, float[9] t, float[9,7] more",
                             "b = Relu(box) s, t, more = Net(box)");
    const image_parts parts{{lists.value(0)}, {lists.value(1), lists.value(2)}, {}, {}, {}};
    check_failure(failure::refused, {"'s'", "'t'", "`fields` boxes,labels,scores `batch` 1, or `fields` boxes,scores"},
                  [&] { require_told_apart(lists.index, lists.outputs_of_model, parts); });
    check_failure(failure::refused, {"'b'", "'s'", "`columns` x1,y1,x2,y2,score, or `columns` x1,y1,x2,y2,label"},
                  [&] { refuse_column_and_list(lists.value(0), lists.value(1)); });
    // Outputs can be named from the first one on alone.
    const image_parts later{{lists.value(0)}, {lists.value(1), lists.value(3)}, {}, {}, {}};
    CHECK_NOTHROW(require_told_apart(lists.index, lists.outputs_of_model, later));
}

TEST_CASE("columns that the user names are those of a box, once each, and not against what the nodes show")
{
    using enum flat_column;
    CHECK_NOTHROW(require_box_columns(with_box({score, label})));
    CHECK_NOTHROW(require_box_columns(center_and_size));
    for (const auto& names : {with_box({score, score}), with_box({cx}), flat_columns{x1, y1, x2, score}}) {
        CAPTURE(text_of(names));
        check_failure(failure::usage, {"`columns` " + text_of(names)}, [&] { require_box_columns(names); });
    }
    const rows_example rows("float[9,6] d", "d = Concat<axis = 1>(box, score, l)");
    const auto known = joined_in(rows.index, rows.value(0));
    CHECK_NOTHROW(require_as_shown(with_box({score, label}), rows.value(0), known));
    check_failure(failure::refused, {"labels in another column"},
                  [&] { require_as_shown(with_box({label, score}), rows.value(0), known); });
}
