# SPDX-License-Identifier: Apache-2.0
"""Checks what a wheel of padbatch has in it, before it is installed anywhere.

usage: check_wheel.py WHEEL

It is below 10 MB, has the package, its type stubs, the command and the licenses, its programs need no library of the
system but libc and libstdc++ (with what these consist of), and its modules show no symbol but the one that Python looks
up. Needs pyelftools.
"""

import io
import pathlib
import re
import sys
import zipfile

from elftools.elf.elffile import ELFFile

LIMIT = 10_000_000  # bytes
SYSTEM = re.compile(r"(libc|libm|libstdc\+\+|libgcc_s|libpthread|libdl|librt|ld-linux[-\w]*)\.so\.\d+")
PARTS = [
    r"padbatch/__init__\.py",
    r"padbatch/py\.typed",
    r"padbatch/_arrays\.pyi",
    r"padbatch/_rewrite\.pyi",
    r"padbatch/_arrays\.[-\w]+\.so",
    r"padbatch/_rewrite\.[-\w]+\.so",
    r"padbatch-[\d.]+\.data/scripts/onnx-pad-outputs",
    r"padbatch-[\d.]+\.dist-info/licenses/LICENSE",
    r"padbatch-[\d.]+\.dist-info/licenses/python/LICENSES\.txt",
]


def needed(elf):
    return [tag.needed for tag in elf.get_section_by_name(".dynamic").iter_tags("DT_NEEDED")]


def defined(elf):
    """The symbols that another module in the process could be bound to."""
    symbols = elf.get_section_by_name(".dynsym").iter_symbols()
    return sorted(s.name for s in symbols if s["st_shndx"] != "SHN_UNDEF" and s["st_info"]["bind"] != "STB_LOCAL")


def faults(wheel):
    """What is wrong, in words."""
    size = wheel.stat().st_size
    if size >= LIMIT:
        yield f"it has {size} bytes; below {LIMIT} is expected"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        for part in PARTS:
            if not any(re.fullmatch(part, name) for name in names):
                yield f"nothing in it matches {part}"
        for name in names:
            if name.endswith((".cpp", ".hpp", ".a", ".map")):
                yield f"{name} is of no use to anyone who installs it"
            data = archive.read(name)
            if not data.startswith(b"\x7fELF"):
                continue
            elf = ELFFile(io.BytesIO(data))
            foreign = [library for library in needed(elf) if not SYSTEM.fullmatch(library)]
            if foreign:
                yield f"{name} needs {', '.join(foreign)}"
            module = re.fullmatch(r"padbatch/(\w+)\..*\.so", name)
            if module and defined(elf) != [f"PyInit_{module[1]}"]:
                yield f"{name} shows {len(defined(elf))} symbols, such as {defined(elf)[:3]}; PyInit_{module[1]} alone is expected"


def main(wheel):
    found = list(faults(wheel))
    for fault in found:
        print(f"error: {wheel.name}: {fault}", file=sys.stderr)
    if not found:
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
