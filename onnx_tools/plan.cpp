#include <onnx_tools/plan.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/pad_value.hpp>
#include <padbatch/contract.hpp>
#include <padbatch/extents.hpp>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

// The oldest opset whose Slice takes its bounds as inputs for all types used here; torchvision's detection models need
// it as well.
constexpr std::int64_t oldest_opset = 11;

void require_opset(const onnx::ModelProto& model)
{
    std::int64_t version = 0;
    for (const auto& opset : model.opset_import()) {
        if (opset.domain().empty() || opset.domain() == "ai.onnx") {
            version = opset.version();
        }
    }
    if (version < oldest_opset) {
        throw tool_error(failure::refused,
                         {version == 0 ? "the model uses no standard ONNX operators"
                                       : "the model has opset " + std::to_string(version),
                          "opset " + std::to_string(oldest_opset) + " or newer",
                          "export the model again with opset_version=" + std::to_string(oldest_opset) + " or newer"});
    }
}

std::string field_list(const detections& source)
{
    std::vector<field> fields;
    for (const auto& f : source.fields) {
        fields.push_back(f.kind);
    }
    return list_of(fields);
}

void require_known_fields(const detections& source, const std::map<std::string, std::string>& chosen,
                          const std::string& option, const std::string& also)
{
    for (const auto& [name, value] : chosen) {
        bool known = name == also;
        for (const auto& f : source.fields) {
            known = known || name_of(f.kind) == name;
        }
        if (!known) {
            throw tool_error(failure::usage, {option + " " + name + "=" + value + " names no field of this model",
                                              "one of: " + field_list(source) + (also.empty() ? "" : ", " + also),
                                              "correct the name, or leave the option out"});
        }
    }
}

std::string chosen_or(const std::map<std::string, std::string>& chosen, const std::string& key,
                      const std::string& otherwise)
{
    const auto found = chosen.find(key);
    return found == chosen.end() ? otherwise : found->second;
}

std::optional<std::int64_t> rows_of(const detections& source, const pad_options& options)
{
    if (options.max_of_batch) {
        return std::nullopt;
    }
    if (!options.max_detections && !source.limit) {
        throw tool_error(failure::refused,
                         {"the graph does not show how many detections an image can have at most",
                          "a constant that cuts the kept rows, as torchvision's models have it",
                          "pass --max-detections N (rows beyond N are dropped) or --max-detections batch"});
    }
    const std::int64_t rows = options.max_detections ? *options.max_detections : source.limit->rows;
    if (rows < 1 || rows > std::numeric_limits<std::int32_t>::max()) {
        throw tool_error(failure::usage,
                         {"--max-detections is " + std::to_string(rows), "a number from 1 to 2147483647, or `batch`",
                          "choose a number of rows that every image is padded to"});
    }
    return rows;
}

// The padded outputs' names: not one another's, not an input's and not another output's.
void require_free_names(const onnx::GraphProto& graph, const pad_plan& p)
{
    std::set<std::string> used;
    const auto require = [&](const std::string& field_name, const std::string& name) {
        const std::string how = "choose another name: --rename " + field_name + "=NAME";
        if (name.empty() || name.find(',') != std::string::npos) {
            throw tool_error(failure::usage, {"--rename " + field_name + "=" + name + " gives no usable name",
                                              "a name that is not empty and has no comma in it", how});
        }
        if (!used.insert(name).second) {
            throw tool_error(failure::usage, {"two outputs would be called '" + name + "'", "names that differ", how});
        }
        for (const auto& input : graph.input()) {
            if (input.name() == name) {
                throw tool_error(failure::refused,
                                 {"the model has an input called '" + name + "', the name of a padded output",
                                  "a name that no input has", how});
            }
        }
        if (std::find(p.source.other_outputs.begin(), p.source.other_outputs.end(), name) !=
            p.source.other_outputs.end()) {
            throw tool_error(failure::refused,
                             {"the model has another output called '" + name + "', the name of a padded output",
                              "a name that no other output has", how});
        }
    };
    require(contract::default_count_name, p.count_name);
    for (std::size_t i = 0; i < p.fields.size(); ++i) {
        require(std::string(name_of(p.source.fields[i].kind)), p.fields[i].name);
    }
}

std::int64_t bytes_of(const padded_field& f, element_type element, const std::vector<std::int64_t>& extents)
{
    try {
        auto all = extents;
        all.push_back(static_cast<std::int64_t>(size_of(element)));
        return element_count(all);
    } catch (const error& e) {
        throw tool_error(failure::usage, {"the output '" + f.name + "' would be too large: " + e.what(),
                                          "an output of fewer than 2^63 bytes", "pass a smaller --max-detections"});
    }
}

output_bytes count_bytes(const padded_field& f, const recognised_field& source,
                         const std::optional<std::pair<std::int64_t, std::int64_t>>& image)
{
    output_bytes bytes;
    std::vector<std::int64_t> known;
    std::vector<std::int64_t> all;
    for (std::size_t d = 0; d < f.shape.size(); ++d) {
        if (f.shape[d].size) {
            known.push_back(*f.shape[d].size);
            all.push_back(*f.shape[d].size);
            continue;
        }
        bytes.factors.push_back(f.shape[d].symbol);
        const std::size_t from_end = f.shape.size() - d;
        if (source.kind == field::masks && image && from_end <= 2) { // pasted at the size of the image
            all.push_back(from_end == 2 ? image->first : image->second);
        }
    }
    bytes.known = bytes_of(f, source.element, known);
    if (all.size() == f.shape.size()) {
        bytes.total = bytes_of(f, source.element, all);
    }
    return bytes;
}

std::string symbol_of(field kind, std::size_t row_dimension, std::size_t row_rank)
{
    if (kind == field::masks && row_rank - row_dimension <= 2) {
        return row_rank - row_dimension == 2 ? "masks_height" : "masks_width";
    }
    return std::string(name_of(kind)) + "_dim_" + std::to_string(row_dimension + 2);
}

} // namespace

pad_plan plan(const onnx::ModelProto& model, const detections& source, const pad_options& options)
{
    require_opset(model);
    require_known_fields(source, options.pad_values, "--pad-value", "");
    require_known_fields(source, options.names, "--rename", contract::default_count_name);

    pad_plan p;
    p.source = source;
    p.max_detections = rows_of(source, options);
    p.cuts_rows = p.max_detections && (!source.limit || *p.max_detections < source.limit->rows);
    p.count_name = chosen_or(options.names, contract::default_count_name, contract::default_count_name);

    fresh_names fresh(model.graph());
    const dimension batch{source.batch, ""};
    const dimension rows = p.max_detections ? dimension{*p.max_detections, ""} : dimension{{}, fresh("max_detections")};
    for (const auto& f : source.fields) {
        const std::string name(name_of(f.kind));
        padded_field padded;
        padded.name = chosen_or(options.names, name, name);
        padded.shape = {batch, rows};
        for (std::size_t d = 0; d < f.row.size(); ++d) {
            padded.shape.push_back(f.row[d].size ? f.row[d] : dimension{{}, fresh(symbol_of(f.kind, d, f.row.size()))});
        }
        const auto text = chosen_or(options.pad_values, name, "0");
        auto value = parse_pad_value(f.element, text);
        if (!value && f.element == element_type::bfloat16) {
            throw tool_error(failure::refused, {"the " + name + " are bfloat16", "float16, float32 or float64",
                                                "convert the model's outputs to one of these"});
        }
        if (!value) {
            throw tool_error(failure::usage, {"--pad-value " + name + "=" + text + ": the " + name +
                                                  " of this model are " + std::string(name_of(f.element)),
                                              range_text(f.element), "correct the value"});
        }
        padded.pad_value = std::move(*value);
        padded.pad_text = text;
        padded.bytes = count_bytes(padded, f, source.image_size);
        p.widens_masks = p.widens_masks || (f.kind == field::masks && source.sizes_may_differ && f.row.size() >= 2);
        p.fields.push_back(std::move(padded));
    }
    require_free_names(model.graph(), p);
    return p;
}

} // namespace padbatch::onnx_tools
