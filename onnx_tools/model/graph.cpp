// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/model/graph.hpp>

#include <onnx_tools/model/wording.hpp>
#include <padbatch/float16.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace padbatch::onnx_tools {
namespace {

// What `graph` and its subgraphs read from the graphs around them, in order, once per use.
void add_captures(const onnx::GraphProto& graph, std::vector<std::string_view>& captures)
{
    const auto own = defined_names(graph);
    std::vector<std::string_view> read;
    for (const auto& node : graph.node()) {
        const auto values = values_read(node);
        read.insert(read.end(), values.begin(), values.end());
    }
    // A body may pass a captured value straight through as its output.
    for (const auto& output : graph.output()) {
        read.push_back(output.name());
    }
    for (const auto value : read) {
        if (own.count(value) == 0) {
            captures.push_back(value);
        }
    }
}

void collect_names(const onnx::GraphProto& graph, std::unordered_set<std::string>& names)
{
    for (const auto value : defined_names(graph)) {
        names.emplace(value);
    }
    for (const auto* infos : {&graph.input(), &graph.output(), &graph.value_info()}) {
        for (const auto& info : *infos) {
            names.insert(info.name());
            for (const auto& dim : info.type().tensor_type().shape().dim()) {
                names.insert(dim.dim_param());
            }
        }
    }
    for (const auto& node : graph.node()) {
        names.insert(node.name());
        names.insert(node.input().begin(), node.input().end());
        for_each_subgraph(node, [&](const onnx::GraphProto& sub) { collect_names(sub, names); });
    }
}

template <typename Node, typename Visit>
void visit_subgraphs(Node& node, const Visit& visit)
{
    if constexpr (std::is_const_v<Node>) {
        for (const auto& attribute : node.attribute()) {
            if (attribute.has_g()) {
                visit(attribute.g());
            }
            for (const auto& graph : attribute.graphs()) {
                visit(graph);
            }
        }
    } else {
        for (auto& attribute : *node.mutable_attribute()) {
            if (attribute.has_g()) {
                visit(*attribute.mutable_g());
            }
            for (auto& graph : *attribute.mutable_graphs()) {
                visit(graph);
            }
        }
    }
}

// The value that `value` has the elements and extents of, as far as copies that read nothing else tell.
std::string_view as_it_is(const graph_index& index, std::string_view value)
{
    const auto* node = index.producer(value);
    for (int steps = 0; steps < 16 && !is(node, {"Expand"}) && is_copy(index, node); ++steps) {
        value = node->input(0);
        node = index.producer(value);
    }
    return value;
}

// The elements of a tensor of fixed-width elements, from raw_data or from `typed`, its typed field.
template <typename T, typename Typed>
std::optional<std::vector<T>> elements(const onnx::TensorProto& tensor, const Typed& typed)
{
    if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
        return std::nullopt;
    }
    constexpr std::int64_t most = 1 << 20; // no constant that matters here is larger, and no product overflows
    std::int64_t size = 1;
    for (const auto dim : tensor.dims()) {
        if (dim < 0 || dim > most || size > most) {
            return std::nullopt;
        }
        size *= dim;
    }
    std::vector<T> values;
    if (tensor.has_raw_data()) {
        if (tensor.raw_data().size() != static_cast<std::size_t>(size) * sizeof(T)) {
            return std::nullopt;
        }
        values.resize(static_cast<std::size_t>(size));
        if (!values.empty()) { // an empty vector's data may be null, which memcpy must not get
            std::memcpy(values.data(), tensor.raw_data().data(), tensor.raw_data().size());
        }
    } else {
        if (typed.size() != size) {
            return std::nullopt;
        }
        values.assign(typed.begin(), typed.end());
    }
    return values;
}

// Exporters that do not fold constants write a few nodes for one.
constexpr int deepest_expression = 16;

// `a op b`, element by element, where both are as long or one is a single number. Nothing if a result has no int64.
std::optional<std::vector<std::int64_t>> combined(std::string_view op, const std::vector<std::int64_t>& a,
                                                  const std::optional<std::vector<std::int64_t>>& b)
{
    if (!b || a.empty() || b->empty() || (a.size() != b->size() && a.size() != 1 && b->size() != 1)) {
        return std::nullopt;
    }
    std::vector<std::int64_t> result(std::max(a.size(), b->size()));
    for (std::size_t i = 0; i < result.size(); ++i) {
        const auto x = a[a.size() == 1 ? 0 : i];
        const auto y = (*b)[b->size() == 1 ? 0 : i];
        bool fits = true;
        if (op == "Add") {
            fits = !__builtin_add_overflow(x, y, &result[i]);
        } else if (op == "Sub") {
            fits = !__builtin_sub_overflow(x, y, &result[i]);
        } else if (op == "Mul") {
            fits = !__builtin_mul_overflow(x, y, &result[i]);
        } else if (op == "Div") {
            fits = x >= 0 && y > 0; // how a negative quotient is rounded, runtimes may see differently
            result[i] = fits ? x / y : 0;
        } else {
            result[i] = op == "Min" ? std::min(x, y) : std::max(x, y);
        }
        if (!fits) {
            return std::nullopt;
        }
    }
    return result;
}

} // namespace

void for_each_subgraph(const onnx::NodeProto& node, const std::function<void(const onnx::GraphProto&)>& visit)
{
    visit_subgraphs(node, visit);
}

void for_each_subgraph(onnx::NodeProto& node, const std::function<void(onnx::GraphProto&)>& visit)
{
    visit_subgraphs(node, visit);
}

std::unordered_set<std::string_view> defined_names(const onnx::GraphProto& graph)
{
    std::unordered_set<std::string_view> names;
    names.reserve(static_cast<std::size_t>(graph.node_size()) + static_cast<std::size_t>(graph.initializer_size()));
    for (const auto& input : graph.input()) {
        names.insert(input.name());
    }
    for (const auto& tensor : graph.initializer()) {
        names.insert(tensor.name());
    }
    for (const auto& tensor : graph.sparse_initializer()) {
        names.insert(tensor.values().name());
    }
    for (const auto& node : graph.node()) {
        for (const auto& output : node.output()) {
            if (!output.empty()) {
                names.insert(output);
            }
        }
    }
    return names;
}

std::vector<std::string_view> values_read(const onnx::NodeProto& node)
{
    std::vector<std::string_view> values;
    values.reserve(static_cast<std::size_t>(node.input_size()));
    for (const auto& input : node.input()) {
        if (!input.empty()) {
            values.emplace_back(input);
        }
    }
    for_each_subgraph(node, [&](const onnx::GraphProto& graph) { add_captures(graph, values); });
    return values;
}

graph_index::graph_index(const onnx::GraphProto& graph) : m_graph(graph)
{
    m_producers.reserve(static_cast<std::size_t>(graph.node_size()));
    m_readers.reserve(static_cast<std::size_t>(graph.node_size()));
    for (const auto& tensor : graph.initializer()) {
        m_initializers.emplace(tensor.name(), &tensor);
    }
    for (const auto& tensor : graph.sparse_initializer()) {
        m_sparse_initializers.insert(tensor.values().name());
    }
    for (const auto& node : graph.node()) {
        for (const auto& output : node.output()) {
            if (!output.empty()) {
                m_producers.emplace(output, &node);
            }
        }
        for (const auto value : values_read(node)) {
            auto& readers = m_readers[value];
            if (readers.empty() || readers.back() != &node) {
                readers.push_back(&node);
            }
        }
    }
}

const onnx::NodeProto* graph_index::producer(std::string_view value) const
{
    const auto found = m_producers.find(value);
    return found == m_producers.end() ? nullptr : found->second;
}

const std::vector<const onnx::NodeProto*>& graph_index::readers(std::string_view value) const
{
    static const std::vector<const onnx::NodeProto*> none;
    const auto found = m_readers.find(value);
    return found == m_readers.end() ? none : found->second;
}

const onnx::TensorProto* graph_index::initializer(std::string_view value) const
{
    const auto found = m_initializers.find(value);
    return found == m_initializers.end() ? nullptr : found->second;
}

const onnx::TensorProto* graph_index::constant(std::string_view value) const
{
    // Long chains of Identity do not occur, and a broken graph may have a cycle.
    for (int steps = 0; steps < 64; ++steps) {
        if (const auto* tensor = initializer(value)) {
            return tensor;
        }
        const auto* node = producer(value);
        if (node == nullptr) {
            return nullptr;
        }
        if (is(node, {"Constant"})) {
            const auto* held = attribute(*node, "value");
            return held != nullptr && held->has_t() ? &held->t() : nullptr;
        }
        if (!is(node, {"Identity"}) || node->input_size() != 1) {
            return nullptr;
        }
        value = node->input(0);
    }
    return nullptr;
}

std::optional<std::vector<std::int64_t>> graph_index::constant_integers(std::string_view value) const
{
    return integers(value, 0);
}

std::optional<std::vector<std::int64_t>> graph_index::integers(std::string_view value, int depth) const
{
    if (const auto* tensor = constant(value)) {
        if (tensor->dims_size() > 1) {
            return std::nullopt;
        }
        if (tensor->data_type() == onnx::TensorProto::INT64) {
            return elements<std::int64_t>(*tensor, tensor->int64_data());
        }
        if (tensor->data_type() == onnx::TensorProto::INT32) {
            if (const auto narrow = elements<std::int32_t>(*tensor, tensor->int32_data())) {
                return std::vector<std::int64_t>(narrow->begin(), narrow->end());
            }
        }
        return std::nullopt;
    }
    const auto* node = producer(value);
    if (is(node, {"Constant"})) {
        if (const auto* held = attribute(*node, "value_int")) {
            return std::vector<std::int64_t>{held->i()};
        }
        if (const auto* held = attribute(*node, "value_ints")) {
            return std::vector<std::int64_t>(held->ints().begin(), held->ints().end());
        }
    }
    return node == nullptr || depth == deepest_expression ? std::nullopt : computed_integers(*node, depth + 1);
}

std::optional<std::vector<std::int64_t>> graph_index::computed_integers(const onnx::NodeProto& node, int depth) const
{
    const auto operand = [&](int i) { return i < node.input_size() ? integers(node.input(i), depth) : std::nullopt; };
    if (is(&node, {"Identity", "Cast", "Squeeze", "Unsqueeze", "Reshape", "Flatten"})) {
        return operand(0);
    }
    if (is(&node, {"Shape"}) && attribute(node, "start") == nullptr && attribute(node, "end") == nullptr) {
        const auto* tensor = node.input_size() == 1 ? constant(node.input(0)) : nullptr;
        return tensor == nullptr
                   ? std::nullopt
                   : std::optional(std::vector<std::int64_t>(tensor->dims().begin(), tensor->dims().end()));
    }
    if (is(&node, {"Concat"})) {
        std::vector<std::int64_t> all;
        for (int i = 0; i < node.input_size(); ++i) {
            const auto part = operand(i);
            if (!part) {
                return std::nullopt;
            }
            all.insert(all.end(), part->begin(), part->end());
        }
        return all;
    }
    if (is(&node, {"Gather"})) {
        const auto from = operand(0);
        auto places = operand(1);
        if (!from || !places || integer_attribute(node, "axis", 0) != 0) {
            return std::nullopt;
        }
        const auto size = static_cast<std::int64_t>(from->size());
        for (auto& place : *places) {
            if (place < -size || place >= size) {
                return std::nullopt;
            }
            place = (*from)[static_cast<std::size_t>(place < 0 ? place + size : place)];
        }
        return places;
    }
    if (!is(&node, {"Add", "Sub", "Mul", "Div", "Min", "Max"}) || node.input_size() == 0) {
        return std::nullopt;
    }
    auto result = operand(0);
    for (int i = 1; i < node.input_size() && result; ++i) {
        result = combined(node.op_type(), *result, operand(i));
    }
    return result;
}

std::optional<std::vector<float>> graph_index::constant_floats(std::string_view value) const
{
    const auto* tensor = constant(value);
    return tensor != nullptr && tensor->data_type() == onnx::TensorProto::FLOAT
               ? elements<float>(*tensor, tensor->float_data())
               : std::nullopt;
}

std::optional<double> graph_index::constant_number(std::string_view value) const
{
    const auto single = [](const auto& values, const auto& number_of) -> std::optional<double> {
        if (!values || values->size() != 1) {
            return std::nullopt;
        }
        const auto number = static_cast<double>(number_of(values->front()));
        return std::isfinite(number) ? std::optional(number)
                                     : std::nullopt; // no threshold or size is infinite or not a number
    };
    const auto itself = [](auto number) { return number; };
    if (const auto* tensor = constant(value)) {
        switch (tensor->data_type()) {
        case onnx::TensorProto::FLOAT: return single(elements<float>(*tensor, tensor->float_data()), itself);
        case onnx::TensorProto::DOUBLE: return single(elements<double>(*tensor, tensor->double_data()), itself);
        case onnx::TensorProto::FLOAT16:
            return single(elements<std::uint16_t>(*tensor, tensor->int32_data()),
                          [](std::uint16_t bits) { return float(float16::from_bits(bits)); });
        default: return std::nullopt;
        }
    }
    // A single number stays the same in any shape.
    const auto* node = producer_behind(*this, value, {"Identity", "Squeeze", "Unsqueeze", "Reshape", "Cast"}, 8);
    if (node != nullptr && node != producer(value) && is(node, {"Constant"}) && node->output_size() == 1) {
        return constant_number(node->output(0));
    }
    const auto* held = is(node, {"Constant"}) ? attribute(*node, "value_float") : nullptr;
    return held != nullptr && std::isfinite(held->f()) ? std::optional<double>(held->f()) : std::nullopt;
}

std::vector<const onnx::ValueInfoProto*> graph_index::required_inputs() const
{
    std::vector<const onnx::ValueInfoProto*> inputs;
    for (const auto& input : m_graph.input()) {
        if (initializer(input.name()) == nullptr && m_sparse_initializers.count(input.name()) == 0) {
            inputs.push_back(&input);
        }
    }
    return inputs;
}

fresh_names::fresh_names(const onnx::GraphProto& graph)
{
    collect_names(graph, m_taken);
}

std::string fresh_names::operator()(const std::string& wanted)
{
    if (m_taken.insert(wanted).second) {
        return wanted;
    }
    int& next = m_next.try_emplace(wanted, 2).first->second; // those before are taken
    for (;; ++next) {
        std::string name = wanted + "_" + std::to_string(next);
        if (m_taken.insert(name).second) {
            return name;
        }
    }
}

void rename_value(onnx::GraphProto& graph, const std::string& from, const std::string& to)
{
    // Only touch what changes: setting an absent field, even to an empty value, would add bytes to the file.
    for (auto* infos : {graph.mutable_input(), graph.mutable_output(), graph.mutable_value_info()}) {
        for (auto& info : *infos) {
            if (info.name() == from) {
                info.set_name(to);
            }
        }
    }
    for (auto& tensor : *graph.mutable_initializer()) {
        if (tensor.name() == from) {
            tensor.set_name(to);
        }
    }
    for (auto& tensor : *graph.mutable_sparse_initializer()) {
        if (tensor.values().name() == from) {
            tensor.mutable_values()->set_name(to);
        }
    }
    for (auto& annotation : *graph.mutable_quantization_annotation()) {
        if (annotation.tensor_name() == from) {
            annotation.set_tensor_name(to);
        }
        for (auto& entry : *annotation.mutable_quant_parameter_tensor_names()) {
            if (entry.value() == from) {
                entry.set_value(to);
            }
        }
    }
    for (auto& node : *graph.mutable_node()) {
        for (auto* values : {node.mutable_input(), node.mutable_output()}) {
            for (auto& value : *values) {
                if (value == from) {
                    value = to;
                }
            }
        }
        for_each_subgraph(node, [&](onnx::GraphProto& sub) {
            if (defined_names(sub).count(from) == 0) {
                rename_value(sub, from, to);
            }
        });
    }
}

std::string_view standard_operator(const onnx::NodeProto& node) noexcept
{
    const auto& domain = node.domain();
    return domain.empty() || domain == "ai.onnx" || domain == "com.microsoft" ? std::string_view(node.op_type())
                                                                              : std::string_view();
}

bool is(const onnx::NodeProto* node, std::initializer_list<std::string_view> ops)
{
    return node != nullptr && std::find(ops.begin(), ops.end(), standard_operator(*node)) != ops.end();
}

std::int64_t standard_opset(const onnx::ModelProto& model)
{
    std::int64_t version = 0;
    for (const auto& opset : model.opset_import()) {
        if (opset.domain().empty() || opset.domain() == "ai.onnx") {
            version = opset.version();
        }
    }
    return version;
}

std::string metadata(const onnx::ModelProto& model, std::string_view key)
{
    for (const auto& entry : model.metadata_props()) {
        if (entry.key() == key) {
            return entry.value();
        }
    }
    return "";
}

bool is_copy(const graph_index& index, const onnx::NodeProto* node)
{
    if (node == nullptr || node->input_size() == 0) {
        return false;
    }
    if (is(node, {"Transpose"})) {
        const auto* perm = attribute(*node, "perm");
        return perm != nullptr && perm->ints_size() > 0 && std::is_sorted(perm->ints().begin(), perm->ints().end());
    }
    if (is(node, {"Concat", "Max", "Min"})) {
        return node->input_size() == 1;
    }
    if (is(node, {"Expand"}) && node->input_size() == 2) {
        const auto* shape = index.producer(node->input(1));
        return is(shape, {"Shape"}) && shape->input_size() == 1 && integer_attribute(*shape, "start", 0) == 0 &&
               attribute(*shape, "end") == nullptr &&
               as_it_is(index, shape->input(0)) == as_it_is(index, node->input(0));
    }
    return is(node, {"Identity"});
}

std::string_view origin(const graph_index& index, std::string_view value)
{
    for (int steps = 0; steps < 64; ++steps) { // a broken graph may have a cycle
        const auto* node = index.producer(value);
        if (!is_copy(index, node) && (!is(node, {"Cast"}) || node->input_size() == 0)) {
            break;
        }
        value = node->input(0);
    }
    return value;
}

const onnx::NodeProto* producer_behind(const graph_index& index, std::string_view value,
                                       std::initializer_list<std::string_view> passed, int most)
{
    const auto* node = index.producer(value);
    for (int steps = 0; steps < most && is(node, passed); ++steps) {
        node = node->input_size() > 0 ? index.producer(node->input(0)) : nullptr;
    }
    return node;
}

const onnx::AttributeProto* attribute(const onnx::NodeProto& node, std::string_view name)
{
    for (const auto& attribute : node.attribute()) {
        if (attribute.name() == name) {
            return &attribute;
        }
    }
    return nullptr;
}

std::int64_t integer_attribute(const onnx::NodeProto& node, std::string_view name, std::int64_t otherwise)
{
    const auto* found = attribute(node, name);
    return found == nullptr ? otherwise : found->i();
}

std::optional<std::vector<std::int64_t>> integers_of(const graph_index& index, const onnx::NodeProto& node, int input,
                                                     std::string_view name)
{
    if (const auto* held = attribute(node, name)) {
        return std::vector<std::int64_t>(held->ints().begin(), held->ints().end());
    }
    return input < node.input_size() ? index.constant_integers(node.input(input)) : std::nullopt;
}

std::optional<std::vector<std::int64_t>> axes_of(const graph_index& index, const onnx::NodeProto& node, int input)
{
    return integers_of(index, node, input, "axes");
}

std::string describe(const onnx::NodeProto& node)
{
    const std::string& name = !node.name().empty() || node.output_size() == 0 ? node.name() : node.output(0);
    return shown(node.op_type()) + " " + quoted(name);
}

} // namespace padbatch::onnx_tools
