// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/readings.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>

#include <string>

namespace padbatch::onnx_tools {
namespace {

// Why the outputs cannot be what the user says; empty when they can. Joining values of different ranks makes some
// runtimes abort, so such a graph must not be written.
std::string mismatch_of(const std::vector<output>& outputs, const reading& r)
{
    for (int slot = 0; slot < static_cast<int>(r.fields.size()); ++slot) {
        const auto kind = r.fields[static_cast<std::size_t>(slot)];
        const auto& first = r.at(outputs, 0, slot);
        for (int image = 0; image < r.images; ++image) {
            const auto& o = r.at(outputs, image, slot);
            const std::string what =
                "output " + text_of(o) + " as the " + std::string(name_of(kind)) + " of image " + std::to_string(image);
            if (!o.type.element) {
                return what + " is not a tensor of numbers";
            }
            if (!may_be_called(kind, o.type)) {
                return what + " has a type that " + std::string(name_of(kind)) + " cannot have";
            }
            if (o.type.element != first.type.element || o.type.rank != first.type.rank) {
                return what + " differs from that of image 0, " + text_of(first);
            }
            for (std::size_t d = 1; kind != field::masks && d < o.type.shape.size() && !first.type.shape.empty(); ++d) {
                const auto size = o.type.shape[d].size;
                const auto size_of_first = first.type.shape[d].size;
                if (size && size_of_first && *size != *size_of_first) {
                    return what + " has rows of a different size from that of image 0, " + text_of(first);
                }
            }
        }
    }
    return "";
}

} // namespace

reading read_as_told(const std::vector<output>& outputs, const recognise_options& options)
{
    reading r;
    r.fields = *options.fields;
    if (r.fields.empty() || options.batch.value_or(1) < 1) {
        misused("no fields or no images are given", "at least one field and one image",
                "name the fields of an image, and a batch of 1 or more");
    }
    const auto count = static_cast<std::int64_t>(outputs.size());
    const auto slots = static_cast<std::int64_t>(r.fields.size());
    const std::string all = list_of(std::vector<typed_value>(outputs.begin(), outputs.end()));
    const std::string each = "`fields` names " + count_of(slots, "field");
    if (!options.batch && count % slots != 0) {
        misused(each + ", but the model has " + std::to_string(count) + " outputs: " + all, "a whole number of images",
                "pass `batch` B if the detections come first and other outputs follow");
    }
    const std::int64_t images = options.batch.value_or(count / slots);
    if (images > count / slots) {
        misused(each + " and `batch` says " + std::to_string(images) + " images, but the model has only " +
                    std::to_string(count) + " outputs: " + all,
                "one output for each field of each image", "correct `fields` or `batch`");
    }
    r.images = static_cast<int>(images);
    std::string reason;
    for (const auto order : {output_order::by_image, output_order::by_field}) {
        if (options.order && *options.order != order) {
            continue;
        }
        r.order = order;
        const std::string mismatch = mismatch_of(outputs, r);
        if (mismatch.empty()) {
            return r;
        }
        reason = reason.empty() ? mismatch : reason;
    }
    misused(reason, "outputs that fit the fields named, with one type over all images",
            "correct `fields`, `batch` or `order`; the outputs are " + all);
}

} // namespace padbatch::onnx_tools
