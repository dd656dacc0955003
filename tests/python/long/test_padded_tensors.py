# SPDX-License-Identifier: Apache-2.0
"""pad and unpad of PyTorch tensors, beside torch.nn.utils.rnn.pad_sequence."""

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pad_sequence

import padbatch

TYPES = [torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32, torch.uint8, torch.bool]


def random_lists(seed):
    random = np.random.default_rng(seed)
    counts = random.integers(0, 9, int(random.integers(1, 8)))
    lists = {}
    for f in range(int(random.integers(1, 4))):
        dtype = TYPES[random.integers(len(TYPES))]
        row = [(), (4,), (1, 5, 6), (40, 40)][random.integers(4)]  # the last is too large to be joined first
        images = [torch.from_numpy(random.integers(0, 2, (n, *row))).to(dtype) for n in counts]
        if random.integers(3) == 0:
            images = [torch.stack([x, x], -1)[..., 0] for x in images]
        lists[f"field{f}"] = images
    return counts, lists


@pytest.mark.parametrize("seed", range(100))
def test_lists(seed):
    counts, lists = random_lists(seed)
    found = padbatch.pad(**lists)
    assert found.counts.dtype == torch.int32 and found.counts.tolist() == counts.tolist()
    for name, images in lists.items():
        expected = pad_sequence(images, batch_first=True)
        got = found[name]
        assert isinstance(got, torch.Tensor) and got.dtype == expected.dtype and got.shape == expected.shape
        assert torch.equal(got, expected)
        for i, image in enumerate(found):
            assert torch.equal(image[name], images[i])


def test_pad_values_capacity_and_offsets():
    boxes = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    found = padbatch.pad(boxes=boxes, offsets=torch.tensor([0, 1, 3]), capacity=4, pad_values={"boxes": -1})
    assert (
        found.boxes.shape == (2, 4, 4) and torch.equal(found[1].boxes, boxes[1:]) and (found.boxes[0, 1:] == -1).all()
    )
    by_index = padbatch.pad(boxes=boxes, batch_index=torch.tensor([1, 0, 1]), batch_size=2)
    assert torch.equal(by_index[1].boxes, boxes[[0, 2]])
    half = padbatch.pad(
        x=[torch.ones(1, dtype=torch.bfloat16), torch.ones(0, dtype=torch.bfloat16)], pad_values={"x": 0.5}
    )
    assert half.x.dtype == torch.bfloat16 and half.x.tolist() == [[1], [0.5]]
    mixed = padbatch.pad(boxes=[boxes], scores=[np.zeros(3)])
    assert isinstance(mixed.boxes, torch.Tensor) and isinstance(mixed.scores, np.ndarray)


def test_views_whose_numbers_are_meant_otherwise():
    negative, conjugate = torch._neg_view(torch.tensor([1.0, 2])), torch.tensor([1 + 2j]).conj()
    assert padbatch.pad(x=[negative], capacity=3).x.tolist() == [[-1, -2, 0]]
    assert padbatch.pad(x=[conjugate], capacity=2).x.tolist() == [[1 - 2j, 0]]
    assert padbatch.unpad(torch._neg_view(torch.tensor([-1])), x=negative[None])[0].x.tolist() == [-1]
    with pytest.raises(TypeError, match="has no memory"):
        padbatch.pad(x=[torch._efficientzerotensor((2,))], capacity=3)
    with pytest.raises(ValueError, match="the pad value 256 of x does not fit its type"):
        padbatch.pad(x=[torch.zeros(1, dtype=torch.uint8)], capacity=2, pad_values={"x": 256})


def test_views_of_tensors():
    boxes = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    scores = torch.zeros(2, 3, dtype=torch.bfloat16)
    found = padbatch.unpad(torch.tensor([[1], [3]]), boxes=boxes, scores=scores)
    assert isinstance(found[1].boxes, torch.Tensor) and torch.equal(found[1].boxes, boxes[1])
    assert found[1].boxes.data_ptr() == boxes[1].data_ptr() and found[0].scores.shape == (1,)
    found[1].boxes[0, 0] = 99  # PyTorch has no read-only tensors
    assert boxes[1, 0, 0] == 99
    entry = padbatch.unpad([1], boxes=boxes[:1], labels=torch.ones(1, 3, dtype=torch.int64), scores=torch.ones(1, 3))[0]
    assert entry.to_coco(3) == [{"image_id": 3, "category_id": 1, "bbox": [0, 1, 2, 2], "score": 1}]


def test_what_is_refused():
    one = torch.ones(2, 4)
    for lists, text in [
        ({"boxes": [one, torch.ones(2, 5)]}, r"boxes of image 1 has the shape \[2, 5\]; expected \[n, 4\]"),
        ({"boxes": [one, one.double()]}, "boxes of image 1 is torch.float64, but of image 0 it is torch.float32"),
        ({"boxes": [one], "scores": [torch.ones(3)]}, "image 0 has 3 rows of scores, but 2 of boxes"),
        (
            {"boxes": [one, torch.ones(1, 4, requires_grad=True)]},
            "boxes of image 1 is a tensor that requires a gradient",
        ),
        ({"boxes": [one, torch.ones(1, 4, device="meta")]}, r"boxes of image 1 is in the memory of a device \(meta\)"),
        ({"boxes": [torch.ones(1, 4, device="meta")]}, r"boxes of image 0 is in the memory of a device \(meta\)"),
        ({"boxes": [torch.tensor(1.0)]}, "boxes of image 0 is a single number"),
    ]:
        with pytest.raises(ValueError, match=text):
            padbatch.pad(**lists)
    with pytest.raises(TypeError, match="boxes of image 1 is a ndarray, but of image 0 it is a Tensor"):
        padbatch.pad(boxes=[one, one.numpy()])
    with pytest.raises(ValueError, match=r"boxes is in the memory of a device \(meta\)"):
        padbatch.unpad([1], boxes=torch.ones(1, 2, 4, device="meta"))
    with pytest.raises(TypeError, match="boxes is a tensor of layout torch.sparse_coo"):
        padbatch.unpad([1], boxes=torch.ones(1, 2, 4).to_sparse())
