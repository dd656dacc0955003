# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Shared by the scripts/NAME-root, which unpack software at a place of their own. Sourced after common.sh, never run.
# Its caller sets `title` (the library's name), `variable` (names a root of the
# user's own), `stamp` (what a complete root holds) and `usable` (the command that
# tells whether a directory is such a root), and defines `usage`.
# shellcheck disable=SC2154

# What to say besides when a root cannot be made.
without() {
  say "padbatch's headers and the command onnx-pad-outputs do not need $title. What
does need it can be given one of your own: set $variable to its directory"
}

complete() {
  [ "$(head -n 1 "$dest/.padbatch-stamp" 2>/dev/null)" = "$stamp" ] && "$usable" "$dest"
}

# begin_root ARGUMENT...: reads the command line, exits if there is nothing to
# do, and makes $work, a temporary folder beside $dest, with $root in it.
begin_root() {
  local check_only=
  case ${1:-} in
  -h | --help)
    usage
    exit 0
    ;;
  --check)
    check_only=1
    shift
    ;;
  esac
  if [ $# -ne 1 ] || [ "${1#-}" != "$1" ] || [ -z "$1" ]; then
    usage >&2
    exit 2
  fi
  dest=$1
  if complete; then
    [ -n "$check_only" ] || say "$dest is complete ($stamp)"
    exit 0
  fi
  [ -z "$check_only" ] || exit 1
  if [ -e "$dest" ] && [ ! -e "$dest/.padbatch-stamp" ] &&
    [ -n "$(ls -A "$dest" 2>/dev/null)" ]; then
    die "$dest exists and was not made by this script; remove it or name another directory"
  fi
  mkdir -p "$(dirname "$dest")"
  dest=$(cd "$(dirname "$dest")" && pwd)/$(basename "$dest")
  work=$(mktemp -d "$(dirname "$dest")/.$(basename "$dest").XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM
  root=$work/root
  mkdir "$root"
}

# Sets $python to one that has pip.
require_pip() {
  python=$(python_with_pip) || die "this script needs Python 3 with pip: apt-get install --no-install-recommends python3-pip
$(without)"
}

# fetch_wheel NAME VERSION X86_64_PLATFORM AARCH64_PLATFORM HASH...: downloads this
# machine's wheel of a Python package for CPython 3.11 (only the C++ parts of it
# are used) into $work/wheel. It must have one of the hashes.
fetch_wheel() {
  local name=$1 version=$2 platform
  case $(uname -s)-$(uname -m) in
  Linux-x86_64) platform=$3 ;;
  Linux-aarch64) platform=$4 ;;
  *) die "this script knows only Linux on x86-64 and aarch64, not $(uname -s) on $(uname -m).
$(without)" ;;
  esac
  shift 4
  require_pip
  say "fetching the Python package $name $version ($platform)"
  {
    printf '%s==%s' "$name" "$version"
    printf ' --hash=sha256:%s' "$@"
    printf '\n'
  } >"$work/requirements.txt"
  "$python" -m pip --disable-pip-version-check download --quiet \
    --no-deps --only-binary=:all: --require-hashes \
    --platform "$platform" --implementation cp --python-version 3.11 \
    --dest "$work/wheel" --requirement "$work/requirements.txt" ||
    die "pip could not fetch $name $version (its own message is above): is there a
network, and does pip know the proxy or mirror to use?
$(without)"
}

# unpack_wheel SUBFOLDER PATTERN...: unpacks what matches one of the regular
# expressions into $root/SUBFOLDER. Of a path, only what comes after `(?P<keep>`
# in the expression is kept. Every expression must match something.
unpack_wheel() {
  "$python" - "$work/wheel" "$root/$1" "${@:2}" <<'PYTHON' || die "the wheel is not laid out as expected"
import pathlib, re, sys, zipfile

wheels, root = map(pathlib.Path, sys.argv[1:3])
(wheel,) = wheels.glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    for pattern in sys.argv[3:]:
        matches = [match for name in archive.namelist() if (match := re.fullmatch(pattern, name))]
        if not matches:
            sys.exit(f"nothing in {wheel.name} matches {pattern}")
        for match in matches:
            target = root / match.group("keep")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(match.group()))
PYTHON
}

# make_venv WHAT [OPTION...]: makes a virtual environment at $root/venv for the system's
# Python, with the packages of $work/packages.txt, which are WHAT.
make_venv() {
  require_pip
  say "fetching $1"
  /usr/bin/python3 -m venv --without-pip "${@:2}" "$root/venv"
  "$python" -m pip --disable-pip-version-check --python "$root/venv/bin/python" install --quiet \
    --no-deps --no-compile --only-binary=:all: --require-hashes --requirement "$work/packages.txt" ||
    die "pip could not fetch the Python packages (its own message is above): is there a
network, and does pip know the proxy or mirror to use?
$(without)"
}

# end_root DETAIL: puts $root in its place, in one step.
end_root() {
  printf '%s\n%s\n' "$stamp" "$1" >"$root/.padbatch-stamp"
  "$usable" "$root" || die "what was unpacked is no $title root"
  chmod 755 "$root"
  if [ -e "$dest" ]; then
    mv -T "$dest" "$work/old"
  fi
  # Another run may have been first: then its root is as good.
  mv -T "$root" "$dest" 2>/dev/null || complete || die "cannot put the root at $dest"
  say "made $dest ($stamp: $1)"
}
