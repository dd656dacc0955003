#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares padbatch's run lengths with pycocotools' own C, in one process: fetches pycocotools' source from PyPI,
compiles its common/maskApi.c and rle_c.cpp with -O3, and runs them.

    rle_peers.py [--rounds N] [--masks N] [--cxx g++] [--cc gcc]

Prints Markdown tables; the last column is pycocotools' time divided by padbatch's.
"""

import argparse
import pathlib
import subprocess
import sys
import tarfile
import tempfile

VERSION = "2.0.11"
BENCH = pathlib.Path(__file__).resolve().parent
INCLUDE = BENCH.parent / "include"


def fetch(folder):
    """The folder of maskApi.c."""
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "pycocotools",
                    f"pycocotools=={VERSION}", "--dest", folder], check=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        source.extractall(folder)
    (found,) = folder.glob("*/common/maskApi.c")
    return found.parent


def main():
    """Compiles and runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--masks", type=int, default=50)
    parser.add_argument("--cxx", default="g++")
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("--source", type=pathlib.Path, help="a folder with maskApi.c, instead of PyPI's")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        source = args.source or fetch(folder)
        subprocess.run([args.cc, "-O3", "-std=c99", "-w", "-c", source / "maskApi.c", "-o", folder / "mask_api.o"],
                       check=True)
        subprocess.run([args.cxx, "-std=c++20", "-O3", "-DNDEBUG", "-I", INCLUDE, "-I", BENCH, "-I", source,
                        BENCH / "rle_c.cpp", folder / "mask_api.o", "-o", folder / "rle_c"], check=True)
        subprocess.run([folder / "rle_c", str(args.rounds), str(args.masks)], check=True)


if __name__ == "__main__":
    main()
