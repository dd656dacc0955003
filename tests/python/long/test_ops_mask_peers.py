# SPDX-License-Identifier: Apache-2.0
"""padbatch.ops' masks, run lengths and raw heads beside torchvision and pycocotools themselves, and on tensors."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")
coco = pytest.importorskip("pycocotools.mask")

from torchvision.models.detection.roi_heads import paste_masks_in_image  # noqa: E402

from padbatch import ops  # noqa: E402
from padbatch.ops import heads, rle  # noqa: E402

# What torchvision's versions differ from one another (docs/headers.md).
TOLERANCE = 1.5e-6


def region_masks(random, n, size):
    """Tensors: masks [n, 1, 28, 28], and boxes that torchvision can paste."""
    height, width = size
    masks = random.random_sample((n, 1, 28, 28)).astype(np.float32)
    sides = random.uniform(1, (width, height), (n, 2))
    corners = random.uniform(-0.5 * sides, np.array((width, height)) * 0.95)
    return torch.from_numpy(masks), torch.from_numpy(np.concatenate((corners, corners + sides), 1).astype(np.float32))


@pytest.mark.parametrize("seed", range(30))
def test_paste_masks_is_torchvisions(seed):
    random = np.random.RandomState(seed)
    size = tuple(map(int, random.randint(40, 500, 2)))
    masks, boxes = region_masks(random, random.randint(1, 8), size)
    full = paste_masks_in_image(masks, boxes, size)
    made = ops.paste_masks_in_image(masks, boxes, size)
    assert made.dtype == full.dtype and made.shape == full.shape
    assert (made - full).abs().max() <= TOLERANCE
    decided = (full - 0.5).abs() > TOLERANCE
    for dtype in (torch.bool, torch.uint8):
        pixels = ops.paste_masks(masks, boxes, size, threshold=0.5, dtype=dtype)
        assert pixels.dtype == dtype and ((pixels != 0) == (full >= 0.5))[decided].all()
        out = torch.ones(*full.shape, dtype=dtype)
        assert ops.paste_masks(masks, boxes, size, threshold=0.5, out=out) is out and torch.equal(out, pixels)
    assert ops.paste_masks(masks, boxes, size, threshold=0.5).dtype == torch.bool


@pytest.mark.parametrize("seed", range(30))
def test_masks_to_boxes_are_torchvisions(seed):
    random = np.random.RandomState(seed)
    size = tuple(map(int, random.randint(40, 300, 2)))
    masks, boxes = region_masks(random, 6, size)
    full = ops.paste_masks(masks, boxes, size, threshold=0.5)[:, 0]
    full = full[full.flatten(1).any(1)]  # torchvision raises an error for an empty mask
    for given in (full, full.to(torch.uint8), full.float()):
        made = ops.masks_to_boxes(given)
        assert torch.equal(made, torchvision.ops.masks_to_boxes(given)) and made.dtype == torch.float32
        assert torch.equal(ops.mask_areas(given), given.flatten(1).long().sum(1))


@pytest.mark.parametrize("seed", range(30))
def test_run_lengths_are_pycocotools(seed):
    random = np.random.RandomState(seed)
    size = tuple(map(int, random.randint(1, 300, 2)))
    masks, boxes = region_masks(random, 8, size)
    full = ops.paste_masks(masks, boxes, size, threshold=0.5)[:, 0]
    full[0] = True
    full[1] = False
    fortran = np.asfortranarray(full.numpy().transpose(1, 2, 0).astype(np.uint8))
    theirs = coco.encode(fortran)
    ours = rle.encode(full)
    assert rle.encode(full, counts=bytes) == theirs
    assert rle.encode_regions(masks, boxes, size)[2:] == ours[2:]
    assert np.array_equal(rle.decode(theirs), full) and np.array_equal(coco.decode(ours), fortran)
    assert rle.area(theirs).tolist() == coco.area(ours).tolist()
    assert np.array_equal(rle.to_bbox(theirs), coco.toBbox(ours))
    for intersect in (False, True):
        n = random.randint(1, 9)
        assert rle.merge(ours[-n:], intersect=intersect, counts=bytes) == coco.merge(ours[-n:], intersect=intersect)
    crowd = random.randint(0, 2, 8).tolist()
    assert np.array_equal(rle.iou(ours[:5], theirs, crowd), coco.iou(ours[:5], theirs, crowd))


def test_polygons_of_pycocotools():
    made = coco.frPyObjects([[10, 10, 40, 12, 30, 44, 9, 30], [50, 5, 60, 5, 60, 20, 50, 20]], 50, 70)
    assert rle.area(made).tolist() == coco.area(made).tolist()
    assert rle.merge(made, counts=bytes) == coco.merge(made)
    crowd = coco.frPyObjects({"size": [3, 4], "counts": [2, 5, 1, 4]}, 3, 4)
    assert rle.merge([{"size": [3, 4], "counts": [2, 5, 1, 4]}], counts=bytes) == crowd


def usual_decoding(head, classes, score_above, iou_above):
    """Ultralytics' selection by torch and torchvision.ops.nms."""
    rows = head.T
    scores, labels = rows[:, 4:4 + classes].max(1)
    kept = scores > score_above
    boxes = torchvision.ops.box_convert(rows[kept, :4], "cxcywh", "xyxy")
    scores, labels, further = scores[kept], labels[kept], rows[kept, 4 + classes:]
    order = scores.argsort(descending=True, stable=True)
    boxes, scores, labels, further = boxes[order], scores[order], labels[order], further[order]
    kept = torchvision.ops.nms(boxes + labels[:, None] * 7680.0, scores, iou_above)[:300]
    return boxes[kept], scores[kept], labels[kept], further[kept]


@pytest.mark.parametrize("seed", range(10))
def test_decode_head_is_the_usual_code(seed):
    random = np.random.RandomState(seed)
    head = random.uniform(0, 0.3, (2, 4 + 20 + 3, 3000)).astype(np.float32)
    head[:, :2] = random.uniform(0, 640, (2, 2, 3000))
    head[:, 2:4] = random.uniform(20, 100, (2, 2, 3000))
    head[:, 4:24, ::5] = random.random_sample((2, 20, 600))
    given = torch.from_numpy(head)
    found = ops.decode_head(given, heads.yolov8_seg(20, 3), score_above=0.5, iou_above=0.5)
    for image, numbers in zip(found, given):
        boxes, scores, labels, further = usual_decoding(numbers, 20, 0.5, 0.5)
        assert len(image) > 50
        assert torch.equal(image.boxes, boxes) and torch.equal(image.scores, scores)
        assert torch.equal(image.labels, labels) and torch.equal(image.mask_coefficients, further)
        assert image.keypoints is None
    masks = ops.prototype_masks(torch.rand(3, 40, 40) - 0.5, found[0].mask_coefficients[:4], found[0].boxes[:4],
                                (160, 160))
    assert masks.dtype == torch.bool and masks.shape == (4, 160, 160)


def test_half_numbers_of_torch():
    given = torch.rand(2, 9, 50)
    given[:, 2:4] *= 20
    for dtype in (torch.bfloat16, torch.float16, torch.float64):
        converted = given.to(dtype)
        for one, same in zip(ops.decode_head(converted, heads.yolov8(5)),
                             ops.decode_head(converted.float(), heads.yolov8(5))):
            assert len(one) > 0 and one.boxes.dtype == torch.float32
            assert torch.equal(one.boxes, same.boxes) and torch.equal(one.labels, same.labels)


def test_tensors_that_require_gradients():
    masks = torch.rand(2, 1, 28, 28, requires_grad=True)
    full = ops.paste_masks(masks, torch.tensor([[1.0, 2, 30, 40]] * 2), (50, 60))
    assert not full.requires_grad and full.max() > 0


def test_memory_that_is_written():
    masks, boxes = torch.rand(2, 1, 28, 28), torch.tensor([[1.0, 2, 30, 40]] * 2)
    expected = ops.paste_masks(masks, boxes, (50, 60))
    out = torch.ones(3, 1, 50, 60)
    assert ops.paste_masks(masks, boxes, (50, 60), out=out[1:]) is not None
    assert torch.equal(out[1:], expected) and (out[0] == 1).all()
    for other in (torch.ones(2, 1, 60, 50).transpose(2, 3), torch.ones(1, 1, 50, 60).expand(2, 1, 50, 60)):
        with pytest.raises(ValueError, match="expected row-major order"):
            ops.paste_masks(masks, boxes, (50, 60), out=other)
