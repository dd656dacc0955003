# SPDX-License-Identifier: Apache-2.0
"""Compares what the pages say of padbatch's version with the header that holds it.

    version_check.py REPOSITORY

The first heading of CHANGELOG.md is the version or "Unreleased". Every GIT_TAG vX.Y.Z and find_package(padbatch X.Y) of
README.md and docs/ is the header's version, or the older one that CHANGELOG.md released last while it says "Unreleased".
"""

import pathlib
import re
import sys


def header_version(root):
    text = (root / "include/padbatch/version.hpp").read_text()
    return ".".join(re.search(rf"^#define PADBATCH_VERSION_{part} (\d+)$", text, re.MULTILINE).group(1)
                    for part in ("MAJOR", "MINOR", "PATCH"))


def main(root):
    version = header_version(root)
    failures = []
    headings = re.findall(r"^## (.+)$", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    if not headings:
        failures.append("CHANGELOG.md has no heading")
        headings = ["Unreleased"]
    named = re.match(r"\[?v?(\d+\.\d+\.\d+)\b", headings[0])
    if headings[0].startswith("Unreleased"):
        released = [match.group(1) for match in (re.match(r"\[?v?(\d+\.\d+\.\d+)\b", h) for h in headings[1:]) if match]
        allowed = {version, *released[:1]}
    else:
        allowed = {version}
        if named is None or named.group(1) != version:
            failures.append(f"CHANGELOG.md begins with {headings[0]!r}, the header says {version}")
    short = {text.rpartition(".")[0] for text in allowed}
    for page in [*sorted(root.glob("*.md")), *sorted((root / "docs").glob("*.md"))]:
        if page.name == "CHANGELOG.md":
            continue
        text = page.read_text()
        for pattern, expected in ((r"GIT_TAG\s+v?(\d+(?:\.\d+)+)", allowed),
                                  (r"/archive/(?:refs/tags/)?v?(\d+(?:\.\d+)+)", allowed),
                                  (r"find_package\(padbatch\s+(\d+(?:\.\d+)+)", allowed | short)):
            for match in re.finditer(pattern, text):
                if match.group(1) not in expected:
                    line = text.count("\n", 0, match.start()) + 1
                    failures.append(f"{page.relative_to(root)}:{line}: {match.group()!r}, the header says {version}")
    print("\n".join(failures) or f"{version} everywhere")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
