// SPDX-License-Identifier: Apache-2.0
#include <_rewrite/failures.hpp>
#include <_rewrite/models.hpp>

#include <onnx_tools/cli/process.hpp>

#include <nanobind/nanobind.h>

namespace nb = nanobind;
using namespace nb::literals;
using namespace padbatch::python;

NB_MODULE(_rewrite, m)
{
    m.doc() = "The rewrite of ONNX models: what the command onnx-pad-outputs does, for models in memory too.";
    padbatch::onnx_tools::cli::silence_protobuf();
    m.def(
        "pad",
        [](const nb::bytes& model, bool in_memory, const nb::object& output, const nb::list& arguments) {
            return or_raise([&] { return pad(model, in_memory, output, arguments); });
        },
        "model"_a, "in_memory"_a, "output"_a.none(), "arguments"_a,
        "Pads the outputs of a model, and returns the padded one (or None if it was written), a report on what was "
        "done, as JSON, and warnings.");
    m.def(
        "inspect",
        [](const nb::bytes& model, bool in_memory, const nb::list& arguments) {
            return or_raise([&] { return inspect(model, in_memory, arguments); });
        },
        "model"_a, "in_memory"_a, "arguments"_a,
        "Returns what is recognised in a model and what would be done with it, as JSON; and, if it would be refused, "
        "the error.");
    m.def("help", [] { return help(); }, "The command's help.");
}
