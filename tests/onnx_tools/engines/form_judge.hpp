// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_ONNX_TOOLS_ENGINES_FORM_JUDGE_HPP
#define PADBATCH_TESTS_ONNX_TOOLS_ENGINES_FORM_JUDGE_HPP

#include <tests/onnx_tools/engines/mutation_judge.hpp>
#include <tests/support/form_mutations.hpp>

#include <memory>

namespace padbatch::test {

/// Judges the models that are made from one export of any form.
class form_judge {
public:
    form_judge() = default;
    form_judge(const form_judge&) = delete;
    form_judge& operator=(const form_judge&) = delete;
    virtual ~form_judge() = default;

    [[nodiscard]] virtual verdict judge(const form_mutant& m, const rewrite_outcome& outcome) = 0;
};

/// The judge from the program that is linked.
[[nodiscard]] std::unique_ptr<form_judge> make_form_judge(const form_export& e, const onnx::ModelProto& model);
/// Whether it runs the models.
[[nodiscard]] bool runs_forms();

} // namespace padbatch::test

#endif
