// SPDX-License-Identifier: Apache-2.0
// Outputs whose form nothing proves, in many signatures. The refusal must name options for each form that is possible,
// and for no other. All of these are followed, to the end: what comes out must be what the options say.

#include <doctest/doctest.h>

#include <tests/support/parse_model.hpp>
#include <tests/support/plain_outputs.hpp>
#include <tests/support/plain_selection.hpp>
#include <tests/support/remedies.hpp>
#include <tests/support/runtime.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using outputs_by_name = std::map<std::string, tensor>;

// An output of a signature: its declared type, and what it has when the model runs, of which no node shows anything.
struct shown_output {
    std::string declared; // as in ONNX's textual syntax: float[n,6] d
    std::vector<std::int64_t> shape;
    std::vector<std::int64_t> integers = {}; // its values; others are taken from the pixels
};

struct signature {
    std::string name;
    std::string batch; // the first extent of the images
    std::vector<shown_output> outputs;
    std::set<std::string> forms; // those that the message must lead to; empty if it is read without a word
};

constexpr std::int64_t elements_of_image = 3 * 16 * 16;

std::int64_t product(const std::vector<std::int64_t>& shape)
{
    return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::string text_of_list(const std::vector<std::int64_t>& numbers, const std::string& behind_each = "")
{
    std::string text;
    for (const auto number : numbers) {
        text += (text.empty() ? "" : ",") + std::to_string(number) + behind_each;
    }
    return text;
}

std::string name_in(const std::string& declared)
{
    return declared.substr(declared.rfind(' ') + 1);
}

onnx::ModelProto model_of(const signature& s)
{
    std::string header;
    std::string nodes = "flat_shape = Constant<value = int64[1] {-1}>() pixels = Reshape(images, flat_shape)\n";
    std::int64_t from = 0;
    for (const auto& output : s.outputs) {
        const auto name = name_in(output.declared);
        header += (header.empty() ? "" : ", ") + output.declared;
        const auto size = std::to_string(output.shape.size());
        if (!output.integers.empty()) {
            const auto type = output.declared.substr(0, output.declared.find('['));
            nodes += name + "_values = Constant<value = " + type + "[" + std::to_string(output.integers.size()) +
                     "] {" + text_of_list(output.integers, type == "float" ? "." : "") + "}>() " + name +
                     "_shape = Constant<value = int64[" + size + "] {" + text_of_list(output.shape) + "}>() " + name +
                     " = Reshape(" + name + "_values, " + name + "_shape)\n";
            continue;
        }
        const auto to = from + product(output.shape);
        nodes += name + "_from = Constant<value = int64[1] {" + std::to_string(from) + "}>() " + name +
                 "_to = Constant<value = int64[1] {" + std::to_string(to) + "}>() " + name + "_part = Slice(pixels, " +
                 name + "_from, " + name + "_to) " + name + "_shape = Constant<value = int64[" + size + "] {" +
                 text_of_list(output.shape) + "}>() " + name + " = Reshape(" + name + "_part, " + name + "_shape)\n";
        from = to;
    }
    return parse_model("<ir_version: 7, opset_import: [\"\" : 13]> g (float[" + s.batch + ",3,16,16] images) => (" +
                       header + ") {\n" + nodes + "}");
}

struct detection {
    std::array<double, 4> box{};
    double label = 0;
    double score = 0;

    friend bool operator==(const detection&, const detection&) = default;
};

using rows_of_images = std::vector<std::vector<detection>>;

std::vector<std::string> words_of(const std::string& list)
{
    std::vector<std::string> words;
    for (std::size_t begin = 0; begin <= list.size();) {
        const auto end = std::min(list.find(',', begin), list.size());
        words.push_back(list.substr(begin, end - begin));
        begin = end + 1;
    }
    return words;
}

// What options say of the outputs of one run, taken at their word. No code of the rewrite is used.
class plain_reader {
public:
    plain_reader(const signature& s, const outputs_by_name& values, const flag_list& flags, std::size_t images)
        : m_signature(s), m_values(values), m_images(images)
    {
        for (const auto& [name, value] : flags) {
            m_flags[name] = value;
        }
    }

    rows_of_images run()
    {
        name_parts();
        const auto list = rows();
        const auto from = m_flags.at("--from");
        if (from == "fields") {
            return {list};
        }
        rows_of_images result(m_images);
        const auto counts =
            m_flags.count("--count-output") != 0 ? numbers(m_flags["--count-output"]) : std::vector<double>();
        if (from == "padded") {
            if (!counts.empty() && counts.size() != m_images) {
                throw std::runtime_error("counts that do not fit");
            }
            const auto each = list.size() / m_images;
            for (std::size_t i = 0; i < m_images; ++i) {
                const auto real = counts.empty() ? each : static_cast<std::size_t>(counts.at(i));
                const auto first = list.begin() + static_cast<std::ptrdiff_t>(i * each);
                result[i].assign(first, first + static_cast<std::ptrdiff_t>(real));
            }
            return result;
        }
        if (!counts.empty()) {
            if (counts.size() != m_images ||
                std::accumulate(counts.begin(), counts.end(), 0.0) != static_cast<double>(list.size())) {
                throw std::runtime_error("counts that do not fit");
            }
            for (std::size_t i = 0, row = 0; i < m_images; ++i) {
                for (double n = 0; n < counts[i]; ++n) {
                    result[i].push_back(list[row++]);
                }
            }
            return result;
        }
        if (m_index.size() != list.size()) {
            throw std::runtime_error("nothing says whose the rows are");
        }
        for (std::size_t row = 0; row < list.size(); ++row) {
            const auto image = static_cast<std::size_t>(m_index.at(row));
            if (image < m_images && m_index[row] == static_cast<double>(image)) {
                result[image].push_back(list[row]);
            }
        }
        return result;
    }

private:
    [[nodiscard]] std::vector<double> numbers(const std::string& output) const
    {
        const auto& t = m_values.at(output);
        std::vector<double> all;
        for (std::size_t i = 0; i < padbatch::test::detail::elements_of(t); ++i) {
            all.push_back(padbatch::test::detail::number_at(t, i));
        }
        return all;
    }

    static bool is_wide(const shown_output& output)
    {
        return output.declared.rfind("float", 0) == 0 && output.shape.size() > 1 && output.shape.back() >= 4 &&
               output.shape.back() <= 7;
    }

    // Every column that is known, by its name.
    void name_parts()
    {
        std::vector<std::string> names = m_flags.count("--columns") != 0
                                             ? words_of(m_flags["--columns"])
                                             : std::vector<std::string>{"x1", "y1", "x2", "y2"};
        const bool told = m_flags.count("--columns") != 0;
        const bool in_one = std::any_of(m_signature.outputs.begin(), m_signature.outputs.end(), [&](const auto& o) {
            return is_wide(o) && o.shape.back() == static_cast<std::int64_t>(names.size());
        });
        const auto fields = m_flags.count("--fields") != 0 ? words_of(m_flags["--fields"]) : std::vector<std::string>();
        std::size_t used = 0;
        std::size_t place = 0;
        for (const auto& output : m_signature.outputs) {
            const auto name = name_in(output.declared);
            const bool whose = (m_flags.count("--count-output") != 0 && m_flags["--count-output"] == name) ||
                               (m_flags.count("--batch-index") != 0 && m_flags["--batch-index"] == name);
            if (whose) {
                if (m_flags.count("--batch-index") != 0) {
                    m_index = numbers(name);
                }
                ++place;
                continue;
            }
            const auto width = output.shape.back();
            const bool wide = is_wide(output);
            if (wide) {
                for (std::int64_t column = 0; column < width; ++column) {
                    const auto all = numbers(name);
                    std::vector<double> values;
                    for (std::size_t at = static_cast<std::size_t>(column); at < all.size();
                         at += static_cast<std::size_t>(width)) {
                        values.push_back(all[at]);
                    }
                    const auto at = used++;
                    m_columns[at < names.size() ? names[at] : "score"] = values; // [n, 5] is a box and its score
                }
            } else if (!fields.empty() && place < fields.size()) {
                m_columns[fields[place] == "labels" ? "label" : "score"] = numbers(name);
            } else if (told && !in_one && used < names.size()) {
                m_columns[names[used++]] = numbers(name);
            } else {
                m_lists.push_back(name);
            }
            ++place;
        }
        for (const auto& name : m_lists) {
            const bool whole = std::any_of(m_signature.outputs.begin(), m_signature.outputs.end(), [&](const auto& o) {
                return name_in(o.declared) == name && !o.integers.empty();
            });
            const bool has_rows = numbers(name).size() == m_columns.at("x1").size();
            if (!has_rows) {
                continue;
            }
            if (m_columns.count("label") == 0 && (whole || m_columns.count("score") != 0)) {
                m_columns["label"] = numbers(name);
            } else if (m_columns.count("score") == 0 && !whole) {
                m_columns["score"] = numbers(name);
            } else if (m_index.empty()) {
                m_index = numbers(name);
            }
        }
        if (m_columns.count("batch") != 0) {
            m_index = m_columns["batch"];
        }
    }

    [[nodiscard]] std::vector<detection> rows()
    {
        std::vector<detection> all(m_columns.at("x1").size());
        const bool labelled = m_columns.count("label") != 0;
        for (std::size_t i = 0; i < all.size(); ++i) {
            all[i] = {{m_columns["x1"][i], m_columns["y1"][i], m_columns["x2"][i], m_columns["y2"][i]},
                      labelled ? std::trunc(m_columns["label"].at(i)) : 0.0,
                      m_columns.at("score").at(i)};
        }
        return all;
    }

    const signature& m_signature;
    const outputs_by_name& m_values;
    std::size_t m_images;
    std::map<std::string, std::string> m_flags;
    std::map<std::string, std::vector<double>> m_columns;
    std::vector<std::string> m_lists;
    std::vector<double> m_index;
};

// What options say of a raw head, [B, columns, A] or [B, A, columns], taken at their word.
class plain_head_reader {
public:
    plain_head_reader(const tensor& head, const flag_list& flags) : m_head(head)
    {
        for (const auto& [name, value] : flags) {
            m_flags[name] = value;
        }
    }

    rows_of_images run()
    {
        const auto kind = m_flags.at("--head");
        const bool objectness = kind == "yolo-objectness";
        const std::int64_t first = objectness ? 5 : 4;
        const bool usually_last = kind != "yolo";
        const auto told = m_flags.find("--num-classes");
        m_columns_last = told == m_flags.end() ? usually_last : m_head.shape[2] == first + std::stol(told->second);
        const auto columns = m_head.shape[m_columns_last ? 2 : 1];
        const auto anchors = static_cast<std::size_t>(m_head.shape[m_columns_last ? 1 : 2]);
        if (m_flags.count("--strides") != 0 && m_flags["--strides"] != "none" && anchors != cells()) {
            throw std::runtime_error("the grids have another number of cells");
        }
        rows_of_images all;
        for (std::size_t image = 0; image < static_cast<std::size_t>(m_head.shape[0]); ++image) {
            std::vector<plain_anchor> found(anchors);
            for (std::size_t a = 0; a < anchors; ++a) {
                found[a].corners = corners(image, a);
                for (auto c = first; c < columns; ++c) {
                    found[a].scores.push_back(number(image, a, c) * (objectness ? number(image, a, 4) : 1));
                }
            }
            head_selection how;
            how.score = 0.25;
            how.iou_threshold = 0.7;
            how.most = std::min<std::int64_t>(20, static_cast<std::int64_t>(anchors));
            auto& rows = all.emplace_back();
            for (const auto& row : selected(found, how, image).rows) {
                rows.push_back({row.corners, row.label, row.score});
            }
        }
        return all;
    }

private:
    [[nodiscard]] std::size_t cells() const // of an image of 16 by 16
    {
        std::size_t all = 0;
        for (const auto& stride : words_of(m_flags.at("--strides"))) {
            all += static_cast<std::size_t>((16 / std::stol(stride)) * (16 / std::stol(stride)));
        }
        return all;
    }

    [[nodiscard]] float number(std::size_t image, std::size_t anchor, std::int64_t column) const
    {
        const auto second = static_cast<std::size_t>(m_head.shape[2]);
        const auto c = static_cast<std::size_t>(column);
        const auto at = m_columns_last ? anchor * second + c : c * second + anchor;
        return static_cast<float>(
            padbatch::test::detail::number_at(m_head, image * static_cast<std::size_t>(m_head.shape[1]) * second + at));
    }

    [[nodiscard]] std::array<float, 4> corners(std::size_t image, std::size_t anchor) const
    {
        const auto n = [&](std::int64_t column) { return number(image, anchor, column); };
        const auto format = m_flags.count("--box-format") != 0 ? m_flags.at("--box-format") : "cxcywh";
        if (m_flags.count("--strides") != 0 && m_flags.at("--strides") != "none") {
            throw std::runtime_error("this reader knows no grids");
        }
        return format == "xyxy"   ? std::array{n(0), n(1), n(2), n(3)}
               : format == "yxyx" ? std::array{n(1), n(0), n(3), n(2)}
               : format == "xywh"
                   ? std::array{n(0), n(1), n(0) + n(2), n(1) + n(3)}
                   : std::array{n(0) - n(2) * 0.5F, n(1) - n(3) * 0.5F, n(0) + n(2) * 0.5F, n(1) + n(3) * 0.5F};
    }

    const tensor& m_head;
    std::map<std::string, std::string> m_flags;
    bool m_columns_last = false;
};

class follower {
public:
    explicit follower(const signature& s) : m_signature(s), m_model(model_of(s))
    {
        m_images = s.batch == "1" ? 1 : 2;
        std::vector<float> pixels(m_images * static_cast<std::size_t>(elements_of_image));
        for (std::size_t i = 0; i < pixels.size(); ++i) {
            pixels[i] = static_cast<float>(1 + i * 37 % 251) / 16.0F; // labels too may be taken from these
        }
        m_data = {pixels};
        m_shapes = {{static_cast<std::int64_t>(m_images), 3, 16, 16}};
        model_session session(m_model.SerializeAsString(), ORT_DISABLE_ALL);
        m_values = session.run(m_data, m_shapes);
    }

    // The forms that the options named in the end lead to.
    std::set<std::string> run()
    {
        const flag_list flags{{"--max-detections", "20"}};
        const auto outcome = rewrite_as_told(m_model, flags);
        if (!outcome.plan) {
            CHECK(outcome.kind == failure::refused);
            follow(flags, outcome.message, 0);
        }
        return m_forms;
    }

private:
    void follow(const flag_list& flags, const std::string& message, int depth)
    {
        CAPTURE(message);
        const auto ways = suggestions_in(message);
        CHECK((depth == 0 || !ways.empty()));
        for (const auto& way : ways) {
            if (way.set.size() == 1 && (way.set.front().first == "--normalized" || depth > 4)) {
                continue; // which goes with another
            }
            CHECK_FALSE(way.is_form); // options as they can be typed
            const auto next = followed(way, flags, {});
            REQUIRE(next);
            const auto told = text_of(*next);
            CAPTURE(told);
            const auto outcome = rewrite_as_told(m_model, *next);
            if (outcome.plan) {
                check_right(outcome, *next);
                continue;
            }
            CHECK(outcome.is_refusal());
            REQUIRE(depth < 4);
            const auto before = m_forms.size() + m_right;
            follow(*next, outcome.message, depth + 1);
            CHECK(m_forms.size() + m_right > before);
        }
    }

    void check_right(const rewrite_outcome& outcome, const flag_list& flags)
    {
        REQUIRE(has(flags, "--from"));
        ++m_right;
        m_forms.insert(value_of(flags, "--from"));
        rows_of_images expected;
        try {
            expected = value_of(flags, "--from") == "raw" ? plain_head_reader(m_values.begin()->second, flags).run()
                                                          : plain_reader(m_signature, m_values, flags, m_images).run();
        } catch (const std::exception&) { // it is not so, and a run must notice
            CHECK_THROWS((void)results(outcome));
            return;
        }
        const auto got = results(outcome);
        REQUIRE(got.size() == expected.size());
        for (std::size_t image = 0; image < got.size(); ++image) {
            CAPTURE(image);
            auto sorted = expected[image];
            std::stable_sort(sorted.begin(), sorted.end(),
                             [](const auto& a, const auto& b) { return a.score > b.score; });
            CHECK((got[image] == expected[image] || got[image] == sorted));
        }
    }

    // The rows that a rewritten model gives.
    [[nodiscard]] rows_of_images results(const rewrite_outcome& outcome) const
    {
        model_session session(outcome.result.SerializeAsString(), ORT_DISABLE_ALL, "", ORT_LOGGING_LEVEL_FATAL);
        auto data = m_data;
        auto shapes = m_shapes;
        const auto got = session.run(data, shapes);
        const auto number = [](const tensor& t, std::size_t i) { return padbatch::test::detail::number_at(t, i); };
        rows_of_images all(static_cast<std::size_t>(got.at("num_detections").shape.front()));
        const auto room = static_cast<std::size_t>(got.at("boxes").shape.at(1));
        for (std::size_t image = 0; image < all.size(); ++image) {
            for (std::size_t row = 0; row < static_cast<std::size_t>(number(got.at("num_detections"), image)); ++row) {
                const auto at = image * room + row;
                detection d;
                for (std::size_t i = 0; i < 4; ++i) {
                    d.box[i] = number(got.at("boxes"), at * 4 + i);
                }
                d.label = got.count("labels") != 0 ? std::trunc(number(got.at("labels"), at)) : 0.0;
                d.score = number(got.at("scores"), at);
                all[image].push_back(d);
            }
        }
        return all;
    }

    static bool has(const flag_list& flags, const std::string& name)
    {
        return std::any_of(flags.begin(), flags.end(), [&](const auto& flag) { return flag.first == name; });
    }

    static std::string value_of(const flag_list& flags, const std::string& name)
    {
        return std::find_if(flags.begin(), flags.end(), [&](const auto& flag) { return flag.first == name; })->second;
    }

    const signature& m_signature;
    onnx::ModelProto m_model;
    std::size_t m_images = 0;
    std::vector<std::vector<float>> m_data;
    std::vector<std::vector<std::int64_t>> m_shapes;
    outputs_by_name m_values;
    std::set<std::string> m_forms;
    std::size_t m_right = 0;
};

const std::vector<std::int64_t> labels{3, 1, 2, 2, 0, 4, 1, 1, 3, 0, 2, 5};
const std::vector<std::int64_t> padded_labels{3, 1, 2, 2, 0, 4, 1, 1, 3, 0, 2, 5, 1, 0, 2, 4};
const std::vector<std::int64_t> images{0, 1, 1, 0, 1, 0, 0, 0, 1, 1, 0, 1};
const std::vector<std::int64_t> counts{5, 7};

// Rows of seven columns, the first of which is the image.
std::vector<std::int64_t> rows_with_images()
{
    std::vector<std::int64_t> all;
    for (std::size_t row = 0; row < images.size(); ++row) {
        all.push_back(images[row]);
        for (std::int64_t column = 1; column < 7; ++column) {
            all.push_back(1 + (static_cast<std::int64_t>(row) * 17 + column * 29) % 97);
        }
    }
    return all;
}

const std::vector<signature>& all_signatures()
{
    static const std::vector<signature> all{
        // all columns in one
        {"joined", "1", {{"float[n,6] d", {12, 6}}}, {"fields"}},
        {"joined, anonymous", "1", {{"float[?,6] d", {12, 6}}}, {"fields"}},
        {"joined, fixed", "1", {{"float[12,6] d", {12, 6}}}, {"fields"}},
        {"joined behind a 1", "1", {{"float[1,n,6] d", {1, 12, 6}}}, {"fields", "padded", "raw"}},
        {"joined behind a 1, fixed", "1", {{"float[1,12,6] d", {1, 12, 6}}}, {"fields", "padded", "raw"}},
        {"joined behind anything", "1", {{"float[?,?,6] d", {1, 12, 6}}}, {"fields", "padded", "raw"}},
        {"joined, of each image", "batch", {{"float[batch,8,6] d", {2, 8, 6}}}, {"padded", "raw"}},
        {"joined, of each image, anonymous", "batch", {{"float[?,?,6] d", {2, 8, 6}}}, {"padded", "raw"}},
        {"joined, of two images", "2", {{"float[2,8,6] d", {2, 8, 6}}}, {"padded", "raw"}},
        {"joined, of two images, counted",
         "2",
         {{"float[2,8,6] d", {2, 8, 6}}, {"int32[2] c", {2}, {4, 6}}},
         {"padded"}},
        {"joined, of each image, counted",
         "batch",
         {{"int64[batch,1] c", {2, 1}, {4, 6}}, {"float[batch,8,6] d", {2, 8, 6}}},
         {"padded"}},
        {"joined with the image", "batch", {{"float[n,7] d", {12, 7}, rows_with_images()}}, {"flat"}},
        {"joined with the image, anonymous", "2", {{"float[?,7] d", {12, 7}, rows_with_images()}}, {"flat"}},
        // joined, with whose they are beside them
        {"joined, and the image", "batch", {{"float[n,6] d", {12, 6}}, {"int64[n] k", {12}, images}}, {"flat"}},
        {"joined, and the image as a column",
         "2",
         {{"int32[n,1] k", {12, 1}, images}, {"float[n,6] d", {12, 6}}},
         {"flat"}},
        {"joined, and a count for each image",
         "batch",
         {{"float[n,6] d", {12, 6}}, {"int32[batch] k", {2}, counts}},
         {"flat"}},
        {"joined, and integers", "2", {{"float[n,6] d", {12, 6}}, {"int32[m] k", {2}, counts}}, {"flat"}},
        {"joined, and anonymous integers",
         "batch",
         {{"float[?,6] d", {12, 6}}, {"int64[?] k", {12}, images}},
         {"flat"}},
        {"joined, and one integer", "1", {{"float[n,6] d", {12, 6}}, {"int32[1] k", {1}, {12}}}, {"fields", "flat"}},
        // the box and the score in one
        {"box and score", "1", {{"float[n,5] d", {12, 5}}}, {"fields"}},
        {"box and score, floats", "1", {{"float[n,5] d", {12, 5}}, {"float[n] l", {12}}}, {"fields"}},
        {"box and score behind a 1",
         "1",
         {{"float[1,12,5] d", {1, 12, 5}}, {"int64[1,12] l", {1, 12}, labels}},
         {"fields", "padded"}},
        {"box and score of each image",
         "batch",
         {{"float[batch,8,5] d", {2, 8, 5}}, {"int64[batch,8] l", {2, 8}, padded_labels}},
         {"padded"}},
        {"box and score of each image, floats",
         "batch",
         {{"float[batch,8,5] d", {2, 8, 5}}, {"float[batch,8] l", {2, 8}}},
         {"padded"}},
        // lists
        {"lists", "1", {{"float[n,4] b", {12, 4}}, {"int64[n] l", {12}, labels}, {"float[n] s", {12}}}, {}},
        {"lists of floats", "1", {{"float[n,4] b", {12, 4}}, {"float[n] l", {12}}, {"float[n] s", {12}}}, {"fields"}},
        {"lists of floats and more",
         "1",
         {{"float[n,4] b", {12, 4}}, {"float[n] l", {12}}, {"float[n] s", {12}}, {"float[1,8] more", {1, 8}}},
         {"fields"}},
        {"lists behind a 1, fixed",
         "1",
         {{"float[1,12,4] b", {1, 12, 4}}, {"int32[1,12] l", {1, 12}, labels}, {"float[1,12] s", {1, 12}}},
         {"fields", "padded"}},
        {"lists of floats behind a 1, fixed",
         "1",
         {{"float[1,12,4] b", {1, 12, 4}}, {"float[1,12] l", {1, 12}}, {"float[1,12] s", {1, 12}}},
         {"fields", "padded"}},
        {"lists of each image",
         "batch",
         {{"float[batch,8,4] b", {2, 8, 4}}, {"int64[batch,8] l", {2, 8}, padded_labels}, {"float[batch,8] s", {2, 8}}},
         {"padded"}},
        {"lists of each image under another symbol",
         "batch",
         {{"float[b0,d1,4] b", {2, 8, 4}}, {"int64[b0,d1] l", {2, 8}, padded_labels}, {"float[b0,d1] s", {2, 8}}},
         {"padded"}},
        {"lists of floats of each image",
         "batch",
         {{"float[batch,8] s", {2, 8}}, {"float[batch,8] l", {2, 8}}, {"float[batch,8,4] b", {2, 8, 4}}},
         {"padded"}},
        {"lists of each image, counted",
         "batch",
         {{"int32[batch,1] c", {2, 1}, {4, 6}},
          {"float[batch,8,4] b", {2, 8, 4}},
          {"float[batch,8] s", {2, 8}},
          {"int32[batch,8] l", {2, 8}, padded_labels}},
         {"padded"}},
        {"lists of each image, counted, without extents",
         "batch",
         {{"int32[?,?] c", {2, 1}, {4, 6}},
          {"float[?,?,?] b", {2, 8, 4}},
          {"float[?,?] s", {2, 8}},
          {"int32[?,?] l", {2, 8}, padded_labels}},
         {"padded"}},
        // lists, with whose they are beside them
        {"lists and the image",
         "batch",
         {{"float[n,4] b", {12, 4}}, {"int64[n] l", {12}, labels}, {"float[n] s", {12}}, {"int64[n] k", {12}, images}},
         {"flat"}},
        {"lists of floats and the image",
         "2",
         {{"int32[n] k", {12}, images}, {"float[n,4] b", {12, 4}}, {"float[n] l", {12}}, {"float[n] s", {12}}},
         {"flat"}},
        {"lists and integers",
         "batch",
         {{"float[n,4] b", {12, 4}}, {"int64[n] l", {12}, labels}, {"float[n] s", {12}}, {"int64[m] k", {2}, counts}},
         {"flat"}},
        {"lists and a count for each image",
         "batch",
         {{"float[n,4] b", {12, 4}},
          {"int64[n] l", {12}, labels},
          {"float[n] s", {12}},
          {"int32[batch] k", {2}, counts}},
         {"flat"}},
        {"lists of floats and a count for each image",
         "batch",
         {{"float[n] s", {12}}, {"float[n] l", {12}}, {"float[n,4] b", {12, 4}}, {"int32[batch] k", {2}, counts}},
         {"flat"}},
        {"a raw head", "batch", {{"float[batch,84,4] d", {2, 84, 4}}}, {"raw"}},
        // nothing of the kind
        {"one row for all", "2", {{"float[n,6] d", {12, 6}}}, {}},
        {"classes", "1", {{"float[1,100] d", {1, 100}}}, {}},
    };
    return all;
}

} // namespace

TEST_CASE("a refusal names options for each form that the outputs may have, and all of them lead to what they say")
{
    for (const auto& s : all_signatures()) {
        CAPTURE(s.name);
        follower f(s);
        CHECK(f.run() == s.forms);
    }
}
