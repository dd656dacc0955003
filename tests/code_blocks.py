#!/usr/bin/env python3
"""Compiles or runs every code block of a Markdown page, and looks up its links, so that none can rot.

    code_blocks.py PAGE --root REPOSITORY --prefix INSTALLED --work FOLDER --compiler CXX

What happens to a block depends on its language:

    sh       run by bash, in a folder with the files named below; lines that call scripts/demo or scripts/test are only
             checked to name a script, since these run the tests themselves
    console  each line after "$ " is run, and what it prints must be what follows it
    cpp      compiled and linked against the installed padbatch, and run; a block without main() is the body of one
    cmake    the CMakeLists.txt of a project with one source file, app.cpp; configured and built
    json     parsed
    text     left alone: pictures and quotations

Blocks run in one folder, in the page's order, so that a block may use what an earlier one made. Each relative link and
image of the page must lead to a file or folder that exists.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.parse

# The files that the pages speak of, and what stands in for them.
FILES = {
    "maskrcnn.onnx": "tests/data/mask_rcnn_tv014_b2_list_op11.onnx",
    "fasterrcnn.onnx": "tests/data/faster_rcnn_tv029_b2_tensor_op18_features.onnx",
}
NEEDS_MAIN = "int main("


class Rotten(Exception):
    """A block that does not do what the page says."""


def blocks(text):
    """Yields (line number, language, body) of each fenced block."""
    for match in re.finditer(r"^```(\S*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, match.start()) + 1, match.group(1), match.group(2)


def missing_links(page):
    """Yields (line number, path) of each relative link or image of a page that leads nowhere."""
    # Code is no link; its lines stay, for the line numbers.
    text = re.sub(r"^```.*?^```$|`[^`\n]*`", lambda code: "\n" * code.group().count("\n"), page.read_text(),
                  flags=re.MULTILINE | re.DOTALL)
    for match in re.finditer(r"\]\(\s*<?([^\s()<>]+)", text):
        path = urllib.parse.unquote(match.group(1).partition("#")[0])
        if path and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", path) and not (page.parent / path).exists():
            yield text.count("\n", 0, match.start()) + 1, path


def run(command, folder, env):
    """Runs a command, returns what it printed; stdout and stderr as one."""
    result = subprocess.run(command, cwd=folder, env=env, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
    if result.returncode != 0:
        raise Rotten(f"{' '.join(map(str, command))}\nexited with {result.returncode}:\n{result.stdout}")
    return result.stdout


class Page:
    """A page and the folder that its blocks run in."""

    def __init__(self, options):
        self.options = options
        self.folder = options.work / "folder"
        shutil.rmtree(options.work, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for name, source in FILES.items():
            shutil.copy(options.root / source, self.folder / name)
        self.env = dict(os.environ, PATH=f"{options.prefix / 'bin'}:{os.environ['PATH']}", LC_ALL="C")
        self.programs = 0

    def sh(self, body):
        """Runs a shell block."""
        lines = []
        for line in body.splitlines():
            script = re.match(r"\s*(?:sudo )?(scripts/[a-z-]+)\b", line)
            if script:
                if not os.access(self.options.root / script.group(1), os.X_OK):
                    raise Rotten(f"{script.group(1)} is no script")
            else:
                lines.append(line)
        run(["bash", "-euo", "pipefail", "-c", "\n".join(lines)], self.folder, self.env)

    def console(self, body):
        """Runs the commands of a transcript and compares what they print."""
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            got = run(["bash", "-c", command], self.folder, self.env)
            if got.rstrip() != expected.rstrip():
                raise Rotten(f"$ {command}\nshould print\n{expected}\nand prints\n{got}")

    def build(self, cmakelists, source):
        """Builds a project against the installed padbatch; returns its build folder."""
        project = self.options.work / f"program{self.programs}"
        self.programs += 1
        project.mkdir()
        (project / "CMakeLists.txt").write_text(cmakelists)
        (project / "app.cpp").write_text(source)
        run(["cmake", "-S", project, "-B", project / "build", "-G", "Ninja",
             f"-DCMAKE_CXX_COMPILER={self.options.compiler}", f"-DCMAKE_PREFIX_PATH={self.options.prefix}"],
            project, self.env)
        run(["cmake", "--build", project / "build"], project, self.env)
        return project / "build"

    def cpp(self, body):
        """Compiles and runs a C++ block."""
        if NEEDS_MAIN not in body:
            lines = body.splitlines()
            includes = [line for line in lines if line.startswith("#include")]
            rest = [line for line in lines if not line.startswith("#include")]
            body = "\n".join(includes + ["int main()", "{"] + rest + ["}", ""])
        build = self.build(
            "cmake_minimum_required(VERSION 3.25)\nproject(block LANGUAGES CXX)\n"
            "find_package(padbatch REQUIRED COMPONENTS onnx_tools)\nadd_executable(block app.cpp)\n"
            "target_link_libraries(block PRIVATE padbatch::padbatch padbatch::onnx_tools)\n", body)
        run([build / "block"], self.folder, self.env)

    def cmake(self, body):
        """Configures and builds a project."""
        self.build("cmake_minimum_required(VERSION 3.25)\nproject(block LANGUAGES CXX)\n" + body,
                   "#include <padbatch/padbatch.hpp>\nint main() { return 0; }\n")

    def json(self, body):
        """Parses a JSON block."""
        json.loads(body)

    def text(self, body):
        """Nothing to check."""


def main():
    """Goes through a page; the exit status is 1 when a block or a link is rotten."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--prefix", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--compiler", required=True)
    options = parser.parse_args()
    missing = list(missing_links(options.page))
    for line, path in missing:
        print(f"{options.page.name}:{line}: the link to {path} leads nowhere")
    if missing:
        return 1
    page = Page(options)
    checked = 0
    for line, language, body in blocks(options.page.read_text()):
        place = f"{options.page.name}:{line}"
        check = getattr(page, language, None) if language in ("sh", "console", "cpp", "cmake", "json", "text") else None
        if check is None:
            print(f"{place}: a block of language {language!r} cannot be checked; see code_blocks.py")
            return 1
        try:
            check(body)
        except Rotten as error:
            print(f"{place}: {error}")
            return 1
        checked += 1
        print(f"{place}: {language} block is right")
    print(f"{checked} blocks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
