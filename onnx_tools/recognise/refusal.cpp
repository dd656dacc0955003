// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/refusal.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/evidence.hpp>
#include <onnx_tools/recognise/search.hpp>

#include <algorithm>
#include <string>

namespace padbatch::onnx_tools {
namespace {

const char* const families =
    "boxes, labels and scores of each image, as torchvision's Faster, Mask and Keypoint R-CNN, "
    "RetinaNet, FCOS, SSD300 and SSDlite320 return them";

const char* const say_which = "say which is right: `fields` boxes,labels,scores `batch` B `order` image|field";

// `2 x (boxes, labels, scores)`
std::string text_of(const reading& r)
{
    return std::to_string(r.images) + " x (" + list_of(r.fields) + ")";
}

// Says which output has the name of a field that it cannot be, if there is one.
std::string wrong_name(const graph_outputs& outputs)
{
    for (const auto& o : outputs.all()) {
        if (const auto named = named_field(o.name); named && !fits(*named, o.type)) {
            return "; the name of " + quoted(o.name) + " is not that of a field with its type";
        }
    }
    return "";
}

bool has_fixed_rows(const typed_value& value)
{
    return !value.type.shape.empty() && value.type.shape.front().size.has_value();
}

} // namespace

void refuse_without_outputs()
{
    throw tool_error(failure::refused, {"the model has no outputs", families, "export the model again"});
}

void refuse_unrecognised(const graph_outputs& outputs)
{
    const auto may_be = [&](field kind, const output& o) { return o.type.element && may_be_called(kind, o.type); };
    const auto& all = outputs.all();
    const bool boxes_and_scores = std::any_of(all.begin(), all.end(), [&](const output& boxes) {
        return may_be(field::boxes, boxes) && std::any_of(all.begin(), all.end(), [&](const output& scores) {
                   return &scores != &boxes && may_be(field::scores, scores);
               });
    });
    throw tool_error(
        failure::refused,
        {"the outputs are not recognised as detections: " + outputs.text() + wrong_name(outputs), families,
         boxes_and_scores
             ? "if they are detections after all, name them: `fields` boxes,labels,scores `batch` B `order` image|field"
             : "export the model with boxes [n, 4], labels [n] and scores [n] of each image as its outputs"});
}

void refuse_incomplete(const graph_outputs& outputs, const reading& part)
{
    std::vector<typed_value> rest;
    for (int i = 0; i < outputs.size(); ++i) {
        if (is_left_over(outputs, part, i)) {
            rest.push_back(outputs[i]);
        }
    }
    const bool fixed = outputs.rows_vary() && !rest.empty() && std::all_of(rest.begin(), rest.end(), has_fixed_rows);
    // A Loop stacks only what has one shape.
    const bool ragged = part.images == 1 && std::any_of(rest.begin(), rest.end(), [](const typed_value& value) {
                            return value.type.shape.empty() || !value.type.shape.front().size;
                        });
    throw tool_error(failure::refused,
                     {"the " + std::to_string(outputs.size()) +
                          " outputs are not a whole number of images: " + text_of(part) +
                          " fits, but these, which also look like detections, are left over: " + list_of(rest) +
                          (fixed ? "; they have that many rows however many detections there are" : ""),
                      "the same fields in the same order for every image",
                      // torch.export builds in how many rows its example has where a loop goes over them
                      (fixed ? "export the model so that all fields have a row for each detection, as the TorchScript "
                               "exporter of PyTorch does (dynamo=False)"
                             : std::string("export the model with all the fields of every image")) +
                          // `fields` names the outputs from the first one on; and types alone may mislead
                          (part.first != 0 || !outputs.any_cut()
                               ? std::string()
                               : "; or, to pad only what fits and leave the rest as it is, use `fields` " +
                                     list_of(part.fields, ",") + " `batch` " + std::to_string(part.images) +
                                     (ragged ? ", if the rest may stay so (in a Loop it may not)" : ""))});
}

void refuse_ambiguous(const graph_outputs& outputs, const reading& a, const reading& b)
{
    throw tool_error(failure::refused, {"the outputs can be read in more than one way: as " + text_of(a) + " and as " +
                                            text_of(b) + ". They are " + outputs.text(),
                                        "one way to read them", say_which});
}

void refuse_misplaced(const graph_outputs& outputs, const reading& r, int image, int slot)
{
    throw tool_error(failure::refused,
                     {"output " + text_of(r.at(outputs.all(), image, slot)) + " as the " +
                          std::string(name_of(r.fields[static_cast<std::size_t>(slot)])) + " of image " +
                          std::to_string(image) + " comes from the detections of another image",
                      "the fields of each image in the same order as its boxes",
                      "export the model with its outputs in the order in which it returns them"});
}

void refuse_options(const graph_outputs& outputs, const recognise_options& options, const reading& r)
{
    std::string given;
    if (options.batch) {
        given += " as a batch of " + std::to_string(*options.batch);
    }
    if (options.order) {
        given += *options.order == output_order::by_image ? " image by image" : " field by field";
    }
    const std::string order = r.images == 1                       ? ""
                              : r.order == output_order::by_image ? ", image by image"
                                                                  : ", field by field";
    throw tool_error(failure::usage, {"the outputs cannot be read" + given + "; they are " + outputs.text(),
                                      count_of(r.images, "image") + " of " + list_of(r.fields) + order,
                                      "leave out `batch` and `order`, or also name the outputs with `fields`"});
}

} // namespace padbatch::onnx_tools
