// SPDX-License-Identifier: Apache-2.0
// Looks at what was made from a mutant without running it: for builds in which no engine runs.

#include <tests/onnx_tools/engines/mutation_judge.hpp>

namespace padbatch::test {
namespace {

class reading_judge : public mutation_judge {
public:
    verdict judge(const mutant& m, const rewrite_outcome& outcome) override
    {
        if (!m.valid) {
            return {verdict::kind::fault, "a broken graph is accepted", misreadings(m, *outcome.plan)};
        }
        return {verdict::kind::not_judged, "", ""};
    }
};

} // namespace

std::unique_ptr<mutation_judge> make_judge(const fixture&, const onnx::ModelProto&)
{
    return std::make_unique<reading_judge>();
}

bool has_engine()
{
    return false;
}

} // namespace padbatch::test
