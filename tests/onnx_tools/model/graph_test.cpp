// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/graph.hpp>

#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using padbatch::test::parse_model;

namespace {

const std::string header = R"(<ir_version: 7, opset_import: ["" : 13]> )";

onnx::GraphProto parse_graph(const std::string& text)
{
    return parse_model(header + text).graph();
}

// A Loop with an If inside: values are captured through one and through two graphs.
const char* const nested = R"(g (float[n] x, float[n] far, int64 trips, bool go) => (float[n] y) {
    outer = Neg(x)
    y = Loop (trips, go, x) <body = b (int64 i, bool keep, float[n] state) => (bool keep2, float[n] next) {
        keep2 = Identity(keep)
        inner = Add(state, outer)
        next = If (keep) <
            then_branch = t () => (float[n] p) { p = Add(inner, far) },
            else_branch = e () => (float[n] handed_on) { unused = Neg(inner) }>
    }>
    handed_on = Neg(far)
})";

const onnx::NodeProto& node_of(const onnx::GraphProto& graph, const std::string& op)
{
    for (const auto& node : graph.node()) {
        if (node.op_type() == op) {
            return node;
        }
    }
    throw std::runtime_error("the graph has no " + op);
}

std::set<std::string> as_set(const std::unordered_set<std::string_view>& names)
{
    return {names.begin(), names.end()};
}

std::vector<std::string> operators(const std::vector<const onnx::NodeProto*>& nodes)
{
    std::vector<std::string> ops;
    ops.reserve(nodes.size());
    for (const auto* node : nodes) {
        ops.push_back(node->op_type());
    }
    return ops;
}

template <typename T>
onnx::TensorProto raw_tensor(onnx::TensorProto::DataType type, const std::vector<std::int64_t>& dims,
                             const std::vector<T>& values)
{
    onnx::TensorProto tensor;
    tensor.set_name("t");
    tensor.set_data_type(type);
    for (const auto dim : dims) {
        tensor.add_dims(dim);
    }
    std::string bytes;
    for (const T& value : values) {
        bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    tensor.set_raw_data(bytes);
    return tensor;
}

onnx::GraphProto graph_with(const onnx::TensorProto& tensor)
{
    onnx::GraphProto graph;
    *graph.add_initializer() = tensor;
    return graph;
}

using integers = std::vector<std::int64_t>;

} // namespace

TEST_CASE("graph_index knows which nodes make and read a value")
{
    const auto graph = parse_graph(R"(g (float[n] x, bool c, float[2] w = {1.0, 2.0}) => (float[n] y) {
        a = Add(x, w)
        b = If (c) <then_branch = t () => (float[n] p) { p = Mul(a, x) },
                    else_branch = e () => (float[n] q) { q = Add(a, a) }>
        y = Sub(b, a)
    })");
    const graph_index index(graph);
    CHECK(index.producer("a") == &graph.node(0));
    CHECK(index.producer("y") == &graph.node(2));
    CHECK(index.producer("x") == nullptr);
    CHECK(index.producer("w") == nullptr);
    CHECK(index.producer("p") == nullptr); // it is in a subgraph
    CHECK(index.producer("nothing") == nullptr);

    CHECK(operators(index.readers("a")) == std::vector<std::string>{"If", "Sub"}); // the If once, for three uses
    CHECK(operators(index.readers("x")) == std::vector<std::string>{"Add", "If"});
    CHECK(index.readers("y").empty());
    CHECK(index.readers("nothing").empty());

    CHECK(index.initializer("w") == &graph.initializer(0));
    CHECK(index.initializer("x") == nullptr);
    const auto required = index.required_inputs();
    REQUIRE(required.size() == 2); // w has a default
    CHECK(required[0]->name() == "x");
    CHECK(required[1]->name() == "c");
}

TEST_CASE("an input with a sparse default need not be supplied either")
{
    auto graph = parse_graph("g (float[n] x, float[4] w) => (float[n] y) { y = Add(x, w) }");
    CHECK(graph_index(graph).required_inputs().size() == 2);
    graph.add_sparse_initializer()->mutable_values()->set_name("w");
    const graph_index index(graph);
    const auto required = index.required_inputs();
    REQUIRE(required.size() == 1);
    CHECK(required[0]->name() == "x");
    CHECK(index.initializer("w") == nullptr); // nothing reads it as a dense one
}

TEST_CASE("names that a graph defines and values that a node reads")
{
    auto graph = parse_graph(nested);
    auto& sparse = *graph.add_sparse_initializer();
    sparse.mutable_values()->set_name("sparse");
    graph.mutable_node(0)->add_input("");  // an optional input left out
    graph.mutable_node(0)->add_output(""); // and an output
    CHECK(as_set(defined_names(graph)) ==
          std::set<std::string>{"x", "far", "trips", "go", "outer", "y", "handed_on", "sparse"});

    CHECK(values_read(graph.node(0)) == std::vector<std::string_view>{"x"});
    const auto read = values_read(node_of(graph, "Loop"));
    REQUIRE(read.size() > 3);
    CHECK(std::vector<std::string_view>(read.begin(), read.begin() + 3) ==
          std::vector<std::string_view>{"trips", "go", "x"});
    CHECK(std::set<std::string_view>(read.begin() + 3, read.end()) ==
          std::set<std::string_view>{"outer", "far", "handed_on"});
    CHECK(operators(graph_index(graph).readers("far")) == std::vector<std::string>{"Loop", "Neg"});
}

TEST_CASE("constants are found however they are stored")
{
    const auto graph = parse_graph(R"(g (float[n] x, int64[2] given = {8, 9}) => (float[n] y)
        <int64[2] kept = {5, 6}, int64[1,2] matrix = {1, 2}, int32[1] narrow = {-7}> {
        tensor = Constant <value = int64[2] {1, 2}> ()
        scalar = Constant <value = int64 {3}> ()
        one = Constant <value_int = 4> ()
        list = Constant <value_ints = [5, 6, 7]> ()
        number = Constant <value = float {0.25}> ()
        number_attribute = Constant <value_float = 0.5> ()
        wide = Constant <value = double[1] {0.125}> ()
        two_numbers = Constant <value = float[2] {0.25, 0.5}> ()
        copy = Identity(tensor)
        copy_of_copy = Identity(copy)
        copy_of_list = Identity(list)
        computed = Neg(x)
        y = Identity(x)
    })");
    const graph_index index(graph);
    CHECK(index.constant_integers("tensor") == integers{1, 2});
    CHECK(index.constant_integers("copy_of_copy") == integers{1, 2});
    CHECK(index.constant("copy_of_copy") == index.constant("tensor"));
    CHECK(index.constant_integers("scalar") == integers{3});
    CHECK(index.constant_integers("one") == integers{4});
    CHECK(index.constant_integers("list") == integers{5, 6, 7});
    CHECK(index.constant_integers("kept") == integers{5, 6});
    CHECK(index.constant_integers("given") == integers{8, 9});
    CHECK(index.constant_integers("narrow") == integers{-7});
    CHECK(index.constant("kept") == &graph.initializer(1));
    CHECK(index.constant("list") == nullptr);

    for (const char* none : {"matrix", "number", "computed", "x", "y", "nothing"}) {
        CAPTURE(none);
        CHECK_FALSE(index.constant_integers(none));
    }
    CHECK(index.constant_number("number") == 0.25);
    CHECK(index.constant_number("number_attribute") == 0.5);
    CHECK(index.constant_number("wide") == 0.125);
    for (const char* none : {"two_numbers", "tensor", "one", "computed", "x", "nothing"}) {
        CAPTURE(none);
        CHECK_FALSE(index.constant_number(none));
    }
}

TEST_CASE("constants in raw and in typed data are the same")
{
    const auto integers_of = [](const onnx::TensorProto& t) {
        return graph_index(graph_with(t)).constant_integers("t");
    };
    const auto number_of = [](const onnx::TensorProto& t) { return graph_index(graph_with(t)).constant_number("t"); };
    using tensor = onnx::TensorProto;
    CHECK(integers_of(raw_tensor<std::int64_t>(tensor::INT64, {2}, {-1, 1LL << 40})) == integers{-1, 1LL << 40});
    CHECK(integers_of(raw_tensor<std::int32_t>(tensor::INT32, {}, {-5})) == integers{-5});
    CHECK(integers_of(raw_tensor<std::int64_t>(tensor::INT64, {0}, {})) == integers{}); // a shape without extents
    CHECK(number_of(raw_tensor<float>(tensor::FLOAT, {1, 1}, {0.75F})) == 0.75);
    CHECK(number_of(raw_tensor<double>(tensor::DOUBLE, {}, {0.1})) == 0.1);

    const std::vector<std::pair<std::uint16_t, double>> halves{{0x3c00, 1.0},        {0xc000, -2.0},
                                                               {0x3555, 0x1.554p-2}, {0x7bff, 65504.0},
                                                               {0x0001, 0x1p-24},    {0x83ff, -1023 * 0x1p-24},
                                                               {0x0400, 0x1p-14},    {0x0000, 0.0}};
    for (const auto& half : halves) {
        const auto bits = half.first;
        const auto value = half.second;
        CAPTURE(bits);
        CHECK(number_of(raw_tensor<std::uint16_t>(tensor::FLOAT16, {1}, {bits})) == value);
        tensor typed; // float16 has no field of its own: its bits are in int32_data
        typed.set_name("t");
        typed.set_data_type(tensor::FLOAT16);
        typed.add_int32_data(bits);
        CHECK(number_of(typed) == value);
    }
    CHECK_FALSE(number_of(raw_tensor<std::uint16_t>(tensor::FLOAT16, {}, {0x7c00}))); // infinity
    CHECK_FALSE(number_of(raw_tensor<std::uint16_t>(tensor::FLOAT16, {}, {0x7e00}))); // not a number
}

TEST_CASE("a tensor whose data do not match its shape is not a constant")
{
    using tensor = onnx::TensorProto;
    auto t = raw_tensor<std::int64_t>(tensor::INT64, {2}, {1, 2});
    const auto none = [&] { return !graph_index(graph_with(t)).constant_integers("t"); };
    CHECK_FALSE(none());
    t.set_data_location(tensor::EXTERNAL);
    CHECK(none());
    t.clear_data_location();
    for (const std::int64_t wrong : {std::int64_t{1}, std::int64_t{3}, std::int64_t{-2}, std::int64_t{1} << 62}) {
        CAPTURE(wrong);
        t.set_dims(0, wrong);
        CHECK(none());
    }
    // 2^61 elements of 8 bytes are 0 bytes modulo 2^64.
    t.set_dims(0, std::int64_t{1} << 61);
    t.set_raw_data("");
    CHECK(none());
    t.clear_raw_data();
    CHECK(none());
    t.set_dims(0, 2);
    t.add_int64_data(1);
    CHECK(none());

    auto number = raw_tensor<float>(tensor::FLOAT, {std::int64_t{1} << 62, 4, 1}, {});
    CHECK_FALSE(graph_index(graph_with(number)).constant_number("t"));
    number.clear_raw_data();
    CHECK_FALSE(graph_index(graph_with(number)).constant_number("t"));
}

TEST_CASE("the search for a constant ends in a graph with a cycle")
{
    const auto graph = parse_graph(R"(g (float[n] x) => (float[n] y) {
        a = Identity(b)
        b = Identity(a)
        self = Identity(self)
        y = Identity(x)
    })");
    const graph_index index(graph);
    CHECK(index.constant("a") == nullptr);
    CHECK_FALSE(index.constant_integers("b"));
    CHECK_FALSE(index.constant_number("self"));
}

TEST_CASE("fresh names are names that nothing in the graph has")
{
    auto graph = parse_graph(nested);
    graph.mutable_node(0)->set_name("node");
    for (auto& attribute : *graph.mutable_node(1)->mutable_attribute()) {
        attribute.mutable_g()->mutable_node(0)->set_name("inner_node");
    }
    auto& described = *graph.add_value_info();
    described.set_name("described");
    described.mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_param("symbol");
    graph.add_initializer()->set_name("weight");

    fresh_names fresh(graph);
    for (const std::string taken : {"x", "outer", "y", "node", "inner_node", "described", "symbol", "n", "weight",
                                    "state", "inner", "p", "unused", "handed_on", "next"}) {
        CAPTURE(taken);
        CHECK(fresh(taken) == taken + "_2");
        CHECK(fresh(taken) == taken + "_3");
    }
    CHECK(fresh("free") == "free");
    CHECK(fresh("free") == "free_2");
    fresh.reserve("kept");
    CHECK(fresh("kept") == "kept_2");
    CHECK(fresh("free_2") == "free_2_2");
}

namespace {

// A model with a value called `name` that is used in every way; one subgraph has a value `from` of its own.
onnx::ModelProto used_everywhere(const std::string& name)
{
    std::string text =
        header + R"(g (float[n] x, bool c) => (float[n] y, float[n] NAME) <float[n] NAME, float[n] from_other> {
        NAME = Neg(x)
        from_other = Add(NAME, NAME)
        captured = If (c) <
            then_branch = t () => (float[n] p) <float[n] NAME> {
                p = If (c) <then_branch = tt () => (float[n] q) { q = Add(x, NAME) },
                            else_branch = te () => (float[n] NAME) { unused = Neg(x) }>
            },
            else_branch = shadowing () => (float[n] from) {
                from = Abs(x)
                more = If (c) <then_branch = st () => (float[n] r) { r = Neg(from) },
                               else_branch = se () => (float[n] s) { s = Neg(from) }>
            }>
        y = Add(captured, NAME)
    })";
    for (std::size_t at = text.find("NAME"); at != std::string::npos; at = text.find("NAME", at)) {
        text.replace(at, 4, name);
    }
    auto model = parse_model(text);
    auto& annotation = *model.mutable_graph()->add_quantization_annotation();
    annotation.set_tensor_name(name);
    auto& scale = *annotation.add_quant_parameter_tensor_names();
    scale.set_key("SCALE_TENSOR");
    scale.set_value(name);
    auto& other = *model.mutable_graph()->add_quantization_annotation();
    other.set_tensor_name("y");
    other.add_quant_parameter_tensor_names()->set_value("x");
    return model;
}

} // namespace

TEST_CASE("rename_value renames every use and nothing else")
{
    auto renamed = used_everywhere("from");
    rename_value(*renamed.mutable_graph(), "from", "to");
    const auto expected = used_everywhere("to");
    CHECK(renamed.DebugString() == expected.DebugString());
    CHECK(renamed.SerializeAsString() == expected.SerializeAsString());
    CHECK(renamed.SerializeAsString() != used_everywhere("from").SerializeAsString());
}

TEST_CASE("rename_value renames inputs and initializers, dense and sparse")
{
    const auto model_with = [](const std::string& name) {
        auto graph = parse_graph("g (float[n] x, float[n] y, float[1] z) => (float[n] o) { o = Sum(x, y, z) }");
        graph.mutable_input(1)->set_name(name);
        graph.mutable_node(0)->set_input(1, name);
        graph.add_initializer()->set_name(name);
        graph.add_initializer()->set_name("w");
        graph.add_sparse_initializer()->mutable_values()->set_name(name);
        graph.add_sparse_initializer()->mutable_values()->set_name("v");
        graph.add_sparse_initializer(); // and one without values, which must not get any
        return graph;
    };
    auto graph = model_with("from");
    rename_value(graph, "from", "to");
    CHECK(graph.SerializeAsString() == model_with("to").SerializeAsString());

    auto untouched = model_with("from");
    rename_value(untouched, "absent", "to");
    CHECK(untouched.SerializeAsString() == model_with("from").SerializeAsString());
}

TEST_CASE("attributes by name, and what messages call a node")
{
    auto graph = parse_graph("g (float[n] x) => (float[n] y) { y = Softmax <axis = -1> (x) }");
    auto& node = *graph.mutable_node(0);
    CHECK(attribute(node, "axis") == &node.attribute(0));
    CHECK(attribute(node, "other") == nullptr);
    CHECK(integer_attribute(node, "axis", 7) == -1);
    CHECK(integer_attribute(node, "other", 7) == 7);
    CHECK(describe(node) == "Softmax 'y'");
    node.set_name("the_node");
    CHECK(describe(node) == "Softmax 'the_node'");
    CHECK(describe(onnx::NodeProto()) == " ''");
}

TEST_CASE("axes are an attribute, or a constant input")
{
    const auto graph =
        parse_graph("g (float[n,1,4,1] x, int64[2] computed) => (float[n,4] y) { axes = Constant<value = "
                    "int64[2] {1, 3}>() a = Squeeze<axes = [1, 3]>(x) b = Squeeze(x, axes) "
                    "c = Squeeze(x, computed) d = Squeeze(x) y = Slice(x, axes, axes, axes) }");
    const graph_index index(graph);
    const std::vector<std::int64_t> both{1, 3};
    CHECK(axes_of(index, *index.producer("a")) == both);
    CHECK(axes_of(index, *index.producer("b")) == both);
    CHECK(!axes_of(index, *index.producer("c")));
    CHECK(!axes_of(index, *index.producer("d")));
    CHECK(axes_of(index, *index.producer("y"), 3) == both);
    CHECK(integers_of(index, *index.producer("y"), 1, "starts") == both);
    CHECK(!integers_of(index, *index.producer("y"), 4, "steps"));
}

TEST_CASE("for_each_subgraph visits the graphs of a node, not deeper, and can change them")
{
    auto graph = parse_graph(nested);
    auto& loop = *graph.mutable_node(1);
    *loop.add_attribute()->add_graphs() = onnx::GraphProto();
    std::vector<std::string> names;
    for_each_subgraph(std::as_const(loop), [&](const onnx::GraphProto& sub) { names.push_back(sub.name()); });
    CHECK(names == std::vector<std::string>{"b", ""});
    for_each_subgraph(loop, [](onnx::GraphProto& sub) { sub.set_name("changed"); });
    CHECK(loop.attribute(0).g().name() == "changed");
    CHECK(loop.attribute(1).graphs(0).name() == "changed");
}

TEST_CASE("constants behind expressions that an exporter did not fold are found")
{
    const auto model = parse_model(R"(<ir_version: 7, opset_import: ["" : 13]> g (float[n] x) => (float[n] y) {
    a = Constant<value = int64 {7}>()
    pair = Constant<value = int64[2] {3, 4}>()
    zero = Constant<value = int64[1] {0}>()
    minus = Constant<value = int64 {-1}>()
    half = Constant<value = float {0.5}>()
    column = Unsqueeze(a, zero)
    cast = Cast<to = 7>(column)
    shaped = Reshape(cast, minus)
    joined = Concat<axis = 0>(shaped, pair)
    last = Gather<axis = 0>(joined, minus)
    sum = Add(joined, a)
    least = Min(pair, a, column)
    shape = Shape(pair)
    outside = Gather<axis = 0>(pair, a)
    quotient = Div(a, minus)
    several = Add(joined, pair)
    open = Add(joined, unknown)
    unknown = Shape(x)
    list = Unsqueeze(half, zero)
    y = Identity(x)
})");
    const graph_index index(model.graph());
    using numbers = std::vector<std::int64_t>;
    const std::vector<std::pair<std::string, numbers>> known{{"column", {7}},  {"shaped", {7}}, {"joined", {7, 3, 4}},
                                                             {"last", {4}},    {"shape", {2}},  {"sum", {14, 10, 11}},
                                                             {"least", {3, 4}}};
    for (const auto& each : known) {
        CAPTURE(each.first);
        CHECK(index.constant_integers(each.first) == each.second);
    }
    for (const char* value : {"outside", "quotient", "several", "open", "unknown", "x"}) {
        CAPTURE(value);
        CHECK_FALSE(index.constant_integers(value));
    }
    CHECK(index.constant_number("list") == 0.5);
    CHECK(index.constant_floats("half") == std::vector<float>{0.5F});
    CHECK_FALSE(index.constant_floats("pair"));
}

TEST_CASE("nodes that do nothing are passed over on the way to the origin of a value")
{
    const auto model = parse_model(R"(
        <ir_version: 7, opset_import: ["" : 15]>
        g (float[n] x, float[m,k] y, int64[1] size) => (float[n] out) {
            most = Max(x)
            extents = Shape(most)
            same = Expand(x, extents)
            unmoved = Transpose<perm = [0]>(same)
            alone = Concat<axis = -1>(unmoved)
            half = Cast<to = 10>(alone)
            out = Identity(half)
            sorted = Transpose<perm = [0, 1]>(y)
            swapped = Transpose<perm = [1, 0]>(y)
            reversed = Transpose(y)
            joined = Concat<axis = 0>(x, x)
            most_of_two = Max(x, same)
            wider = Expand(x, size)
            extents_of_y = Shape(y)
            as_y = Expand(x, extents_of_y)
            extents_behind = Shape<start = 1>(y)
            cut = Expand(y, extents_behind)
        })");
    const graph_index index(model.graph());
    CHECK(origin(index, "out") == "x");
    CHECK(origin(index, "sorted") == "y");
    for (const std::string other : {"swapped", "reversed", "joined", "most_of_two", "wider", "as_y", "cut"}) {
        CAPTURE(other);
        CHECK(origin(index, other) == other);
        CHECK_FALSE(is_copy(index, index.producer(other)));
    }
    CHECK_FALSE(is_copy(index, index.producer("half")));
    CHECK_FALSE(is_copy(index, nullptr));
}
