// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_RECOGNISE_UNDECIDED_HPP
#define PADBATCH_ONNX_TOOLS_RECOGNISE_UNDECIDED_HPP

#include <onnx_tools/error.hpp>
#include <onnx_tools/recognise/detections.hpp>

#include <memory>
#include <string>
#include <vector>

/// What only the user can say about outputs: their types allow a form, and nothing in the graph shows which of its
/// readings is right.
namespace padbatch::onnx_tools {

/// Options as messages name them, with their values: "`columns` x1,y1,x2,y2 `batch_index` image_of". Only those by
/// which a user tells what a model's outputs are; `from` not among them.
[[nodiscard]] std::string text_of(const recognise_options& said);

/// `options`, and what is said besides.
[[nodiscard]] recognise_options with(recognise_options options, const recognise_options& said);

/// A refusal that goes away when the user says one of several things.
class undecided : public tool_error {
public:
    /// `p.remedy` introduces the sayings, as in "name the columns"; `or_else` follows them. Without sayings, `p.remedy`
    /// is all that there is to do. A saying without options stands for the form alone, which has then been said.
    undecided(const problem& p, std::vector<recognise_options> sayings, std::string or_else = "");

    [[nodiscard]] const std::vector<recognise_options>& sayings() const noexcept { return m_told->sayings; }
    [[nodiscard]] const std::string& lead() const noexcept { return m_told->lead; }
    [[nodiscard]] const std::string& or_else() const noexcept { return m_told->or_else; }

private:
    struct told {
        std::string lead;
        std::vector<recognise_options> sayings;
        std::string or_else;
    };
    std::shared_ptr<const told> m_told; // shared, since a copy of an exception must not throw
};

} // namespace padbatch::onnx_tools

#endif
