#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What padbatch.pad_outputs costs in a Python process, beside the command on the same file.

    bench/python_rewrite.py COMMAND MODEL.onnx [ROUNDS]

Runs with a Python that has padbatch and onnx. Each round runs every variant once, in an order shuffled anew. Prints a
Markdown table: medians of the wall time, and of the ratio to the command in the same round. What is written is flushed to
the disk in both. tests/data/export_full_size.py makes a model of 178 MB.
"""

import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

import onnx
import padbatch


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    command, model = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) == 4 else 15
    with tempfile.TemporaryDirectory(dir=pathlib.Path(model).parent) as folder:
        out = os.path.join(folder, "out.onnx")
        data = pathlib.Path(model).read_bytes()
        message = onnx.load_from_string(data)
        variants = {
            "onnx-pad-outputs IN OUT": lambda: subprocess.run([command, "--quiet", "--force", model, out], check=True),
            "pad_outputs(IN, OUT)": lambda: padbatch.pad_outputs(model, out, force=True),
            "pad_outputs(IN), bytes out": lambda: padbatch.pad_outputs(model),
            "pad_outputs(bytes), bytes out": lambda: padbatch.pad_outputs(data),
            "pad_outputs(ModelProto)": lambda: padbatch.pad_outputs(message),
            "inspect(IN)": lambda: padbatch.inspect(model),
            "onnx.load, onnx.save": lambda: onnx.save(onnx.load(model), out),
        }
        times = {name: [] for name in variants}
        order = list(variants)
        generator = random.Random(1)
        for counted in [False] + [True] * rounds:
            generator.shuffle(order)
            for name in order:
                start = time.monotonic()
                variants[name]()
                if counted:
                    times[name].append(time.monotonic() - start)
        print(f"| {os.path.getsize(model) / 1e6:.0f} MB model | ms | ratio to the command |\n|---|---|---|")
        first = next(iter(times))
        for name in variants:
            ratio = statistics.median(a / b for a, b in zip(times[name], times[first]))
            print(f"| {name} | {1000 * statistics.median(times[name]):.0f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
