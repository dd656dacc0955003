"""What including the headers costs: no core header includes one of the standard library's that cost more than padbatch
itself, and the umbrella stays within its budget of preprocessed lines.

    include_cost.py INCLUDE_FOLDER COMPILER [--lines N]
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


def preprocessed_lines(folder, compiler):
    command = [compiler, "-std=c++20", "-E", "-P", f"-I{folder}", "-x", "c++", "-"]
    source = "#include <padbatch/padbatch.hpp>\n"
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout.count("\n")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("compiler")
    arguments.add_argument("--lines", type=int)
    given = arguments.parse_args()

    headers = list(core_headers(given.folder / "padbatch"))
    failures = [] if headers else [f"there are no headers in {given.folder}"]
    for header in headers:
        failures += [f"{header}: includes <{name}>" for name in costly_includes(header)]
    lines = preprocessed_lines(given.folder, given.compiler)
    print(f"the umbrella is {lines} lines; there are {len(headers)} core headers")
    if given.lines is not None and lines > given.lines:
        failures.append(f"the umbrella is {lines} preprocessed lines, more than {given.lines}")
    for failure in failures:
        print(failure)
    return 1 if failures else 0


sys.exit(main())
