# SPDX-License-Identifier: Apache-2.0
"""padbatch.ops.rle: beside plain NumPy, and beside what pycocotools made (tests/data/rle.txt)."""

import json
import pathlib

import numpy as np
import pytest

from padbatch import ops
from padbatch.ops import rle

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"


def twin_counts(mask):
    """The run lengths of a mask [H, W], as a list."""
    pixels = (np.asarray(mask) != 0).ravel(order="F")
    starts = np.flatnonzero(np.diff(pixels)) + 1
    ends = np.concatenate(([0] if pixels[0] else [], starts, [len(pixels)])).astype(int)
    return np.diff(ends, prepend=0).tolist()


def twin_string(counts):
    """COCO's compressed string: from the third number on, what a count differs from the one two before it."""
    text = ""
    for k, count in enumerate(counts):
        value, more = count - (counts[k - 2] if k > 2 else 0), True
        while more:
            digit = value & 31
            value >>= 5
            more = value != (-1 if digit & 16 else 0)
            text += chr(48 + digit + 32 * more)
    return text


def random_masks(random, n=None, size=None):
    """Blobs, noise, stripes, full and empty masks."""
    n = random.randint(0, 6) if n is None else n
    height, width = random.randint(1, 80, 2) if size is None else size
    y, x = np.mgrid[:height, :width]
    masks = np.zeros((n, height, width), bool)
    for mask in masks:
        kind = random.randint(6)
        centre, radius = random.uniform(0, (height, width)), random.uniform(1, height + 2)
        mask[:] = (np.hypot(y - centre[0], x - centre[1]) < radius if kind < 2 else
                   random.random_sample((height, width)) < random.random_sample() if kind == 2 else
                   (x // 3 % 2 == 0) if kind == 3 else kind == 4)
    return masks


@pytest.mark.parametrize("seed", range(40))
def test_encode_and_decode(seed):
    random = np.random.RandomState(seed)
    masks = random_masks(random)
    n, height, width = masks.shape
    counts = [twin_counts(mask) for mask in masks]
    strings = [twin_string(each) for each in counts]
    made = rle.encode(masks)
    assert made == [{"size": [height, width], "counts": each} for each in strings]
    assert json.loads(json.dumps(made)) == made
    as_bytes, as_lists = rle.encode(masks, counts=bytes), rle.encode(masks, counts=list)
    assert [each["counts"] for each in as_bytes] == [each.encode() for each in strings]
    assert [each["counts"] for each in as_lists] == counts
    values = (masks * random.choice([1, 255])).astype(np.uint8)
    wide = np.zeros((n, 2 * height, width), np.uint8)
    wide[:, ::2] = values
    for given in (values, values[:, None], np.asfortranarray(masks), wide[:, ::2], masks[:, :, ::-1][:, :, ::-1]):
        assert rle.encode(given) == made
    for given in (made, as_bytes, as_lists, tuple(made)):
        if n:
            pixels = rle.decode(given)
            assert pixels.dtype == np.uint8 and pixels.shape == masks.shape and np.array_equal(pixels, masks)
            assert np.array_equal(rle.decode(given, dtype=bool), masks) and rle.decode(given, dtype=bool).dtype == bool
        assert rle.area(given).tolist() == masks.sum((1, 2)).tolist()
    for mask, each in zip(masks, made):
        assert rle.encode(mask) == each and np.array_equal(rle.decode(each), mask)
        assert rle.area(each) == mask.sum() and isinstance(rle.area(each), int)


@pytest.mark.parametrize("seed", range(40))
def test_sets_and_boxes(seed):
    random = np.random.RandomState(seed)
    masks = random_masks(random, 6)
    made = rle.encode(masks)
    boxes = np.zeros((6, 4))
    for box, mask in zip(boxes, masks):
        y, x = np.nonzero(mask)
        if len(x):
            box[:] = x.min(), y.min(), x.max() - x.min() + 1, y.max() - y.min() + 1
    assert np.array_equal(rle.to_bbox(made), boxes) and rle.to_bbox(made).dtype == np.float64
    assert np.array_equal(rle.to_bbox(made[0]), boxes[0])
    n = random.randint(1, 7)
    assert rle.merge(made[:n]) == rle.encode(masks[:n].any(0))
    assert rle.merge(made[:n], intersect=True) == rle.encode(masks[:n].all(0))
    assert rle.merge(made[:n], counts=list) == rle.encode(masks[:n].any(0), counts=list)

    both = (masks[:n, None] & masks).sum((2, 3))
    either = (masks[:n, None] | masks).sum((2, 3))
    own = np.broadcast_to(masks[:n].sum((1, 2))[:, None], both.shape)
    crowd = random.randint(0, 2, 6)
    with np.errstate(invalid="ignore"):
        plain = np.where(both > 0, both / either, 0)
        crowded = np.where(both > 0, both / np.where(crowd, own, either), 0)
    assert np.array_equal(rle.iou(made[:n], made), plain)
    assert np.array_equal(rle.iou(made[:n], made, crowd.tolist()), crowded)
    assert np.array_equal(rle.iou(made[:n], made, crowd.astype(bool)), crowded)


@pytest.mark.parametrize("seed", range(30))
def test_encode_regions(seed):
    random = np.random.RandomState(seed)
    n, h, w = random.randint(0, 6), *random.randint(1, 30, 2)
    size = tuple(map(int, random.randint(1, 90, 2)))
    regions = random.random_sample((n, h, w)).astype(np.float32)
    boxes = random.uniform(-20, 100, (n, 4)).astype(np.float32)
    for threshold in (0.5, 0.125, 1):
        full = ops.paste_masks(regions, boxes, size, threshold=threshold)
        assert rle.encode_regions(regions, boxes, size, threshold=threshold) == rle.encode(full)
    assert (rle.encode_regions(regions[:, None], boxes, size, counts=bytes) ==
            rle.encode(ops.paste_masks(regions, boxes, size, dtype=np.uint8), counts=bytes))


def test_what_pycocotools_made():
    """Strings, areas, boxes, unions, intersections and IoUs of pycocotools 2.0.11."""
    same, seen = [], set()
    for line in (DATA / "rle.txt").read_text().splitlines():
        kind, *words = line.split(" ")
        seen.add(kind)
        if kind == "mask":
            height, width = map(int, words[:2])
            bits = np.frombuffer(bytes.fromhex(words[2]), np.uint8).reshape(height, -1)
            mask = np.unpackbits(bits, axis=1, count=width)
            made = {"size": [height, width], "counts": words[3]}
            assert rle.encode(mask) == made and np.array_equal(rle.decode(made), mask)
            assert rle.area(made) == int(words[4]) and rle.to_bbox(made).tolist() == [float(each) for each in words[5:]]
            if (height, width) == (24, 37):
                same.append(made)
        elif kind == "merged":
            merged = rle.merge(same[:int(words[1])], intersect=words[0] == "all")
            assert merged == {"size": [24, 37], "counts": words[2]}
        elif kind == "iou":
            crowd = [int(each) for each in words[0]]
            expected = np.array([float.fromhex(each) for each in words[1:]]).reshape(6, -1)
            assert np.array_equal(rle.iou(same[:6], same[6:], crowd), expected)
        else:
            height, width = map(int, words[:2])
            counts = [int(each) for each in words[3:]]
            assert rle.area({"size": [height, width], "counts": words[2]}) == sum(counts[1::2])
            assert rle.area({"size": (height, width), "counts": counts}) == sum(counts[1::2])
    assert seen == {"mask", "merged", "iou", "runs"}


def test_masks_of_several_sizes():
    one, other = {"size": [2, 3], "counts": [1, 5]}, {"size": [np.int64(5), 1], "counts": np.array([0, 2, 3])}
    assert rle.area([one, other]).tolist() == [5, 2]
    assert rle.to_bbox([one, other]).tolist() == [[0, 0, 3, 2], [0, 0, 1, 2]]
    for call in (lambda: rle.decode([one, other]), lambda: rle.merge([one, other]),
                 lambda: rle.iou([one, other], [one])):
        with pytest.raises(ValueError, match=r"mask 1 of .* has the size \[5, 1\], but the first \[2, 3\]"):
            call()
    with pytest.raises(ValueError, match="expected one size"):
        rle.iou([one], [other])


def test_empty_lists():
    assert rle.encode(np.zeros((0, 3, 4), bool)) == []
    assert rle.area([]).shape == (0,) and rle.to_bbox([]).shape == (0, 4)
    one = {"size": [1, 1], "counts": "1"}
    assert rle.iou([], [one]).shape == (0, 1) and rle.iou([one], [], []).shape == (1, 0)
    for call in (lambda: rle.decode([]), lambda: rle.merge([])):
        with pytest.raises(ValueError, match="expected one or more"):
            call()


GOOD = {"size": [2, 3], "counts": [6]}


@pytest.mark.parametrize("mask, text", (
    ("06", "is '06'; expected a dict"),
    ({"size": [2, 3]}, 'is a dict without "counts"'),
    ({"counts": [6]}, 'is a dict without "size"'),
    ({"size": [2], "counts": [6]}, "has the size [2]; expected [height, width]"),
    ({"size": 6, "counts": [6]}, "has the size 6"),
    ({"size": [2, 3.5], "counts": [6]}, "has a side of 3.5"),
    ({"size": [-2, 3], "counts": [6]}, "has a side of -2"),
    ({"size": [0, 3], "counts": [0]}, "masks of 0 x 3 pixels"),
    ({"size": [2**40, 2**40], "counts": [6]}, "run lengths are 32-bit numbers"),
    ({"size": [2, 3], "counts": [5]}, "add up to 5; expected 6"),
    ({"size": [2, 3], "counts": [7, -1]}, "has -1 among its counts"),
    ({"size": [2, 3], "counts": [2**32]}, "has 4294967296 among its counts"),
    ({"size": [2, 3], "counts": [[0.5, 1.5, 2.5, 1.5, 1, 1]]}, "polygons are no run lengths"),
    ({"size": [2, 3], "counts": None}, "has the counts None"),
    ({"size": [2, 3], "counts": ""}, "add up to 0; expected 6"),
    ({"size": [2, 3], "counts": "6\n"}, "is no mask"),
    ({"size": [2, 3], "counts": "6\ud800"}, "has counts that are no text of COCO's"),
    ({"size": [2, 3], "counts": b"V"}, "is no mask"),
))
def test_what_is_no_mask(mask, text):
    for call in (lambda each: rle.decode([GOOD, each]), lambda each: rle.area([GOOD, each]),
                 lambda each: rle.to_bbox([GOOD, each]), lambda each: rle.merge([GOOD, each]),
                 lambda each: rle.iou([GOOD, each], [GOOD]), lambda each: rle.iou([GOOD], [GOOD, each])):
        with pytest.raises(ValueError) as caught:
            call(mask)
        assert text in str(caught.value) and "mask 1 of" in str(caught.value)


@pytest.mark.parametrize("call, error, text", (
    (lambda: rle.encode(np.zeros((2, 3), np.float32)), TypeError, "expected bool or uint8"),
    (lambda: rle.encode(np.zeros((1, 2, 0), bool)), ValueError, "expected masks of 1 pixel or more"),
    (lambda: rle.encode([[1, 0]]), TypeError, "masks is of type list"),
    (lambda: rle.encode(np.zeros(3, bool)), ValueError, "expected masks of one size"),
    (lambda: rle.encode(np.zeros((2, 3), bool), counts=int), ValueError, "expected str, bytes or list"),
    (lambda: rle.decode([GOOD], dtype=float), ValueError, "dtype is float64; expected uint8 or bool"),
    (lambda: rle.decode("text"), TypeError, "rles is 'text'; expected a list of dicts"),
    (lambda: rle.area(5), TypeError, "rles is 5; expected a list of dicts"),
    (lambda: rle.merge(GOOD), TypeError, "rles is one mask; expected a list"),
    (lambda: rle.iou(GOOD, [GOOD]), TypeError, "dt is one mask; expected a list"),
    (lambda: rle.iou([GOOD], [GOOD], [0, 1]), ValueError, "pyiscrowd has the shape [2]"),
    (lambda: rle.iou([GOOD], [GOOD], [2]), ValueError, "pyiscrowd has the value 2; expected 0 or 1"),
    (lambda: rle.iou([GOOD], [GOOD], [0.5]), ValueError, "expected a whole number"),
    (lambda: rle.encode_regions(np.zeros((1, 2, 2), "f"), np.zeros((1, 4), "f"), (5, 6), threshold=2), ValueError,
     "threshold is 2; expected a number above 0"),
    (lambda: rle.encode_regions(np.zeros((1, 2, 2), "f"), np.zeros((2, 4), "f"), (5, 6)), ValueError,
     "boxes has 2 rows, but there are 1 masks"),
    (lambda: rle.encode_regions(np.zeros((1, 2, 2), "f"), np.zeros((1, 4), "f"), (2**31 - 1, 2**31 - 1)), ValueError,
     "run lengths are 32-bit numbers"),
))
def test_what_is_refused(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert text in str(caught.value)
