#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes mask_values.bin: masks that Ultralytics makes of prototypes, coefficients and boxes, their bits as NumPy packs
them, and their boxes as torchvision finds them, for the tests of padbatch/detection/prototypes.hpp, mask_bits.hpp and
mask_boxes.hpp.

    apt-get install python3-torch python3-torchvision      # Debian 12: torch 1.13, torchvision 0.14.1
    pip download --no-deps ultralytics==8.3.0 && unzip -d ultralytics ultralytics-8.3.0-*.whl
    /usr/bin/python3 make_mask_values.py --ops ultralytics/ultralytics/utils/ops.py

Of Ultralytics only this one file is used, without the modules that it imports for other functions.

The file holds little-endian values. For each case these are eight int32 (whether the order is the native one; n, P, h,
w, H, W; whether the sums follow), float32 boxes [n, 4], coefficients [n, P], prototypes [P, h, w] and, if they follow,
sums [n, H, W]; then bits [n, H, (W + 7) / 8] of uint8, float32 boxes of the masks [n, 4] and int32 areas [n].

PyTorch adds the products of a sum in an order of its own. Therefore seeds are tried until no sum that is not 0 lies
within 1e-5 of 0, the threshold: whoever is right to 2e-6 then finds the same pixels to be part of the object.
"""

import argparse
import importlib.util
import itertools
import pathlib
import sys
import types

import numpy as np
import torch
from torch.nn import functional
from torchvision.ops import masks_to_boxes

CLEARANCE = 1e-5

# (P, h, w), (H, W), whether sums are stored, boxes x1, y1, x2, y2 in pixels.
CASES = (
    (False, (6, 16, 16), (64, 64), False, (
        (8.5, 10.25, 50.5, 40.75),
        (0, 0, 64, 64),                 # the whole image
        (-10, 30, 20.2, 80),            # across the borders
        (33, 17, 34, 60),               # between the centres of cells: the mask is empty
        (40, 8, 56, 24),                # on whole cells
        (31.9, 2.1, 63.9, 63.9),
    )),
    (True, (6, 16, 16), (36, 64), False, (   # letterboxed: 3 of 16 rows of cells above and 4 below are left out
        (8.5, 10.25, 50.5, 30.75),
        (0, 0, 64, 36),
        (-10, 20, 20.2, 80),
        (33, 7, 34, 30),
        (40, 8, 56, 24),
        (31.9, 2.1, 63.9, 35.9),
    )),
    (False, (32, 8, 7), (27, 22), True, ((1.5, 2.5, 20, 25), (0, 0, 22, 27), (8, 8, 15.5, 30), (-3, 4, 9, 13))),
    (True, (32, 8, 7), (27, 22), True, ((1.5, 2.5, 20, 25), (0, 0, 22, 27), (8, 8, 15.5, 30), (-3, 4, 9, 13))),
)


def load_ops(path):
    """Ultralytics' ops.py, with empty modules in the place of those that it imports."""
    for name, values in (("cv2", {}), ("ultralytics", {}), ("ultralytics.utils", {"LOGGER": None}),
                         ("ultralytics.utils.metrics", {"batch_probiou": None})):
        sys.modules[name] = types.ModuleType(name)
        vars(sys.modules[name]).update(values)
    spec = importlib.util.spec_from_file_location("ultralytics_ops", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_sums(ops, native, prototypes, coefficients, boxes, size):
    """The sums [n, H, W] by the functions of Ultralytics that its own masks are made with."""
    masks = (coefficients @ prototypes.flatten(1)).view(-1, *prototypes.shape[1:])
    if native:
        return ops.crop_mask(ops.scale_masks(masks[None], size)[0], boxes)
    scale = torch.tensor((prototypes.shape[2] / size[1], prototypes.shape[1] / size[0])).repeat(2)
    return functional.interpolate(ops.crop_mask(masks, boxes * scale)[None], size, mode="bilinear",
                                  align_corners=False)[0]


def make_case(ops, native, shape, size, stores_sums, boxes):
    """The values of one case."""
    boxes = torch.tensor(boxes, dtype=torch.float32)
    for seed in itertools.count():
        random = np.random.RandomState(seed)
        coefficients = torch.from_numpy(random.uniform(-0.5, 0.5, (len(boxes), shape[0])).astype(np.float32))
        prototypes = torch.from_numpy(random.uniform(-1, 1, shape).astype(np.float32))
        sums = make_sums(ops, native, prototypes, coefficients, boxes, size)
        process = ops.process_mask_native if native else ops.process_mask
        masks = process(prototypes, coefficients, boxes, size, **({} if native else {"upsample": True})).bool()
        if sums[sums != 0].abs().min() > CLEARANCE:
            break
    assert (masks == (sums > 0)).all()
    numbers = np.array((native, len(boxes), *shape, *size, stores_sums), "<i4")
    bits = np.packbits(masks.numpy(), axis=-1)
    areas = masks.flatten(1).sum(1).numpy().astype("<i4")
    tight = torch.zeros(len(boxes), 4)              # of an empty mask, where torchvision raises an error
    tight[areas > 0] = masks_to_boxes(masks[areas > 0])
    floats = (boxes, coefficients, prototypes) + ((sums,) if stores_sums else ())
    return (numbers.tobytes() + b"".join(values.numpy().astype("<f4").tobytes() for values in floats) +
            bits.tobytes() + tight.numpy().astype("<f4").tobytes() + areas.tobytes())


def main():
    """Writes the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ops", type=pathlib.Path, required=True, help="ultralytics/utils/ops.py of version 8.3.0")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "mask_values.bin")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    ops = load_ops(arguments.ops)
    arguments.out.write_bytes(b"".join(make_case(ops, *case) for case in CASES))
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
