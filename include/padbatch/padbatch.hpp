// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_PADBATCH_HPP
#define PADBATCH_PADBATCH_HPP

#include <padbatch/columns.hpp>
#include <padbatch/config.hpp>
#include <padbatch/contract.hpp>
#include <padbatch/convert_counts.hpp>
#include <padbatch/count_rows.hpp>
#include <padbatch/counts.hpp>
#include <padbatch/detection/at_most.hpp>
#include <padbatch/detection/masks.hpp>
#include <padbatch/detection/nms.hpp>
#include <padbatch/detection/parallel.hpp>
#include <padbatch/detection/row_numbers.hpp>
#include <padbatch/element_type.hpp>
#include <padbatch/error.hpp>
#include <padbatch/extents.hpp>
#include <padbatch/fields.hpp>
#include <padbatch/float16.hpp>
#include <padbatch/image.hpp>
#include <padbatch/image_columns.hpp>
#include <padbatch/item_rows.hpp>
#include <padbatch/memory.hpp>
#include <padbatch/pad.hpp>
#include <padbatch/pad_options.hpp>
#include <padbatch/padded.hpp>
#include <padbatch/padded_view.hpp>
#include <padbatch/project.hpp>
#include <padbatch/ragged.hpp>
#include <padbatch/ragged_view.hpp>
#include <padbatch/row_index.hpp>
#include <padbatch/row_offsets.hpp>
#include <padbatch/rows.hpp>
#include <padbatch/rows_of.hpp>
#include <padbatch/slots.hpp>
#include <padbatch/source.hpp>
#include <padbatch/tagged.hpp>
#include <padbatch/tensor_ref.hpp>
#include <padbatch/tensors.hpp>
#include <padbatch/unpad.hpp>
#include <padbatch/version.hpp>
#include <padbatch/xywh.hpp>

#endif
