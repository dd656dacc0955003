#include <onnx_tools/cli/report.hpp>

#include <padbatch/contract.hpp>
#include <padbatch/version.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace padbatch::onnx_tools::cli {
namespace {

using json = nlohmann::ordered_json;

constexpr int schema = 1;
constexpr std::int64_t gib = std::int64_t{1} << 30;

std::string text_of_number(double number)
{
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.6g", number); // NOLINT(cppcoreguidelines-pro-type-vararg)
    return text.data();
}

std::string text_of_bytes(std::int64_t bytes)
{
    if (bytes < 10'000) {
        return std::to_string(bytes) + " B";
    }
    double size = static_cast<double>(bytes) / 1024;
    for (const char* unit : {"KiB", "MiB", "GiB", "TiB"}) {
        if (size < 1000) {
            std::array<char, 32> text{};
            std::snprintf(text.data(), text.size(), "%.1f %s", size, unit); // NOLINT(cppcoreguidelines-pro-type-vararg)
            return text.data();
        }
        size /= 1024;
    }
    return text_of_number(size) + " PiB";
}

std::string text_of_bytes(const output_bytes& bytes)
{
    if (bytes.factors.empty()) {
        return text_of_bytes(bytes.known);
    }
    std::string text = text_of_bytes(bytes.known);
    for (const auto& factor : bytes.factors) {
        text += " x " + factor;
    }
    return bytes.total ? text + " = " + text_of_bytes(*bytes.total) : text;
}

std::string text_of_shape(const std::vector<dimension>& shape, bool with_symbols = true)
{
    std::string text;
    for (const auto& extent : shape) {
        text += (text.empty() ? "[" : ", ") + (extent.size                              ? std::to_string(*extent.size)
                                               : !with_symbols || extent.symbol.empty() ? "?"
                                                                                        : extent.symbol);
    }
    return text.empty() ? "[]" : text + "]";
}

output_row row_of(const onnx::ValueInfoProto& info)
{
    constexpr std::size_t widest = 40; // exporters make up symbols of any length
    const auto type = declared_type(info);
    std::string shape = type.rank ? text_of_shape(type.shape) : "any shape";
    if (shape.size() > widest) {
        shape = text_of_shape(type.shape, false);
    }
    const int number = info.type().tensor_type().elem_type();
    return {info.name(), type.element ? std::string(name_of(*type.element)) : onnx_type_name(number), std::move(shape),
            ""};
}

std::string table(const std::vector<output_row>& rows)
{
    std::size_t name = 0;
    std::size_t type = 0;
    std::size_t shape = 0;
    for (const auto& row : rows) {
        name = std::max(name, row.name.size());
        type = std::max(type, row.type.size());
        shape = std::max(shape, row.shape.size());
    }
    const auto column = [](const std::string& text, std::size_t width) {
        return text + std::string(width + 2 - text.size(), ' ');
    };
    std::string text;
    for (const auto& row : rows) {
        std::string line =
            "  " + column(row.name, name) + column(row.type, type) + column(row.shape, shape) + row.bytes;
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

std::string count_of(std::int64_t n, const std::string& what)
{
    return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

std::string headline(const pad_plan& p)
{
    const auto& d = p.source;
    std::string text = d.family.empty() ? "detections of no known family" : d.family;
    text += ", " + count_of(d.batch, "image");
    return d.batch == 1
               ? text
               : text + ", outputs " + (d.order == output_order::by_image ? "image by image" : "field by field");
}

std::vector<std::string> steps(const pad_plan& p)
{
    std::vector<std::string> all;
    if (p.cuts_rows) {
        all.push_back("keeps the first " + std::to_string(*p.max_detections) + " rows of each image, its best");
    }
    if (p.widens_masks) {
        all.emplace_back("pads masks of different sizes to the largest height and width of the batch");
    }
    all.push_back(p.max_detections ? "pads every image to " + count_of(*p.max_detections, "row")
                                   : "pads every image to the largest count of the batch at hand");
    for (std::size_t i = 0; i < p.fields.size(); ++i) {
        if (p.fields[i].pad_text != "0") {
            all.push_back("fills the padding of " + std::string(name_of(p.source.fields[i].kind)) + " with " +
                          p.fields[i].pad_text);
        }
    }
    all.push_back("writes the counts to " + p.count_name + ", int32 [" + std::to_string(p.source.batch) + ", 1]");
    if (!p.source.other_outputs.empty()) {
        all.push_back("keeps " + count_of(static_cast<std::int64_t>(p.source.other_outputs.size()), "other output"));
    }
    return all;
}

} // namespace

std::vector<output_row> declared_outputs(const onnx::ModelProto& model)
{
    std::vector<output_row> rows;
    for (const auto& info : model.graph().output()) {
        rows.push_back(row_of(info));
    }
    return rows;
}

std::vector<output_row> planned_outputs(const onnx::ModelProto& model, const pad_plan& p)
{
    std::vector<output_row> rows;
    rows.push_back({p.count_name, std::string(name_of(element_type::int32)),
                    text_of_shape({{p.source.batch, ""}, {1, ""}}), text_of_bytes(p.source.batch * 4)});
    for (std::size_t i = 0; i < p.fields.size(); ++i) {
        const auto& f = p.fields[i];
        rows.push_back(
            {f.name, std::string(name_of(p.source.fields[i].element)), text_of_shape(f.shape), text_of_bytes(f.bytes)});
    }
    for (const auto& name : p.source.other_outputs) {
        for (const auto& info : model.graph().output()) {
            if (info.name() == name) {
                rows.push_back(row_of(info));
            }
        }
    }
    return rows;
}

std::string before_and_after(const std::string& file, const std::vector<output_row>& before, const pad_plan& p,
                             const std::vector<output_row>& after)
{
    return file + ": " + headline(p) + "\nbefore\n" + table(before) + "after\n" + table(after);
}

std::string size_warnings(const pad_plan& p)
{
    std::string text;
    for (const auto& f : p.fields) {
        if (f.bytes.total && *f.bytes.total > 2 * gib) {
            text += "warning: the output '" + f.name + "' has " + text_of_bytes(*f.bytes.total) +
                    (f.bytes.factors.empty() ? "" : " at the size that the inputs declare") +
                    ";\n  a smaller --max-detections N, or --max-detections batch, makes it smaller\n";
        }
    }
    return text;
}

std::string inspect_text(const std::string& file, const onnx::ModelProto& model, const pad_plan& p, bool needs_rows)
{
    const auto& d = p.source;
    std::string text = file + ": " + headline(p) + "\n\nrecognised\n";
    std::vector<output_row> rows;
    for (std::size_t image = 0; image < static_cast<std::size_t>(d.batch); ++image) {
        for (const auto& f : d.fields) {
            rows.push_back(
                {"image " + std::to_string(image), std::string(name_of(f.kind)), "'" + f.values[image] + "'", ""});
        }
    }
    text += table(rows);
    for (const auto& name : d.other_outputs) {
        text += "  other output: '" + name + "', kept as it is\n";
    }
    text += d.limit ? "  limit: " + count_of(d.limit->rows, "row") + " an image, cut by " + d.limit->node + "\n"
                    : "  limit: not found in the graph\n";
    text += d.threshold ? "  score threshold: " + text_of_number(d.threshold->score) + ", compared by " +
                              d.threshold->node + "\n"
                        : "  score threshold: not found in the graph\n";
    text += "\npadded outputs\n" + table(planned_outputs(model, p)) + "\nthe rewrite\n";
    for (const auto& step : steps(p)) {
        text += "  " + step + "\n";
    }
    if (needs_rows) {
        text +=
            "\nThe limit is not known, so the rewrite asks for --max-detections N or --max-detections batch. Shown is "
            "what `batch` does.\n";
    }
    const std::string warnings = size_warnings(p);
    return warnings.empty() ? text : text + "\n" + warnings;
}

std::string inspect_json(const std::string& file, const pad_plan& p, bool needs_rows)
{
    const auto& d = p.source;
    json images = json::array();
    for (std::size_t image = 0; image < static_cast<std::size_t>(d.batch); ++image) {
        json fields = json::object();
        for (const auto& f : d.fields) {
            fields[std::string(name_of(f.kind))] = f.values[image];
        }
        images.push_back(std::move(fields));
    }
    const auto extents = [](const std::vector<dimension>& shape) {
        json list = json::array();
        for (const auto& extent : shape) {
            list.push_back(extent.size ? json(*extent.size) : json(extent.symbol));
        }
        return list;
    };
    json outputs = json::array();
    outputs.push_back({{"name", p.count_name},
                       {"field", contract::default_count_name},
                       {"type", name_of(element_type::int32)},
                       {"shape", {d.batch, 1}},
                       {"bytes", d.batch * 4}});
    for (std::size_t i = 0; i < p.fields.size(); ++i) {
        const auto& f = p.fields[i];
        outputs.push_back({{"name", f.name},
                           {"field", name_of(d.fields[i].kind)},
                           {"type", name_of(d.fields[i].element)},
                           {"shape", extents(f.shape)},
                           {"pad_value", f.pad_text},
                           {"bytes", f.bytes.total ? json(*f.bytes.total) : json()}});
    }
    const json document = {
        {"schema", schema},
        {"padbatch", PADBATCH_VERSION},
        {"file", file},
        {"family", d.family.empty() ? json() : json(d.family)},
        {"batch", d.batch},
        {"order", d.order == output_order::by_image ? "image" : "field"},
        {"images", std::move(images)},
        {"other_outputs", d.other_outputs},
        {"limit", d.limit ? json{{"rows", d.limit->rows}, {"node", d.limit->node}} : json()},
        {"score_threshold", d.threshold ? json{{"score", d.threshold->score}, {"node", d.threshold->node}} : json()},
        {"needs_max_detections", needs_rows},
        {"max_detections", p.max_detections ? json(*p.max_detections) : json(contract::max_detections_of_batch)},
        {"outputs", std::move(outputs)},
        {"rewrite", {{"cuts_rows", p.cuts_rows}, {"widens_masks", p.widens_masks}, {"steps", steps(p)}}},
    };
    // Names in a model may be any bytes; JSON is UTF-8.
    return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

} // namespace padbatch::onnx_tools::cli
