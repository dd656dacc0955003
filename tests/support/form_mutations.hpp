// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_FORM_MUTATIONS_HPP
#define PADBATCH_TESTS_SUPPORT_FORM_MUTATIONS_HPP

#include <tests/support/form_exports.hpp>
#include <tests/support/mutations.hpp>
#include <tests/support/plain_outputs.hpp>

#include <onnx_tools/model/graph.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

// What can happen to the outputs of any form between the export and the rewrite, so that it is still known what they
// hold. A step is a line of words; K is the position of an output.
//
//     order P P P ...             the outputs follow one another in this order
//     rename K NAME K NAME ...    all at once
//     cast K TYPE
//     unsqueeze K AXIS, squeeze K AXIS, flatten K      dimensions of extent 1 come or go, by a Reshape in the last
//     hide K identity|concat|reshape|where             the values pass through a node that keeps them as they are
//     columns K gather|slices|split P P ...            the columns in another order
//     apart K squeeze|keep SIZE NAME SIZE NAME ...     columns become outputs of their own
//     join K NAME K ...           outputs become the columns of one, at the place of the first
//     rows first|reverse|sort N K ...   the first N rows of these outputs; or the rows of all in reverse, or best first
//     add K NUMBER                to each element; counts and images then mean something else
//     scale K                     corners become fractions of the image
//     center K                    corners become centers and sizes
//     drop K, double K NAME
//     further KIND P NAME         another output, at this place: size|anchors (constants), number (the rows of output
//     0) dims same|own|open, unshape, unshape K           what the file declares input open|one|own          what it
//     declares of the first extent of its inputs constants                   constants become initializers metadata it
//     is gone shuffle N, sort N, reader N, function N          as in mutations.hpp
namespace padbatch::test {

struct form_mutant {
    onnx::ModelProto model;
    std::vector<output_meaning> outputs; ///< one for each output of the graph
    std::size_t batch = 1;               ///< 0 for any number of images
    bool is_normalised = false;
    bool harmless = true; ///< nothing has changed that the meaning of the outputs could depend on
    bool padded = false;
    bool odd = false; ///< whether outputs have ranks that are not declared, or do not go together
};

inline form_mutant unchanged(const form_export& e, const onnx::ModelProto& model)
{
    form_mutant m{model, e.outputs, e.batch, e.is_normalised, true, e.form == output_form::padded};
    if (static_cast<int>(e.outputs.size()) != model.graph().output_size()) {
        throw std::runtime_error("not the outputs of " + e.file);
    }
    return m;
}

namespace detail {

class form_changer : private output_editor {
public:
    explicit form_changer(form_mutant& m) : output_editor(*m.model.mutable_graph()), m_mutant(m) {}

    bool apply(const std::string& step)
    {
        std::istringstream words(step);
        std::string op;
        words >> op;
        static const std::map<std::string, bool (form_changer::*)(std::istringstream&)> steps{
            {"order", &form_changer::order},
            {"rename", &form_changer::rename},
            {"cast", &form_changer::cast_output},
            {"unsqueeze", &form_changer::unsqueeze},
            {"squeeze", &form_changer::squeeze},
            {"flatten", &form_changer::flatten},
            {"hide", &form_changer::hide},
            {"columns", &form_changer::move_columns},
            {"apart", &form_changer::take_apart},
            {"join", &form_changer::join},
            {"rows", &form_changer::change_rows},
            {"add", &form_changer::add_number},
            {"scale", &form_changer::scale},
            {"center", &form_changer::center},
            {"drop", &form_changer::drop},
            {"double", &form_changer::copy},
            {"further", &form_changer::further},
            {"dims", &form_changer::dims},
            {"unshape", &form_changer::unshape},
            {"input", &form_changer::change_inputs},
            {"constants", &form_changer::as_initializers},
            {"metadata", &form_changer::drop_metadata}};
        static const std::set<std::string> of_any_graph{"shuffle", "sort", "reader", "function"};
        if (of_any_graph.count(op) != 0) {
            mutant plain;
            plain.model.Swap(&m_mutant.model);
            plain.outputs.resize(m_mutant.outputs.size());
            m_mutant.harmless = m_mutant.harmless && op != "function"; // the values that padding reads may be inside
            const bool fits = padbatch::test::apply(plain, step);
            plain.model.Swap(&m_mutant.model);
            return fits;
        }
        const auto found = steps.find(op);
        if (found == steps.end()) {
            throw std::runtime_error("there is no mutation '" + op + "'");
        }
        static const std::set<std::string> harmless{"constants", "hide", "input"};
        if (harmless.count(op) == 0 && op != "rename") {
            m_mutant.harmless = false;
        }
        return (this->*found->second)(words);
    }

private:
    [[nodiscard]] bool is_output(std::size_t k) const { return k < m_mutant.outputs.size(); }
    output_meaning& meaning(std::size_t k) { return m_mutant.outputs[k]; }
    [[nodiscard]] int type_of(std::size_t k) const
    {
        return m_graph.output(static_cast<int>(k)).type().tensor_type().elem_type();
    }
    [[nodiscard]] bool is_new() const { return onnx_tools::standard_opset(m_mutant.model) >= 13; }

    bool read(std::istringstream& words, std::size_t& k) const { return (words >> k) && is_output(k); }

    // The output's own rows, as opposed to something of each image or of the model.
    [[nodiscard]] bool has_rows(std::size_t k) const
    {
        return m_mutant.outputs[k].axes.find_first_of("Mn") != std::string::npos;
    }

    static void set_integer(onnx::NodeProto& node, const std::string& name, std::int64_t value)
    {
        auto& attribute = *node.add_attribute();
        attribute.set_name(name);
        attribute.set_type(onnx::AttributeProto::INT);
        attribute.set_i(value);
    }

    static void set_integers(onnx::NodeProto& node, const std::string& name, const std::vector<std::int64_t>& values)
    {
        auto& attribute = *node.add_attribute();
        attribute.set_name(name);
        attribute.set_type(onnx::AttributeProto::INTS);
        for (const auto value : values) {
            attribute.add_ints(value);
        }
    }

    std::string constant(int type, const std::vector<std::int64_t>& shape, const std::vector<double>& numbers)
    {
        tensor t{type, shape, {}};
        for (const double number : numbers) {
            append_number(t, number);
        }
        auto& node = add_node("Constant", {}, fresh("mutation/constant"));
        auto& attribute = *node.add_attribute();
        attribute.set_name("value");
        attribute.set_type(onnx::AttributeProto::TENSOR);
        auto& value = *attribute.mutable_t();
        value.set_data_type(type);
        for (const auto extent : shape) {
            value.add_dims(extent);
        }
        value.set_raw_data(std::string(t.bytes.begin(), t.bytes.end()));
        return node.output(0);
    }

    std::string integers(const std::vector<double>& numbers)
    {
        return constant(onnx_number::int64, {static_cast<std::int64_t>(numbers.size())}, numbers);
    }

    // A copy of what it declares, which a step may change.
    void declare(std::size_t k, const onnx::ValueInfoProto& declared)
    {
        const auto name = info(k).name();
        info(k) = declared;
        info(k).set_name(name);
    }

    void with_axes(const std::string& op, const std::string& from, const std::string& to, std::int64_t axis)
    {
        if (is_new()) {
            const auto axes = integers({static_cast<double>(axis)});
            add_node(op, {from, axes}, to);
        } else {
            set_integers(add_node(op, {from}, to), "axes", {axis});
        }
    }

    bool order(std::istringstream& words)
    {
        std::vector<std::size_t> places;
        for (std::size_t place = 0; words >> place;) {
            places.push_back(place);
        }
        auto sorted = places;
        std::sort(sorted.begin(), sorted.end());
        for (std::size_t i = 0; i < sorted.size(); ++i) {
            if (sorted[i] != i) {
                return false;
            }
        }
        return places.size() == m_mutant.outputs.size() && arrange(places);
    }

    // The outputs that remain, in this order.
    bool arrange(const std::vector<std::size_t>& places)
    {
        google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> outputs;
        std::vector<output_meaning> meanings;
        for (const auto place : places) {
            *outputs.Add() = m_graph.output(static_cast<int>(place));
            meanings.push_back(m_mutant.outputs[place]);
        }
        m_graph.mutable_output()->Swap(&outputs);
        m_mutant.outputs = std::move(meanings);
        return true;
    }

    [[nodiscard]] bool is_free(const std::string& name) const
    {
        return onnx_tools::defined_names(m_graph).count(name) == 0;
    }

    bool rename(std::istringstream& words)
    {
        std::map<std::size_t, std::string> names;
        std::size_t k = 0;
        for (std::string name; words >> k >> name;) {
            if (!is_output(k)) {
                return false;
            }
            names[k] = name;
            m_mutant.harmless = m_mutant.harmless && name.front() == 't';
        }
        std::set<std::string> all;
        for (std::size_t other = 0; other < m_mutant.outputs.size(); ++other) {
            all.insert(names.count(other) != 0 ? names[other] : info(other).name());
        }
        if (all.size() != m_mutant.outputs.size() || names.empty()) {
            return false;
        }
        for (const auto& [place, name] : names) {
            onnx_tools::rename_value(m_graph, std::string(info(place).name()), fresh("renamed"));
        }
        for (const auto& [place, name] : names) {
            if (!is_free(name)) {
                return false;
            }
            onnx_tools::rename_value(m_graph, std::string(info(place).name()), name);
        }
        return true;
    }

    static int type_named(const std::string& name)
    {
        static const std::map<std::string, int> types{{"float32", onnx_number::float32},
                                                      {"int32", onnx_number::int32},
                                                      {"int64", onnx_number::int64},
                                                      {"float16", onnx_number::float16},
                                                      {"float64", onnx_number::float64}};
        return types.at(name);
    }

    std::string cast(const std::string& from, int type)
    {
        const auto to = fresh("mutation/cast");
        set_integer(add_node("Cast", {from}, to), "to", type);
        return to;
    }

    bool cast_output(std::istringstream& words)
    {
        std::size_t k = 0;
        std::string name;
        if (!read(words, k) || !(words >> name)) {
            return false;
        }
        const bool fraction = meaning(k).columns.find_first_of("xycsPQ") != std::string::npos;
        const int type = type_named(name);
        if (fraction && (type == onnx_number::int32 || type == onnx_number::int64)) {
            return false; // nothing would be left of the scores
        }
        set_integer(add_node("Cast", {before(k)}, info(k).name()), "to", type);
        info(k).mutable_type()->mutable_tensor_type()->set_elem_type(type);
        return true;
    }

    bool unsqueeze(std::istringstream& words)
    {
        std::size_t k = 0;
        std::size_t axis = 0;
        if (!read(words, k) || !(words >> axis) || axis > meaning(k).axes.size()) {
            return false;
        }
        m_mutant.odd = m_mutant.odd || m_mutant.outputs.size() > 1;
        with_axes("Unsqueeze", before(k), info(k).name(), static_cast<std::int64_t>(axis));
        if (auto* shape = declared_shape(k)) {
            shape->add_dim()->set_dim_value(1);
            for (int d = shape->dim_size() - 1; d > static_cast<int>(axis); --d) {
                shape->mutable_dim()->SwapElements(d, d - 1);
            }
        }
        meaning(k).axes.insert(axis, "1");
        return true;
    }

    bool squeeze(std::istringstream& words)
    {
        std::size_t k = 0;
        std::size_t axis = 0;
        if (!read(words, k) || !(words >> axis) || axis >= meaning(k).axes.size() ||
            (meaning(k).axes[axis] != '1' && !(meaning(k).axes[axis] == 'B' && m_mutant.batch == 1))) {
            return false;
        }
        m_mutant.odd = m_mutant.odd || m_mutant.outputs.size() > 1;
        with_axes("Squeeze", before(k), info(k).name(), static_cast<std::int64_t>(axis));
        if (auto* shape = declared_shape(k)) {
            shape->mutable_dim()->DeleteSubrange(static_cast<int>(axis), 1);
        }
        meaning(k).axes.erase(axis, 1);
        return true;
    }

    // Rows [n, columns] or [n], by a Reshape.
    bool flatten(std::istringstream& words)
    {
        std::size_t k = 0;
        const auto& axes = read(words, k) ? meaning(k).axes : output_meaning().axes;
        if (axes.find('n') == std::string::npos) {
            return false;
        }
        m_mutant.odd = m_mutant.odd || m_mutant.outputs.size() > 1;
        const auto columns = static_cast<double>(meaning(k).columns.size());
        const bool list = meaning(k).columns.size() == 1;
        const auto shape = integers(list ? std::vector<double>{-1} : std::vector<double>{-1, columns});
        add_node("Reshape", {before(k), shape}, info(k).name());
        info(k).mutable_type()->mutable_tensor_type()->clear_shape();
        auto& declared = *info(k).mutable_type()->mutable_tensor_type()->mutable_shape();
        declared.add_dim();
        if (!list) {
            declared.add_dim()->set_dim_value(static_cast<std::int64_t>(columns));
        }
        meaning(k).axes = list ? "n" : "nk";
        return true;
    }

    bool hide(std::istringstream& words)
    {
        std::size_t k = 0;
        std::string how;
        if (!read(words, k) || !(words >> how)) {
            return false;
        }
        m_mutant.harmless = m_mutant.harmless && how == "identity";
        const auto from = before(k);
        const auto& to = info(k).name();
        if (how == "identity") {
            add_node("Identity", {from}, to);
        } else if (how == "concat") {
            set_integer(add_node("Concat", {from}, to), "axis", 0);
        } else if (how == "where") {
            const auto yes = constant(onnx_number::boolean, {}, {1});
            const auto zero = constant(type_of(k), {}, {0});
            add_node("Where", {yes, from, zero}, to);
        } else {
            const auto shape = fresh("mutation/shape");
            add_node("Shape", {from}, shape);
            add_node("Reshape", {from, shape}, to);
        }
        return true;
    }

    // Some columns of a value of the rank of output k, one after the other.
    std::string columns_of(const std::string& from, std::size_t k, const std::vector<std::size_t>& places,
                           const std::string& how)
    {
        const auto axis = static_cast<std::int64_t>(meaning(k).axes.size()) - 1;
        const std::vector<double> numbers(places.begin(), places.end());
        const auto to = fresh("mutation/columns");
        if (how == "gather") {
            const auto which = integers(numbers);
            set_integer(add_node("Gather", {from, which}, to), "axis", places.size() % 2 == 0 ? axis : -1);
            return to;
        }
        std::vector<std::string> parts;
        if (how == "slices") {
            for (std::size_t i = 0; i < places.size();) {
                std::size_t end = i + 1;
                while (end < places.size() && places[end] == places[end - 1] + 1) {
                    ++end;
                }
                const auto first = integers({numbers[i]});
                const auto last = integers({numbers[end - 1] + 1});
                const auto along = integers({static_cast<double>(axis)});
                parts.push_back(fresh("mutation/slice"));
                add_node("Slice", {from, first, last, along}, parts.back());
                i = end;
            }
        } else {
            const auto all = meaning(k).columns.size();
            std::vector<std::string> each;
            auto& split = add_node("Split", {from}, fresh("mutation/split_0"));
            set_integer(split, "axis", axis);
            const int at = m_graph.node_size() - 1;
            each.push_back(split.output(0));
            for (std::size_t i = 1; i < all; ++i) {
                each.push_back(fresh("mutation/split_" + std::to_string(i)));
                m_graph.mutable_node(at)->add_output(each.back());
            }
            if (is_new()) {
                const auto sizes = integers(std::vector<double>(all, 1));
                m_graph.mutable_node(at)->add_input(sizes);
            } else {
                set_integers(*m_graph.mutable_node(at), "split", std::vector<std::int64_t>(all, 1));
            }
            for (const auto place : places) {
                parts.push_back(each[place]);
            }
        }
        if (parts.size() == 1) {
            return parts.front();
        }
        set_integer(add_node("Concat", parts, to), "axis", parts.size() % 2 == 0 ? axis : -1);
        return to;
    }

    [[nodiscard]] bool has_columns(std::size_t k) const
    {
        return m_mutant.outputs[k].axes.size() > 1 && m_mutant.outputs[k].axes.back() == 'k' && has_rows(k) &&
               m_mutant.outputs[k].columns.find('S') == std::string::npos;
    }

    bool move_columns(std::istringstream& words)
    {
        std::size_t k = 0;
        std::string how;
        if (!read(words, k) || !(words >> how) || !has_columns(k)) {
            return false;
        }
        std::vector<std::size_t> places;
        std::string columns;
        for (std::size_t place = 0; words >> place;) {
            if (place >= meaning(k).columns.size()) {
                return false;
            }
            places.push_back(place);
            columns += meaning(k).columns[place];
        }
        if (places.size() != meaning(k).columns.size()) {
            return false;
        }
        const auto from = before(k);
        const auto made = columns_of(from, k, places, how);
        add_node("Identity", {made}, info(k).name());
        meaning(k).columns = columns;
        return true;
    }

    bool take_apart(std::istringstream& words)
    {
        std::size_t k = 0;
        std::string how;
        if (!read(words, k) || !(words >> how) || !has_columns(k)) {
            return false;
        }
        std::vector<std::pair<std::size_t, std::string>> parts;
        std::size_t all = 0;
        std::size_t size = 0;
        for (std::string name; words >> size >> name;) {
            parts.emplace_back(size, name);
            all += size;
            if (!is_free(name)) {
                return false;
            }
        }
        if (all != meaning(k).columns.size() || parts.size() < 2) {
            return false;
        }
        std::size_t begin = 0;
        for (const auto& part : parts) { // the box stays whole
            const auto held = meaning(k).columns.substr(begin, part.first);
            const bool some = held.find_first_of("xyXYcdwh") != std::string::npos;
            if (some && held.find("xyXY") == std::string::npos && held.find("cdwh") == std::string::npos) {
                return false;
            }
            begin += part.first;
        }
        const std::string from = info(k).name();
        const auto declared = info(k);
        const auto whole = meaning(k);
        std::size_t first = 0;
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < m_mutant.outputs.size(); ++i) {
            places.push_back(i);
        }
        const auto at = places.begin() + static_cast<std::ptrdiff_t>(k);
        std::vector<std::size_t> added;
        for (const auto& [columns, name] : parts) {
            std::vector<std::size_t> own;
            for (std::size_t i = 0; i < columns; ++i) {
                own.push_back(first + i);
            }
            const auto made = columns_of(from, k, own, first % 2 == 0 ? "slices" : "gather");
            auto axes = whole.axes;
            auto& output = *m_graph.add_output();
            output = declared;
            output.set_name(name);
            auto& type = *output.mutable_type()->mutable_tensor_type();
            auto* shape = type.has_shape() ? type.mutable_shape() : nullptr;
            if (columns == 1 && how == "squeeze") {
                with_axes("Squeeze", made, name, static_cast<std::int64_t>(axes.size()) - 1);
                axes.pop_back();
                if (shape != nullptr) {
                    shape->mutable_dim()->RemoveLast();
                }
            } else {
                add_node("Identity", {made}, name);
                if (shape != nullptr) {
                    shape->mutable_dim(shape->dim_size() - 1)->set_dim_value(static_cast<std::int64_t>(columns));
                }
            }
            m_mutant.outputs.push_back({whole.columns.substr(first, columns), axes});
            added.push_back(m_mutant.outputs.size() - 1);
            first += columns;
        }
        places.erase(at);
        places.insert(places.begin() + static_cast<std::ptrdiff_t>(k), added.begin(), added.end());
        return arrange(places);
    }

    bool join(std::istringstream& words)
    {
        std::size_t k = 0;
        std::string name;
        if (!read(words, k) || !(words >> name) || !is_free(name)) {
            return false;
        }
        std::vector<std::size_t> all{k};
        for (std::size_t other = 0; words >> other;) {
            if (!is_output(other) || std::count(all.begin(), all.end(), other) != 0) {
                return false;
            }
            all.push_back(other);
        }
        const auto front = [&](std::size_t each) {
            auto axes = meaning(each).axes;
            if (!axes.empty() && (axes.back() == 'k' || (axes.size() > 1 && axes.back() == '1'))) {
                axes.pop_back();
            }
            return axes;
        };
        int type = onnx_number::float32;
        output_meaning whole{"", front(k) + "k"};
        for (const auto each : all) {
            if (front(each) != front(k) || !has_rows(each) || meaning(each).columns.find('S') != std::string::npos) {
                return false;
            }
            whole.columns += meaning(each).columns;
            type = meaning(each).columns.find('x') != std::string::npos ? type_of(each) : type;
        }
        if (all.size() < 2 ||
            (type != onnx_number::float32 && type != onnx_number::float16 && type != onnx_number::float64)) {
            return false;
        }
        std::vector<std::string> parts;
        for (const auto each : all) {
            std::string part = info(each).name();
            part = type_of(each) != type ? cast(part, type) : part;
            if (meaning(each).axes == front(each)) {
                const auto column = fresh("mutation/column");
                with_axes("Unsqueeze", part, column, static_cast<std::int64_t>(front(each).size()));
                part = column;
            }
            parts.push_back(part);
        }
        set_integer(add_node("Concat", parts, name), "axis",
                    all.size() % 2 == 0 ? static_cast<std::int64_t>(whole.axes.size()) - 1 : -1);
        const auto width = static_cast<std::int64_t>(whole.columns.size());
        auto& output = *m_graph.add_output();
        output = info(k);
        output.set_name(name);
        auto& declared = *output.mutable_type()->mutable_tensor_type();
        declared.set_elem_type(type);
        if (declared.has_shape()) {
            if (meaning(k).axes == front(k)) {
                declared.mutable_shape()->add_dim();
            }
            declared.mutable_shape()->mutable_dim(declared.shape().dim_size() - 1)->set_dim_value(width);
        }
        m_mutant.outputs.push_back(whole);
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i + 1 < m_mutant.outputs.size(); ++i) {
            if (i == k) {
                places.push_back(m_mutant.outputs.size() - 1);
            } else if (std::count(all.begin(), all.end(), i) == 0) {
                places.push_back(i);
            }
        }
        return arrange(places);
    }

    bool change_rows(std::istringstream& words)
    {
        std::string how;
        double number = 0;
        std::vector<std::size_t> which;
        words >> how >> number;
        for (std::size_t k = 0; words >> k;) {
            if (!is_output(k) || !has_rows(k)) {
                return false;
            }
            which.push_back(k);
        }
        std::size_t with = 0;
        std::size_t scores = m_mutant.outputs.size();
        bool counted = false;
        for (std::size_t k = 0; k < m_mutant.outputs.size(); ++k) {
            with += has_rows(k) ? 1 : 0;
            scores = meaning(k).columns.find('s') != std::string::npos ? k : scores;
            counted = counted || meaning(k).columns == "n";
        }
        // Nothing tells rows in another order than that of their counts, or of their images and labels.
        if (which.empty() || number < 1 || (how != "first" && (counted || which.size() < with))) {
            return false;
        }
        std::string places;
        if (how == "sort") {
            if (scores == m_mutant.outputs.size() || meaning(scores).axes.find('n') == std::string::npos) {
                return false;
            }
            places = best_rows(scores);
        }
        for (const auto k : which) {
            const auto axis = meaning(k).axes.find_first_of("Mn");
            const auto from = before(k);
            if (how == "sort") {
                set_integer(add_node("Gather", {from, places}, info(k).name()), "axis",
                            static_cast<std::int64_t>(axis));
            } else {
                const auto first = integers({how == "first" ? 0.0 : -1.0});
                const auto last = integers({how == "first" ? number : -1e9});
                const auto along = integers({static_cast<double>(axis)});
                const auto step = integers({how == "first" ? 1.0 : -1.0});
                add_node("Slice", {from, first, last, along, step}, info(k).name());
            }
            if (auto* shape = declared_shape(k); shape != nullptr && how == "first") {
                auto& dim = *shape->mutable_dim(static_cast<int>(axis));
                const auto size = dim.dim_value();
                dim.Clear();
                if (size != 0) {
                    dim.set_dim_value(std::min(size, static_cast<std::int64_t>(number)));
                }
            }
        }
        return true;
    }

    // The places of the rows, the best first.
    std::string best_rows(std::size_t k)
    {
        std::string list = info(k).name();
        if (meaning(k).columns.size() > 1) {
            list = columns_of(list, k, {meaning(k).columns.find('s')}, "slices");
        }
        const auto minus_one = integers({-1});
        const auto flat = fresh("mutation/scores");
        add_node("Reshape", {list, minus_one}, flat);
        const auto extents = fresh("mutation/extents");
        add_node("Shape", {flat}, extents);
        const auto values = fresh("mutation/best");
        auto& node = add_node("TopK", {flat, extents}, values);
        set_integer(node, "axis", 0);
        node.add_output(fresh("mutation/places"));
        return m_graph.node(m_graph.node_size() - 1).output(1);
    }

    bool add_number(std::istringstream& words)
    {
        std::size_t k = 0;
        double number = 0;
        if (!read(words, k) || !(words >> number) || (meaning(k).columns != "n" && meaning(k).columns != "b")) {
            return false;
        }
        const auto one = constant(type_of(k), {}, {number});
        add_node("Add", {before(k), one}, info(k).name());
        meaning(k).columns = number == 0 ? meaning(k).columns : "?";
        return true;
    }

    bool scale(std::istringstream& words)
    {
        std::size_t k = 0;
        if (!read(words, k) || meaning(k).columns != "xyXY" || m_mutant.is_normalised) {
            return false;
        }
        const auto sizes = constant(type_of(k), {4}, {form_width, form_height, form_width, form_height});
        add_node("Div", {before(k), sizes}, info(k).name());
        m_mutant.is_normalised = true;
        return true;
    }

    bool center(std::istringstream& words)
    {
        std::size_t k = 0;
        if (!read(words, k) || meaning(k).columns != "xyXY" || !has_columns(k)) {
            return false;
        }
        const auto from = before(k);
        const auto low = columns_of(from, k, {0, 1}, "slices");
        const auto high = columns_of(from, k, {2, 3}, "slices");
        const auto half = constant(type_of(k), {}, {0.5});
        const auto sum = fresh("mutation/sum");
        add_node("Add", {low, high}, sum);
        const auto middle = fresh("mutation/middle");
        add_node("Mul", {sum, half}, middle);
        const auto size = fresh("mutation/size");
        add_node("Sub", {high, low}, size);
        set_integer(add_node("Concat", {middle, size}, info(k).name()), "axis", -1);
        meaning(k).columns = "cdwh";
        return true;
    }

    bool drop(std::istringstream& words)
    {
        std::size_t k = 0;
        if (!read(words, k) || m_mutant.outputs.size() < 2) {
            return false;
        }
        m_graph.mutable_output()->DeleteSubrange(static_cast<int>(k), 1);
        m_mutant.outputs.erase(m_mutant.outputs.begin() + static_cast<std::ptrdiff_t>(k));
        return true;
    }

    bool copy(std::istringstream& words)
    {
        std::size_t k = 0;
        std::string name;
        if (!read(words, k) || !(words >> name) || !is_free(name)) {
            return false;
        }
        add_node("Identity", {info(k).name()}, name);
        auto& output = *m_graph.add_output();
        output = info(k);
        output.set_name(name);
        m_mutant.outputs.push_back(output_meaning(m_mutant.outputs[k]));
        return true;
    }

    bool further(std::istringstream& words)
    {
        std::string kind;
        std::size_t place = 0;
        std::string name;
        if (!(words >> kind >> place >> name) || place > m_mutant.outputs.size() || !is_free(name)) {
            return false;
        }
        onnx::ValueInfoProto made;
        made.set_name(name);
        auto& type = *made.mutable_type()->mutable_tensor_type();
        type.set_elem_type(onnx_number::int64);
        if (kind == "number") {
            if (meaning(0).axes.find('n') == std::string::npos) {
                return false;
            }
            const auto shape = fresh("mutation/shape");
            add_node("Shape", {info(0).name()}, shape);
            const auto which = integers({static_cast<double>(meaning(0).axes.find('n'))});
            set_integer(add_node("Gather", {shape, which}, name), "axis", 0);
            type.mutable_shape()->add_dim()->set_dim_value(1);
        } else if (kind == "size") {
            const auto size = integers({form_height, form_width});
            add_node("Identity", {size}, name);
            type.mutable_shape()->add_dim()->set_dim_value(2);
        } else {
            const auto anchors = constant(onnx_number::float32, {5, 4}, std::vector<double>(20, 16));
            add_node("Identity", {anchors}, name);
            type.set_elem_type(onnx_number::float32);
            type.mutable_shape()->add_dim()->set_dim_value(5);
            type.mutable_shape()->add_dim()->set_dim_value(4);
        }
        // The number of rows of the one image is what counts are.
        const bool counts = kind == "number" && m_mutant.batch == 1;
        m_mutant.outputs.insert(m_mutant.outputs.begin() + static_cast<std::ptrdiff_t>(place),
                                output_meaning{counts ? "n" : "", counts ? "B" : "-"});
        auto& outputs = *m_graph.mutable_output();
        *outputs.Add() = made;
        for (int d = outputs.size() - 1; d > static_cast<int>(place); --d) {
            outputs.SwapElements(d, d - 1);
        }
        return true;
    }

    bool unshape(std::istringstream& words)
    {
        m_mutant.odd = true;
        std::size_t k = 0;
        if (words >> k) {
            if (!is_output(k)) {
                return false;
            }
            info(k).mutable_type()->mutable_tensor_type()->clear_shape();
            return true;
        }
        for (std::size_t each = 0; each < m_mutant.outputs.size(); ++each) {
            info(each).mutable_type()->mutable_tensor_type()->clear_shape();
        }
        m_graph.clear_value_info();
        return true;
    }

    bool change_inputs(std::istringstream& words)
    {
        std::string how;
        words >> how;
        if ((how == "one") == (m_mutant.batch == 2)) {
            return false;
        }
        m_mutant.harmless = m_mutant.harmless && how == "own" && m_mutant.batch == 0;
        for (auto& input : *m_graph.mutable_input()) {
            auto& type = *input.mutable_type()->mutable_tensor_type();
            if (!type.has_shape() || type.shape().dim_size() < 2) {
                continue;
            }
            auto& first = *type.mutable_shape()->mutable_dim(0);
            if (how == "one") {
                first.set_dim_value(1);
            } else if (how == "open") {
                first.Clear();
            } else {
                first.set_dim_param("images_of_a_batch");
            }
        }
        m_mutant.batch = how == "one" ? 1 : m_mutant.batch;
        return true;
    }

    bool as_initializers(std::istringstream&)
    {
        google::protobuf::RepeatedPtrField<onnx::NodeProto> others;
        bool any = false;
        for (const auto& node : m_graph.node()) {
            const auto* value = node.op_type() == "Constant" ? onnx_tools::attribute(node, "value") : nullptr;
            if (value == nullptr) {
                *others.Add() = node;
                continue;
            }
            auto& tensor = *m_graph.add_initializer();
            tensor = value->t();
            tensor.set_name(node.output(0));
            any = true;
        }
        m_graph.mutable_node()->Swap(&others);
        return any;
    }

    bool drop_metadata(std::istringstream&)
    {
        const bool any = m_mutant.model.metadata_props_size() > 0;
        m_mutant.model.clear_metadata_props();
        return any;
    }

    form_mutant& m_mutant;
};

} // namespace detail

/// Applies a step. False, with a mutant that is of no use any more, if the step does not fit it.
[[nodiscard]] inline bool apply(form_mutant& m, const std::string& step)
{
    return detail::form_changer(m).apply(step);
}

/// Draws a step that fits `m`, most of the time.
inline std::string draw_form_step(const form_mutant& m, mutation_draws& draw)
{
    static const std::vector<std::string> telling{"boxes",  "labels",     "scores",      "num_dets", "num_detections",
                                                  "dets",   "classes",    "batch_index", "counts",   "detections",
                                                  "output", "pred_boxes", "masks",       "logits",   "det_classes"};
    const std::size_t count = m.outputs.size();
    const auto number = [](std::size_t n) { return std::to_string(n); };
    const auto any = [&] { return draw.below(count); };
    const auto own_name = [&] { return "t" + number(1000 + draw.below(9000)); };
    const auto name_of = [&](std::size_t k) { return m.model.graph().output(static_cast<int>(k)).name(); };
    const auto with = [&](const std::function<bool(const output_meaning&)>& fits) {
        std::vector<std::size_t> all;
        for (std::size_t k = 0; k < count; ++k) {
            if (fits(m.outputs[k])) {
                all.push_back(k);
            }
        }
        return all.empty() ? count : draw.of(all); // an output that does not exist fits no step
    };
    const auto joined = [&] { return with([](const output_meaning& o) { return o.columns.size() > 4; }); };
    const auto row_outputs = [&] {
        std::string list;
        for (std::size_t k = 0; k < count; ++k) {
            if (m.outputs[k].axes.find_first_of("Mn") != std::string::npos) {
                list += " " + number(k);
            }
        }
        return list;
    };
    const std::string seed = number(draw.below(1000000));
    std::vector<std::size_t> places(count);
    for (std::size_t k = 0; k < count; ++k) {
        places[k] = k;
    }
    switch (draw.below(36)) {
    case 0:
    case 1:
    case 2: {
        draw.shuffle(count, [&](std::size_t a, std::size_t b) { std::swap(places[a], places[b]); });
        std::string step = "order";
        for (const auto place : places) {
            step += " " + number(place);
        }
        return step;
    }
    case 3: {
        std::string step = "rename";
        for (std::size_t k = 0; k < count; ++k) {
            step += " " + number(k) + " t" + number(1000 * (k + 1) + draw.below(1000));
        }
        return step;
    }
    case 4: return "rename " + number(any()) + " " + draw.of(telling);
    case 5: {
        const auto k = any();
        const auto other = any();
        return k == other ? "rename " + number(k) + " " + draw.of(telling)
                          : "rename " + number(k) + " " + name_of(other) + " " + number(other) + " " + name_of(k);
    }
    case 6:
    case 7:
    case 8: {
        static const std::vector<std::string> types{"float32", "float16", "float64", "int64", "int32"};
        return "cast " + number(any()) + " " + draw.of(types);
    }
    case 9: {
        const auto k = any();
        return "unsqueeze " + number(k) + " " + number(draw.below(m.outputs[k].axes.size() + 1));
    }
    case 10:
    case 11: {
        const auto k = with([](const output_meaning& o) { return o.axes.find('1') != std::string::npos; });
        return k == count ? "squeeze " + number(any()) + " 0"
                          : "squeeze " + number(k) + " " + number(m.outputs[k].axes.find('1'));
    }
    case 12: return "flatten " + number(any());
    case 13: {
        static const std::vector<std::string> how{"identity", "concat", "reshape", "where"};
        return "hide " + number(any()) + " " + draw.of(how);
    }
    case 14:
    case 15:
    case 16:
    case 17: { // the box stays as it is, since nothing shows which number of it is which
        const auto k = joined();
        if (k == count) {
            return "unshape " + number(any());
        }
        const auto& columns = m.outputs[k].columns;
        const auto x = columns.find_first_of("xc");
        std::vector<std::size_t> singles;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (x == std::string::npos || i < x || i >= x + 4) {
                singles.push_back(i);
            }
        }
        draw.shuffle(singles.size(), [&](std::size_t a, std::size_t b) { std::swap(singles[a], singles[b]); });
        const auto box_at = draw.below(singles.size() + 1);
        static const std::vector<std::string> how{"gather", "slices", "split"};
        std::string step = "columns " + number(k) + " " + draw.of(how);
        for (std::size_t i = 0; i <= singles.size(); ++i) {
            for (std::size_t c = 0; i == box_at && x != std::string::npos && c < 4; ++c) {
                step += " " + number(x + c);
            }
            step += i < singles.size() ? " " + number(singles[i]) : "";
        }
        return step;
    }
    case 18:
    case 19:
    case 20: {
        const auto k = joined();
        if (k == count) {
            return "dims same";
        }
        std::string step = "apart " + number(k) + (draw.one_in(3) ? " keep" : " squeeze");
        const auto& columns = m.outputs[k].columns;
        for (std::size_t i = 0; i < columns.size();) {
            const bool box = columns[i] == 'x' || columns[i] == 'c';
            std::size_t size = box ? 4 : 1;
            size += i + size < columns.size() && draw.one_in(4) ? 1 : 0;
            size = std::min(size, columns.size() - i);
            if (!box && size == 2 && (columns[i + 1] == 'x' || columns[i + 1] == 'c')) {
                size = i + 5 <= columns.size() ? 5 : 1;
            }
            step += " " + number(size) + " t" + number(100 * i + draw.below(100) + 2000);
            i += size;
        }
        return step;
    }
    case 21:
    case 22: {
        std::vector<std::size_t> rows;
        for (std::size_t k = 0; k < count; ++k) {
            if (m.outputs[k].axes.find_first_of("Mn") != std::string::npos) {
                rows.push_back(k);
            }
        }
        draw.shuffle(rows.size(), [&](std::size_t a, std::size_t b) { std::swap(rows[a], rows[b]); });
        if (rows.size() > 2 && draw.one_in(3)) {
            rows.resize(2);
        }
        std::string step = "join";
        for (std::size_t i = 0; i < rows.size(); ++i) {
            step += " " + number(rows[i]) + (i == 0 ? " " + own_name() : "");
        }
        return step;
    }
    case 23:
    case 24: {
        static const std::vector<std::string> how{"first", "first", "reverse", "sort"};
        const auto what = draw.of(how);
        return "rows " + what + " " + number(1 + draw.below(30)) +
               (what == "first" && draw.one_in(4) ? " " + number(any()) : row_outputs());
    }
    case 25:
        return "add " + number(with([](const output_meaning& o) { return o.columns == "n" || o.columns == "b"; })) +
               (draw.one_in(4) ? " 0" : " 1");
    case 26: return "scale " + number(with([](const output_meaning& o) { return o.columns == "xyXY"; }));
    case 27:
        return m.padded ? "center " + number(with([](const output_meaning& o) { return o.columns == "xyXY"; }))
                        : "unshape";
    case 28: return draw.one_in(2) ? "drop " + number(any()) : "double " + number(any()) + " " + own_name();
    case 29: {
        static const std::vector<std::string> kinds{"size", "anchors", "number"};
        return "further " + draw.of(kinds) + " " + number(draw.below(count + 1)) + " " +
               (draw.one_in(2) ? own_name() : draw.of(telling));
    }
    case 30: {
        static const std::vector<std::string> how{"same", "own", "open"};
        return "dims " + draw.of(how);
    }
    case 31: return draw.one_in(2) ? "unshape" : "unshape " + number(any());
    case 32: {
        static const std::vector<std::string> how{"open", "one", "own"};
        return "input " + draw.of(how);
    }
    case 33: return draw.one_in(2) ? "constants" : "metadata";
    case 34: return (draw.one_in(2) ? "shuffle " : "sort ") + seed;
    default: return (draw.one_in(2) ? "function " : "reader ") + seed;
    }
}

} // namespace padbatch::test

#endif
