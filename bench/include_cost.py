#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What including a header costs, in preprocessed lines (-E -P) and seconds of compilation (-fsyntax-only): padbatch's
umbrella and its adapters, the libraries that these adapt, and a few headers to compare with.

    bench/include_cost.py [--cxx g++] [-I FOLDER]... [--std c++20] [--repeat 5]

Each round compiles every header once, in an order shuffled anew; the seconds are medians. An adapter is followed by what
it includes of its library. What the compiler does not find is listed without numbers. Prints a Markdown table.
"""

import argparse
import pathlib
import random
import re
import statistics
import subprocess
import time

INCLUDE = pathlib.Path(__file__).resolve().parent.parent / "include"
OTHERS = ["Eigen/Core", "unsupported/Eigen/CXX11/Tensor", "xtensor/xtensor.hpp"]


def library_headers(adapter):
    """The headers of other projects that an adapter includes: those with a folder or an extension in their name. In an
    #if that asks __has_include there may be several spellings of one header, of which this system has some."""
    names = re.findall(r"^\s*#\s*include\s*<([^>]+)>", adapter.read_text(), re.MULTILINE)
    return [name for name in names if re.search(r"[/.]", name) and not name.startswith("padbatch/")]


class Compiler:
    def __init__(self, arguments):
        folders = [str(INCLUDE), *arguments.include]
        self.command = [arguments.cxx, f"-std={arguments.std}", *(f"-I{folder}" for folder in folders), "-x", "c++", "-"]

    def run(self, headers, *options):
        """Returns the compiler's output, or None if it failed."""
        source = "".join(f"#include <{header}>\n" for header in headers)
        done = subprocess.run([*self.command, *options], input=source, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else None

    def has(self, header):
        return self.run([], "-include", header, "-fsyntax-only") is not None

    def lines(self, headers):
        return len(self.run(headers, "-E", "-P").splitlines())

    def seconds(self, headers):
        start = time.monotonic()
        self.run(headers, "-fsyntax-only")
        return time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cxx", default="g++")
    parser.add_argument("-I", dest="include", action="append", default=[], metavar="FOLDER")
    parser.add_argument("--std", default="c++20")
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    compiler = Compiler(arguments)

    entries = {"`<vector>`": ["vector"], "`<padbatch/padbatch.hpp>`": ["padbatch/padbatch.hpp"]}
    detection = sorted((INCLUDE / "padbatch" / "detection").glob("*.hpp"))
    if detection:
        entries["the same with `detection/`"] = [
            "padbatch/padbatch.hpp", *(str(header.relative_to(INCLUDE)) for header in detection)]
    for adapter in sorted((INCLUDE / "padbatch" / "adapters").glob("*.hpp")):
        name = str(adapter.relative_to(INCLUDE))
        libraries = library_headers(adapter)
        entries[f"`<{name}>`"] = [name]
        found = [header for header in libraries if compiler.has(header)] or libraries
        if found:
            entries["its library: " + ", ".join(f"`<{header}>`" for header in found)] = found
    for header in OTHERS:
        entries[f"`<{header}>`"] = [header]

    usable = [name for name, headers in entries.items() if compiler.run(headers, "-fsyntax-only") is not None]
    times = {name: [] for name in usable}
    generator = random.Random(1)
    for _ in range(arguments.repeat):
        for name in generator.sample(usable, len(usable)):
            times[name].append(compiler.seconds(entries[name]))

    print(f"| {arguments.cxx} | preprocessed lines | seconds |\n|---|---|---|")
    for name, headers in entries.items():
        if name in times:
            print(f"| {name} | {compiler.lines(headers)} | {statistics.median(times[name]):.2f} |")
        else:
            print(f"| {name} | not here | |")


if __name__ == "__main__":
    main()
