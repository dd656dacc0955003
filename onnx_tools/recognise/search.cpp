// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/search.hpp>

#include <onnx_tools/recognise/evidence.hpp>

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string_view>
#include <utility>

namespace padbatch::onnx_tools {
namespace {

// Finds out which field each slot of an image is, by the first image's outputs. Their types leave few choices: of two
// values [n, k] one is the boxes and one the scores of keypoints, and masks may have the rank of keypoints. There the
// names, the declared extents and the nodes must agree on one.
class slot_namer {
public:
    slot_namer(const graph_outputs& outputs, const reading& r) : m_outputs(outputs)
    {
        for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
            m_slots.push_back(&r.at(outputs.all(), 0, slot));
        }
    }

    // The fields; empty when a slot is none or may be several, or when boxes or scores are missing.
    std::vector<field> run()
    {
        std::vector<field> named;
        for (const auto* o : m_slots) {
            const auto kind = kind_of(*o);
            if (!kind || std::find(named.begin(), named.end(), *kind) != named.end()) {
                return {};
            }
            named.push_back(*kind);
        }
        const auto has = [&](field f) { return std::find(named.begin(), named.end(), f) != named.end(); };
        const bool detects = has(field::boxes) && has(field::scores);
        return detects && (has(field::keypoints) || !has(field::keypoints_scores)) ? named : std::vector<field>();
    }

private:
    [[nodiscard]] std::optional<field> kind_of(const output& o) const
    {
        std::vector<field> fitting;
        for (const auto kind : all_fields()) {
            if (fits(kind, o.type)) {
                fitting.push_back(kind);
            }
        }
        if (fitting.empty()) {
            return std::nullopt;
        }
        const auto kind = o.type.rank == 2   ? boxes_or_scores_of_keypoints(o)
                          : o.type.rank == 3 ? masks_or_keypoints(o, fitting)
                                             : std::optional(fitting.front());
        return kind && !contradicts(m_outputs, o, *kind) && is_shown(o, *kind) ? kind : std::nullopt;
    }

    // Graphs that show how their rows are cut also show what boxes and masks are. In others the types are all there is.
    [[nodiscard]] bool is_shown(const output& o, field kind) const
    {
        return (kind != field::boxes && kind != field::masks) || !m_outputs.any_cut() || shows(m_outputs, o, kind);
    }

    [[nodiscard]] std::optional<field> boxes_or_scores_of_keypoints(const output& o) const
    {
        const output* other = nullptr;
        for (const auto* each : m_slots) {
            if (each != &o && fits(field::keypoints_scores, each->type)) {
                if (other != nullptr) {
                    return std::nullopt;
                }
                other = each;
            }
        }
        if (other == nullptr) {
            return fits(field::boxes, o.type) ? std::optional(field::boxes) : std::nullopt;
        }
        const int mine = votes_for_boxes(o, *other);
        const int others = votes_for_boxes(*other, o);
        if ((mine > 0) == (others > 0)) { // nothing tells them apart, or the evidence conflicts
            return std::nullopt;
        }
        return mine > 0 ? field::boxes : field::keypoints_scores;
    }

    // How much speaks for `o` as the boxes and `other` as the scores of keypoints.
    [[nodiscard]] int votes_for_boxes(const output& o, const output& other) const
    {
        const auto four = [](const output& value) {
            return !value.type.shape.empty() && value.type.shape.back().size == 4;
        };
        const auto not_four = [&](const output& value) {
            return !value.type.shape.empty() && value.type.shape.back().size && !four(value);
        };
        const bool by_extent = (four(o) && !four(other)) || (not_four(other) && !not_four(o));
        const bool by_nodes = nodes_show(m_outputs, o, field::boxes) && !nodes_show(m_outputs, other, field::boxes);
        const bool by_name = named_field(o.name) == field::boxes || named_field(other.name) == field::keypoints_scores;
        return (by_extent ? 1 : 0) + (by_nodes ? 1 : 0) + (by_name ? 1 : 0);
    }

    [[nodiscard]] std::optional<field> masks_or_keypoints(const output& o, const std::vector<field>& fitting) const
    {
        if (fitting.size() == 1) {
            return fitting.front();
        }
        const bool masks = shows(m_outputs, o, field::masks);
        const bool keypoints = shows(m_outputs, o, field::keypoints);
        if (masks != keypoints) {
            return masks ? field::masks : field::keypoints;
        }
        const auto flat = std::count_if(m_slots.begin(), m_slots.end(),
                                        [](const output* each) { return fits(field::keypoints_scores, each->type); });
        return !masks && flat == 2 ? std::optional(field::keypoints) : std::nullopt;
    }

    const graph_outputs& m_outputs;
    std::vector<const output*> m_slots;
};

// Whether a slot holds boxes, labels or scores.
bool is_basic(const reading& r, int slot)
{
    const auto kind = r.fields[static_cast<std::size_t>(slot)];
    return kind == field::boxes || kind == field::labels || kind == field::scores;
}

// Whether an image's outputs fit their fields and have the types of the first image's, and as many rows as one another:
// a fixed number where the rows of boxes are declared to vary is none.
bool consistent(const graph_outputs& outputs, const reading& r, int image)
{
    std::optional<std::int64_t> rows;
    std::set<std::string_view> origins; // a copy of keypoints is no masks
    for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
        const auto kind = r.fields[static_cast<std::size_t>(slot)];
        const auto& o = r.at(outputs.all(), image, slot);
        const auto& first = r.at(outputs.all(), 0, slot);
        if (!fits(kind, o.type) || o.type.element != first.type.element || o.type.rank != first.type.rank ||
            contradicts(outputs, o, kind) ||
            (!is_basic(r, slot) && !origins.insert(origin(outputs.index(), o.name)).second)) {
            return false;
        }
        const auto declared = o.type.shape.empty() ? std::nullopt : o.type.shape.front().size;
        if (declared && (outputs.rows_vary() || (rows && *rows != *declared))) {
            return false;
        }
        rows = declared ? declared : rows;
    }
    return true;
}

// The cut that an image's boxes, labels and scores come from; null when none shows.
struct image_cut {
    bool agreed = true;
    const onnx::NodeProto* cut = nullptr;
};

image_cut cut_of(const graph_outputs& outputs, const reading& r, int image)
{
    image_cut found;
    for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
        if (!is_basic(r, slot)) {
            continue;
        }
        const auto* own = r.at(outputs.all(), image, slot).cut;
        found.agreed = found.agreed && (own == nullptr || found.cut == nullptr || own == found.cut);
        found.cut = own != nullptr ? own : found.cut;
    }
    return found;
}

// Whether the nearest cuts above an image's boxes, labels and scores, if they have any, are one, on which its masks and
// keypoints depend too, where it is not known that it bounds their rows.
bool has_one_nearest_cut(const graph_outputs& outputs, const reading& r, int image)
{
    cut_set nearest;
    for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
        if (is_basic(r, slot)) {
            nearest.insert(r.at(outputs.all(), image, slot).nearest);
        }
    }
    nearest.erase(nullptr);
    for (int slot = 0; slot < static_cast<int>(r.fields.size()) && nearest.size() == 1; ++slot) {
        if (!is_basic(r, slot) &&
            outputs.cuts_above(r.at(outputs.all(), image, slot).name).count(*nearest.begin()) == 0) {
            return false;
        }
    }
    return nearest.size() <= 1;
}

// Whether an image's boxes, labels and scores come from one cut, which none of the images in `cuts` has, and the
// image's masks and keypoints are that image's too. (In a batch their values often depend on the detections of all
// images.) Adds the cut to `cuts`.
bool comes_from_one_cut(const graph_outputs& outputs, const reading& r, int image, cut_set& cuts)
{
    const auto [agreed, cut] = cut_of(outputs, r, image);
    if (!agreed) {
        return false;
    }
    if (cut == nullptr) {
        return has_one_nearest_cut(outputs, r, image);
    }
    if (!cuts.insert(cut).second) {
        return false;
    }
    for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
        const auto& o = r.at(outputs.all(), image, slot);
        if (!outputs.cuts_above(o.name).count(cut) ||
            (o.bound.cut != cut && !is_basic(r, slot) && owner_of(outputs, o) != cut)) {
            return false;
        }
    }
    return true;
}

// Whether an output might belong to detections, by its type and by where it comes from. Where the rows of boxes are
// declared to vary, a fixed extent, such as the 2 of an image's size, is no number of rows.
bool looks_like_detection(const graph_outputs& outputs, const output& o)
{
    if (outputs.rows_vary() && !o.type.shape.empty() && o.type.shape.front().size) {
        return false;
    }
    // If no output shows a cut, there are only types to go by.
    return (fits(field::boxes, o.type) || fits(field::labels, o.type) || fits(field::scores, o.type)) &&
           (o.nearest != nullptr || !outputs.any_cut());
}

// The cuts of the outputs that a reading covers; if none is known to be one, the nearest above them.
cut_set cuts_of(const graph_outputs& outputs, const reading& r)
{
    cut_set cuts;
    cut_set nearest;
    for (int i = r.first; i < r.first + r.count(); ++i) {
        cuts.insert(outputs[i].cut);
        nearest.insert(outputs[i].nearest);
    }
    cuts.erase(nullptr);
    nearest.erase(nullptr);
    return cuts.empty() ? nearest : cuts;
}

// Whether an output depends on one of `cuts`. Whatever comes from the cut of an image has a row for each detection.
// Feature maps do not come from it, nor do features of proposals, nor a count, which is a shape.
bool depends_on(const graph_outputs& outputs, int position, const cut_set& cuts)
{
    const auto& own = outputs.cuts_above(outputs[position].name);
    return std::any_of(own.begin(), own.end(), [&](const auto* cut) { return cuts.count(cut) != 0; });
}

class searcher {
public:
    searcher(const graph_outputs& outputs, const recognise_options& options) : m_outputs(outputs), m_options(options)
    {
        for (int i = 0; i < outputs.size(); ++i) {
            if (looks_like_detection(outputs, outputs[i])) {
                m_first_likely = std::min(m_first_likely, i);
                m_last_likely = i;
            }
        }
    }

    // A complete reading begins no later than the first likely output and ends no earlier than the last. So most ways
    // to read thousands of outputs are ruled out without a look at them.
    found_readings run()
    {
        const int n = m_outputs.size();
        for (int first = 0; first < n && (first <= m_first_likely || !m_found.incomplete); ++first) {
            for (int slots = 2; slots <= std::min(field_count, n - first); ++slots) {
                read_by_image(first, slots);
                read_by_field(first, slots);
            }
        }
        std::stable_sort(m_found.possible.begin(), m_found.possible.end(),
                         [](const reading& a, const reading& b) { return a.count() > b.count(); });
        return std::move(m_found);
    }

private:
    [[nodiscard]] bool is_allowed(const reading& r) const
    {
        return (!m_options.batch || *m_options.batch == r.images) &&
               (!m_options.order || r.images == 1 || *m_options.order == r.order);
    }

    static reading start(int first, int images, output_order order, int slots)
    {
        return {first, images, order, std::vector<field>(static_cast<std::size_t>(slots))};
    }

    // One image after the other, as far as they fit.
    void read_by_image(int first, int slots)
    {
        auto r = start(first, 1, output_order::by_image, slots);
        r.fields = slot_namer(m_outputs, r).run();
        cut_set cuts;
        for (; !r.fields.empty() && r.count() <= m_outputs.size() - first; ++r.images) {
            if (!consistent(m_outputs, r, r.images - 1) || !comes_from_one_cut(m_outputs, r, r.images - 1, cuts)) {
                break;
            }
            add(r);
        }
    }

    void read_by_field(int first, int slots)
    {
        const int most = (m_outputs.size() - first) / slots;
        const int least = std::max(2, (m_last_likely + 1 - first + slots - 1) / slots);
        for (int images = first == 0 ? 2 : least; images <= most; ++images) { // with one, it is the other order
            auto r = start(first, images, output_order::by_field, slots);
            if (!is_allowed(r)) {
                continue;
            }
            r.fields = slot_namer(m_outputs, r).run();
            cut_set cuts;
            bool fit = !r.fields.empty();
            for (int image = 0; fit && image < images; ++image) {
                fit = consistent(m_outputs, r, image) && comes_from_one_cut(m_outputs, r, image, cuts);
            }
            if (fit) {
                add(r);
            }
        }
    }

    void add(const reading& r)
    {
        if (!is_allowed(r)) {
            return;
        }
        if (is_complete(r)) {
            m_found.possible.push_back(r);
        } else if (!m_found.incomplete ||
                   (m_found.incomplete->first == r.first && m_found.incomplete->count() < r.count())) {
            m_found.incomplete = r;
        }
    }

    [[nodiscard]] bool is_complete(const reading& r) const
    {
        if (m_last_likely >= 0 && (m_first_likely < r.first || m_last_likely >= r.first + r.count())) {
            return false;
        }
        const auto cuts = cuts_of(m_outputs, r);
        for (int i = 0; i < m_outputs.size(); ++i) {
            if (!r.covers(i) && depends_on(m_outputs, i, cuts)) {
                return false;
            }
        }
        return true;
    }

    const graph_outputs& m_outputs;
    const recognise_options& m_options;
    int m_first_likely = m_outputs.size();
    int m_last_likely = -1;
    found_readings m_found;
};

} // namespace

found_readings search(const graph_outputs& outputs, const recognise_options& options)
{
    return searcher(outputs, options).run();
}

bool is_left_over(const graph_outputs& outputs, const reading& r, int position)
{
    return !r.covers(position) &&
           (looks_like_detection(outputs, outputs[position]) || depends_on(outputs, position, cuts_of(outputs, r)));
}

bool is_misplaced(const graph_outputs& outputs, const reading& r, int image, int slot)
{
    const auto& o = r.at(outputs.all(), image, slot);
    const auto* own = cut_of(outputs, r, image).cut;
    const auto* owner = o.bound.cut != nullptr ? o.bound.cut : is_basic(r, slot) ? o.cut : owner_of(outputs, o);
    if (own == nullptr || owner == nullptr || own == owner) {
        return false;
    }
    for (int other = 0; other < r.images; ++other) {
        if (other != image && cut_of(outputs, r, other).cut == owner) {
            return true;
        }
    }
    return false;
}

} // namespace padbatch::onnx_tools
