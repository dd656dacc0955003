// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/recognise.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/recognise/forms/flat.hpp>
#include <onnx_tools/recognise/readings.hpp>
#include <onnx_tools/recognise/structure.hpp>
#include <padbatch/contract.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

const std::string& families_text()
{
    static const std::string text =
        "boxes, labels and scores of each image, as torchvision's Faster, Mask and Keypoint "
        "R-CNN, RetinaNet, FCOS, SSD300 and SSDlite320 return them";
    return text;
}

const std::string say_fields = "if these are padded rows of detections all the same, name them: --fields "
                               "boxes,labels,scores --batch B --order image|field; if they are rows of all images in "
                               "one list, or what a NonMaxSuppression selects, say --from flat or --from nms";

class recogniser {
public:
    recogniser(const onnx::ModelProto& model, recognise_options options)
        : m_options(std::move(options)), m_index(model.graph())
    {
        rank_finder ranks(m_index);
        std::set<std::string> seen;
        for (const auto& info : model.graph().output()) {
            if (!seen.insert(info.name()).second) {
                throw tool_error(failure::refused, {"the model lists its output '" + info.name() + "' twice",
                                                    "output names that differ", "export the model again"});
            }
            output o{info.name(), declared_type(info), {}, nullptr, nullptr};
            if (o.type.element && !o.type.rank) {
                o.type.rank = ranks.rank_of(o.name);
            }
            o.bound = bound_of(m_index, o.name);
            o.nearest = nearest_cut(m_index, o.name).node;
            m_cuts.insert(o.bound.cut);
            m_outputs.push_back(std::move(o));
        }
        m_cuts.erase(nullptr);
        for (auto& o : m_outputs) {
            o.cut = o.bound.cut != nullptr ? o.bound.cut : m_cuts.count(o.nearest) != 0 ? o.nearest : nullptr;
        }
        if (m_outputs.empty()) {
            throw tool_error(failure::refused, {"the model has no outputs", families_text(), "export the model again"});
        }
    }

    detections run()
    {
        const reading r = m_options.fields ? read_as_told(m_outputs, m_options) : read();
        return describe_reading(r);
    }

private:
    // --- reading the outputs without being told ---------------------------------------------------------------

    reading read()
    {
        std::vector<reading> possible;
        std::vector<reading> incomplete; // a part of the outputs fits, and the rest are detections too
        const int n = static_cast<int>(m_outputs.size());
        for (int first = 0; first < n; ++first) {
            for (int slots = 2; slots <= std::min(field_count, n - first); ++slots) {
                for (int images = 1; images * slots <= n - first; ++images) {
                    for (const auto order : {output_order::by_image, output_order::by_field}) {
                        consider({first, images, order, std::vector<field>(static_cast<std::size_t>(slots))}, possible,
                                 incomplete);
                    }
                }
            }
        }
        return best(possible, incomplete);
    }

    void consider(reading r, std::vector<reading>& possible, std::vector<reading>& incomplete) const
    {
        if ((r.images == 1 && r.order == output_order::by_field) || // the same as by_image
            (m_options.batch && *m_options.batch != r.images) ||
            (m_options.order && r.images > 1 && *m_options.order != r.order) || !name_fields(r) || !consistent(r) ||
            !structure_agrees(r)) {
            return;
        }
        bool complete = true;
        for (int i = 0; i < static_cast<int>(m_outputs.size()); ++i) {
            complete = complete && !is_left_over(r, i);
        }
        (complete ? possible : incomplete).push_back(std::move(r));
    }

    // Says which field each slot of an image is, by the first image's types. False when a slot is none, or boxes or
    // scores are not among them.
    bool name_fields(reading& r) const
    {
        std::vector<field> found;
        const auto has = [&](field f) { return std::find(found.begin(), found.end(), f) != found.end(); };
        int flat = 0; // boxes and keypoints_scores are the fields of rank 2
        for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
            flat += fits(field::keypoints_scores, r.at(m_outputs, 0, slot).type) ? 1 : 0;
        }
        const bool scored_keypoints = flat > 1;
        for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
            const auto kind = first_fitting(r.at(m_outputs, 0, slot).type, found, scored_keypoints);
            if (!kind || (kind == field::keypoints_scores && !has(field::keypoints))) {
                return false;
            }
            found.push_back(*kind);
        }
        r.fields = found;
        return has(field::boxes) && has(field::scores);
    }

    // Every image's outputs fit their fields and have the types of the first image's.
    [[nodiscard]] bool consistent(const reading& r) const
    {
        for (int image = 0; image < r.images; ++image) {
            for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
                const auto& type = r.at(m_outputs, image, slot).type;
                if (!fits(r.fields[static_cast<std::size_t>(slot)], type) ||
                    type.element != r.at(m_outputs, 0, slot).type.element ||
                    type.rank != r.at(m_outputs, 0, slot).type.rank) {
                    return false;
                }
            }
        }
        return true;
    }

    // An image's boxes, labels and scores come from one cut, no two images share one, and the image's other fields
    // come from it too (and, in a batch, often from the other images' as well).
    [[nodiscard]] bool structure_agrees(const reading& r) const
    {
        std::set<const onnx::NodeProto*> cuts;
        for (int image = 0; image < r.images; ++image) {
            const onnx::NodeProto* cut = nullptr;
            for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
                const auto kind = r.fields[static_cast<std::size_t>(slot)];
                if (kind != field::boxes && kind != field::labels && kind != field::scores) {
                    continue;
                }
                const auto* own = r.at(m_outputs, image, slot).cut;
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
                if (!cuts_above(r.at(m_outputs, image, slot)).count(cut)) {
                    return false;
                }
            }
        }
        return true;
    }

    // Whether a reading leaves an output over that might be a part of the detections of these images or of one more.
    [[nodiscard]] bool is_left_over(const reading& r, int position) const
    {
        const auto& o = m_outputs[static_cast<std::size_t>(position)];
        if (r.covers(position)) {
            return false;
        }
        if (fits(field::boxes, o.type) || fits(field::labels, o.type) || fits(field::scores, o.type)) {
            // Where no output shows a cut, types are all there is to go by.
            if (o.nearest != nullptr || m_cuts.empty()) {
                return true;
            }
        }
        // Whatever else comes from the cut of an image has a row for each detection. Feature maps do not, nor do
        // features of proposals, nor a count, which is a shape.
        const auto& cuts = cuts_above(o);
        for (int covered = r.first; covered < r.first + r.count(); ++covered) {
            if (cuts.count(m_outputs[static_cast<std::size_t>(covered)].cut) != 0) {
                return true;
            }
        }
        return false;
    }

    const std::set<const onnx::NodeProto*>& cuts_above(const output& o) const
    {
        const auto [entry, added] = m_cuts_above.try_emplace(o.name);
        if (added) {
            entry->second = all_cuts(m_index, o.name);
        }
        return entry->second;
    }

    [[nodiscard]] reading best(std::vector<reading>& possible, std::vector<reading>& incomplete) const
    {
        const auto by_count = [](const reading& a, const reading& b) { return a.count() > b.count(); };
        std::stable_sort(possible.begin(), possible.end(), by_count);
        std::stable_sort(incomplete.begin(), incomplete.end(), [&](const reading& a, const reading& b) {
            return (a.first == 0) != (b.first == 0) ? a.first == 0 : by_count(a, b);
        });
        if (possible.empty()) {
            refuse(incomplete);
        }
        if (possible.size() > 1 && possible[0].count() == possible[1].count()) {
            throw tool_error(failure::refused,
                             {"the outputs can be read in more than one way: as " + std::to_string(possible[0].images) +
                                  " x (" + list_of(possible[0].fields) + ") and as " +
                                  std::to_string(possible[1].images) + " x (" + list_of(possible[1].fields) +
                                  "). They are " + list_of(m_outputs),
                              "one way to read them",
                              "say which is right: --fields boxes,labels,scores --batch B --order image|field"});
        }
        return possible.front();
    }

    [[noreturn]] void refuse(const std::vector<reading>& incomplete) const
    {
        if (m_options.batch || m_options.order) {
            refuse_options();
        }
        if (incomplete.empty()) {
            throw tool_error(failure::refused, {"the outputs are not recognised as detections: " + list_of(m_outputs),
                                                families_text(), say_fields});
        }
        const auto& part = incomplete.front();
        std::string rest;
        for (int i = 0; i < static_cast<int>(m_outputs.size()); ++i) {
            if (is_left_over(part, i)) {
                rest += (rest.empty() ? "" : ", ") + text_of(m_outputs[static_cast<std::size_t>(i)]);
            }
        }
        throw tool_error(
            failure::refused,
            {"the " + std::to_string(m_outputs.size()) +
                 " outputs are no whole number of images: " + std::to_string(part.images) + " x (" +
                 list_of(part.fields) + ") fits, and these, which look like detections too, are left over: " + rest,
             "the same fields in the same order for every image",
             "export the model with all the fields of every image" +
                 (part.first != 0 ? std::string() // --fields speaks of the outputs from the first on
                                  : "; or, to pad only what fits and leave the rest as it is, say --fields " +
                                        list_of(part.fields, ",") + " --batch " + std::to_string(part.images))});
    }

    // The outputs do not fit --batch or --order; perhaps they are recognised without these.
    [[noreturn]] void refuse_options() const
    {
        std::string given;
        if (m_options.batch) {
            given += " as a batch of " + std::to_string(*m_options.batch);
        }
        if (m_options.order) {
            given += *m_options.order == output_order::by_image ? " image by image" : " field by field";
        }
        auto free = *this;
        free.m_options = {};
        const auto r = free.read();
        throw tool_error(failure::usage,
                         {"the outputs cannot be read" + given + "; they are " + list_of(m_outputs),
                          std::to_string(r.images) + (r.images == 1 ? " image of " : " images of ") +
                              list_of(r.fields) +
                              (r.images == 1                       ? ""
                               : r.order == output_order::by_image ? ", image by image"
                                                                   : ", field by field"),
                          "leave --batch and --order out; or say with --fields too what the outputs are"});
    }

    // --- the description --------------------------------------------------------------------------------------

    [[nodiscard]] detections describe_reading(const reading& r) const
    {
        detections d;
        d.batch = r.images;
        d.order = r.order;
        d.image_size = declared_image_size(m_index);
        for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
            d.fields.push_back(describe_field(r, slot, d.image_size.has_value()));
        }
        for (int i = 0; i < static_cast<int>(m_outputs.size()); ++i) {
            if (!r.covers(i)) {
                d.other_outputs.push_back(m_outputs[static_cast<std::size_t>(i)].name);
            }
        }
        d.limit = common_limit(r);
        const auto scores = std::find(r.fields.begin(), r.fields.end(), field::scores);
        if (scores != r.fields.end()) {
            const auto& value = r.at(m_outputs, 0, static_cast<int>(scores - r.fields.begin())).name;
            d.threshold = find_threshold(m_index, value);
            d.family = family_of(m_index, value, r.fields);
        }
        find_images(d);
        d.sizes_may_differ = r.images > 1 && d.image_rank != 4;
        return d;
    }

    void find_images(detections& d) const
    {
        const auto inputs = m_index.required_inputs();
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

    [[nodiscard]] recognised_field describe_field(const reading& r, int slot, bool sizes_declared) const
    {
        recognised_field f;
        f.kind = r.fields[static_cast<std::size_t>(slot)];
        const auto& first = r.at(m_outputs, 0, slot);
        f.element = *first.type.element;
        f.row.resize(static_cast<std::size_t>(first.type.rank.value_or(usual_rank(f.kind)) - 1));
        for (std::size_t d = 0; d < f.row.size(); ++d) {
            f.row[d] = first.type.shape.empty() ? dimension() : dimension{first.type.shape[d + 1].size, ""};
        }
        for (int image = 0; image < r.images; ++image) {
            const auto& o = r.at(m_outputs, image, slot);
            f.values.push_back(o.name);
            for (std::size_t d = 0; d < f.row.size(); ++d) {
                if (o.type.shape.empty() || o.type.shape[d + 1].size != f.row[d].size) {
                    f.row[d] = {};
                }
            }
        }
        // An export may declare the size of the image that it was traced with, and run with others all the same.
        if (f.kind == field::masks && f.row.size() >= 2 && !sizes_declared) {
            f.row[f.row.size() - 2] = {};
            f.row[f.row.size() - 1] = {};
        }
        // Exports with dynamic axes leave these out, or name them; they are so all the same.
        if (f.kind == field::boxes && f.row.size() == 1 && !f.row[0].size) {
            f.row[0].size = 4;
        }
        if (f.kind == field::masks && f.row.size() == 3 && !f.row[0].size && has_one_channel(m_index, first.name)) {
            f.row[0].size = 1;
        }
        return f;
    }

    // The limit that holds for all images: the largest, and none when one image's is not found. Any field of an image
    // tells it, since they have the same rows.
    [[nodiscard]] std::optional<row_limit> common_limit(const reading& r) const
    {
        std::optional<row_limit> common;
        for (int image = 0; image < r.images; ++image) {
            std::optional<row_limit> least;
            for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
                const auto& limit = r.at(m_outputs, image, slot).bound.limit;
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

    recognise_options m_options;
    graph_index m_index;
    std::vector<output> m_outputs;
    std::set<const onnx::NodeProto*> m_cuts; // those that bound the rows of an output
    mutable std::map<std::string, std::set<const onnx::NodeProto*>> m_cuts_above;
};

} // namespace

const recognised_field* find_field(const detections& source, field kind) noexcept
{
    for (const auto& f : source.fields) {
        if (f.kind == kind) {
            return &f;
        }
    }
    return nullptr;
}

detections recognise(const onnx::ModelProto& model, const recognise_options& options)
{
    for (const auto& entry : model.metadata_props()) {
        if (entry.key().rfind(contract::key_prefix, 0) == 0) {
            throw tool_error(failure::refused,
                             {"the model is padded already: its metadata says " + entry.key() + " = " + entry.value(),
                              "a model as it was exported",
                              "use the model as it is; or, for other options, pad the export that it was made from"});
        }
    }
    return options.from == export_kind::torchvision ? recogniser(model, options).run() : recognise_flat(model, options);
}

} // namespace padbatch::onnx_tools
