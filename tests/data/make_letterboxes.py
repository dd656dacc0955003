#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes letterboxes.bin: sizes and boxes as Ultralytics computes them, for the test of
padbatch/detection/letterbox.hpp.

    apt-get install python3-torch                          # Debian 12: torch 1.13
    pip install --no-deps --target ul ultralytics==8.4.190
    pip install --no-deps --target old ultralytics==8.4.0
    /usr/bin/python3 make_letterboxes.py ul old

Only the functions that are compared with are taken from the files of these packages, since importing one needs dozens
of others. The file holds float32 and float64 values, little-endian. For each case:

    float64 [15]     source height and width, target height and width, scaleup, auto, stride; resized height and width,
                     left, top, right, bottom; the ratio; whether `scale_boxes` without `ratio_pad` is as with it
    float32 [n, 4]   boxes, n = 12
    float32 [n, 4]   boxes in the letterbox, as `LetterBox` changes the boxes of labels
    float32 [n, 4]   the first boxes taken back by `scale_boxes` of both versions with `ratio_pad`
    float32 [n, 4]   the first boxes taken back by `scale_boxes` of 8.4.190 without it
"""

import argparse
import ast
import pathlib
import types

import numpy as np
import torch

N = 12
SIZES = ((480, 640), (1080, 1920), (427, 640), (333, 500), (1, 3000), (2500, 3), (640, 640), (375, 1242), (45, 33),
         (721, 1281), (640, 427))
TARGETS = ((640, 640), (320, 416), (800, 1333))
OPTIONS = ((True, False, 32), (False, False, 32), (True, True, 32), (False, True, 64), (True, True, 7))
NAN, INF = float("nan"), float("inf")


def take(path, *names):
    """The functions of a file with these names, those of classes too, in one namespace."""
    tree = ast.parse(path.read_text())
    chosen = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in names]
    for node in chosen:
        node.decorator_list = []
        node.returns = None
        for argument in node.args.args:
            argument.annotation = None
    space = {"np": np, "torch": torch, "NOT_MACOS14": True, "check_version": lambda *_: False, "TORCH_VERSION": "2"}
    exec(compile(ast.Module(chosen, []), str(path), "exec"), space)  # pylint: disable=exec-used
    return types.SimpleNamespace(**{name: space[name] for name in names})


def parameters(path):
    """`LetterBox.get_params`: of several functions of that name, the one in that class."""
    tree = ast.parse(path.read_text())
    box = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "LetterBox")
    function = next(node for node in box.body if isinstance(node, ast.FunctionDef) and node.name == "get_params")
    function.returns = None
    for argument in function.args.args:
        argument.annotation = None
    space = {"np": np}
    exec(compile(ast.Module([function], []), str(path), "exec"), space)  # pylint: disable=exec-used
    return space["get_params"]


def make_case(random, modules, source, target, options):
    """The values of one case."""
    new, old, get_params = modules
    scaleup, auto, stride = options
    this = types.SimpleNamespace(new_shape=target, auto=auto, scale_fill=False, scaleup=scaleup, stride=stride,
                                 center=True)
    params = get_params(this, {"img": np.empty((*source, 3), np.uint8)})
    ratio = params["ratio"][0]
    resized = params["new_unpad"][::-1]
    left, top, right, bottom = (params[side] for side in ("left", "top", "right", "bottom"))
    padded = (resized[0] + top + bottom, resized[1] + left + right)

    boxes = random.uniform(-20, 700, (N, 4)).astype(np.float32)
    boxes[0] = (NAN, 5, INF, -INF)
    there = boxes.copy()
    for k in range(4):  # as ultralytics/utils/instance.py does, Bboxes.mul and Bboxes.add
        there[:, k] *= ratio
        there[:, k] += (left, top)[k % 2]
    pad = ((ratio, ratio), (left, top))
    back = new.scale_boxes(padded, torch.from_numpy(boxes.copy()), source, ratio_pad=pad).numpy()
    same = old.scale_boxes(padded, torch.from_numpy(boxes.copy()), source, ratio_pad=pad).numpy()
    assert np.array_equal(back, same, equal_nan=True)
    sides = new.scale_boxes(padded, torch.from_numpy(boxes.copy()), source).numpy()
    # Without ratio_pad, the ratio and the padding are computed from the padded size alone. That is wrong for images
    # that were not enlarged, and may be for those that were not padded to the target.
    gain = min(padded[0] / source[0], padded[1] / source[1])
    plain = gain == ratio
    numbers = np.array((*source, *target, scaleup, auto, stride, *resized, left, top, right, bottom, ratio, plain), "<f8")
    return numbers.tobytes() + b"".join(x.astype("<f4").tobytes() for x in (boxes, there, back, sides))


def main():
    """Writes the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("new", type=pathlib.Path, help="the folder of ultralytics 8.4.190")
    parser.add_argument("old", type=pathlib.Path, help="the folder of ultralytics 8.4.0")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "letterboxes.bin")
    arguments = parser.parse_args()
    ops = [take(folder / "ultralytics/utils/ops.py", "scale_boxes", "clip_boxes")
           for folder in (arguments.new, arguments.old)]
    modules = (*ops, parameters(arguments.new / "ultralytics/data/augment.py"))
    random = np.random.RandomState(17)
    torch.set_num_threads(1)
    cases = [(source, TARGETS[i % len(TARGETS)], OPTIONS[j % len(OPTIONS)])
             for i, source in enumerate(SIZES) for j in range(i, i + 3)]
    arguments.out.write_bytes(b"".join(make_case(random, modules, *case) for case in cases))
    print(f"{arguments.out}: {len(cases)} cases, {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
