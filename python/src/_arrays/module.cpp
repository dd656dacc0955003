// SPDX-License-Identifier: Apache-2.0
#include <_arrays/parts.hpp>

#include <padbatch/version.hpp>

#include <nanobind/nanobind.h>

NB_MODULE(_arrays, m)
{
    m.doc() = "The headers' operations on arrays in host memory.";
    m.attr("version") = PADBATCH_VERSION;
    padbatch::python::add_arrays(m);
    padbatch::python::add_boxes(m);
    padbatch::python::add_nms(m);
    padbatch::python::add_masks(m);
    padbatch::python::add_prototypes(m);
    padbatch::python::add_rle(m);
    padbatch::python::add_decode(m);
    padbatch::python::add_pad(m);
}
