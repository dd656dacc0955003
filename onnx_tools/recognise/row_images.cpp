// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/row_images.hpp>

#include <onnx_tools/model/ranks.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/column_origin.hpp>
#include <onnx_tools/recognise/evidence.hpp>

#include <algorithm>
#include <cstdint>
#include <unordered_set>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

// Whether `value` says yes or no, as an integer or a number.
bool is_yes_or_no(const graph_index& index, std::string_view value)
{
    return is(producer_behind(index, value, {"Identity", "Cast", "Unsqueeze", "Squeeze", "Reshape"}, 16),
              {"Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal", "And", "Or", "Not"});
}

class count_reader {
public:
    count_reader(const graph_index& index, std::string_view rows) : m_index(index), m_ranks(index), m_rows(rows) {}

    std::optional<shown_counts> read(std::string_view value, int depth = 0)
    {
        const auto* node =
            producer_behind(m_index, value, {"Identity", "Cast", "Squeeze", "Unsqueeze", "Reshape", "Flatten"}, 16);
        if (node == nullptr || depth > 16) {
            return std::nullopt;
        }
        if (is(node, {"Add"}) && node->input_size() == 2) { // with a row that is always there
            const bool first = m_index.constant(node->input(0)) != nullptr;
            return first || m_index.constant(node->input(1)) != nullptr ? read(node->input(first ? 1 : 0), depth + 1)
                                                                        : std::nullopt;
        }
        if (is(node, {"Concat"})) {
            std::optional<shown_counts> all;
            for (const auto& part : node->input()) {
                const auto one = read(part, depth + 1);
                if (!one) {
                    return std::nullopt;
                }
                all = all ? shown_counts{all->evidence, all->of_these_rows && one->of_these_rows} : one;
            }
            return all;
        }
        if (is(node, {"ReduceSum"})) {
            return summed(*node);
        }
        if (is(node, {"Gather", "Slice"})) {
            return measured(*node);
        }
        return std::nullopt;
    }

private:
    // A sum over each image: the first dimension stays.
    std::optional<shown_counts> summed(const onnx::NodeProto& node)
    {
        const auto axes = axes_of(m_index, node, 1);
        const auto rank = m_ranks.rank_of(node.input(0));
        if (!axes || axes->empty() || !is_yes_or_no(m_index, node.input(0)) ||
            std::any_of(axes->begin(), axes->end(),
                        [&](auto axis) { return axis == 0 || (axis < 0 && (!rank || axis + *rank <= 0)); })) {
            return std::nullopt;
        }
        const auto mask = origin(m_index, node.input(0));
        return shown_counts{describe(node) + " counts", is_mask_of_rows(mask) || compares_images_of_rows(mask)};
    }

    // Whether `mask` says which of the images of these rows are equal to something: the numbers of the images, say.
    [[nodiscard]] bool compares_images_of_rows(std::string_view mask) const
    {
        const auto* node = producer_behind(m_index, mask, {"Identity", "Cast"}, 16);
        if (!is(node, {"Equal"})) {
            return false;
        }
        const auto own = origin_of_column(m_index, m_rows, 0);
        return std::any_of(node->input().begin(), node->input().end(), [&](const std::string& side) {
            const auto image = origin_of_column(m_index, side, 0);
            return image.kind == column_kind::image && image.suppression == own.suppression && image.picks == own.picks;
        });
    }

    // Whether the rows are where `mask` says yes, in the order of these places.
    [[nodiscard]] bool is_mask_of_rows(std::string_view mask) const
    {
        const auto from = origin_of_column(m_index, m_rows, 0);
        const auto& readers = m_index.readers(mask);
        return std::any_of(readers.begin(), readers.end(), [&](const onnx::NodeProto* reader) {
            return is(reader, {"NonZero", "Compress"}) && depends_on(m_index, m_rows, reader->output(0)) &&
                   (from.picks.empty() || from.picks.front() == mask ||
                    depends_on(m_index, from.picks.front(), reader->output(0)));
        });
    }

    // The first extent of rows that have been picked.
    [[nodiscard]] std::optional<shown_counts> measured(const onnx::NodeProto& node) const
    {
        const auto* shape = producer_behind(m_index, node.input(0), {"Identity", "Cast"}, 16);
        const auto place = node.input_size() > 1 ? m_index.constant_integers(node.input(1)) : std::nullopt;
        const auto end =
            is(&node, {"Slice"}) && node.input_size() > 2 ? m_index.constant_integers(node.input(2)) : std::nullopt;
        if (!is(shape, {"Shape"}) || !place || *place != std::vector<std::int64_t>{0} ||
            (is(&node, {"Slice"}) && end != std::vector<std::int64_t>{1})) {
            return std::nullopt;
        }
        const auto& measured = shape->input(0);
        const auto from = origin_of_column(m_index, measured, 0);
        if (from.picks.empty() && from.suppression == nullptr && from.kind != column_kind::score) {
            return std::nullopt;
        }
        return shown_counts{describe(*shape) + " counts", depends_on(m_index, m_rows, measured)};
    }

    const graph_index& m_index;
    rank_finder m_ranks;
    std::string_view m_rows;
};

} // namespace

bool is_list_type(const value_type& type)
{
    return type.element && *type.element != element_type::boolean &&
           (type.rank == 1 || (type.rank == 2 && !type.shape.empty() && type.shape.back().size == 1));
}

std::optional<shown_counts> counts_shown(const graph_index& index, std::string_view value, std::string_view rows)
{
    return count_reader(index, rows).read(value);
}

bool depends_on(const graph_index& index, std::string_view from, std::string_view with)
{
    std::unordered_set<std::string_view> seen{from};
    std::vector<std::string_view> ahead{from};
    while (!ahead.empty()) {
        const auto value = ahead.back();
        ahead.pop_back();
        if (value == with) {
            return true;
        }
        if (const auto* node = index.producer(value)) {
            for (const auto read : values_read(*node)) {
                if (seen.insert(read).second) {
                    ahead.push_back(read);
                }
            }
        }
    }
    return false;
}

std::optional<first_image_read> reads_first_image_only(const graph_index& index, const std::string& images)
{
    for (const auto* info : index.required_inputs()) {
        const auto shape = declared_type(*info).shape;
        if (info->name() == images || shape.empty() || shape.front().size == 1) {
            continue;
        }
        const onnx::NodeProto* first = nullptr;
        bool others = false;
        std::vector<std::string_view> copies{info->name()};
        for (std::size_t i = 0; i < copies.size() && i < 16; ++i) {
            for (const auto* reader : index.readers(copies[i])) {
                if (is(reader, {"Identity", "Cast"})) {
                    copies.emplace_back(reader->output(0));
                    continue;
                }
                if (!is(reader, {"Gather", "Slice"}) || reader->input(0) != copies[i] || reader->input_size() < 2) {
                    continue;
                }
                const auto places = index.constant_integers(reader->input(1));
                if (is(reader, {"Gather"})) {
                    if (!places || integer_attribute(*reader, "axis", 0) != 0) {
                        continue;
                    }
                    const bool zero = std::all_of(places->begin(), places->end(), [](auto at) { return at == 0; });
                    first = zero ? reader : first;
                    others = others || !zero;
                    continue;
                }
                const auto ends = reader->input_size() > 2 ? index.constant_integers(reader->input(2)) : std::nullopt;
                auto axes = axes_of(index, *reader, 3);
                if (!axes && places && reader->input_size() < 4) {
                    axes.emplace();
                    for (std::size_t axis = 0; axis < places->size(); ++axis) {
                        axes->push_back(static_cast<std::int64_t>(axis));
                    }
                }
                if (!places || !ends || !axes || axes->size() != places->size() || ends->size() != places->size()) {
                    continue;
                }
                for (std::size_t axis = 0; axis < axes->size(); ++axis) {
                    if ((*axes)[axis] == 0 && (*ends)[axis] == (*places)[axis] + 1) {
                        if ((*places)[axis] == 0) {
                            first = reader;
                        } else {
                            others = true;
                        }
                    }
                }
            }
        }
        if (first != nullptr && !others) {
            return first_image_read{info->name(), first};
        }
    }
    return std::nullopt;
}

} // namespace padbatch::onnx_tools
