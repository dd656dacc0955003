// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_PAD_CUT_CHANGES_HPP
#define PADBATCH_ONNX_TOOLS_PAD_CUT_CHANGES_HPP

#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/plan/pad_plan.hpp>

#include <onnx/onnx_pb.h>

#include <cstdint>

/// What is done to rows where the model itself cuts them, so that nothing is computed for the others.
namespace padbatch::onnx_tools {

/// Lets the cuts keep as many rows as callers choose, if the plan says so. Sorts the nodes.
void cut_to_chosen(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh, std::int64_t opset);

/// Lets the cuts keep the best of the rows that `p.classes` chooses, if the plan says so. Sorts the nodes.
void drop_classes_at_cuts(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh, std::int64_t opset);

/// Takes rows with scores below `p.score_above`, or below what callers choose, out of what the cuts keep, if the plan
/// says so. Scores are compared as the outputs have them, after a conversion, say. Sorts the nodes.
void drop_low_scores_at_cuts(onnx::GraphProto& graph, const pad_plan& p, fresh_names& fresh, std::int64_t opset);

} // namespace padbatch::onnx_tools

#endif
