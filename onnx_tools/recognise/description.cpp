// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/description.hpp>

#include <onnx_tools/recognise/family.hpp>
#include <onnx_tools/recognise/image_inputs.hpp>
#include <onnx_tools/recognise/movable_limit.hpp>
#include <onnx_tools/recognise/parameters.hpp>
#include <onnx_tools/recognise/thresholds.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

// Whether dimension 1 of `masks` comes from an Unsqueeze, and so has an extent of 1.
bool has_one_channel(const graph_index& index, const std::string& masks)
{
    const auto* node = index.producer(origin(index, masks));
    if (node == nullptr || standard_operator(*node) != "Unsqueeze") {
        return false;
    }
    return axes_of(index, *node) == std::vector<std::int64_t>{1};
}

// Finds the inputs that hold the images, if all inputs are images.
void find_images(const graph_index& index, detections& d)
{
    const auto inputs = index.required_inputs();
    const auto all_have_rank = [&](int rank) {
        return std::all_of(inputs.begin(), inputs.end(),
                           [&](const auto* input) { return declared_type(*input).rank == rank; });
    };
    if (inputs.size() == 1 && all_have_rank(4)) {
        d.image_rank = 4;
    } else if (static_cast<std::int64_t>(inputs.size()) == d.batch && all_have_rank(3)) {
        d.image_rank = 3;
    }
    for (std::size_t i = 0; i < inputs.size() && d.image_rank != 0; ++i) {
        d.images.push_back(inputs[i]->name());
    }
}

recognised_field describe_field(const graph_outputs& outputs, const reading& r, int slot, bool sizes_declared)
{
    recognised_field f;
    f.kind = r.fields[static_cast<std::size_t>(slot)];
    const auto& first = r.at(outputs.all(), 0, slot);
    f.element = *first.type.element;
    f.row.resize(static_cast<std::size_t>(first.type.rank.value_or(usual_rank(f.kind)) - 1));
    for (std::size_t d = 0; d < f.row.size(); ++d) {
        f.row[d] = first.type.shape.empty() ? dimension() : dimension{first.type.shape[d + 1].size, ""};
    }
    for (int image = 0; image < r.images; ++image) {
        const auto& o = r.at(outputs.all(), image, slot);
        f.values.push_back(o.name);
        for (std::size_t d = 0; d < f.row.size(); ++d) {
            if (o.type.shape.empty() || o.type.shape[d + 1].size != f.row[d].size) {
                f.row[d] = {};
            }
        }
    }
    // An export may declare the size of the image that it was traced with, yet run with others.
    if (f.kind == field::masks && f.row.size() >= 2 && !sizes_declared) {
        f.row[f.row.size() - 2] = {};
        f.row[f.row.size() - 1] = {};
    }
    // Exports with dynamic axes leave this extent out, or name it, but it is always 4.
    if (f.kind == field::boxes && f.row.size() == 1 && !f.row[0].size) {
        f.row[0].size = 4;
    }
    if (f.kind == field::masks && f.row.size() == 3 && !f.row[0].size && has_one_channel(outputs.index(), first.name)) {
        f.row[0].size = 1;
    }
    return f;
}

// The limit that holds for all images: the largest, or none when that of one image is not found. Any field of an image
// will do, since all of them have the same rows.
std::optional<row_limit> common_limit(const graph_outputs& outputs, const reading& r)
{
    std::optional<row_limit> common;
    for (int image = 0; image < r.images; ++image) {
        std::optional<row_limit> least;
        for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
            const auto& limit = r.at(outputs.all(), image, slot).bound.limit;
            if (limit && (!least || limit->rows < least->rows)) {
                least = limit;
            }
        }
        if (!least) {
            return std::nullopt;
        }
        if (!common || least->rows > common->rows) {
            common = least;
        }
    }
    return common;
}

// Whether the rows of every image are known to come in descending score.
bool all_best_first(const graph_outputs& outputs, const reading& r, int scores)
{
    for (int image = 0; image < r.images; ++image) {
        const auto* cut = r.at(outputs.all(), image, scores).bound.cut;
        if (cut == nullptr || !keeps_best_first(outputs.index(), *cut)) {
            return false;
        }
    }
    return true;
}

// The parameters of a model whose images have a cut each.
model_parameters parameters_of(const graph_outputs& outputs, const reading& r, int scores)
{
    std::vector<const onnx::NodeProto*> cuts;
    for (int image = 0; image < r.images; ++image) {
        const auto* cut = r.at(outputs.all(), image, scores).bound.cut;
        if (cut == nullptr || std::find(cuts.begin(), cuts.end(), cut) != cuts.end()) {
            return {};
        }
        cuts.push_back(cut);
    }
    return find_parameters(outputs.index(), cuts);
}

} // namespace

detections describe(const graph_outputs& outputs, const reading& r)
{
    detections d;
    d.batch = r.images;
    d.order = r.order;
    d.image_size = declared_image_size(outputs.index());
    for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
        d.fields.push_back(describe_field(outputs, r, slot, d.image_size.has_value()));
    }
    for (int i = 0; i < outputs.size(); ++i) {
        if (!r.covers(i)) {
            d.other_outputs.push_back(outputs[i].name);
        }
    }
    d.limit = common_limit(outputs, r);
    if (d.limit && d.limit->at_cut) {
        d.evidence = "one node cuts the rows of each image, as " + d.limit->node + " does";
    }
    auto movable = find_movable_limit(outputs, r);
    d.cuts = std::move(movable.cuts);
    d.limit_stays = std::move(movable.why_not);
    const auto scores = std::find(r.fields.begin(), r.fields.end(), field::scores);
    if (scores != r.fields.end()) {
        const auto& value = r.at(outputs.all(), 0, static_cast<int>(scores - r.fields.begin())).name;
        d.threshold = find_threshold(outputs.index(), value);
        d.family = family_of(outputs.index(), value, r.fields);
        auto parameters = parameters_of(outputs, r, static_cast<int>(scores - r.fields.begin()));
        d.parameters = std::move(parameters.found);
        d.fixed_parameters = std::move(parameters.fixed);
    }
    d.best_first = scores != r.fields.end() && all_best_first(outputs, r, static_cast<int>(scores - r.fields.begin()));
    find_images(outputs.index(), d);
    d.sizes_may_differ = r.images > 1 && d.image_rank != 4;
    return d;
}

} // namespace padbatch::onnx_tools
