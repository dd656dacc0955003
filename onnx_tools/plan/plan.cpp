// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/plan.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/functions.hpp>
#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/plan/check_body.hpp>
#include <onnx_tools/plan/check_options.hpp>
#include <onnx_tools/plan/output_names.hpp>
#include <onnx_tools/plan/pad_value.hpp>
#include <onnx_tools/plan/plan_exposed.hpp>
#include <onnx_tools/plan/threshold.hpp>
#include <onnx_tools/recognise/batch_inputs.hpp>
#include <onnx_tools/recognise/cuts.hpp>
#include <onnx_tools/recognise/pixel_boxes.hpp>
#include <onnx_tools/recognise/region_masks.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

// The oldest opset whose Slice takes its bounds as inputs for all types used here. torchvision's detection models need
// it too.
constexpr std::int64_t oldest_opset = 11;

void require_opset(const onnx::ModelProto& model)
{
    const std::int64_t version = standard_opset(model);
    if (version < oldest_opset) {
        throw tool_error(failure::refused,
                         {version == 0 ? "the model uses no standard ONNX operators"
                                       : "the model has opset " + std::to_string(version),
                          "opset " + std::to_string(oldest_opset) + " or newer",
                          (version == 0 ? ""
                                        : "convert it: onnx.version_converter.convert_version(onnx.load(IN), " +
                                              std::to_string(oldest_opset) + ") in Python; or ") +
                              "export the model again with opset_version=" + std::to_string(oldest_opset) +
                              " or newer"});
    }
}

// What the user chose for a field, or `otherwise`.
template <class Value>
Value chosen_or(const std::map<field, Value>& chosen, field kind, const Value& otherwise)
{
    const auto found = chosen.find(kind);
    return found == chosen.end() ? otherwise : found->second;
}

std::string symbol_of(field kind, std::size_t row_dimension, std::size_t row_rank)
{
    if (kind == field::masks && row_rank - row_dimension <= 2) {
        return row_rank - row_dimension == 2 ? "masks_height" : "masks_width";
    }
    return std::string(name_of(kind)) + "_dim_" + std::to_string(row_dimension + 2);
}

class planner {
public:
    planner(const onnx::ModelProto& model, const detections& source, const pad_options& options)
        : m_graph(model.graph()), m_options(options), m_rules(rules_of(options.layout)), m_fresh(model.graph())
    {
        m_plan.source = source;
        m_plan.layout = &m_rules;
        m_plan.masks = options.masks;
        if (m_rules.normalises_boxes) {
            require_pixels();
        }
    }

    pad_plan run()
    {
        plan_batch();
        plan_rows();
        std::vector<layout_output> outputs = m_rules.outputs;
        for (const auto& f : m_plan.source.fields) {
            if (!is_in(outputs, f.kind)) {
                outputs.push_back({name_of(f.kind), {f.kind}});
            }
        }
        for (const auto& output : outputs) {
            plan_output(output);
        }
        plan_count();
        for (const auto& name : m_plan.source.other_outputs) {
            plan_other(name);
        }
        plan_exposed(m_graph, m_options, m_plan);
        require_free_names(m_graph, m_plan);
        return std::move(m_plan);
    }

private:
    static bool is_in(const std::vector<layout_output>& outputs, field kind)
    {
        return std::any_of(outputs.begin(), outputs.end(), [&](const layout_output& output) {
            return std::find(output.fields.begin(), output.fields.end(), kind) != output.fields.end();
        });
    }

    [[nodiscard]] const recognised_field* source_of(field kind) const
    {
        if (kind == field::masks && m_options.masks == mask_choice::none) {
            return nullptr;
        }
        return find_field(m_plan.source, kind);
    }

    void plan_batch()
    {
        const auto& source = m_plan.source;
        m_plan.how = source.flat ? batching::flat : m_options.dynamic_batch ? batching::loop : batching::fixed;
        if (m_plan.how == batching::fixed) {
            m_plan.batch.size = source.batch;
            return;
        }
        for (const auto& input : m_graph.input()) {
            const auto shape = declared_type(input).shape;
            const bool names_batch =
                m_plan.how == batching::flat
                    ? input.name() == source.flat->batch_input
                    : std::any_of(source.image_inputs.begin(), source.image_inputs.end(), [&](const auto& of_image) {
                          return of_image.has_batch && of_image.name == input.name();
                      });
            if (!names_batch || shape.empty()) {
                continue;
            }
            if (const auto images = images_taken(input); m_plan.how == batching::loop && images != 1) {
                throw tool_error(failure::refused,
                                 {"`dynamic_batch`: the model takes " + std::to_string(images) +
                                      " images at a time, but has the detections of one",
                                  "an export of one image, which can be repeated for each image of a batch",
                                  "export the model with one image, or leave `dynamic_batch` out"});
            }
            if (!shape.front().size) {
                m_plan.batch.symbol = shape.front().symbol; // as the user named it
            } else if (m_plan.how == batching::flat) {
                m_plan.batch.size = shape.front().size;
            }
        }
        if (!m_plan.batch.size && m_plan.batch.symbol.empty()) {
            m_plan.batch.symbol = m_fresh("batch");
        }
    }

    // How many images the graph takes from `input`: as many as it declares, or else as it is taken apart into; 1 if any
    // number will do.
    [[nodiscard]] std::int64_t images_taken(const onnx::ValueInfoProto& input)
    {
        if (const auto declared = declared_type(input).shape.front().size) {
            return *declared;
        }
        for (const auto& promise : false_promises(index())) {
            if (promise.input->name() == input.name() && !promise.how.padded) {
                return promise.how.images;
            }
        }
        return 1;
    }

    void plan_rows()
    {
        plan_settings();
        if (std::holds_alternative<largest_of_batch>(m_options.max_detections)) {
            m_rows.symbol = m_fresh("max_detections");
        } else {
            const auto* number = std::get_if<std::int64_t>(&m_options.max_detections);
            m_plan.max_detections = number != nullptr ? *number : limit_of(m_plan).value();
            move_cuts();
            const auto limit = limit_of(m_plan);
            m_plan.cuts_rows = !limit || *m_plan.max_detections < *limit || m_plan.source.may_exceed_limit;
            m_rows = {m_plan.max_detections, ""};
        }
        if (m_options.classes) {
            m_plan.classes = m_options.classes;
            m_plan.classes_at_cuts = !m_plan.source.cuts.empty();
            m_plan.classes_in_head = m_plan.source.head && m_plan.source.selection.classes == m_options.classes;
        }
        if (m_options.min_score) {
            m_plan.min_score = m_options.min_score;
            m_plan.scores_in_head = m_plan.source.head && m_plan.source.selection.score == m_options.min_score;
            m_plan.score_above = threshold("`min_score`", field::scores, *m_options.min_score);
            m_plan.scores_at_cuts = !m_plan.source.cuts.empty() && find_field(m_plan.source, field::scores) != nullptr;
        }
    }

    // What the user sets in the model itself.
    void plan_settings()
    {
        for (const auto& found : m_plan.source.parameters) {
            const auto chosen = m_options.settings.find(found.kind);
            if (chosen == m_options.settings.end()) {
                continue;
            }
            const double now = std::visit([](auto n) { return static_cast<double>(n); }, chosen->second);
            m_plan.settings.push_back({found.kind, found.value, now, found.places});
            if (found.kind == parameter::detections_per_img) {
                set_limit(static_cast<std::int64_t>(now));
            }
        }
    }

    // Each image's cut now cuts at `rows`.
    void set_limit(std::int64_t rows)
    {
        const auto& limit = m_plan.source.limit;
        if (limit && (limit->at_cut ? rows != limit->rows : rows < limit->rows)) {
            m_plan.new_limit = rows;
        }
    }

    // Rows that nobody reads are not computed, and more rows than the model has are, if its cuts can be at M.
    void move_cuts()
    {
        const auto& source = m_plan.source;
        const auto rows = *m_plan.max_detections;
        if (m_options.settings.count(parameter::detections_per_img) != 0 || source.cuts.empty() || !source.limit ||
            rows == source.limit->rows) {
            return;
        }
        planned_setting moved{
            parameter::detections_per_img, static_cast<double>(source.limit->rows), static_cast<double>(rows), {}};
        for (const auto& cut : source.cuts) {
            moved.places.push_back({{}, cut, 2});
        }
        m_plan.settings.push_back(std::move(moved));
        m_plan.new_limit = rows;
    }

    [[nodiscard]] onnx::TensorProto threshold(const std::string& option, field kind, double number) const
    {
        const auto element = source_of(kind)->element;
        auto above = just_below(element, number);
        if (!above) {
            misused(option + " is " + text_of_number(number) + ", but the " + std::string(name_of(kind)) +
                        " of this model are " + name_of(element),
                    "float16, float32 or float64, and a number that this type has",
                    "choose another number, or leave the option out");
        }
        return std::move(*above);
    }

    void plan_output(const layout_output& rule)
    {
        planned_output output;
        output.name = chosen_or(m_options.names, rule.fields.front(), std::string(rule.name));
        output.shape = {m_plan.batch, m_rows};
        const bool joined = rule.fields.size() > 1;
        std::int64_t columns = 0;
        for (const auto kind : rule.fields) {
            if (source_of(kind) == nullptr) {
                return;
            }
            if (kind != rule.fields.front() && m_options.names.count(kind) != 0) {
                const std::string first(name_of(rule.fields.front()));
                misused("`rename` " + std::string(name_of(kind)) + "=...: the layout " + std::string(m_rules.name) +
                            " puts them into the output of the " + first,
                        "`rename` " + first + "=NAME", "rename that output by its first field");
            }
            output.fields.push_back(m_plan.fields.size());
            plan_field(*source_of(kind), joined);
            columns += m_plan.fields.back().row.empty() ? 1 : m_plan.fields.back().row.back().size.value_or(0);
        }
        const auto& first = m_plan.fields[output.fields.front()];
        output.element = first.element;
        if (joined) {
            output.shape.push_back({columns, ""});
        } else {
            output.shape.insert(output.shape.end(), first.row.begin(), first.row.end());
        }
        const bool pasted = first.kind == field::masks && m_options.masks == mask_choice::full;
        output.bytes =
            bytes_of(output.name, output.element, output.shape, pasted ? m_plan.source.image_size : std::nullopt);
        m_plan.outputs.push_back(std::move(output));
    }

    static output_bytes bytes_of(const std::string& name, element_type element, const std::vector<dimension>& shape,
                                 const std::optional<image_extents>& image)
    {
        auto bytes = count_bytes(element, shape, image);
        if (!bytes) {
            misused("the output " + quoted(name) + " would be too large: " + name_of(element) + " " +
                        text_of_shape(shape),
                    "an output of fewer than 2^63 bytes", "pass a smaller `max_detections`");
        }
        return std::move(*bytes);
    }

    void plan_field(const recognised_field& source, bool joined)
    {
        planned_field f;
        f.kind = source.kind;
        f.values = source.values;
        f.from = source.element;
        f.element = source.element;
        f.row = source.row;
        f.normalised = source.kind == field::boxes && m_rules.normalises_boxes;
        if (source.kind == field::masks) {
            plan_masks(f);
        }
        if (source.kind == field::labels) {
            f.element = m_options.label_type ? *m_options.label_type : m_rules.label_type.value_or(f.element);
        }
        if (joined) {
            f.element = source_of(field::boxes)->element;
        }
        for (std::size_t d = 0; d < f.row.size(); ++d) {
            if (!f.row[d].size) {
                f.row[d].symbol = m_fresh(symbol_of(f.kind, d, f.row.size()));
            }
        }
        plan_padding(f);
        m_plan.fields.push_back(std::move(f));
    }

    void require_pixels()
    {
        const auto doubt = doubt_about_pixels(index(), m_plan.source);
        if (!doubt.empty()) {
            throw tool_error(
                failure::refused,
                {"`layout` " + std::string(m_rules.name) + " divides boxes by the size of the image, but " + doubt,
                 "boxes in pixels of an image of floating point, [B, 3, H, W] or [3, H, W]",
                 "use another layout, and divide the boxes where their size is known"});
        }
    }

    void plan_masks(planned_field& f)
    {
        const bool region = m_options.masks == mask_choice::roi;
        if (region) {
            take_region_masks(f);
        }
        m_plan.widens_masks = !region && m_plan.source.sizes_may_differ && f.row.size() >= 2;
        if (m_options.mask_type && *m_options.mask_type != element_type::float32) {
            m_plan.mask_threshold = m_options.mask_threshold.value_or(0.5);
            f.above = threshold("`mask_threshold`", field::masks, *m_plan.mask_threshold);
            f.from = element_type::boolean;
            f.element = *m_options.mask_type;
        } else if (m_options.mask_type) {
            f.element = element_type::float32;
        }
        if ((m_options.squeeze_masks || m_rules.squeezes_masks) && f.row.size() == 3) {
            if (f.row.front().size && *f.row.front().size != 1) {
                misused("the masks have " + std::to_string(*f.row.front().size) + " channels",
                        "masks [n, 1, H, W], whose 1 can be dropped",
                        "leave `squeeze_masks` out, or use another layout");
            }
            f.squeezed = true;
            f.row.erase(f.row.begin());
        }
    }

    void take_region_masks(planned_field& f)
    {
        const image_extents unknown{-1, -1};
        auto size = unknown;
        for (std::size_t i = 0; i < f.values.size(); ++i) {
            const auto found = find_region_masks(index(), f.values[i]);
            if (!found) {
                throw tool_error(
                    failure::refused,
                    {"`masks` roi: the graph does not show what the masks " + quoted(f.values[i]) + " are pasted from",
                     "the loop over Pad(region masks) in which torchvision's exports paste",
                     "use `masks` full or `masks` none"});
            }
            f.values[i] = found->value;
            const auto own = found->size.value_or(unknown);
            size = i == 0 || size == own ? own : unknown;
        }
        f.squeezed = f.row.size() == 2; // the model itself drops the 1
        f.row.assign(f.squeezed ? 2 : 3, {});
        f.row.front().size = f.squeezed ? std::nullopt : std::optional<std::int64_t>(1);
        if (size != unknown) {
            f.row[f.row.size() - 2].size = size.first;
            f.row[f.row.size() - 1].size = size.second;
        }
        f.from.reset(); // the pasted masks may have been converted
    }

    void plan_padding(planned_field& f)
    {
        const std::string name(name_of(f.kind));
        const number by_layout = f.kind == field::labels ? m_rules.label_padding : std::int64_t{0};
        f.padding = chosen_or(m_options.pad_values, f.kind, by_layout);
        auto value = make_pad_value(f.element, f.padding);
        if (!value && f.element == element_type::bfloat16) {
            throw tool_error(failure::refused, {"the " + name + " are bfloat16", "float16, float32 or float64",
                                                "convert the model's outputs to one of these"});
        }
        if (!value) {
            misused("`pad_value` " + name + "=" + text_of(f.padding) + ": the " + name + " of this model are " +
                        name_of(f.element),
                    range_text(f.element), "correct the value");
        }
        require_end(f);
        f.pad_value = std::move(*value);
    }

    // Without counts, the padding itself shows where the rows of an image end: by its labels if the layout has a label
    // for it, and by scores that are not above 0.
    void require_end(const planned_field& f)
    {
        if (!m_rules.count_name.empty()) {
            return;
        }
        const auto padding = std::visit([](auto n) { return static_cast<double>(n); }, f.padding);
        const std::string given = "`pad_value` " + std::string(name_of(f.kind)) + "=" + text_of(f.padding) +
                                  " is given together with `layout` " + std::string(m_rules.name) +
                                  ", which has no counts: padding would be taken for detections";
        const std::string remedy = "leave `pad_value` out, or choose a layout with counts";
        if (f.kind == field::scores && padding > 0) {
            misused(given, "scores of 0 or less", remedy);
        }
        if (f.kind == field::labels && m_rules.label_padding != 0 &&
            padding != static_cast<double>(m_rules.label_padding)) {
            misused(given, "the layout's label " + std::to_string(m_rules.label_padding), remedy);
        }
    }

    void plan_count()
    {
        if (m_rules.count_name.empty()) {
            return;
        }
        planned_count count;
        count.name = m_options.count_name.value_or(std::string(m_rules.count_name));
        count.element = m_options.count_type.value_or(m_rules.count_type);
        count.flat = m_options.flat_counts.value_or(m_rules.flat_counts);
        count.shape = {m_plan.batch};
        if (!count.flat) {
            count.shape.push_back({1, ""});
        }
        count.bytes = bytes_of(count.name, count.element, count.shape, std::nullopt);
        m_plan.count = std::move(count);
    }

    // An output that is not a detection gets the batch as its first extent in a loop over the images, in place of the 1
    // that it has in an export of one image, if it has that. If the file does not declare the extent, a run shows
    // whether it is 1.
    void plan_other(const std::string& name)
    {
        if (m_plan.how != batching::loop) {
            return;
        }
        const auto& outputs = m_graph.output();
        const auto info =
            std::find_if(outputs.begin(), outputs.end(), [&](const auto& output) { return output.name() == name; });
        const auto type = declared_type(*info);
        if (!type.element || !type.rank) {
            throw tool_error(failure::refused, {"`dynamic_batch`: the output " + quoted(name) +
                                                    " does not declare its element type and rank",
                                                "further outputs that declare them, such as [1, C, H, W] of float32",
                                                "export the model without this output, or with its shape"});
        }
        const bool is_input = std::any_of(m_graph.input().begin(), m_graph.input().end(),
                                          [&](const auto& input) { return input.name() == name; });
        if (is_input) {
            throw tool_error(failure::refused,
                             {"`dynamic_batch`: the output " + quoted(name) + " is an input of the model",
                              "outputs that are made by nodes", "export the model without this output"});
        }
        const bool open = *type.rank > 0 && !type.shape.front().size;
        if (open && !cuts().of(name).empty()) {
            throw tool_error(failure::refused,
                             {"`dynamic_batch`: the output " + quoted(name) +
                                  " depends on what is detected, but does not declare how many rows it has",
                              "further outputs of a fixed shape, such as [1, C, H, W]",
                              "export the model without this output"});
        }
        planned_other other;
        other.name = name;
        other.squeezed = *type.rank > 0 && type.shape.front().size.value_or(1) == 1;
        other.element = *type.element;
        other.shape = {m_plan.batch};
        other.shape.insert(other.shape.end(), type.shape.begin() + (other.squeezed ? 1 : 0), type.shape.end());
        m_plan.others.push_back(std::move(other));
    }

    // Most plans need none.
    const graph_index& index() { return m_index ? *m_index : m_index.emplace(m_graph); }
    const cut_sets& cuts() { return m_cuts ? *m_cuts : m_cuts.emplace(index()); }

    const onnx::GraphProto& m_graph;
    std::optional<graph_index> m_index;
    std::optional<cut_sets> m_cuts;
    const pad_options& m_options;
    const layout_rules& m_rules;
    fresh_names m_fresh;
    pad_plan m_plan;
    dimension m_rows;
};

// Padding reads values of the graph itself, not those between the nodes of a function.
void require_own_values(const onnx::GraphProto& graph, const pad_plan& p)
{
    const auto own = defined_names(graph);
    const auto require = [&](const std::string& value) {
        if (!value.empty() && own.count(value) == 0) {
            throw tool_error(failure::refused, {"the value " + quoted(value) +
                                                    ", which padding would read, is inside a function "
                                                    "of the model",
                                                "a value of the graph itself",
                                                "inline the functions first: "
                                                "onnx.inliner.inline_local_functions(onnx.load(IN)) in Python"});
        }
    };
    for (const auto& f : p.fields) {
        std::for_each(f.values.begin(), f.values.end(), require);
    }
    if (p.source.rearranged) {
        for (const auto& node : p.source.rearranged->nodes) {
            std::for_each(node.input().begin(), node.input().end(), require);
        }
    }
    if (const auto& flat = p.source.flat) {
        for (const auto* value :
             {&flat->rows, &flat->batch_index, &flat->row_labels, &flat->row_scores, &flat->boxes, &flat->scores}) {
            require(*value);
        }
        for (const auto& [kind, value] : flat->row_fields) {
            require(value);
        }
    }
}

// The limit can be changed in nodes of the graph itself, not in those of a function.
void require_own_cuts(const onnx::GraphProto& graph, detections& source)
{
    const graph_index index(graph);
    const bool own = std::all_of(source.cuts.begin(), source.cuts.end(),
                                 [&](const auto& cut) { return is(index.producer(cut), {"Slice"}); });
    if (!own) {
        source.cuts.clear();
        source.limit_stays = "it is inside a function of the model";
    }
}

// So can its other parameters.
void require_own_parameters(const onnx::GraphProto& graph, detections& source)
{
    const auto own = defined_names(graph);
    std::vector<found_parameter> usable;
    for (auto& found : source.parameters) {
        const bool is_own = std::all_of(found.places.begin(), found.places.end(), [&](const auto& place) {
            return own.count(place.scopes.empty() ? place.node : place.scopes.front().node) != 0;
        });
        if (is_own) {
            usable.push_back(std::move(found));
        } else {
            source.fixed_parameters.push_back({found.kind, "it is inside a function of the model", true});
        }
    }
    source.parameters = std::move(usable);
}

} // namespace

pad_plan plan(const onnx::ModelProto& model, const detections& source, const pad_options& options)
{
    require_opset(model);
    if (model.functions_size() == 0) {
        check_options(source, options);
        if (options.dynamic_batch) {
            check_body(model);
        }
        return planner(model, source, options).run();
    }
    auto usable = source;
    require_own_cuts(model.graph(), usable);
    require_own_parameters(model.graph(), usable);
    check_options(usable, options);
    if (options.dynamic_batch) {
        check_body(model);
    }
    const readable_model readable(model);
    auto p = planner(*readable, usable, options).run();
    require_own_values(model.graph(), p);
    return p;
}

} // namespace padbatch::onnx_tools
