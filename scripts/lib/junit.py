# SPDX-License-Identifier: Apache-2.0
"""Adds up the JUnit files that ctest and pytest wrote.

usage: junit.py FILE...

Prints "PASSED FAILED SKIPPED" and then a line "failed: NAME" or "skipped: NAME"
for each test that did not pass. A test that CTest could not start (its program
or a fixture is missing) counts as failed, not as skipped.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def outcome(case):
    status = case.get("status")
    if status is None:  # pytest's
        if case.find("failure") is not None or case.find("error") is not None:
            return "failed"
        return "passed" if case.find("skipped") is None else "skipped"
    if status == "run":
        return "passed"
    if status == "disabled":
        return "skipped"
    if status == "notrun":
        note = case.find("skipped")
        message = "" if note is None else note.get("message", "")
        # SKIP_RETURN_CODE=... or SKIP_REGULAR_EXPRESSION_MATCHED
        return "skipped" if message.startswith("SKIP_") else "failed"
    return "failed"


def main(files):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    lines = []
    for file in map(pathlib.Path, files):
        for case in ElementTree.parse(file).getroot().iter("testcase"):
            result = outcome(case)
            counts[result] += 1
            if result != "passed":
                file = "" if case.get("status") else case.get("classname", "") + "."  # pytest's names are short
                lines.append(f"{result}: {file}{case.get('name')}")
    print(counts["passed"], counts["failed"], counts["skipped"])
    print("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:])
