# SPDX-License-Identifier: Apache-2.0
"""What including the headers costs: no core header includes one of the standard library's that cost more than padbatch
itself, and the umbrella stays within its budgets of preprocessed lines, with detection/ and without.

    include_cost.py INCLUDE_FOLDER COMPILER [--lines N] [--lines-without-detection N]
"""

import argparse
import pathlib
import re
import subprocess
import sys

COSTLY = ("algorithm", "functional", "memory", "ranges", "iostream", "regex", "immintrin.h")


def core_headers(folder):
    for header in sorted(folder.rglob("*.hpp")):
        if "adapters" not in header.relative_to(folder).parts:
            yield header


def costly_includes(header):
    text = header.read_text()
    return [name for name in re.findall(r"^\s*#\s*include\s*<([^>]+)>", text, re.MULTILINE) if name in COSTLY]


def preprocessed_lines(folder, compiler, without=None):
    """The lines of the umbrella; `without` is a folder of headers that it is to leave out."""
    umbrella = (folder / "padbatch" / "padbatch.hpp").read_text()
    if without is not None:
        umbrella = re.sub(rf"^#include <padbatch/{without}/.*\n", "", umbrella, flags=re.MULTILINE)
    command = [compiler, "-std=c++20", "-E", "-P", f"-I{folder}", "-x", "c++", "-"]
    return subprocess.run(command, input=umbrella, capture_output=True, text=True, check=True).stdout.count("\n")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("compiler")
    arguments.add_argument("--lines", type=int)
    arguments.add_argument("--lines-without-detection", type=int)
    given = arguments.parse_args()

    headers = list(core_headers(given.folder / "padbatch"))
    failures = [] if headers else [f"there are no headers in {given.folder}"]
    for header in headers:
        failures += [f"{header}: includes <{name}>" for name in costly_includes(header)]
    print(f"there are {len(headers)} core headers")
    for name, without, budget in (("umbrella", None, given.lines),
                                  ("umbrella without detection/", "detection", given.lines_without_detection)):
        lines = preprocessed_lines(given.folder, given.compiler, without)
        print(f"the {name} is {lines} lines")
        if budget is not None and lines > budget:
            failures.append(f"the {name} is {lines} preprocessed lines, more than {budget}")
    for failure in failures:
        print(failure)
    return 1 if failures else 0


sys.exit(main())
