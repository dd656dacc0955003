#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the command costs as a whole process, beside `cp` of the same file, with and without a flush to the disk.

    bench/command_cost.py COMMAND MODEL.onnx [ROUNDS]

Each round runs every variant once, in an order shuffled anew. Prints a Markdown table: medians of the wall time, of the
ratio to cp in the same round, and of the peak resident memory.
"""

import os
import pathlib
import random
import statistics
import sys
import tempfile
import time


def run(command):
    """Runs a command; returns its seconds and its peak memory in MB. (This process is small: what it holds does not show
    in the child's peak.)"""
    start = time.monotonic()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    seconds = time.monotonic() - start
    if status != 0:
        sys.exit(f"{' '.join(command)} failed")
    return seconds, usage.ru_maxrss / 1024


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    command, model = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) == 4 else 15
    with tempfile.TemporaryDirectory(dir=pathlib.Path(model).parent) as folder:
        out = os.path.join(folder, "out.onnx")
        variants = {
            "cp": ["cp", model, out],
            "dd, flushed to the disk": ["dd", f"if={model}", f"of={out}", "bs=1M", "conv=fsync", "status=none"],
            "onnx-pad-outputs": [command, "--quiet", "--force", model, out],
            "onnx-pad-outputs --inspect": ["sh", "-c", 'exec "$0" --inspect "$1" > "$2"', command, model,
                                           os.path.join(folder, "report")],
        }
        times = {name: [] for name in variants}
        memory = {name: [] for name in variants}
        order = list(variants)
        generator = random.Random(1)
        for counted in [False] + [True] * rounds:
            generator.shuffle(order)
            for name in order:
                seconds, megabytes = run(variants[name])
                if counted:
                    times[name].append(seconds)
                    memory[name].append(megabytes)
        size = os.path.getsize(model) / 1e6
        print(f"| {size:.0f} MB model | ms | ratio to cp | peak memory MB |\n|---|---|---|---|")
        for name in variants:
            ratio = statistics.median(a / b for a, b in zip(times[name], times["cp"]))
            print(f"| `{name}` | {statistics.median(times[name]) * 1e3:.0f} | {ratio:.2f} | "
                  f"{statistics.median(memory[name]):.0f} |")


if __name__ == "__main__":
    main()
