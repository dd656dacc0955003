// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/head_columns.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/head_evidence.hpp>
#include <onnx_tools/recognise/undecided.hpp>

#include <string>
#include <utility>
#include <vector>

namespace padbatch::onnx_tools {
namespace {

// There are so many anchors at least, and so many times as there are columns, where the number alone tells them apart.
constexpr std::int64_t many_anchors = 128;
constexpr std::int64_t times_columns = 8;

class head_column_finder {
public:
    head_column_finder(const typed_value& rows, const known_of_columns& known)
        : m_rows(rows), m_shape(rows.type.shape), m_known(known)
    {
    }

    head_columns run()
    {
        if (m_shape.size() == 3 && m_known.shown && (m_shape[*m_known.shown].size || m_known.classes)) {
            const auto declared = m_shape[*m_known.shown].size;
            return declared ? head_columns{*m_known.shown, *declared} : undeclared(*m_known.shown);
        }
        const bool open = m_shape.size() != 3 || (!m_shape[1].size && !m_shape[2].size);
        if (open && m_known.classes) {
            return undeclared(m_known.usual);
        }
        if (open) {
            refuse("the output " + text_of(m_rows) + " does not declare how many columns it has",
                   "a declared number of columns",
                   "say how many classes there are: `num_classes` N; or export the model with the shape of its output");
        }
        return m_shape[1].size && m_shape[2].size ? of_two() : of_one(m_shape[1].size ? 1 : 2);
    }

private:
    [[nodiscard]] std::int64_t extent(std::size_t dimension) const { return *m_shape[dimension].size; }

    [[nodiscard]] bool fits(std::size_t dimension) const
    {
        return m_known.classes && extent(dimension) == m_known.others + *m_known.classes;
    }

    [[nodiscard]] bool has_anchors(std::size_t dimension) const
    {
        return m_known.image && is_anchor_count(extent(dimension), *m_known.image);
    }

    // As many as there must be: running the model shows whether there are.
    [[nodiscard]] head_columns undeclared(std::size_t dimension) const
    {
        return {dimension, m_known.others + *m_known.classes, false};
    }

    // One of the two dimensions is declared.
    [[nodiscard]] head_columns of_one(std::size_t declared) const
    {
        if (fits(declared)) {
            return {declared, extent(declared)};
        }
        if (m_known.classes) {
            const auto columns = m_known.others + *m_known.classes;
            if (m_known.is_told || has_anchors(declared) || extent(declared) >= times_columns * columns) {
                return undeclared(3 - declared);
            }
        }
        if (has_anchors(declared) || declared != m_known.usual) {
            std::vector<recognise_options> sayings;
            if (extent(declared) > m_known.others) {
                sayings.emplace_back().head.class_count = extent(declared) - m_known.others;
            }
            const std::string or_else = sayings.empty() ? ": `num_classes` N" : ", or how many there are";
            throw undecided(
                {"the output " + text_of(m_rows) + " does not show whether it declares its anchors or its columns",
                 "a declared number of columns", "say how many classes there are"},
                std::move(sayings), or_else);
        }
        return {declared, extent(declared)};
    }

    [[nodiscard]] head_columns of_two() const
    {
        if (extent(1) == extent(2)) {
            refuse("the output " + text_of(m_rows) + " has as many columns as anchors",
                   "another number of anchors, so that the two can be told apart",
                   "export the model for another size of the image");
        }
        if (fits(1) || fits(2)) {
            return fits(1) ? head_columns{1, extent(1)} : head_columns{2, extent(2)};
        }
        // Heads have more anchors than columns, large ones far more.
        const std::size_t larger = extent(1) > extent(2) ? 1 : 2;
        const std::size_t smaller = 3 - larger;
        if (has_anchors(larger) ||
            (extent(larger) >= many_anchors && extent(larger) >= times_columns * extent(smaller))) {
            return {smaller, extent(smaller)};
        }
        if (!m_known.settles) {
            refuse_undecided();
        }
        return {m_known.usual, extent(m_known.usual)};
    }

    [[noreturn]] void refuse_undecided() const
    {
        if (m_known.classes) {
            refuse("no dimension of the output " + text_of(m_rows) + " fits " + count_of(*m_known.classes, "class"),
                   "one of them " + std::to_string(m_known.others) + " more than there are classes",
                   "correct `num_classes`, or say which head it is, if it is another");
        }
        std::vector<recognise_options> sayings;
        for (const auto columns : {extent(1), extent(2)}) {
            if (columns > m_known.others) {
                sayings.emplace_back().head.class_count = columns - m_known.others;
            }
        }
        throw undecided({"nothing shows which dimension of the output " + text_of(m_rows) +
                             " has the anchors, and which the columns",
                         "as many anchors as the grids of the image have cells, or a known number of classes",
                         "say how many classes there are"},
                        std::move(sayings));
    }

    const typed_value& m_rows;
    const std::vector<dimension>& m_shape;
    const known_of_columns& m_known;
};

} // namespace

head_columns columns_of_rows(const typed_value& rows, const known_of_columns& known)
{
    return head_column_finder(rows, known).run();
}

head_columns columns_of_scores(const typed_value& scores, std::optional<std::int64_t> anchors,
                               std::optional<std::int64_t> classes)
{
    const auto extent = [&](std::size_t dimension) {
        return scores.type.shape.size() == 3 ? scores.type.shape[dimension].size : std::nullopt;
    };
    const auto fits = [&](std::size_t dimension, const std::optional<std::int64_t>& wanted) {
        return wanted && extent(dimension) == wanted;
    };
    const auto columns_in = [&](std::size_t dimension) {
        const auto declared = extent(dimension);
        if (!declared && !classes) {
            refuse("the output " + text_of(scores) + " does not declare how many classes it has",
                   "a declared number of classes", "say how many: `num_classes` N");
        }
        return declared ? head_columns{dimension, *declared} : head_columns{dimension, *classes, false};
    };
    for (const auto& [beside, wanted] : {std::pair(false, anchors), std::pair(true, classes)}) {
        const std::size_t first = beside ? 2 : 1; // has the anchors, or the classes, as they usually are
        const std::size_t second = 3 - first;
        if (fits(first, wanted) != fits(second, wanted)) {
            return columns_in(fits(first, wanted) ? 2 : 1);
        }
    }
    if (anchors && extent(1) && extent(2) && !fits(1, anchors)) {
        refuse("the output " + text_of(scores) + " has other anchors than the boxes, " + std::to_string(*anchors),
               "scores [B, A, C] for boxes [B, A, 4]", "export the model with scores of each box");
    }
    if (extent(1) && !extent(2) && !classes) {
        refuse("the output " + text_of(scores) + " does not show whether it declares its anchors or its classes",
               "a declared number of classes", "say how many: `num_classes` N");
    }
    return columns_in(2);
}

} // namespace padbatch::onnx_tools
