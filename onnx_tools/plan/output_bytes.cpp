// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/plan/output_bytes.hpp>

#include <onnx_tools/error.hpp>
#include <padbatch/extents.hpp>

namespace padbatch::onnx_tools {
namespace {

std::int64_t bytes_of(const std::string& name, element_type element, std::vector<std::int64_t> extents)
{
    try {
        extents.push_back(static_cast<std::int64_t>(size_of(element)));
        return element_count(extents);
    } catch (const error& e) {
        throw tool_error(failure::usage, {"the output '" + name + "' would be too large: " + e.what(),
                                          "an output of fewer than 2^63 bytes", "pass a smaller --max-detections"});
    }
}

} // namespace

output_bytes count_bytes(const std::string& name, element_type element, const std::vector<dimension>& shape,
                         const std::optional<std::pair<std::int64_t, std::int64_t>>& image)
{
    output_bytes bytes;
    std::vector<std::int64_t> known;
    std::vector<std::int64_t> all;
    bool complete = true;
    for (std::size_t d = 0; d < shape.size(); ++d) {
        if (shape[d].size) {
            known.push_back(*shape[d].size);
            all.push_back(*shape[d].size);
            continue;
        }
        bytes.factors.push_back(shape[d].symbol);
        const std::size_t from_end = shape.size() - d;
        if (image && from_end <= 2) {
            all.push_back(from_end == 2 ? image->first : image->second);
        } else if (d != 0) { // a symbol in front is the number of images
            complete = false;
        }
    }
    bytes.known = bytes_of(name, element, known);
    if (complete) {
        bytes.total = bytes_of(name, element, all);
    }
    return bytes;
}

} // namespace padbatch::onnx_tools
