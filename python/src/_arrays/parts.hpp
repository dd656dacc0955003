// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_PYTHON_ARRAYS_PARTS_HPP
#define PADBATCH_PYTHON_ARRAYS_PARTS_HPP

#include <nanobind/nanobind.h>

/// What the module `_arrays` consists of: each function adds one subject's functions.
namespace padbatch::python {

void add_arrays(nanobind::module_& m);
void add_boxes(nanobind::module_& m);
void add_nms(nanobind::module_& m);
void add_masks(nanobind::module_& m);
void add_prototypes(nanobind::module_& m);
void add_rle(nanobind::module_& m);
void add_decode(nanobind::module_& m);
void add_pad(nanobind::module_& m);

} // namespace padbatch::python

#endif
