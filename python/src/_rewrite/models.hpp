// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_PYTHON_REWRITE_MODELS_HPP
#define PADBATCH_PYTHON_REWRITE_MODELS_HPP

#include <nanobind/nanobind.h>

/// What Python asks of the rewrite. A model is the bytes of its file if it is `in_memory`, and else the path of that;
/// `arguments` are those of the command, files excepted. The interpreter is free for other threads in the meantime.
namespace padbatch::python {

/// `output` is a path, or None: then the padded model is the first of what is returned, or, if the arguments name a
/// repository, None. The others are a report as JSON, and warnings.
[[nodiscard]] nanobind::tuple pad(const nanobind::bytes& model, bool in_memory, const nanobind::object& output,
                                  const nanobind::list& arguments);

/// The JSON document, and the error if the model would be refused.
[[nodiscard]] nanobind::tuple inspect(const nanobind::bytes& model, bool in_memory, const nanobind::list& arguments);

/// The command's help.
[[nodiscard]] nanobind::object help();

} // namespace padbatch::python

#endif
