#include <onnx_tools/recognise.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/structure.hpp>
#include <padbatch/contract.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

// A graph output, with what is known of it.
struct output {
    std::string name;
    value_type type;
    /// The cut that made its rows, the nearest one up the graph; null when there is none.
    const onnx::NodeProto* cut = nullptr;
};

// One way to read the outputs: `images * fields.size()` of them, from `first` on.
struct reading {
    int first = 0;
    int images = 0;
    output_order order = output_order::by_image;
    std::vector<field> fields;

    [[nodiscard]] int count() const { return images * static_cast<int>(fields.size()); }

    [[nodiscard]] int position(int image, int slot) const
    {
        const int slots = static_cast<int>(fields.size());
        return first + (order == output_order::by_image ? image * slots + slot : slot * images + image);
    }

    [[nodiscard]] bool covers(int position) const { return position >= first && position < first + count(); }
};

std::string text_of(const output& o)
{
    std::string text = "'" + o.name + "' (";
    text += o.type.element ? std::string(name_of(*o.type.element)) : "no tensor of numbers";
    text += o.type.rank ? ", rank " + std::to_string(*o.type.rank) : ", unknown rank";
    return text + ")";
}

std::string list_of(const std::vector<output>& outputs)
{
    std::string text;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (i == 12) {
            return text + ", and " + std::to_string(outputs.size() - i) + " more";
        }
        text += (i == 0 ? "" : ", ") + text_of(outputs[i]);
    }
    return text;
}

const std::string& families_text()
{
    static const std::string text =
        "boxes, labels and scores of each image, as torchvision's Faster, Mask and Keypoint "
        "R-CNN, RetinaNet, FCOS, SSD300 and SSDlite320 return them";
    return text;
}

const std::string say_fields = "if these are padded rows of detections all the same, name them: --fields "
                               "boxes,labels,scores --batch B --order image|field";

class recogniser {
public:
    recogniser(const onnx::ModelProto& model, recognise_options options)
        : m_options(std::move(options)), m_index(model.graph())
    {
        std::set<std::string> seen;
        for (const auto& info : model.graph().output()) {
            if (!seen.insert(info.name()).second) {
                throw tool_error(failure::refused, {"the model lists its output '" + info.name() + "' twice",
                                                    "output names that differ", "export the model again"});
            }
            output o{info.name(), declared_type(info), nullptr};
            if (o.type.element && !o.type.rank) {
                o.type.rank = rank_of(m_index, o.name);
            }
            o.cut = nearest_cut(m_index, o.name).node;
            m_outputs.push_back(std::move(o));
        }
        if (m_outputs.empty()) {
            throw tool_error(failure::refused, {"the model has no outputs", families_text(), "export the model again"});
        }
    }

    detections run()
    {
        const reading r = m_options.fields ? read_as_told() : read();
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

    [[nodiscard]] const output& at(const reading& r, int image, int slot) const
    {
        return m_outputs[static_cast<std::size_t>(r.position(image, slot))];
    }

    // Says which field each slot of an image is, by the first image's types. False when a slot is none, or boxes or
    // scores are not among them.
    bool name_fields(reading& r) const
    {
        std::vector<field> found;
        const auto has = [&](field f) { return std::find(found.begin(), found.end(), f) != found.end(); };
        for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
            const auto kind = first_fitting(at(r, 0, slot).type, found);
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
                const auto& type = at(r, image, slot).type;
                if (!fits(r.fields[static_cast<std::size_t>(slot)], type) ||
                    type.element != at(r, 0, slot).type.element) {
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
                const auto* own = at(r, image, slot).cut;
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
                if (!cuts_above(at(r, image, slot)).count(cut)) {
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
            return o.cut != nullptr || std::all_of(m_outputs.begin(), m_outputs.end(),
                                                   [](const output& other) { return other.cut == nullptr; });
        }
        if (fits(field::masks, o.type) || fits(field::keypoints, o.type)) {
            // Those of an image come from its cut. Feature maps do not, nor do features of proposals.
            const auto& cuts = cuts_above(o);
            for (int covered = r.first; covered < r.first + r.count(); ++covered) {
                if (cuts.count(m_outputs[static_cast<std::size_t>(covered)].cut) != 0) {
                    return true;
                }
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

    // --- reading the outputs as the user says -----------------------------------------------------------------

    reading read_as_told() const
    {
        reading r;
        r.fields = *m_options.fields;
        if (r.fields.empty() || m_options.batch.value_or(1) < 1) {
            throw tool_error(failure::usage, {"no fields or no images are given", "one field and one image at least",
                                              "name the fields of an image, and a batch of 1 or more"});
        }
        const auto outputs = static_cast<std::int64_t>(m_outputs.size());
        const auto slots = static_cast<std::int64_t>(r.fields.size());
        const std::string each = "--fields names " + std::to_string(slots) + " field" + (slots == 1 ? "" : "s");
        if (!m_options.batch && outputs % slots != 0) {
            throw tool_error(
                failure::usage,
                {each + ", and the model has " + std::to_string(outputs) + " outputs: " + list_of(m_outputs),
                 "a whole number of images", "pass --batch B if the detections come first and other outputs follow"});
        }
        const std::int64_t images = m_options.batch.value_or(outputs / slots);
        if (images > outputs / slots) {
            throw tool_error(failure::usage,
                             {each + " and --batch says " + std::to_string(images) +
                                  " images, and the model has only " + std::to_string(outputs) +
                                  " outputs: " + list_of(m_outputs),
                              "one output for each field of each image", "correct --fields or --batch"});
        }
        r.images = static_cast<int>(images);
        std::string reason;
        for (const auto order : {output_order::by_image, output_order::by_field}) {
            if (m_options.order && *m_options.order != order) {
                continue;
            }
            r.order = order;
            const std::string mismatch = told_mismatch(r);
            if (mismatch.empty()) {
                return r;
            }
            reason = reason.empty() ? mismatch : reason;
        }
        throw tool_error(failure::usage,
                         {reason, "outputs that fit the fields named, with one type over all images",
                          "correct --fields, --batch or --order; the outputs are " + list_of(m_outputs)});
    }

    // Why the outputs cannot be what the user says, or nothing when they can. Joining values of different ranks makes
    // some runtimes abort, so it must not be written.
    [[nodiscard]] std::string told_mismatch(const reading& r) const
    {
        for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
            const auto kind = r.fields[static_cast<std::size_t>(slot)];
            const auto& first = at(r, 0, slot);
            for (int image = 0; image < r.images; ++image) {
                const auto& o = at(r, image, slot);
                const std::string what = "output " + text_of(o) + " as the " + std::string(name_of(kind)) +
                                         " of image " + std::to_string(image);
                if (!o.type.element) {
                    return what + " is no tensor of numbers";
                }
                if (o.type.rank && !may_have_rank(kind, *o.type.rank)) {
                    return what + " has a rank that " + std::string(name_of(kind)) + " do not have";
                }
                if (o.type.element != first.type.element || o.type.rank != first.type.rank) {
                    return what + " differs from that of image 0, " + text_of(first);
                }
                for (std::size_t d = 1; kind != field::masks && d < o.type.shape.size() && !first.type.shape.empty();
                     ++d) {
                    const auto size = o.type.shape[d].size;
                    const auto size_of_first = first.type.shape[d].size;
                    if (size && size_of_first && *size != *size_of_first) {
                        return what + " has rows of another size than that of image 0, " + text_of(first);
                    }
                }
            }
        }
        return "";
    }

    // --- the description --------------------------------------------------------------------------------------

    [[nodiscard]] detections describe_reading(const reading& r) const
    {
        detections d;
        d.batch = r.images;
        d.order = r.order;
        for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
            d.fields.push_back(describe_field(r, slot));
        }
        for (int i = 0; i < static_cast<int>(m_outputs.size()); ++i) {
            if (!r.covers(i)) {
                d.other_outputs.push_back(m_outputs[static_cast<std::size_t>(i)].name);
            }
        }
        d.limit = common_limit(r);
        const auto scores = std::find(r.fields.begin(), r.fields.end(), field::scores);
        if (scores != r.fields.end()) {
            const auto& value = at(r, 0, static_cast<int>(scores - r.fields.begin())).name;
            d.threshold = find_threshold(m_index, value);
            d.family = family_of(m_index, value, r.fields);
        }
        const auto inputs = m_index.required_inputs();
        d.sizes_may_differ = r.images > 1 && !(inputs.size() == 1 && declared_type(*inputs[0]).rank == 4);
        return d;
    }

    [[nodiscard]] recognised_field describe_field(const reading& r, int slot) const
    {
        recognised_field f;
        f.kind = r.fields[static_cast<std::size_t>(slot)];
        const auto& first = at(r, 0, slot);
        f.element = *first.type.element;
        f.row.resize(static_cast<std::size_t>(first.type.rank.value_or(usual_rank(f.kind)) - 1));
        for (std::size_t d = 0; d < f.row.size(); ++d) {
            f.row[d] = first.type.shape.empty() ? dimension() : dimension{first.type.shape[d + 1].size, ""};
        }
        for (int image = 0; image < r.images; ++image) {
            const auto& o = at(r, image, slot);
            f.values.push_back(o.name);
            for (std::size_t d = 0; d < f.row.size(); ++d) {
                if (o.type.shape.empty() || o.type.shape[d + 1].size != f.row[d].size) {
                    f.row[d] = {};
                }
            }
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

    // The limit that holds for all images: the largest, and none when one image's is not found.
    [[nodiscard]] std::optional<row_limit> common_limit(const reading& r) const
    {
        std::optional<row_limit> limit;
        for (int image = 0; image < r.images; ++image) {
            int best_slot = 0;
            for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
                if (r.fields[static_cast<std::size_t>(slot)] == field::scores) {
                    best_slot = slot;
                }
            }
            const auto cut = nearest_cut(m_index, at(r, image, best_slot).name);
            if (cut.node == nullptr) {
                return std::nullopt;
            }
            if (!limit || cut.rows > limit->rows) {
                limit = row_limit{cut.rows, describe(*cut.node)};
            }
        }
        return limit;
    }

    recognise_options m_options;
    graph_index m_index;
    std::vector<output> m_outputs;
    mutable std::map<std::string, std::set<const onnx::NodeProto*>> m_cuts_above;
};

} // namespace

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
    return recogniser(model, options).run();
}

} // namespace padbatch::onnx_tools
