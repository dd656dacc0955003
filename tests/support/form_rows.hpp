// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_FORM_ROWS_HPP
#define PADBATCH_TESTS_SUPPORT_FORM_ROWS_HPP

#include <tests/support/form_mutations.hpp>
#include <tests/support/plain_outputs.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Reads the detections of each image out of what a changed export gives, by the known meaning of its outputs.
namespace padbatch::test {

struct form_row {
    std::array<double, 4> box{};
    double label = 0;
    double score = 0;
};

/// The detections of some images.
struct form_rows {
    std::vector<std::vector<form_row>> images;
    bool has_labels = false;
    bool has_scores = false;
    /// Set when the outputs no longer say whose rows these are, or which of their parts belong together: nothing can
    /// be right.
    std::string lost;
};

struct form_run {
    const form_export& of;
    const form_mutant& mutant;
    std::map<std::string, tensor> outputs;
    std::size_t images = 0;
    /// What the NonMaxSuppression of a selection reads: boxes and scores.
    std::vector<tensor> selected_from;
};

namespace detail {

inline const tensor* output_with(const form_run& run, char letter, std::size_t* column = nullptr,
                                 std::size_t* columns = nullptr)
{
    for (std::size_t k = 0; k < run.mutant.outputs.size(); ++k) {
        const auto& held = run.mutant.outputs[k].columns;
        const auto at = held.find(letter);
        if (at != std::string::npos) {
            if (column != nullptr) {
                *column = at;
                *columns = held.size();
            }
            return &run.outputs.at(run.mutant.model.graph().output(static_cast<int>(k)).name());
        }
    }
    return nullptr;
}

// The numbers of one column of all rows, if an output has it.
inline std::optional<std::vector<double>> column_with(const form_run& run, char letter)
{
    std::size_t column = 0;
    std::size_t columns = 1;
    const auto* output = output_with(run, letter, &column, &columns);
    if (output == nullptr) {
        return std::nullopt;
    }
    std::vector<double> numbers;
    for (std::size_t i = column; i < elements_of(*output); i += columns) {
        numbers.push_back(number_at(*output, i));
    }
    return numbers;
}

inline form_rows lost(const std::string& why)
{
    form_rows rows;
    rows.lost = why;
    return rows;
}

// x1, y1, x2, y2 of the numbers of a box, in its type.
inline std::array<double, 4> corners_as(const std::string& letters, const std::array<double, 4>& box, int type)
{
    std::array<double, 4> corners = box;
    if (letters == "yxYX") {
        corners = {box[1], box[0], box[3], box[2]};
    } else if (letters == "cdwh") {
        corners = {rounded(type, box[0] - box[2] / 2), rounded(type, box[1] - box[3] / 2),
                   rounded(type, box[0] + box[2] / 2), rounded(type, box[1] + box[3] / 2)};
    }
    return corners;
}

inline form_rows selected_rows(const form_run& run, const tensor& boxes, const tensor& scores,
                               const std::string& letters)
{
    const auto* selection = output_with(run, 'S');
    if (selection == nullptr || run.mutant.outputs.empty()) {
        return lost("the selection is gone");
    }
    form_rows rows{std::vector<std::vector<form_row>>(run.images), true, true, ""};
    const auto candidates = static_cast<std::size_t>(run.selected_from.at(1).shape.at(2));
    const auto classes = static_cast<std::size_t>(run.selected_from.at(1).shape.at(1));
    for (std::size_t i = 0; i + 2 < elements_of(*selection); i += 3) {
        const auto image = static_cast<std::size_t>(number_at(*selection, i));
        const auto label = static_cast<std::size_t>(number_at(*selection, i + 1));
        const auto box = static_cast<std::size_t>(number_at(*selection, i + 2));
        if (image >= run.images) {
            continue;
        }
        form_row row;
        for (std::size_t c = 0; c < 4; ++c) {
            row.box[c] = number_at(boxes, (image * candidates + box) * 4 + c);
        }
        row.box = corners_as(letters, row.box, boxes.type);
        row.label = static_cast<double>(label);
        row.score = number_at(scores, (image * classes + label) * candidates + box);
        rows.images[image].push_back(row);
    }
    return rows;
}

} // namespace detail

/// What the outputs say; several readings where either is right.
inline std::vector<form_rows> rows_of_run(const form_run& run, bool in_pixels)
{
    using namespace detail;
    const auto& of = run.of;
    if (of.form == output_form::nms) {
        std::vector<form_rows> all;
        const auto* boxes = output_with(run, 'P');
        const auto* scores = output_with(run, 'Q');
        for (const std::string& letters : {of.selected, std::string(of.selected == "yxYX" ? "xyXY" : of.selected)}) {
            all.push_back(selected_rows(run, run.selected_from.at(0), run.selected_from.at(1), letters));
            if (boxes != nullptr && scores != nullptr) {
                all.push_back(selected_rows(run, *boxes, *scores, letters));
            }
        }
        return all;
    }
    std::vector<std::vector<double>> box;
    std::string letters;
    for (const std::string& each : {std::string("xyXY"), std::string("cdwh")}) {
        for (const char letter : each) {
            if (auto numbers = column_with(run, letter)) {
                box.push_back(std::move(*numbers));
                letters += letter;
            }
        }
    }
    if (box.size() != 4) {
        return {lost("there are no boxes")};
    }
    int type = 0;
    if (const auto* output = output_with(run, letters.front())) {
        type = output->type;
    }
    const auto labels = column_with(run, 'l');
    const auto scores = column_with(run, 's');
    const auto image_of = column_with(run, 'b');
    const auto counts = column_with(run, 'n');
    const std::size_t n = box.front().size();
    for (const auto* column : {&labels, &scores, &image_of}) {
        if (*column && (*column)->size() != n) {
            return {lost("the outputs have different numbers of rows")};
        }
    }
    const bool paddle = of.file.find("paddle") != std::string::npos;
    // Paddle's row that stands for none is known by its place in the list: label, score, box.
    std::vector<form_rows> all;
    // Where a list ends at image -1, unless it has lost the form by which that is known.
    const bool may_go_on = of.ends_at_minus_one && run.mutant.outputs.front().axes != "11nk";
    for (const bool drop_zeros : paddle || may_go_on ? std::vector<bool>{true, false} : std::vector<bool>{false}) {
        form_rows rows{std::vector<std::vector<form_row>>(run.images), labels.has_value(), scores.has_value(), ""};
        const std::size_t most = run.images == 0 ? 0 : n / run.images;
        std::size_t image = 0;
        double left = counts && !counts->empty() ? counts->front() : 0;
        bool ended = false;
        double sum = 0;
        for (std::size_t i = 0; counts && i < counts->size(); ++i) {
            sum += (*counts)[i];
        }
        const bool counted = of.form != output_form::padded && counts && (!image_of || run.images == 1);
        if (counted && (counts->size() != run.images || sum != static_cast<double>(n))) {
            return {lost("the counts are not those of the rows")};
        }
        for (std::size_t i = 0; i < n; ++i) {
            form_row row;
            for (std::size_t c = 0; c < 4; ++c) {
                row.box[c] = box[c][i];
            }
            row.box = corners_as(letters, row.box, type);
            for (std::size_t c = 0; c < 4 && in_pixels && run.mutant.is_normalised; ++c) {
                row.box[c] = rounded(type, row.box[c] * (c % 2 == 0 ? form_width : form_height));
            }
            row.label = labels ? (*labels)[i] : 0;
            row.score = scores ? (*scores)[i] : 0;
            bool real = true;
            if (of.form == output_form::padded) {
                image = i / std::max<std::size_t>(most, 1);
                ended = i % std::max<std::size_t>(most, 1) != 0 && ended;
                switch (of.real) {
                case real_rows::all: break;
                case real_rows::before_label: ended = ended || row.label == -1; break;
                case real_rows::before_score:
                case real_rows::counted: ended = ended || row.score <= 0; break; // which is what is counted
                }
                real = !ended;
            } else if (image_of && !counted) {
                ended = ended || (of.ends_at_minus_one && !(may_go_on && drop_zeros) && (*image_of)[i] < 0);
                const auto whole = std::trunc((*image_of)[i]);
                real = !ended && whole >= 0 && whole < static_cast<double>(run.images);
                image = real ? static_cast<std::size_t>(whole) : 0;
            } else if (counted) {
                while (left < 1 && image + 1 < run.images) {
                    left = (*counts)[++image];
                }
                left -= 1;
                real = !paddle || ((!labels || row.label >= 0) && (!drop_zeros || !scores || row.score > 0));
            } else if (run.images != 1) {
                return {lost("nothing says whose the rows are")};
            } else if (paddle && drop_zeros) {
                real = scores && row.score > 0;
            }
            if (real) {
                rows.images.at(image).push_back(row);
            }
        }
        all.push_back(std::move(rows));
    }
    return all;
}

/// The best first, equal ones as they stand.
inline std::vector<form_row> best_first(std::vector<form_row> rows)
{
    std::stable_sort(rows.begin(), rows.end(), [](const form_row& a, const form_row& b) { return a.score > b.score; });
    return rows;
}

} // namespace padbatch::test

#endif
