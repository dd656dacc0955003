// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/cuts.hpp>

#include <onnx_tools/recognise/recognise.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/small_detector.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// The rows of one image, cut to 7, and what can be made of them.
const onnx::ModelProto& model()
{
    static const auto parsed = parse_model(R"(
        <ir_version: 7, opset_import: ["" : 13]>
        g (float[n,4] all, int64[k] keep, bool[m] flags, int64[m] order) => (float[m,4] boxes) {
            zero = Constant <value = int64[1] {0}> ()
            three = Constant <value = int64[1] {3}> ()
            seven = Constant <value = int64[1] {7}> ()
            nine = Constant <value = int64[1] {9}> ()
            rows = Slice(keep, zero, seven, zero)
            boxes = Gather(all, rows)
            copies = Cast <to = 1> (boxes)
            few = Slice(copies, zero, three, zero)
            many = Slice(copies, zero, nine, zero)
            where = NonZero(flags)
            chosen_rows = Squeeze(where)
            chosen = Gather(copies, chosen_rows)
            ordered = Gather(copies, order)
            twice = Concat <axis = 0> (boxes, boxes)
            columns = Gather <axis = 1> (all, rows)
            extents = Shape(boxes)
            others = ConstantOfShape(extents)
            proposals = Slice(order, zero, nine, zero)
            features = Gather(copies, proposals)
            deeper = Net(features)
            round = Cast <to = 1> (trip)
            trip = Identity(round)
        })");
    return parsed;
}

const graph_index& index()
{
    static const graph_index made(model().graph());
    return made;
}

const onnx::NodeProto* maker(const std::string& value)
{
    return index().producer(value);
}

} // namespace

TEST_CASE("the rows of a value are followed through what adds none")
{
    for (const char* value : {"boxes", "copies", "many", "chosen"}) {
        CAPTURE(value);
        const auto bound = bound_of(index(), value);
        CHECK(bound.cut == maker("rows"));
        REQUIRE(bound.limit);
        CHECK(bound.limit->rows == 7);
        CHECK(bound.limit->node == describe(*maker("rows")));
    }
    const auto few = bound_of(index(), "few"); // the rows themselves are cut once more
    CHECK(few.cut == maker("rows"));
    REQUIRE(few.limit);
    CHECK(few.limit->rows == 3);
    CHECK(few.limit->node == describe(*maker("few")));
}

TEST_CASE("rows that might be more than the cut leaves have no bound")
{
    for (const char* value : {"ordered", "twice", "columns", "others", "all", "round", "unknown"}) {
        CAPTURE(value);
        const auto bound = bound_of(index(), value);
        CHECK(bound.cut == nullptr);
        CHECK_FALSE(bound.limit);
    }
}

TEST_CASE("the nearest cut is the one the fewest nodes up, whether it bounds the rows or not")
{
    CHECK(nearest_cut(index(), "twice").node == maker("rows"));
    CHECK(nearest_cut(index(), "twice").rows == 7);
    CHECK(nearest_cut(index(), "columns").node == maker("rows"));
    CHECK(nearest_cut(index(), "deeper").node == maker("proposals"));
    CHECK(nearest_cut(index(), "deeper").rows == 9);
    CHECK(nearest_cut(index(), "others").node == nullptr); // it depends on a shape alone
    CHECK(nearest_cut(index(), "round").node == nullptr);
}

TEST_CASE("all cuts are those at any distance")
{
    using cuts = std::set<const onnx::NodeProto*>;
    CHECK(cut_sets(index()).of("deeper") == cuts{maker("rows"), maker("proposals")});
    CHECK(cut_sets(index()).of("twice") == cuts{maker("rows")});
    CHECK(cut_sets(index()).of("others").empty());
    CHECK(cut_sets(index()).of("rows").empty()); // nothing is gathered with it yet
}

TEST_CASE("a limit that the graph does not show is absent")
{
    // What exporters write for "all rows", and numbers that cannot be a count of rows.
    for (const std::string end : {"9223372036854775807", "2147483647", "0", "-1"}) {
        CAPTURE(end);
        const auto found = recognise(small_detector({1, 13, end, ""}));
        CHECK_FALSE(found.limit);
        CHECK(found.fields.size() == 3);
    }
    CHECK(recognise(small_detector({1, 13, "2147483646", ""})).limit->rows == 2147483646);

    const auto changed = [](int input, const std::string& value) {
        auto model = small_detector({1, 13, "7", "one = Constant <value = int64[1] {1}> () two = Identity(keep0)"});
        for (auto& node : *model.mutable_graph()->mutable_node()) {
            if (node.op_type() == "Slice") {
                for (int i = node.input_size(); i <= input; ++i) {
                    node.add_input("");
                }
                node.set_input(input, value);
            }
        }
        return recognise(model).limit.has_value();
    };
    CHECK(changed(4, "one"));         // steps of one
    CHECK_FALSE(changed(1, "one"));   // not from the first row on
    CHECK_FALSE(changed(3, "one"));   // not along the rows
    CHECK_FALSE(changed(4, "limit")); // not every row
    CHECK_FALSE(changed(2, "two"));   // not a constant
}

TEST_CASE("rows are followed through what torch.export writes without need")
{
    const auto model = parse_model(R"(
        <ir_version: 7, opset_import: ["" : 15]>
        g (float[n,4] all, int64[k] keep, bool[m] flags, bool[m,5] table) => (float[m,4] boxes) {
            zero = Constant <value = int64[1] {0}> ()
            one = Constant <value = int64[1] {1}> ()
            last = Constant <value = int64[1] {-1}> ()
            number = Constant <value = int32 {7}> ()
            long = Cast <to = 7> (number)
            seven = Reshape(long, last)
            rows = Slice(keep, zero, seven, zero, one)
            most = Max(rows)
            extents = Shape(most)
            same = Expand(rows, extents)
            column = Unsqueeze(same, last)
            places = Concat <axis = -1> (column)
            unmoved = Transpose <perm = [0, 1]> (all)
            picked = GatherND(unmoved, places)
            boxes = Transpose <perm = [0, 1]> (picked)
            where = NonZero(flags)
            pairs = Transpose <perm = [1, 0]> (where)
            first = Slice(pairs, zero, one, one)
            chosen_rows = Squeeze(first, one)
            chosen_column = Unsqueeze(chosen_rows, last)
            chosen = GatherND(boxes, chosen_column)
            where_in_table = NonZero(table)
            more_pairs = Transpose <perm = [1, 0]> (where_in_table)
            more_rows = Slice(more_pairs, zero, one, one)
            perhaps_twice = GatherND(boxes, more_rows)
        })");
    const graph_index drafted(model.graph());
    const auto* cut = drafted.producer("rows");
    for (const std::string value : {"boxes", "chosen"}) {
        CAPTURE(value);
        const auto bound = bound_of(drafted, value);
        CHECK(bound.cut == cut);
        REQUIRE(bound.limit);
        CHECK(bound.limit->rows == 7);
    }
    CHECK_FALSE(bound_of(drafted, "perhaps_twice").limit); // a column of pairs may name a row more than once
    CHECK(nearest_cut(drafted, "perhaps_twice").node == cut);
}

TEST_CASE("a number of rows that is worked out in front of a cut is found where an output goes by it")
{
    const auto with = [](const std::string& more, const std::string& output) {
        return parse_model(
            "<ir_version: 7, opset_import: [\"\" : 15]> g (float[n,4] all, int64[k,3] kept) => (float[m,4] "
            "boxes, " +
            output +
            ") { zero = Constant<value = int64[1] {0}>() seven = Constant<value = int64[1] {7}>() "
            "minus = Constant<value = int64[1] {-1}>() flat = Reshape(kept, minus) "
            "rows = Slice(flat, zero, seven, zero) boxes = Gather(all, rows) " +
            more + " }");
    };
    const auto found = [](const onnx::ModelProto& model) {
        const graph_index made(model.graph());
        const auto* other = other_count_of(made, *made.producer("rows"));
        return other == nullptr ? "" : other->output(0);
    };
    CHECK(found(with("count = Shape(flat) least = Min(count, seven) ones = ConstantOfShape(least)", "float[a] ones")) ==
          "count");
    CHECK(found(with("count = Size(kept) ones = ConstantOfShape(count)", "float[a] ones")) == "count");
    // What is counted behind the cut changes with it, and what no output goes by does no harm.
    CHECK(found(with("count = Shape(rows) ones = ConstantOfShape(count)", "float[a] ones")).empty());
    CHECK(found(with("count = Shape(flat) twice = Add(boxes, boxes)", "float[a,4] twice")).empty());
}
