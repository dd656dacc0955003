// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_OPTION_SETS_HPP
#define PADBATCH_TESTS_SUPPORT_OPTION_SETS_HPP

#include <string>
#include <vector>

namespace padbatch::test {

/// Sets of options, as in `tests/compare_rewrites.py`: what any export can be asked for, though some models refuse.
inline const std::vector<std::string>& option_sets()
{
    static const std::vector<std::string> all{
        "",
        "--max-detections 7",
        "--max-detections 301",
        "--max-detections batch",
        "--max-detections 1",
        "--min-score 0.6",
        "--min-score 7.25e-1 --max-detections 5",
        "--min-score 0.4 --max-detections batch",
        "--count-type int64 --count-shape B --label-type int32",
        "--count-type float32 --count-shape Bx1 --label-type float32",
        "--count-type int32 --label-type int64",
        "--pad-value labels=-1 --pad-value scores=-0.125 --pad-value boxes=1e3",
        "--rename num_detections=n --rename boxes=the-boxes --rename scores=confidence",
        "--rename boxes=labels --rename labels=scores --rename scores=boxes",
        "--to torchvision",
        "--to efficientnms",
        "--to yolov7 --max-detections batch",
        "--to mmdeploy",
        "--to tf-od",
        "--to ultralytics",
        "--to yolov7 --rename boxes=b --count-type int64 --label-type float32 --pad-value labels=-1",
        "--dynamic-batch",
        "--dynamic-batch --max-detections batch --count-shape B",
        "--dynamic-batch --to efficientnms --mask-type uint8 --max-detections 20 --min-score 0.4",
        "--dynamic-batch --to tf-od --masks roi",
        "--dynamic-batch --masks none",
        "--masks full --pad-value masks=0.25",
        "--masks roi",
        "--masks roi --squeeze-masks --mask-type float",
        "--masks roi --max-detections batch --min-score 0.4",
        "--masks none",
        "--masks none --max-detections batch",
        "--mask-type uint8 --mask-threshold 0.25",
        "--mask-type bool --squeeze-masks",
        "--pad-value keypoints=-1 --rename keypoints=joints --rename keypoints_scores=joint-scores",
    };
    return all;
}

/// Sets that end in a refusal for most exports, or for all.
inline const std::vector<std::string>& refused_option_sets()
{
    static const std::vector<std::string> all{
        "--mask-threshold 0.5",
        "--masks none --squeeze-masks",
        "--masks roi --mask-type uint8",
        "--to ultralytics --label-type int32",
        "--to mmdeploy --count-type int64",
        "--to mmdeploy --rename scores=s",
        "--pad-value labels=0.5",
        "--pad-value keypoints=1 --pad-value masks=1",
        "--rename boxes=x --rename scores=x",
        "--columns x1,y1,x2,y2,score,label",
        "--fields boxes,scores --batch 7",
        "--fields scores,boxes",
        "--fields boxes,scores",
        "--batch 7",
        "--batch 1",
        "--order field",
        "--order image",
        "--from flat",
        "--from nms",
        "--from nms --max-detections 9",
        "--from flat --dynamic-batch --max-detections 9",
        "--from flat --fields boxes,scores",
        "--model-name detector",
    };
    return all;
}

} // namespace padbatch::test

#endif
