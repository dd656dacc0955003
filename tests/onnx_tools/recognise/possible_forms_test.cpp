// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/possible_forms.hpp>
#include <onnx_tools/recognise/recognise.hpp>

#include <tests/support/check_failure.hpp>
#include <tests/support/parse_model.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;

namespace {

// A model of which nothing is known but the types of its outputs.
onnx::ModelProto unknown_net(const std::vector<std::string>& outputs,
                             const std::string& images = "float[1,3,8,8] images")
{
    std::string declared;
    std::string made;
    for (const auto& output : outputs) {
        declared += (declared.empty() ? "" : ", ") + output;
        made += (made.empty() ? "" : ", ") + output.substr(output.rfind(' ') + 1);
    }
    return parse_model("<ir_version: 8, opset_import: [\"\" : 13]> g (" + images + ") => (" + declared + ") { " + made +
                       " = Net(images) }");
}

std::string remedy_for(const onnx::ModelProto& model, const recognise_options& options = {})
{
    try {
        (void)recognise(model, options);
    } catch (const tool_error& e) {
        CHECK(e.kind() == failure::refused);
        return e.parts().remedy;
    }
    return "";
}

using kinds = std::vector<export_kind>;

} // namespace

TEST_CASE("each form that the types allow has its options in the message")
{
    CHECK(
        remedy_for(unknown_net({"float[1,n,6] d"})) ==
        "say what they are: `from` fields `columns` x1,y1,x2,y2,score,label, or `from` fields `columns` "
        "x1,y1,x2,y2,label,score if each row is a detection of one image; or `from` padded `columns` "
        "x1,y1,x2,y2,score,label, or `from` padded `columns` x1,y1,x2,y2,label,score if the last rows of an image may "
        "be padding; or `from` raw `head` yolo, or `from` raw `head` yolo-objectness, or `from` raw `head` "
        "boxes-scores "
        "if nothing is selected from these boxes and scores yet");
    CHECK(remedy_for(unknown_net({"float[batch,84,8400] d"})) ==
          "if they are one, say which: `from` raw `head` yolo, or `from` raw `head` yolo-objectness, or `from` raw "
          "`head` boxes-scores");
    CHECK(remedy_for(unknown_net({"float[n,6] d"})) ==
          "name the columns: `from` fields `columns` x1,y1,x2,y2,score,label, or `from` fields `columns` "
          "x1,y1,x2,y2,label,score");
    CHECK(remedy_for(unknown_net({"float[n,6] d", "int32[m] k"}, "float[2,3,8,8] images")) ==
          "say what they are: `from` flat `batch_index` k, or `from` flat `count_output` k");
    // Of several values, the next refusal has all.
    CHECK(remedy_for(unknown_net({"float[1,9,4] b", "int64[1,9] l", "float[1,9] s"})) ==
          "say what they are: `from` fields if each row is a detection of one image; or `from` padded if the last rows "
          "of an image may be padding");
    CHECK(remedy_for(unknown_net({"float[1,1,n,7] d"})) == "if they are, say so: `from` flat");
}

TEST_CASE("integers are offered as what their extents allow")
{
    const std::string two = "float[batch,3,8,8] images";
    const auto all = [&](const std::string& k) {
        return remedy_for(unknown_net({"float[n,4] b", "int64[n] l", "float[n] s", k}, two));
    };
    CHECK(all("int32[batch] k") == "say what they are: `from` flat `count_output` k");
    CHECK(all("int32[m] k") == "say what they are: `from` flat `batch_index` k, or `from` flat `count_output` k");
    CHECK(all("int32[n] k") == "say what they are: `from` flat `batch_index` l, or `from` flat `batch_index` k");
}

TEST_CASE("what the user has said already is not asked for again")
{
    recognise_options said;
    said.columns = {flat_column::x1, flat_column::y1,    flat_column::x2,
                    flat_column::y2, flat_column::score, flat_column::label};
    const auto remedy = remedy_for(unknown_net({"float[1,9,6] d"}), said);
    CHECK(remedy == "say what they are: `from` fields if each row is a detection of one image; or `from` padded if the "
                    "last rows of an image may be padding");
    said.count_output = "c"; // which fields do not have
    CHECK(remedy_for(unknown_net({"float[1,9,6] d", "int32[1] c"}), said) == "if they are, say so: `from` padded");
}

TEST_CASE("types that no form has are not spoken of")
{
    for (const std::string output : {"float[batch,3,2] d", "float[1,1000] d", "float[batch,5,7,9] d"}) {
        CAPTURE(output);
        CHECK(remedy_for(unknown_net({output})).find("`from`") == std::string::npos);
    }
    // One image's rows, and several images.
    check_failure(failure::refused, {"which image a row belongs to", "'d'"},
                  [] { (void)recognise(unknown_net({"float[n,6] d"}, "float[2,3,8,8] images")); });
}

TEST_CASE("a form that the outputs do not have is refused with those that they have")
{
    const auto list = unknown_net({"float[n,7] d"});
    CHECK(forms_besides(list, export_kind::fields) == kinds{export_kind::flat});
    CHECK(forms_besides(list, export_kind::flat).empty());
    recognise_options told;
    told.from = export_kind::nms;
    CHECK(remedy_for(list, told).find("use `from` flat; or ") == 0);
}
