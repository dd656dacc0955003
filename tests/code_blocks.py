#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles or runs every code block of a Markdown page, and looks up its links, so that none can rot.

    code_blocks.py PAGE --root REPOSITORY --prefix INSTALLED --work FOLDER --compiler CXX [--each] [-DNAME=VALUE...]
    code_blocks.py PAGE --root REPOSITORY --work FOLDER --python INTERPRETER

What happens to a block depends on its language:

    sh       run by bash, in a folder with the files named below; lines that call scripts/demo or scripts/test are only
             checked to name a script, since these run the tests themselves
    console  each line after "$ " is run, and what it prints must be what follows it
    cpp      compiled and linked against the installed padbatch, and run; a block without main() is the body of one. It is
             linked with what it includes: <padbatch/adapters/NAME.hpp> and <onnx_tools/...> bring their targets
    cmake    the CMakeLists.txt of a project with one source file, app.cpp; configured and built
    python   compiled; with --python, run: all blocks of the page in one session, one after the other
    json     parsed
    text     left alone: pictures and quotations

Blocks run in one folder, in the page's order, so that a block may use what an earlier one made. Each relative link and
image of the page must lead to a file or folder that exists. -DNAME=VALUE is passed to CMake: where to find the
adapters' libraries.

With --python the page is read as one who installed the Python package reads it: its python, sh and console blocks are
run, with that interpreter and the commands beside it, and its cpp and cmake blocks are not. Lines that call `pip install`
are left out, since what they install is there.

The cpp blocks are all compiled first, as programs of one project. Those that link the same targets share a program, and
with it their #include lines, so that a block which lacks one may go unnoticed. With --each every block is compiled
alone, as a reader would, which takes longer; so it is when the shared programs do not compile, to tell which block is
to blame. Either way each block runs in a process of its own.
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
    "one-image.onnx": "tests/data/mask_rcnn_tv029_b1_tensor_op17.onnx",
    "drafted.onnx": "tests/data/faster_rcnn_tv029_b1_tensor_op20_draft.onnx",
    "yolo-flat.onnx": "tests/data/other/flat_pt215_any_op17_by_score.onnx",
    "yolov8.onnx": "tests/data/raw/yolo_any_op12.onnx",
    "head.onnx": "tests/data/raw/yolo_transposed_any_op11.onnx",
    "yolov10.onnx": "tests/data/padded/yolov10_any_op13.onnx",
    "yolov10-one-image.onnx": "tests/data/padded/yolov10_b1_op11.onnx",
    "detr.onnx": "tests/data/padded/detr_any_op14.onnx",
    "lists.onnx": "tests/data/lists/lists_pt113_any_op11.onnx",
    "counted-lists.onnx": "tests/data/lists/counted_lists_pt113_any_op13.onnx",
    "super-gradients.onnx": "tests/data/lists/super_gradients_pt113_any_op14.onnx",
    "paddle.onnx": "tests/data/lists/paddle_pt113_any_op11.onnx",
    "paddle-rcnn.onnx": "tests/data/lists/paddle_rcnn_pt113_b1_op13.onnx",
    "detection-output.onnx": "tests/data/lists/detection_output_pt113_any_op12.onnx",
    "tiny-yolov3.onnx": "tests/data/lists/tiny_yolov3_pt113_b1_op11.onnx",
    "dets.onnx": "tests/data/loose/mmdeploy_op11.onnx",
    "boxes-n5.onnx": "tests/data/loose/otx_op13.onnx",
    "joined.onnx": "tests/data/loose/joined_op12.onnx",
    "leading-one.onnx": "tests/data/loose/float_labels_op16.onnx",
    "scaled.onnx": "tests/data/loose/scaled_op11.onnx",
    "wrapped.onnx": "tests/data/loose/torchvision_joined_op13.onnx",
    "nms.onnx": "tests/data/other/nms_pt215_any_op17_xyxy.onnx",
    "street.png": "docs/demo.png",
}
NEEDS_MAIN = "int main("
# The namespace of a block in a program that holds several, up to the line.
BLOCK = "block_at_line_"
# A main() that a shared program can hold under another name: one without arguments, which ends at a brace in column 1.
MAIN = re.compile(r"^int main\(\)(\n\{\n.*?)^\}$", re.MULTILINE | re.DOTALL)
# A directive that would act on the other blocks of a program.
DIRECTIVE = re.compile(r"^[ \t]*#(?!include )|^[ \t]+#", re.MULTILINE)


# What runs Python blocks: reads [place, body] line by line, and answers each with a traceback or an empty line. What the
# blocks print goes where errors go.
SESSION = """
import json, os, sys, traceback
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
names = {"__name__": "__main__"}
for line in sys.stdin:
    place, body = json.loads(line)
    try:
        exec(compile(body, place, "exec"), names)
        print(file=answers, flush=True)
    except BaseException:
        print(json.dumps(traceback.format_exc()), file=answers, flush=True)
"""


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


def without_includes(body, line, page):
    """The #include lines of a C++ block that begins at a line of a page, and the rest of it; the compiler speaks of the
    page's lines."""
    includes, rest = {}, f'#line {line} "{page}"\n'
    for number, text in enumerate(body.splitlines(), line):
        if text.startswith("#include"):
            includes[text] = f'#line {number} "{page}"\n{text}\n'
            text = ""
        rest += text + "\n"
    return includes, rest


def program(body, line, page):
    """A C++ block that begins at a line of a page as a whole program."""
    if NEEDS_MAIN in body:
        return f'#line {line} "{page}"\n{body}'
    includes, rest = without_includes(body, line, page)
    return f"{''.join(includes.values())}int main()\n{{\n{rest}}}\n"


def can_share(body):
    """Whether a C++ block can be part of a program that holds others too."""
    return not DIRECTIVE.search(body) and (NEEDS_MAIN not in body or len(MAIN.findall(body)) == 1)


def shared_program(cpp_blocks, page):
    """One program of several C++ blocks, (line of the fence, body). It is given the line of the block to run."""
    includes, namespaces, cases = {}, "", ""
    for line, body in cpp_blocks:
        own, rest = without_includes(body, line + 1, page)
        includes |= {text: directive for text, directive in own.items() if text not in includes}
        if NEEDS_MAIN in body:
            # Only the true main() may end without a return.
            rest = MAIN.sub(r"int block()\1return 0; }", rest)
        else:
            rest = f"int block()\n{{\n{rest}return 0;\n}}\n"
        namespaces += f"namespace {BLOCK}{line}\n{{\n{rest}}}\n"
        cases += f"    case {line}: return {BLOCK}{line}::block();\n"
    return (f"{''.join(includes.values())}{namespaces}"
            f"int main(int, char** arguments)\n{{\n    int line = 0;\n"
            f"    for (const char* digit = arguments[1]; *digit != 0; ++digit) {{\n"
            f"        line = 10 * line + (*digit - '0');\n    }}\n"
            f"    switch (line) {{\n{cases}    }}\n    return 99;\n}}\n")


class Page:
    """A page and the folder that its blocks run in."""

    def __init__(self, options):
        self.options = options
        self.folder = options.work / "folder"
        shutil.rmtree(options.work, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for name, source in FILES.items():
            shutil.copy(options.root / source, self.folder / name)
        commands = options.python.parent if options.python else options.prefix / "bin"
        self.env = dict(os.environ, PATH=f"{commands}:{os.environ['PATH']}", LC_ALL="C")
        self.programs = None
        self.session = None

    def sh(self, body, _line):
        """Runs a shell block."""
        lines = []
        for line in body.splitlines():
            script = re.match(r"\s*(?:sudo )?(scripts/[a-z-]+)\b", line)
            if script:
                if not os.access(self.options.root / script.group(1), os.X_OK):
                    raise Rotten(f"{script.group(1)} is no script")
            elif not re.match(r"\s*(?:python3? -m )?pip install ", line):
                lines.append(line)
        run(["bash", "-euo", "pipefail", "-c", "\n".join(lines)], self.folder, self.env)

    def console(self, body, _line):
        """Runs the commands of a transcript and compares what they print."""
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            got = run(["bash", "-c", command], self.folder, self.env)
            if got.rstrip() != expected.rstrip():
                raise Rotten(f"$ {command}\nshould print\n{expected}\nand prints\n{got}")

    def build(self, name, cmakelists, sources):
        """Builds a project against the installed padbatch; returns its build folder."""
        project = self.options.work / name
        project.mkdir()
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(page LANGUAGES CXX)\n" + cmakelists)
        for source, text in sources.items():
            (project / source).write_text(text)
        run(["cmake", "-S", project, "-B", project / "build", "-G", "Ninja",
             f"-DCMAKE_CXX_COMPILER={self.options.compiler}", f"-DCMAKE_PREFIX_PATH={self.options.prefix}",
             *(f"-D{definition}" for definition in self.options.define)], project, self.env)
        run(["cmake", "--build", project / "build"], project, self.env)
        return project / "build"

    def compile(self, cpp_blocks, each):
        """Compiles the C++ blocks, (line number, body), as programs of one project; each alone, or shared."""
        groups = {}
        for line, body in cpp_blocks:
            components = set(re.findall(r"^#include <padbatch/adapters/([a-z_]+)\.hpp>", body, re.MULTILINE))
            if re.search(r"^#include <onnx_tools/", body, re.MULTILINE):
                components.add("onnx_tools")
            alone = each or not can_share(body)
            groups.setdefault((tuple(sorted(components)), line if alone else None), []).append((line, body))
        targets, sources, commands = "", {}, {}
        for (components, _), members in groups.items():
            first, body = members[0]
            name = f"line{first}"
            if len(members) == 1:
                sources[f"{name}.cpp"] = program(body, first + 1, self.options.page.name)
                commands[first] = [name]
            else:
                sources[f"{name}.cpp"] = shared_program(members, self.options.page.name)
                commands |= {line: [name, str(line)] for line, _ in members}
            libraries = " ".join(f"padbatch::{component}" for component in ["padbatch", *components])
            targets += f"add_executable({name} {name}.cpp)\n"
            targets += f"target_link_libraries({name} PRIVATE {libraries})\n"
        wanted = sorted({component for components, _ in groups for component in components})
        components = f" COMPONENTS {' '.join(wanted)}" if wanted else ""
        folder = self.build("each" if each else "shared",
                            f"find_package(padbatch REQUIRED{components})\n{targets}", sources)
        self.programs = {line: [folder / name, *arguments] for line, (name, *arguments) in commands.items()}

    def cpp(self, _body, line):
        """Runs a C++ block."""
        run(self.programs[line], self.folder, self.env)

    def cmake(self, body, line):
        """Configures and builds a project."""
        self.build(f"line{line}", body, {"app.cpp": "#include <padbatch/padbatch.hpp>\nint main() { return 0; }\n"})

    def python(self, body, line):
        """Runs a Python block after those before it, whose names it may use."""
        place = f"{self.options.page.name}:{line}"
        compile(body, place, "exec")
        if not self.options.python:
            return
        if self.session is None:
            self.session = subprocess.Popen([self.options.python, "-c", SESSION], cwd=self.folder, env=self.env,
                                            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        print(json.dumps([place, body]), file=self.session.stdin, flush=True)
        answer = self.session.stdout.readline()
        if answer != "\n":
            raise Rotten(json.loads(answer) if answer else "the interpreter ended")

    def json(self, body, _line):
        """Parses a JSON block."""
        json.loads(body)

    def text(self, body, _line):
        """Nothing to check."""


def compiled(page, cpp_blocks):
    """Compiles the C++ blocks of a page; returns whether they do, and says which does not."""
    name = page.options.page.name
    if not page.options.each:
        try:
            page.compile(cpp_blocks, each=False)
            return True
        except Rotten:
            print(f"{name}: the cpp blocks do not compile in shared programs; compiling each alone")
    try:
        page.compile(cpp_blocks, each=True)
        return True
    except Rotten as error:
        failed = re.search(r"^FAILED: .*?\bline(\d+)", str(error), re.MULTILINE)
        print(f"{name}:{failed.group(1)}: {error}" if failed else f"{name}: the cpp blocks: {error}")
        return False


def main():
    """Goes through a page; the exit status is 1 when a block or a link is rotten."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--prefix", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--compiler")
    parser.add_argument("--python", type=pathlib.Path)
    parser.add_argument("--each", action="store_true")
    parser.add_argument("-D", dest="define", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    if not options.python and not (options.prefix and options.compiler):
        parser.error("--prefix and --compiler, or --python")
    missing = list(missing_links(options.page))
    for line, path in missing:
        print(f"{options.page.name}:{line}: the link to {path} leads nowhere")
    if missing:
        return 1
    page = Page(options)
    found = list(blocks(options.page.read_text()))
    checks = {"sh": page.sh, "console": page.console, "cpp": page.cpp, "cmake": page.cmake,
              "python": page.python, "json": page.json, "text": page.text}
    if options.python:
        checks |= {"cpp": page.text, "cmake": page.text}
    for line, language, _ in found:
        if language not in checks:
            print(f"{options.page.name}:{line}: a block of language {language!r} cannot be checked; see code_blocks.py")
            return 1
    cpp_blocks = [(line, body) for line, language, body in found if language == "cpp"]
    if cpp_blocks and not options.python and not compiled(page, cpp_blocks):
        return 1
    try:
        for line, language, body in found:
            place = f"{options.page.name}:{line}"
            checks[language](body, line)
            print(f"{place}: {language} block is right")
    except (Rotten, SyntaxError) as error:
        print(f"{place}: {error}")
        return 1
    print(f"{len(found)} blocks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
