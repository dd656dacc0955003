#ifndef PADBATCH_CONTRACT_HPP
#define PADBATCH_CONTRACT_HPP

/// What a padded model says of itself, in its `metadata_props`, and the names its outputs have unless told otherwise.
/// `onnx-pad-outputs` writes these; a program that runs such a model finds its outputs by them.
namespace padbatch::contract {

/// The padbatch that wrote the file, such as `0.1.0`.
inline constexpr char version_key[] = "padbatch.version";
/// The name of the count output, int32 `[B, 1]`: how many rows of each image are real.
inline constexpr char count_key[] = "padbatch.count";
/// `boxes=NAME,labels=NAME,...`: the padded fields and their outputs, in output order.
inline constexpr char fields_key[] = "padbatch.fields";
/// M, the number of rows that every image has, or `batch`: the largest count of the batch at hand.
inline constexpr char max_detections_key[] = "padbatch.max_detections";
/// B, the number of images.
inline constexpr char batch_key[] = "padbatch.batch";

/// What all the keys begin with.
inline constexpr char key_prefix[] = "padbatch.";

/// The count output's name unless it was renamed.
inline constexpr char default_count_name[] = "num_detections";

/// The value of `max_detections_key` where M follows the batch at hand.
inline constexpr char max_detections_of_batch[] = "batch";

} // namespace padbatch::contract

#endif
