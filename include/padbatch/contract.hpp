// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_CONTRACT_HPP
#define PADBATCH_CONTRACT_HPP

#include <padbatch/config.hpp>

/// What a padded model says about itself in its `metadata_props`, and the default names of its outputs.
/// `onnx-pad-outputs` writes these; a program that runs such a model finds its outputs by them.
namespace padbatch::inline PADBATCH_ABI::contract {

/// The version of padbatch that wrote the file, such as `0.2.0`.
inline constexpr char version_key[] = "padbatch.version";
/// The name of the count output, int32 `[B, 1]` by default: how many rows of each image are real. Absent in layouts
/// without counts.
inline constexpr char count_key[] = "padbatch.count";
/// `boxes=NAME,labels=NAME,...`: the padded fields and their outputs, in output order.
inline constexpr char fields_key[] = "padbatch.fields";
/// `boxes+scores=NAME,...`: outputs that hold several fields, one after the other along the last dimension. Absent when
/// there are none.
inline constexpr char columns_key[] = "padbatch.columns";
/// M, the number of rows that every image has, or `batch` for the largest count of each batch.
inline constexpr char max_detections_key[] = "padbatch.max_detections";
/// B, the number of images, or `dynamic`.
inline constexpr char batch_key[] = "padbatch.batch";
/// The layout of the outputs, such as `efficientnms`. Absent for torchvision's own layout.
inline constexpr char layout_key[] = "padbatch.layout";
/// `roi` when masks cover the region of their box and still have to be pasted. Absent otherwise.
inline constexpr char masks_key[] = "padbatch.masks";

/// The prefix of all the keys.
inline constexpr char key_prefix[] = "padbatch.";

/// The default name of the count output.
inline constexpr char default_count_name[] = "num_detections";

/// The name, in `fields_key` and `columns_key`, of boxes that are y1, x1, y2, x2, divided by the image's height and
/// width. Programs that look for `boxes`, in pixels, do not find these.
inline constexpr char normalised_boxes[] = "normalised_boxes";

/// The value of `batch_key` when a model takes any number of images.
inline constexpr char dynamic_batch[] = "dynamic";
/// The value of `masks_key`.
inline constexpr char region_masks[] = "roi";
/// The value of `max_detections_key` when M follows the batch.
inline constexpr char max_detections_of_batch[] = "batch";

} // namespace padbatch::inline PADBATCH_ABI::contract

#endif
