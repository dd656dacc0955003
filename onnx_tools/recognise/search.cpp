// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/search.hpp>

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

// Finds out which field each slot of an image is, by the first image's types. False when a slot is not a field, or when
// boxes or scores are missing.
bool name_fields(const graph_outputs& outputs, reading& r)
{
    std::vector<field> found;
    const auto has = [&](field f) { return std::find(found.begin(), found.end(), f) != found.end(); };
    int flat = 0; // boxes and keypoints_scores are the fields of rank 2
    for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
        flat += fits(field::keypoints_scores, r.at(outputs.all(), 0, slot).type) ? 1 : 0;
    }
    const bool scored_keypoints = flat > 1;
    for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
        const auto kind = first_fitting(r.at(outputs.all(), 0, slot).type, found, scored_keypoints);
        if (!kind || (kind == field::keypoints_scores && !has(field::keypoints))) {
            return false;
        }
        found.push_back(*kind);
    }
    const bool detects = has(field::boxes) && has(field::scores);
    r.fields = std::move(found);
    return detects;
}

// Whether every image's outputs fit their fields and have the types of the first image's.
bool consistent(const graph_outputs& outputs, const reading& r)
{
    for (int image = 0; image < r.images; ++image) {
        for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
            const auto& type = r.at(outputs.all(), image, slot).type;
            if (!fits(r.fields[static_cast<std::size_t>(slot)], type) ||
                type.element != r.at(outputs.all(), 0, slot).type.element ||
                type.rank != r.at(outputs.all(), 0, slot).type.rank) {
                return false;
            }
        }
    }
    return true;
}

// Whether an image's boxes, labels and scores come from one cut, no two images share one, and the image's other fields
// come from it too (and, in a batch, often from those of the other images as well).
bool cuts_agree(const graph_outputs& outputs, const reading& r)
{
    std::set<const onnx::NodeProto*> cuts;
    for (int image = 0; image < r.images; ++image) {
        const onnx::NodeProto* cut = nullptr;
        for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
            const auto kind = r.fields[static_cast<std::size_t>(slot)];
            if (kind != field::boxes && kind != field::labels && kind != field::scores) {
                continue;
            }
            const auto* own = r.at(outputs.all(), image, slot).cut;
            if (own != nullptr && cut != nullptr && own != cut) {
                return false;
            }
            cut = own != nullptr ? own : cut;
        }
        if (cut == nullptr) {
            continue;
        }
        if (!cuts.insert(cut).second) {
            return false;
        }
        for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
            if (!outputs.cuts_above(r.at(outputs.all(), image, slot)).count(cut)) {
                return false;
            }
        }
    }
    return true;
}

// Whether `options` allow a reading and the outputs fit it; if so, sets its fields.
bool fits_outputs(const graph_outputs& outputs, const recognise_options& options, reading& r)
{
    const bool twice = r.images == 1 && r.order == output_order::by_field; // the same as by_image
    const bool allowed = (!options.batch || *options.batch == r.images) &&
                         (!options.order || r.images == 1 || *options.order == r.order);
    return !twice && allowed && name_fields(outputs, r) && consistent(outputs, r) && cuts_agree(outputs, r);
}

bool is_complete(const graph_outputs& outputs, const reading& r)
{
    for (int i = 0; i < outputs.size(); ++i) {
        if (is_left_over(outputs, r, i)) {
            return false;
        }
    }
    return true;
}

} // namespace

found_readings search(const graph_outputs& outputs, const recognise_options& options)
{
    found_readings found;
    const int n = outputs.size();
    for (int first = 0; first < n; ++first) {
        for (int slots = 2; slots <= std::min(field_count, n - first); ++slots) {
            for (int images = 1; images * slots <= n - first; ++images) {
                for (const auto order : {output_order::by_image, output_order::by_field}) {
                    reading r{first, images, order, std::vector<field>(static_cast<std::size_t>(slots))};
                    if (fits_outputs(outputs, options, r)) {
                        auto& list = is_complete(outputs, r) ? found.possible : found.incomplete;
                        list.push_back(std::move(r));
                    }
                }
            }
        }
    }
    const auto by_count = [](const reading& a, const reading& b) { return a.count() > b.count(); };
    std::stable_sort(found.possible.begin(), found.possible.end(), by_count);
    std::stable_sort(found.incomplete.begin(), found.incomplete.end(), [&](const reading& a, const reading& b) {
        return (a.first == 0) != (b.first == 0) ? a.first == 0 : by_count(a, b);
    });
    return found;
}

bool is_left_over(const graph_outputs& outputs, const reading& r, int position)
{
    const auto& o = outputs[position];
    if (r.covers(position)) {
        return false;
    }
    if (fits(field::boxes, o.type) || fits(field::labels, o.type) || fits(field::scores, o.type)) {
        // If no output shows a cut, there are only types to go by.
        if (o.nearest != nullptr || !outputs.any_cut()) {
            return true;
        }
    }
    // Whatever else comes from the cut of an image has a row for each detection. Feature maps do not come from it, nor
    // do features of proposals, nor a count, which is a shape.
    const auto& cuts = outputs.cuts_above(o);
    for (int covered = r.first; covered < r.first + r.count(); ++covered) {
        if (cuts.count(outputs[covered].cut) != 0) {
            return true;
        }
    }
    return false;
}

} // namespace padbatch::onnx_tools
