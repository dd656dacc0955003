// SPDX-License-Identifier: Apache-2.0
#include <tests/onnx_tools/cli/command.hpp>
#include <tests/support/fixtures.hpp>
#include <tests/support/parse_model.hpp>
#include <tests/support/run_command.hpp>
#include <tests/support/temporary_folder.hpp>

#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/model/value_types.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace padbatch::test;
using nlohmann::json;

// What the command prints in a folder of its own with a copy of the model, which it must not change.
std::string inspected(std::vector<std::string> arguments, const std::filesystem::path& model)
{
    const temporary_folder folder;
    std::filesystem::copy_file(model, folder.file("model.onnx"));
    arguments.insert(arguments.begin(), "--inspect");
    arguments.emplace_back("model.onnx");
    const auto result = run_command(arguments, {.folder = folder.path()});
    CAPTURE(result.err);
    REQUIRE(result.exit_code == 0);
    CHECK(result.err.empty());
    CHECK(folder.names() == std::set<std::string>{"model.onnx"});
    CHECK(read_file(folder.file("model.onnx")) == read_file(model));
    return result.out;
}

json inspected_json(const std::vector<std::string>& options, const std::filesystem::path& model)
{
    auto arguments = options;
    arguments.emplace_back("--json");
    return json::parse(inspected(arguments, model));
}

// Checks everything that must be said about an output for a field of `f`, except its type.
void check_output(const fixture& f, const json& output, std::size_t element_size)
{
    const auto batch = static_cast<std::int64_t>(f.batch);
    const auto& shape = output.at("shape");
    REQUIRE(shape.size() >= 2);
    CHECK(shape[0] == batch);
    CHECK(shape[1] == f.limit);
    const std::string field = output.at("field");
    if (field == "boxes") {
        CHECK(shape == json{batch, f.limit, 4});
    } else if (field == "labels" || field == "scores") {
        CHECK(shape.size() == 2);
    } else if (field == "masks") {
        CHECK(shape == json{batch, f.limit, 1, "masks_height", "masks_width"});
    } else {
        CHECK(shape.size() == (field == "keypoints" ? 4 : 3));
    }
    // The bytes are the product of the shape if all of it is known, and otherwise, for masks, at the size of the
    // images.
    std::int64_t elements = 1;
    for (const auto& extent : shape) {
        elements *= extent.is_number() ? extent.get<std::int64_t>() : 0;
    }
    const auto& bytes = output.at("bytes");
    if (elements != 0) {
        CHECK(bytes == elements * static_cast<std::int64_t>(element_size));
    } else if (!bytes.is_null()) {
        CHECK(field == "masks");
        std::pair<int, int> largest;
        for (const auto& [height, width] : f.image_sizes) {
            largest = {std::max(largest.first, height), std::max(largest.second, width)};
        }
        CHECK(bytes == batch * f.limit * largest.first * largest.second * static_cast<std::int64_t>(element_size));
    }
}

} // namespace

TEST_CASE("--inspect shows what is recognised and what would be done")
{
    const auto text = inspected({}, data + "mask_rcnn_tv029_b2_list_op18.onnx");
    CAPTURE(text);
    for (const char* words :
         {"model.onnx: Mask R-CNN, 2 images, outputs image by image\n", "  image 0  boxes   'boxes'\n",
          "  image 1  boxes   'boxes.71'\n", "  image 1  labels  'onnx::Shape_1832'\n",
          "  limit: 100 rows per image, cut by Slice '/roi_heads/Slice_13'; --max-detections N changes it\n",
          "  score threshold: 0.34882, compared by Greater '/roi_heads/Greater'\n", "  num_detections  int32    [2, 1]",
          "  boxes           float32  [2, 100, 4]                             3200 B\n",
          "  labels          int64    [2, 100]                                1600 B\n",
          "[2, 100, 1, masks_height, masks_width]  800 B x masks_height x masks_width\n",
          "  pads masks of different sizes to the largest height and width in the batch\n",
          "  pads every image to 100 rows\n", "  writes the counts to num_detections, int32 [2, 1]\n"}) {
        CAPTURE(words);
        CHECK(has(text, words));
    }
    CHECK_FALSE(has(text, "keeps the first"));
    CHECK_FALSE(has(text, "\nwarning: "));
}

TEST_CASE("--inspect shows what the options change")
{
    const auto few = inspected({"--max-detections", "5", "--rename", "boxes=b"},
                               data + "faster_rcnn_tv029_b2_tensor_op18_features.onnx");
    CAPTURE(few);
    CHECK(has(few, " rows of each image, to 5: the other rows are not computed\n"));
    CHECK(has(few, "  other output: 'features', kept as it is\n"));
    CHECK(has(few, "  keeps 1 other output\n"));
    CHECK(has(few, "  b               float32  [2, 5, 4]"));

    const auto batch = inspected({"--max-detections=batch"}, data + "fcos_tv029_b2_tensor_op20_field.onnx");
    CAPTURE(batch);
    CHECK(has(batch, "FCOS, 2 images, outputs field by field\n"));
    CHECK(has(batch, "[2, max_detections, 4]  32 B x max_detections\n"));
    CHECK(has(batch, "  pads every image to the largest count in the batch\n"));

    const auto one = inspected({}, data + "mask_rcnn_tv029_b1_tensor_op20.onnx");
    CHECK(has(one, "Mask R-CNN, 1 image\n"));
}

TEST_CASE("--inspect warns of outputs over 2 GiB and uses the images' size for masks")
{
    const auto text = inspected({"--max-detections", "1000000"}, data + "mask_rcnn_tv014_b2_tensor_op16.onnx");
    CAPTURE(text);
    CHECK(has(text, "7.6 MiB x masks_height x masks_width = 38.1 GiB\n"));
    CHECK(has(text, "\nwarning: the output 'masks' has 38.1 GiB at the size that the inputs declare;\n"));
    CHECK_FALSE(has(text, "warning: the output 'boxes'"));
}

TEST_CASE("names in a model neither send control characters to a terminal nor break JSON")
{
    const temporary_folder folder;
    auto model = padbatch::onnx_tools::load_model(data + "ssdlite320_tv029_b1_tensor_op20_double.onnx");
    const std::string old = model.graph().output(0).name();
    const std::string name = "a\x1b[31m\xff";
    model.mutable_graph()->mutable_output(0)->set_name(name);
    for (auto& node : *model.mutable_graph()->mutable_node()) {
        std::replace(node.mutable_input()->begin(), node.mutable_input()->end(), old, name);
        std::replace(node.mutable_output()->begin(), node.mutable_output()->end(), old, name);
    }
    padbatch::onnx_tools::save_model(model, folder.file("odd.onnx"));
    const auto text = inspected({}, folder.file("odd.onnx"));
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(has(text, R"('a\u001b[31m\xff')"));
    CHECK(inspected_json({}, folder.file("odd.onnx")).at("images")[0].at("boxes") == "a\x1b[31m\xef\xbf\xbd");
}

TEST_CASE("--inspect --json says about every fixture what is known from its making")
{
    const auto fixtures = read_manifest(PADBATCH_TESTS_DATA);
    REQUIRE(fixtures.size() >= 30);
    for (const auto& f : fixtures) {
        CAPTURE(f.file);
        const auto found = inspected_json({}, f.file);
        CHECK(found.at("schema") == 1);
        CHECK(found.at("padbatch") == PADBATCH_TESTS_PROJECT_VERSION);
        CHECK(found.at("file") == "model.onnx");
        CHECK(found.at("family") == f.family);
        CHECK(found.at("batch") == f.batch);
        CHECK(found.at("order") == (f.by_field ? "field" : "image"));
        CHECK(found.at("other_outputs") == json(f.extra_outputs));
        CHECK(found.at("limit").at("rows") == f.limit);
        CHECK_FALSE(found.at("limit").at("node").get<std::string>().empty());
        CHECK(found.at("score_threshold").at("score").get<double>() == doctest::Approx(f.score_threshold));
        CHECK_FALSE(found.at("score_threshold").at("node").get<std::string>().empty());
        CHECK(found.at("max_detections") == f.limit);

        json images = json::array();
        for (std::size_t image = 0; image < f.batch; ++image) {
            json fields;
            for (std::size_t slot = 0; slot < f.fields.size(); ++slot) {
                fields[f.fields[slot]] = f.output(image, slot);
            }
            images.push_back(fields);
        }
        CHECK(found.at("images") == images);

        const auto& outputs = found.at("outputs");
        REQUIRE(outputs.size() == f.fields.size() + 1);
        CHECK(outputs[0] == json{{"name", "num_detections"},
                                 {"field", "num_detections"},
                                 {"fields", {"num_detections"}},
                                 {"type", "int32"},
                                 {"shape", {f.batch, 1}},
                                 {"bytes", 4 * f.batch}});
        const auto model = padbatch::onnx_tools::load_model(f.file.string());
        for (std::size_t slot = 0; slot < f.fields.size(); ++slot) {
            const auto& output = outputs[slot + 1];
            CHECK(output.at("name") == f.fields[slot]);
            CHECK(output.at("field") == f.fields[slot]);
            const auto& declared = model.graph().output();
            const auto info = std::find_if(declared.begin(), declared.end(),
                                           [&](const auto& o) { return o.name() == f.output(0, slot); });
            REQUIRE(info != declared.end());
            const auto element = padbatch::onnx_tools::declared_type(*info).element;
            REQUIRE(element);
            CHECK(output.at("type") == std::string(name_of(*element)));
            check_output(f, output, padbatch::size_of(*element));
        }

        const auto& rewrite = found.at("rewrite");
        const bool masks = std::find(f.fields.begin(), f.fields.end(), "masks") != f.fields.end();
        CHECK(rewrite.at("cuts_rows") == false);
        CHECK(rewrite.at("widens_masks") == (masks && f.list_input && f.batch > 1));
        CHECK(rewrite.at("steps").size() >= 2);
    }
}

TEST_CASE("--inspect --json says what the options change")
{
    const auto batch = inspected_json({"--max-detections", "batch"}, data + "ssd300_tv014_b2_list_op11.onnx");
    CHECK(batch.at("max_detections") == "batch");
    CHECK(batch.at("outputs")[1].at("shape") == json{2, "max_detections", 4});
    CHECK(batch.at("outputs")[1].at("bytes").is_null());

    const auto few = inspected_json({"--max-detections", "4", "--rename", "labels=classes"},
                                    data + "ssd300_tv014_b2_list_op11.onnx");
    CHECK(few.at("max_detections") == 4);
    CHECK(few.at("limit").at("rows") == 200);
    CHECK(few.at("limit").at("model") == 200);
    CHECK(few.at("limit").at("now") == 4);
    CHECK(few.at("limit").at("moved") == true);
    CHECK(few.at("limit").at("why_not").is_null());
    CHECK(few.at("rewrite").at("cuts_rows") == false);
    CHECK(few.at("outputs")[3].at("name") == "classes");
    CHECK(few.at("outputs")[3].at("field") == "labels");
    CHECK(few.at("outputs")[3].at("bytes") == 2 * 4 * 8);
}

TEST_CASE("--inspect --json gives null for what is not known")
{
    const temporary_folder folder;
    padbatch::onnx_tools::save_model(identity_model("x"), folder.file("plain.onnx"));
    const std::vector<std::string> options = {"--max-detections", "6", "--fields", "boxes,labels,scores"};
    const auto found = inspected_json(options, folder.file("plain.onnx"));
    CHECK(found.at("family").is_null());
    CHECK(found.at("limit").is_null());
    CHECK(found.at("score_threshold").is_null());
    CHECK(found.at("rewrite").at("cuts_rows") == true);
    const auto text = inspected(options, folder.file("plain.onnx"));
    CHECK(has(text, "detections of an unknown family, 1 image\n"));
    CHECK(has(text, "  limit: not found in the graph\n  score threshold: not found in the graph\n"));
    CHECK_FALSE(has(text, "The limit is not known"));
    CHECK(found.at("needs_max_detections") == false);
}

TEST_CASE("--inspect shows a model without a limit, and says what the rewrite needs")
{
    const temporary_folder folder;
    padbatch::onnx_tools::save_model(identity_model("x"), folder.file("plain.onnx"));
    const auto text = inspected({}, folder.file("plain.onnx"));
    CHECK(has(text, "  image 0  boxes   'b'\n"));
    CHECK(has(text, "The limit is not known, so the rewrite needs --max-detections N"));
    const auto found = inspected_json({}, folder.file("plain.onnx"));
    CHECK(found.at("needs_max_detections") == true);
    CHECK(found.at("max_detections") == "batch");
    const auto chosen = inspected_json({"--max-detections", "batch"}, folder.file("plain.onnx"));
    CHECK(chosen.at("needs_max_detections") == false);
}
