# SPDX-License-Identifier: Apache-2.0
"""padbatch.ops beside torchvision.ops: the same rows in the same order, the same bits, tensors for tensors."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")

from padbatch import ops  # noqa: E402

peer = torchvision.ops


def candidates(seed, n, spread):
    random = np.random.default_rng(seed)
    corners = random.uniform(0, spread, (n, 2))
    boxes = np.concatenate((corners, corners + random.uniform(1, 100, (n, 2))), 1).astype(np.float32)
    if seed % 3 == 2:  # ties, and boxes that lie on each other
        boxes = np.round(boxes / 16) * np.float32(16)
    scores = random.permutation(n).astype(np.float32) / np.float32(n + 1)
    if seed % 3 == 2:
        scores = np.round(scores * 64) / np.float32(64)
    return torch.from_numpy(boxes), torch.from_numpy(scores), torch.from_numpy(random.integers(0, 20, n))


def same_rows(found, expected, scores):
    """The same rows in the same order. `_batched_nms_vanilla` leaves the order of equal scores open; here the earlier
    row is first."""
    assert found.dtype == torch.int64
    rows = found.tolist()
    assert rows == sorted(rows, key=lambda j: (-scores[j].item(), j))
    return torch.equal(found.sort()[0], expected.sort()[0]) and torch.equal(scores[found], scores[expected])


@pytest.mark.parametrize("n", [0, 1, 2, 10, 23, 24, 25, 48, 49, 100, 500, 999, 1000, 1001, 1500, 5000])
@pytest.mark.parametrize("seed", range(3))
def test_suppression(seed, n):
    for spread in (300, 2000):
        boxes, scores, labels = candidates(seed, n, spread)
        for threshold in (0.0, 0.3, 0.5, 0.75, 1.0):
            found = ops.nms(boxes, scores, threshold)
            assert type(found) is torch.Tensor and found.dtype == torch.int64
            assert torch.equal(found, peer.nms(boxes, scores, threshold))
            for kind in (labels, labels.int(), labels.float()):
                found = ops.batched_nms(boxes, scores, kind, threshold)
                expected = peer.batched_nms(boxes, scores, kind, threshold)
                assert same_rows(found, expected, scores)
                assert n > 1000 or torch.equal(found, expected)
            array = ops.batched_nms(boxes.numpy(), scores.numpy(), labels.numpy(), threshold)
            assert type(array) is np.ndarray and np.array_equal(array, found.numpy())


def test_both_definitions():
    both = peer.boxes._batched_nms_vanilla, peer.boxes._batched_nms_coordinate_trick
    for seed, n in enumerate((1, 50, 1000, 1001, 2000)):
        boxes, scores, labels = candidates(seed, n, 300)
        boxes = boxes - 150  # below 0 they differ
        for name, function in zip(("per_class", "coordinate_trick"), both):
            found = ops.batched_nms(boxes, scores, labels, 0.4, definition=name)
            assert same_rows(found, function(boxes, scores, labels, 0.4), scores), (name, n)


def test_it_stands_in_for_torchvisions():
    boxes, scores, labels = candidates(1, 100, 300)
    for function in ("nms", "batched_nms"):
        arguments = dict(boxes=boxes, scores=scores, iou_threshold=0.5)
        arguments |= dict(idxs=labels) if function == "batched_nms" else {}
        assert torch.equal(getattr(ops, function)(**arguments), getattr(peer, function)(**arguments))


def bits(tensor):
    return (tensor + 0.0).numpy().tobytes()  # a zero may have either sign


@pytest.mark.parametrize("n", [0, 1, 3, 8, 100, 20000])
def test_boxes(n):
    random = torch.Generator().manual_seed(n)
    boxes = torch.rand((n, 4), generator=random) * 900 - 100  # inverted and outside ones too
    for a in ("xyxy", "xywh", "cxcywh"):
        for b in ("xyxy", "xywh", "cxcywh"):
            found = ops.box_convert(boxes, a, b)
            assert type(found) is torch.Tensor and bits(found) == bits(peer.box_convert(boxes, a, b)), (a, b)
    assert bits(ops.clip_boxes_to_image(boxes, (480, 640))) == bits(peer.clip_boxes_to_image(boxes, (480, 640)))
    assert bits(ops.box_area(boxes)) == bits(peer.box_area(boxes))
    assert torch.equal(ops.remove_small_boxes(boxes, 20.5), peer.remove_small_boxes(boxes, 20.5))
    resize = torchvision.models.detection.transform.resize_boxes
    assert bits(ops.resize_boxes(boxes, (480, 640), (800, 1066))) == bits(resize(boxes, (480, 640), (800, 1066)))
    some, other = boxes[:400], torch.rand((150, 4), generator=random) * 500
    for name in ("box_iou", "generalized_box_iou"):
        found, expected = getattr(ops, name)(some, other), getattr(peer, name)(some, other)
        np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_kinds_of_tensors():
    boxes, scores, labels = candidates(4, 60, 300)
    expected = peer.nms(boxes, scores, 0.4)
    wide = torch.cat((boxes, boxes), 1)
    given = {
        "a slice": wide[:, :4],
        "transposed": boxes.t().contiguous().t(),
        "with gradients": boxes.clone().requires_grad_(),
        "a result with gradients": boxes.clone().requires_grad_() * 1,
        "a parameter": torch.nn.Parameter(boxes.clone()),
        "in inference mode": torch.inference_mode()(boxes.clone)(),
        "every second": boxes.repeat_interleave(2, 0)[::2],
        "with the other sign": torch.complex(boxes, -boxes).conj().imag,
    }
    assert given["with the other sign"].is_neg()
    for kind, each in given.items():
        found = ops.nms(each, scores, 0.4)
        assert torch.equal(found, expected) and not found.requires_grad, kind
    expanded = boxes[:1].expand(5, 4)
    assert ops.nms(expanded, scores[:5], 0.4).tolist() == peer.nms(expanded, scores[:5], 0.4).tolist()
    # The first argument decides what comes out.
    assert type(ops.nms(boxes.numpy(), scores, 0.4)) is np.ndarray
    assert type(ops.nms(boxes, scores.numpy(), 0.4)) is torch.Tensor
    rows, left = ops.soft_nms(boxes, scores, sigma=0.5)
    assert rows.dtype == torch.int64 and left.dtype == torch.float32


@pytest.mark.parametrize("given, kind, text", [
    (lambda x: x.to("meta"), ValueError, r"boxes is on the device meta; expected host memory: call .cpu\(\)"),
    (lambda x: x.to_sparse(), TypeError, r"boxes has the layout torch.sparse_coo; expected torch.strided"),
    (lambda x: x.double(), TypeError, r"boxes is float64 \[60, 4\]; expected float32: convert it with .to\(torch.float32\)"),
    (lambda x: x.half(), TypeError, "boxes is float16"),
    (lambda x: x.bfloat16(), TypeError, "boxes is bfloat16"),
    (lambda x: x.to(torch.complex64), TypeError, "boxes has elements of type torch.complex64"),
    (lambda x: torch.quantize_per_tensor(x, 1, 0, torch.quint8), TypeError, "torch.quint8"),
    (lambda x: x.tolist(), TypeError, "boxes is of type list"),
])
def test_what_is_refused(given, kind, text):
    boxes, scores, _ = candidates(4, 60, 300)
    with pytest.raises(kind, match=text):
        ops.nms(given(boxes), scores, 0.4)


def test_the_default_device_does_not_matter():
    if not hasattr(torch, "set_default_device"):
        pytest.skip("this torch has no default device")
    boxes, scores, _ = candidates(4, 60, 300)
    torch.set_default_device("meta")
    try:
        found = ops.nms(boxes, scores, 0.4)
    finally:
        torch.set_default_device("cpu")
    assert found.device.type == "cpu" and torch.equal(found, peer.nms(boxes, scores, 0.4))


def test_a_call_inside_of_a_call():
    """A mode of torch is Python code that runs where results are made: calls in it have memory of their own."""
    from torch.utils._python_dispatch import TorchDispatchMode

    many = torch.arange(2000).float()[:, None].expand(-1, 4) * 10 + torch.tensor([0, 0, 5, 5])
    inner = []

    class Mode(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
            inner.append(len(ops.nms(many.numpy(), np.arange(2000, dtype=np.float32), 0.5)))
            return function(*arguments, **(keywords or {}))

    boxes, scores = many[:50].contiguous(), torch.arange(50).float()
    with Mode():
        kept = ops.nms(boxes, scores, 0.5)
    assert inner and kept.tolist() == list(range(49, -1, -1))
