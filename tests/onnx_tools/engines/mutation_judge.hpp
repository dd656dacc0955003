// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_ONNX_TOOLS_ENGINES_MUTATION_JUDGE_HPP
#define PADBATCH_TESTS_ONNX_TOOLS_ENGINES_MUTATION_JUDGE_HPP

#include <tests/support/mutant.hpp>
#include <tests/support/told_options.hpp>

#include <memory>
#include <string>

namespace padbatch::test {

/// What is to be said about a rewrite that succeeded.
struct verdict {
    enum class kind { right, fails_at_run, not_judged, fault } what = kind::right;
    std::string fault; ///< its kind, in a few words
    std::string text;  ///< what came out against what was right
};

/// Judges the models that are made from one export. Without an engine, only by what the graph says.
class mutation_judge {
public:
    mutation_judge() = default;
    mutation_judge(const mutation_judge&) = delete;
    mutation_judge& operator=(const mutation_judge&) = delete;
    virtual ~mutation_judge() = default;

    [[nodiscard]] virtual verdict judge(const mutant& m, const rewrite_outcome& outcome) = 0;
};

/// The judge of one export, from the program that is linked.
[[nodiscard]] std::unique_ptr<mutation_judge> make_judge(const fixture& f, const onnx::ModelProto& model);
/// Whether it runs the models.
[[nodiscard]] bool has_engine();

/// Where a plan takes an output for another than it is, for messages.
inline std::string misreadings(const mutant& m, const onnx_tools::pad_plan& plan)
{
    std::string text;
    const auto images = images_of(m, m.outputs.size());
    for (const auto& f : plan.source.fields) {
        for (std::size_t i = 0; i < f.values.size(); ++i) {
            for (std::size_t k = 0; k < m.outputs.size(); ++k) {
                const auto& o = m.outputs[k];
                const bool right = o.field == onnx_tools::name_of(f.kind) && i < images.size() &&
                                   o.image == images[i] && !is_reshaped(o);
                if (m.model.graph().output(static_cast<int>(k)).name() == f.values[i] && !right) {
                    text += (text.empty() ? "" : "; ") + std::string(onnx_tools::name_of(f.kind)) + " of image " +
                            std::to_string(i) + " are read from '" + f.values[i] + "', " + text_of(o);
                    break;
                }
            }
        }
    }
    return text.empty() ? "every output is read as what it is" : text;
}

} // namespace padbatch::test

#endif
