// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/flags.hpp>

#include <algorithm>
#include <array>

namespace padbatch::onnx_tools::cli {
namespace {

// The options that the library's messages may name: all that change the result.
constexpr auto all_options = std::to_array<std::string_view>({"batch",
                                                              "batch_index",
                                                              "box_format",
                                                              "classes",
                                                              "class_agnostic",
                                                              "columns",
                                                              "count_output",
                                                              "count_shape",
                                                              "count_type",
                                                              "dynamic_batch",
                                                              "exclude_classes",
                                                              "expose",
                                                              "expose_per_image",
                                                              "fields",
                                                              "force",
                                                              "from",
                                                              "head",
                                                              "image_size",
                                                              "iou_threshold",
                                                              "keypoints",
                                                              "label_type",
                                                              "layout",
                                                              "mask_threshold",
                                                              "mask_type",
                                                              "masks",
                                                              "max_batch_size",
                                                              "max_detections",
                                                              "min_score",
                                                              "model_name",
                                                              "multi_label",
                                                              "nms",
                                                              "normalised",
                                                              "num_classes",
                                                              "order",
                                                              "pad_value",
                                                              "per_image_input",
                                                              "rename",
                                                              "scores",
                                                              "set",
                                                              "shared_input",
                                                              "squeeze_masks",
                                                              "strides",
                                                              "triton_repository"});

std::string flag_of(std::string_view option)
{
    if (option == "layout") { // which means NCHW or NHWC where other commands have it
        return "--to";
    }
    if (option == "normalised") {
        return "--normalized";
    }
    std::string flag = "--";
    for (const char c : option) {
        flag += c == '_' ? '-' : c;
    }
    return flag;
}

} // namespace

std::string with_flags(std::string_view text)
{
    std::string result;
    while (!text.empty()) {
        const auto begin = text.find('`');
        const auto end = begin == std::string_view::npos ? begin : text.find('`', begin + 1);
        if (end == std::string_view::npos) {
            break;
        }
        const auto word = text.substr(begin + 1, end - begin - 1);
        result += text.substr(0, begin);
        if (std::find(all_options.begin(), all_options.end(), word) ==
            all_options.end()) { // its closing backquote may open the next word
            result += text.substr(begin, end - begin);
            text.remove_prefix(end);
            continue;
        }
        result += flag_of(word);
        text.remove_prefix(end + 1);
    }
    return result += text;
}

std::vector<std::string> with_flags(const std::vector<std::string>& texts)
{
    std::vector<std::string> result;
    for (const auto& text : texts) {
        result.push_back(with_flags(text));
    }
    return result;
}

} // namespace padbatch::onnx_tools::cli
