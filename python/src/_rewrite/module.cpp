// SPDX-License-Identifier: Apache-2.0
#include <nanobind/nanobind.h>

NB_MODULE(_rewrite, m)
{
    m.doc() = "The rewrite of ONNX models.";
}
