# SPDX-License-Identifier: Apache-2.0
"""Test images that Python and C++ make identically, bit for bit (C++: tests/support/scenes.hpp)."""

import numpy as np


def scene(seed, height, width):
    """A float32 image [3, height, width]; the same bits as scene() in tests/support/scenes.hpp."""
    image = np.zeros((3, height, width), np.int64)
    if seed == 0:
        return image.astype(np.float32)
    mask = 0xFFFFFFFF
    state = seed * 2654435761 & mask

    def below(bound):
        nonlocal state
        state = (state * 1664525 + 1013904223) & mask
        return (state >> 8) % bound

    mixed = np.arange(image.size, dtype=np.uint64) * 1664525 + np.uint64(seed * 2654435761 & mask) & mask
    mixed ^= mixed >> 15
    mixed = mixed * 747796405 + 1013904223 & mask
    mixed ^= mixed >> 13
    mixed = mixed * 1664525 & mask
    image += (mixed >> 27).astype(np.int64).reshape(image.shape)
    for channel in image:
        channel += below(96)
    y, x = np.ogrid[:height, :width]
    for _ in range(1 + below(6)):
        disc, cy, cx = below(2), below(height), below(width)
        ry, rx = 2 + below(height // 4 + 1), 2 + below(width // 4 + 1)
        color = [below(256) for _ in range(3)]
        dy, dx = y - cy, x - cx
        inside = dy * dy + dx * dx <= rx * rx if disc else (abs(dy) <= ry) & (abs(dx) <= rx)
        for channel, value in zip(image, color):
            channel[inside] = value
    return (image / 256).astype(np.float32)
