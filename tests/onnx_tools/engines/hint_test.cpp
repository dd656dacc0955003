// SPDX-License-Identifier: Apache-2.0
// Small models after public reports: detectors that end in one NonMaxSuppression, with outputs of many forms. What a
// refusal says should be done is done, and the result must be that of plain code. What each output holds is known here,
// and not to the rewrite. (Exports of torchvision are followed in the same way by mutation_tests.)

#include <doctest/doctest.h>

#include <tests/support/follow_remedies.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/plain_outputs.hpp>
#include <tests/support/runtime.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

using outputs = std::map<std::string, tensor>;

struct small_model {
    std::string name;
    std::string outputs_text; ///< as in ONNX's textual syntax
    std::string nodes;        ///< after those that every model has
    /// The rows of each image, from the outputs of the model.
    std::function<std::vector<image_rows>(const outputs&, std::size_t images)> rows;
    std::vector<std::string> fields = {}; ///< of an image, in the order of the outputs
    std::string told = {};                ///< what a user who does not know the options would begin with
    std::string columns = {};             ///< of the list of rows, if there is one
    std::string counts = {};              ///< the output with the number of rows of each image, likewise
    bool is_one_list = false;             ///< the rows are in one list
    std::string batch = "1";              ///< the first extent of the images
    int opset = 13;
};

// Boxes, scores of two classes, and what a NonMaxSuppression selects of them: `places` [n, 3], with `image_of`,
// `class_of` [n], `row_boxes` [n, 4] and `row_scores` [n], class by class.
std::string text_of(const small_model& m)
{
    return "<ir_version: 7, opset_import: [\"\" : " + std::to_string(m.opset) + "]> g (float[" + m.batch +
           ",3,16,16] images) => (" + m.outputs_text + R"() {
  from_boxes = Constant <value = int64[4] {0,0,0,0}> ()
  to_boxes = Constant <value = int64[4] {1000000,1,16,4}> ()
  from_scores = Constant <value = int64[4] {0,1,0,0}> ()
  to_scores = Constant <value = int64[4] {1000000,3,16,1}> ()
  shape_of_boxes = Constant <value = int64[3] {0,16,4}> ()
  shape_of_scores = Constant <value = int64[3] {0,2,16}> ()
  most = Constant <value = int64[1] {5}> ()
  overlap = Constant <value = float[1] {0.5}> ()
  least = Constant <value = float[1] {0.3}> ()
  which_image = Constant <value = int64 {0}> ()
  which_class = Constant <value = int64 {1}> ()
  which_box = Constant <value = int64[2] {0,2}> ()
  first_axis = Constant <value = int64[1] {0}> ()
  second_axis = Constant <value = int64[1] {1}> ()
  some_boxes = Slice(images, from_boxes, to_boxes)
  all_boxes = Reshape(some_boxes, shape_of_boxes)
  some_scores = Slice(images, from_scores, to_scores)
  all_scores = Reshape(some_scores, shape_of_scores)
  places = NonMaxSuppression(all_boxes, all_scores, most, overlap, least)
  image_of = Gather <axis = 1> (places, which_image)
  class_of = Gather <axis = 1> (places, which_class)
  box_of = Gather <axis = 1> (places, which_box)
  row_boxes = GatherND(all_boxes, box_of)
  row_scores = GatherND(all_scores, places)
  column_of_scores = Unsqueeze(row_scores, second_axis)
)" + m.nodes +
           "}";
}

tensor some_columns(const tensor& list, std::size_t columns, std::size_t first, std::size_t count)
{
    const std::size_t rows = columns == 0 ? 0 : padbatch::test::detail::elements_of(list) / columns;
    tensor t{list.type, {static_cast<std::int64_t>(rows)}, {}};
    if (count > 1) {
        t.shape.push_back(static_cast<std::int64_t>(count));
    }
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t column = first; column < first + count; ++column) {
            padbatch::test::detail::append_number(t, padbatch::test::detail::number_at(list, row * columns + column));
        }
    }
    return t;
}

tensor flat(tensor t, const std::vector<std::int64_t>& row)
{
    const auto elements = static_cast<std::int64_t>(padbatch::test::detail::elements_of(t));
    t.shape = {elements / std::accumulate(row.begin(), row.end(), std::int64_t{1}, std::multiplies<>())};
    t.shape.insert(t.shape.end(), row.begin(), row.end());
    return t;
}

image_rows rows_of(tensor boxes, tensor labels, tensor scores)
{
    image_rows rows;
    rows["boxes"] = std::move(boxes);
    rows["labels"] = std::move(labels);
    rows["scores"] = std::move(scores);
    return rows;
}

// The rows of each image, in the order in which they stand in a list of all.
std::vector<image_rows> by_image(const image_rows& all, const std::vector<double>& image_of, std::size_t images)
{
    std::vector<image_rows> result(images);
    for (std::size_t image = 0; image < images; ++image) {
        std::vector<std::size_t> rows;
        for (std::size_t row = 0; row < image_of.size(); ++row) {
            if (image_of[row] == static_cast<double>(image)) {
                rows.push_back(row);
            }
        }
        for (const auto& [field, value] : all) {
            result[image][field] = padbatch::test::detail::picked(value, rows);
        }
    }
    return result;
}

std::vector<double> numbers_of(const tensor& t)
{
    std::vector<double> numbers;
    for (std::size_t i = 0; i < padbatch::test::detail::elements_of(t); ++i) {
        numbers.push_back(padbatch::test::detail::number_at(t, i));
    }
    return numbers;
}

// The best first, equal ones as they stand.
image_rows best_first(image_rows rows)
{
    const auto scores = numbers_of(rows.at("scores"));
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    for (auto& [field, value] : rows) {
        value = padbatch::test::detail::picked(value, order);
    }
    return rows;
}

const std::vector<std::string> usual_fields{"boxes", "labels", "scores"};

std::vector<image_rows> usual_rows(const outputs& o, std::size_t)
{
    return {rows_of(flat(o.at("b"), {4}), flat(o.at("l"), {}), flat(o.at("s"), {}))};
}

std::vector<small_model> all_models()
{
    std::vector<small_model> all;
    all.push_back({.name = "rows in the order of the classes",
                   .outputs_text = "float[n,4] b, int64[n] l, float[n] s",
                   .nodes = "b = Identity(row_boxes)\nl = Identity(class_of)\ns = Identity(row_scores)\n",
                   .rows = usual_rows,
                   .fields = usual_fields});
    all.push_back({.name = "all columns of one image in one list",
                   .outputs_text = "float[n,6] dets",
                   .nodes = "c = Cast <to = 1> (class_of)\ncolumn = Unsqueeze(c, second_axis)\n"
                            "dets = Concat <axis = 1> (row_boxes, column_of_scores, column)\n",
                   .rows =
                       [](const outputs& o, std::size_t) {
                           const auto& list = o.at("dets");
                           return std::vector{rows_of(some_columns(list, 6, 0, 4),
                                                      padbatch::test::detail::converted(some_columns(list, 6, 5, 1), 7),
                                                      some_columns(list, 6, 4, 1))};
                       },
                   .fields = {},
                   .columns = "x1,y1,x2,y2,score,label",
                   .is_one_list = true});
    all.push_back({.name = "boxes with their scores, and labels",
                   .outputs_text = "float[n,5] dets, int64[n] labels",
                   .nodes = "dets = Concat <axis = 1> (row_boxes, column_of_scores)\nlabels = Identity(class_of)\n",
                   .rows =
                       [](const outputs& o, std::size_t) {
                           const auto& list = o.at("dets");
                           return std::vector{
                               rows_of(some_columns(list, 5, 0, 4), o.at("labels"), some_columns(list, 5, 4, 1))};
                       },
                   .fields = {}});
    all.push_back({.name = "boxes with their scores, and labels, behind a 1",
                   .outputs_text = "float[1,n,5] dets, int64[1,n] labels",
                   .nodes = "list = Concat <axis = 1> (row_boxes, column_of_scores)\n"
                            "dets = Unsqueeze(list, first_axis)\nlabels = Unsqueeze(class_of, first_axis)\n",
                   .rows =
                       [](const outputs& o, std::size_t) {
                           const auto& list = o.at("dets");
                           return std::vector{rows_of(some_columns(list, 5, 0, 4), flat(o.at("labels"), {}),
                                                      some_columns(list, 5, 4, 1))};
                       },
                   .fields = {}});
    all.push_back({.name = "a 1 before the rows of every output",
                   .outputs_text = "float[1,n,4] b, int64[1,n] l, float[1,n] s",
                   .nodes = "b = Unsqueeze(row_boxes, first_axis)\nl = Unsqueeze(class_of, first_axis)\n"
                            "s = Unsqueeze(row_scores, first_axis)\n",
                   .rows = usual_rows,
                   .fields = {}});
    all.push_back({.name = "labels as floats",
                   .outputs_text = "float[n,4] b, float[n] l, float[n] s",
                   .nodes = "b = Identity(row_boxes)\nl = Cast <to = 1> (class_of)\ns = Identity(row_scores)\n",
                   .rows = usual_rows,
                   .fields = usual_fields});
    all.push_back({.name = "labels as floats, after the scores",
                   .outputs_text = "float[n,4] b, float[n] s, float[n] l",
                   .nodes = "b = Identity(row_boxes)\nl = Cast <to = 1> (class_of)\ns = Identity(row_scores)\n",
                   .rows = usual_rows,
                   .fields = {"boxes", "scores", "labels"}});
    all.push_back({.name = "the size of the image after the detections",
                   .outputs_text = "float[n,4] b, int64[n] l, float[n] s, int64[2] image_size",
                   .nodes = "b = Identity(row_boxes)\nl = Identity(class_of)\ns = Identity(row_scores)\n"
                            "all_extents = Shape(images)\nplaces_of_size = Constant <value = int64[2] {2,3}> ()\n"
                            "image_size = Gather(all_extents, places_of_size)\n",
                   .rows = usual_rows,
                   .fields = usual_fields});
    all.push_back({.name = "a limit behind an Unsqueeze",
                   .outputs_text = "float[n,4] b, int64[n] l, float[n] s",
                   .nodes = "seven = Constant <value = int64 {7}> ()\nend = Unsqueeze(seven, first_axis)\n"
                            "extents = Shape(row_scores)\nzero = Constant <value = int64 {0}> ()\n"
                            "n = Gather(extents, zero)\none = Constant <value = int64 {1}> ()\n"
                            "rows = Range(zero, n, one)\nkeep = Slice(rows, first_axis, end, first_axis)\n"
                            "b = Gather(row_boxes, keep)\nl = Gather(class_of, keep)\ns = Gather(row_scores, keep)\n",
                   .rows = usual_rows,
                   .fields = usual_fields});
    all.push_back({.name = "the image of each row first, for any number of images",
                   .outputs_text = "int64[n] i, float[n,4] b, float[n] s, int64[n] l",
                   .nodes = "i = Identity(image_of)\nb = Identity(row_boxes)\nl = Identity(class_of)\n"
                            "s = Identity(row_scores)\n",
                   .rows =
                       [](const outputs& o, std::size_t images) {
                           return by_image(rows_of(o.at("b"), o.at("l"), o.at("s")), numbers_of(o.at("i")), images);
                       },
                   .fields = {},
                   .batch = "batch"});
    all.push_back({.name = "a list with the score before the label",
                   .outputs_text = "float[n,7] rows",
                   .nodes = "c = Cast <to = 1> (class_of)\ncolumn = Unsqueeze(c, second_axis)\n"
                            "f = Cast <to = 1> (image_of)\nfirst = Unsqueeze(f, second_axis)\n"
                            "rows = Concat <axis = 1> (first, row_boxes, column_of_scores, column)\n",
                   .rows =
                       [](const outputs& o, std::size_t images) {
                           const auto& list = o.at("rows");
                           return by_image(rows_of(some_columns(list, 7, 1, 4),
                                                   padbatch::test::detail::converted(some_columns(list, 7, 6, 1), 7),
                                                   some_columns(list, 7, 5, 1)),
                                           numbers_of(some_columns(list, 7, 0, 1)), images);
                       },
                   .fields = {},
                   .told = "--from flat",
                   .columns = "batch,x1,y1,x2,y2,score,label",
                   .is_one_list = true,
                   .batch = "batch"});
    all.push_back({.name = "a list of label, score, box, and how many rows each image has",
                   .outputs_text = "float[n,6] rows, int32[m] number",
                   .nodes = "c = Cast <to = 1> (class_of)\ncolumn = Unsqueeze(c, second_axis)\n"
                            "rows = Concat <axis = 1> (column, column_of_scores, row_boxes)\n"
                            "all_extents = Shape(images)\nimages_shape = Gather(all_extents, first_axis)\n"
                            "column_of_images = Unsqueeze(image_of, second_axis)\n"
                            "zero = Constant <value = int64 {0}> ()\none = Constant <value = int64 {1}> ()\n"
                            "b = Gather(all_extents, zero)\neach = Range(zero, b, one)\n"
                            "same = Equal(column_of_images, each)\ntimes = Cast <to = 6> (same)\n"
                            "number = ReduceSum <keepdims = 0> (times, first_axis)\n",
                   .rows =
                       [](const outputs& o, std::size_t images) {
                           // With one image, the rows are its own; with more, the list is not sorted by image.
                           const auto& list = o.at("rows");
                           const auto all_rows =
                               rows_of(some_columns(list, 6, 2, 4),
                                       padbatch::test::detail::converted(some_columns(list, 6, 0, 1), 7),
                                       some_columns(list, 6, 1, 1));
                           std::vector<double> image_of;
                           const auto numbers = numbers_of(o.at("number"));
                           for (std::size_t image = 0; image < images; ++image) {
                               image_of.insert(image_of.end(), static_cast<std::size_t>(numbers.at(image)),
                                               static_cast<double>(image));
                           }
                           return by_image(all_rows, image_of, images);
                       },
                   .fields = {},
                   .told = "--from flat",
                   .counts = "number",
                   .is_one_list = true,
                   .batch = "batch"});
    return all;
}

struct example {
    std::vector<std::vector<float>> data;
    std::vector<std::vector<std::int64_t>> shapes;
    std::vector<image_rows> rows;
};

class model_judge {
public:
    explicit model_judge(const small_model& m) : m_model(parse_model(text_of(m)))
    {
        model_session session(m_model.SerializeAsString(), ORT_DISABLE_ALL);
        std::mt19937 draw(7);
        const auto counts =
            m.batch == "1" ? std::vector<std::size_t>{1, 1, 1, 1} : std::vector<std::size_t>{1, 2, 3, 2};
        for (std::size_t i = 0; i < counts.size(); ++i) {
            const std::size_t images = counts[i];
            example e;
            e.data.emplace_back(images * 3 * 16 * 16);
            for (std::size_t at = 0; at < e.data.front().size(); ++at) {
                const bool is_score = at / (16 * 16) % 3 != 0;
                const auto value = static_cast<float>(draw() % 1024) / 1024.0F;
                // The last example has one row for each image: as many rows as images.
                const bool few = is_score && i + 1 == counts.size();
                e.data.front()[at] = few ? (at % (3 * 16 * 16) == 16 * 16 + 5 * 16 ? 0.9F : 0.0F) : value;
            }
            e.shapes = {{static_cast<std::int64_t>(images), 3, 16, 16}};
            e.rows = m.rows(session.run(e.data, e.shapes), images);
            m_examples.push_back(std::move(e));
        }
    }

    [[nodiscard]] const onnx::ModelProto& model() const { return m_model; }

    std::optional<fault> operator()(const rewrite_outcome& outcome)
    {
        model_session session(outcome.result.SerializeAsString(), ORT_DISABLE_ALL, "", ORT_LOGGING_LEVEL_FATAL);
        auto runs = m_examples;
        if (outcome.options.pad.dynamic_batch) { // the examples of one image, all at once
            for (std::size_t i = 1; i < runs.size(); ++i) {
                runs.front().data.front().insert(runs.front().data.front().end(), runs[i].data.front().begin(),
                                                 runs[i].data.front().end());
                runs.front().rows.push_back(runs[i].rows.front());
            }
            runs.front().shapes.front().front() = static_cast<std::int64_t>(runs.size());
            runs.resize(1);
        }
        for (auto& run : runs) {
            outputs got;
            try {
                got = session.run(run.data, run.shapes);
            } catch (const std::exception&) {
                continue; // it fails: nobody takes it for something else
            }
            const bool as_they_stand = is_right(run, outcome, got, false);
            if (!as_they_stand && !is_right(run, outcome, got, true)) {
                return fault{"wrong", "for " + std::to_string(run.rows.size()) + " images"};
            }
        }
        return std::nullopt;
    }

private:
    // Whether the detections are these rows: as they stand, if there is room for all, or the best first.
    static bool is_right(const example& run, const rewrite_outcome& outcome, const outputs& got, bool sorted)
    {
        std::vector<plain_image> images;
        std::size_t largest = 0;
        for (const auto& rows : run.rows) {
            images.push_back({sorted ? best_first(rows) : rows, 16, 16});
            largest = std::max(largest, static_cast<std::size_t>(rows.at("scores").shape.front()));
        }
        auto options = outcome.options.pad;
        const auto* chosen = std::get_if<std::int64_t>(&options.max_detections);
        if (!sorted && chosen != nullptr && static_cast<std::size_t>(*chosen) < largest) {
            return false;
        }
        const auto limit = outcome.plan->max_detections.value_or(static_cast<std::int64_t>(largest));
        std::vector<std::string> fields;
        for (const auto& f : outcome.plan->source.fields) {
            fields.emplace_back(name_of(f.kind));
        }
        for (const auto& field : fields) {
            if (images.empty() || images.front().rows.count(field) == 0) {
                return false;
            }
        }
        for (auto& image : images) { // labels are what they are in the list, or int64
            auto& labels = image.rows.at("labels");
            const auto found = got.find("labels");
            if (found != got.end() && found->second.type != labels.type) {
                labels = padbatch::test::detail::converted(labels, found->second.type);
            }
        }
        for (const auto& [name, value] : plain_outputs(fields, images, options, limit)) {
            const auto found = got.find(name);
            if (found == got.end() || !(found->second == value)) {
                return false;
            }
        }
        return true;
    }

    onnx::ModelProto m_model;
    std::vector<example> m_examples;
};

} // namespace

TEST_CASE("what a refusal of a small model says should be done leads to a right result")
{
    std::size_t right = 0;
    followed_count count;
    for (const auto& m : all_models()) {
        CAPTURE(m.name);
        model_judge judge(m);
        followed_model told{judge.model(), {}, std::ref(judge), m.is_one_list};
        told.known.values["--max-detections"] = "10";
        if (!m.counts.empty()) {
            told.known.values["--count-output"] = m.counts;
        }
        if (!m.columns.empty()) {
            told.known.values["--columns"] = m.columns;
        }
        if (!m.fields.empty()) {
            std::string fields;
            for (const auto& field : m.fields) {
                fields += (fields.empty() ? "" : ",") + field;
            }
            told.known.values["--fields"] = fields;
            told.known.values["--batch"] = "1";
            told.known.values["--order"] = "image";
        }
        for (const std::string options :
             {"", "--max-detections 10", "--max-detections 3", "--max-detections batch", "--dynamic-batch",
              "--dynamic-batch --max-detections 10", "--to efficientnms --max-detections 10"}) {
            CAPTURE(options);
            const auto flags = flags_in(m.told + " " + options);
            const auto outcome = rewrite_as_told(judge.model(), flags);
            CAPTURE(outcome.message);
            if (outcome.plan) {
                const auto found = judge(outcome);
                CHECK_MESSAGE(!found, "accepted, and ", found.value_or(fault{}).kind, " ",
                              found.value_or(fault{}).text);
                right += found ? 0 : 1;
                continue;
            }
            CHECK(outcome.is_refusal());
            const auto found = follow(told, flags, outcome.message, count).wrong;
            CHECK_MESSAGE(!found, found.value_or(fault{}).kind, ": ", found.value_or(fault{}).text);
        }
    }
    CHECK(right > 0);
    CHECK(count.right > 0);
}
