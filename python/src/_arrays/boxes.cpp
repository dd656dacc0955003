// SPDX-License-Identifier: Apache-2.0
#include <_arrays/parts.hpp>

#include <padbatch/detection/boxes.hpp>

#include <nanobind/ndarray.h>

namespace padbatch::python {

void add_boxes(nanobind::module_&) {}

} // namespace padbatch::python
