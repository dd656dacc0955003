# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Shared by the scripts in scripts/: messages, timed steps, Debian packages and
# the choice of the roots: ONNX Runtime, OpenVINO, Triton and so on.
# Sourced, never run; some of its variables are for its callers only.
# shellcheck disable=SC2034

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
logs=$repo/build/logs

# The scripts change to $repo; a relative path is meant from where they started.
declare -A root_variable=(
  [onnxruntime]=ONNXRUNTIME_ROOT [openvino]=OPENVINO_ROOT [triton]=PADBATCH_TRITON_ROOT
  [cocotools]=PADBATCH_COCOTOOLS_ROOT [lint]=PADBATCH_LINT_ROOT
  [protobuf]=PADBATCH_PROTOBUF_ROOT [python]=PADBATCH_PYTHON_ROOT
  [peers]=PADBATCH_PEERS_ROOT
)
for variable in "${root_variable[@]}"; do
  case ${!variable:-/} in
  /*) ;;
  *) export "$variable=$PWD/${!variable}" ;;
  esac
done
unset variable

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() {
  warn "error: $*"
  exit 1
}

# step TITLE LOG COMMAND...: runs the command with its output in
# build/logs/LOG.log and prints one line about it; a failure shows the end of
# the log. Returns what the command returned.
step() {
  local title=$1 log=$logs/$2.log rc=0 start=$SECONDS
  shift 2
  mkdir -p "$logs"
  printf '%-58s ' "$title"
  "$@" >"$log" 2>&1 </dev/null || rc=$?
  if [ "$rc" -eq 0 ]; then
    printf 'ok      %4d s\n' $((SECONDS - start))
  else
    printf 'FAILED  %4d s\n' $((SECONDS - start))
    say "    the end of ${log#"$repo"/}:"
    tail -n "${STEP_TAIL:-40}" "$log" | sed 's/^/    | /'
  fi
  return "$rc"
}

# --- Debian packages ---------------------------------------------------------

# What building the library's command and the demo takes.
tool_packages=(g++ cmake ninja-build libonnx-dev libprotobuf-dev
  protobuf-compiler libcli11-dev nlohmann-json3-dev libpng-dev)

# What making the Python package's wheel takes.
wheel_packages=(g++ cmake ninja-build libprotobuf-dev protobuf-compiler libcli11-dev
  nlohmann-json3-dev python3-dev)

# What the tests and the sanitizers take besides. PyTorch is there to make test
# models only.
test_packages=(clang libclang-rt-dev doctest-dev
  libbenchmark-dev libeigen3-dev libxtensor-dev libopencv-dev python3
  python3-numpy python3-torch python3-torchvision python3-onnx python3-pil)

# What the tests for 64-bit ARM take.
cross_packages=(g++-aarch64-linux-gnu qemu-user-static)

have() { command -v "$1" >/dev/null 2>&1; }

is_debian_like() { have dpkg-query && have apt-get; }

# The names among the arguments that are not installed.
missing_packages() {
  local name
  for name in "$@"; do
    # Literal ${...}: a dpkg-query format, not the shell's.
    # shellcheck disable=SC2016
    dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null |
      grep -qx installed || printf '%s\n' "$name"
  done
}

# Runs as root: directly, or through sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update &&
    as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-install-recommends "$@"
}

# install_packages NAME...: installs those that are missing, and touches
# nothing (no package lists, no sudo) when none is.
install_packages() {
  if ! is_debian_like; then
    warn "note: not a Debian system, so nothing is installed; needed are (Debian's names):"
    warn "  $*"
    warn "  going on with what is there"
    return 0
  fi
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  if [ -n "${NO_INSTALL:-}" ]; then
    warn "note: not installed, as asked: ${missing[*]}"
    return 0
  fi
  if [ "$(id -u)" -ne 0 ] && ! { have sudo && sudo -v; }; then
    die "these Debian packages are missing, and this is neither root nor allowed to use sudo; install them first:
  apt-get install --no-install-recommends ${missing[*]}"
  fi
  say "missing Debian packages: ${missing[*]}"
  step "install ${#missing[@]} Debian packages" apt apt_install "${missing[@]}" ||
    die "the packages could not be installed (see above)"
}

# --- ONNX Runtime, OpenVINO, Triton, pycocotools, linters ---------------------

# True if the directory has ONNX Runtime's C++ header and library in one of the
# layouts of its releases and packages.
usable_onnxruntime_root() {
  local root=$1 header library
  for header in "$root"/include/onnxruntime_cxx_api.h \
    "$root"/include/onnxruntime/onnxruntime_cxx_api.h \
    "$root"/include/onnxruntime/core/session/onnxruntime_cxx_api.h; do
    [ -e "$header" ] || continue
    for library in "$root"/lib/libonnxruntime.so "$root"/lib64/libonnxruntime.so \
      "$root"/lib/*-linux-gnu/libonnxruntime.so; do
      [ -e "$library" ] && return 0
    done
  done
  return 1
}

# True if the directory has OpenVINO's CMake package in one of the layouts of its
# releases and packages, the Python package among them.
usable_openvino_root() {
  local root=$1 config
  for config in "$root"/openvino/cmake/OpenVINOConfig.cmake \
    "$root"/cmake/OpenVINOConfig.cmake "$root"/runtime/cmake/OpenVINOConfig.cmake \
    "$root"/lib*/cmake/openvino*/OpenVINOConfig.cmake \
    "$root"/lib/*-linux-gnu/cmake/openvino*/OpenVINOConfig.cmake; do
    [ -e "$config" ] && return 0
  done
  return 1
}

# True if the directory has a Triton server, its backend for models in Python and
# the environment that scripts/triton-root makes.
usable_triton_root() {
  local server=$1/pytriton/tritonserver
  [ -x "$server/bin/tritonserver" ] && [ -x "$1/venv/bin/python" ] &&
    [ -x "$server/backends/python/triton_python_backend_stub" ]
}

# True if pycocotools loads in the virtual environment that scripts/cocotools-root makes,
# or in the system's Python.
usable_cocotools_root() {
  local python=$1/venv/bin/python
  [ "$1" != /usr ] || python=/usr/bin/python3
  "$python" -c "import pycocotools.cocoeval" >/dev/null 2>&1
}

# linter ROOT NAME: the program clang-format or clang-tidy in a root that scripts/lint-root makes.
linter() {
  printf '%s\n' "$1"/venv/lib/python3*/site-packages/"${2//-/_}"/data/bin/"$2"
}

# True if the directory has both, and they run here.
usable_lint_root() {
  local name
  for name in clang-format clang-tidy; do
    "$(linter "$1" "$name")" --version >/dev/null 2>&1 || return 1
  done
}

# The version of the installed headers of protobuf, such as 3.21.12, or nothing.
protobuf_version() {
  sed -n 's/^#define GOOGLE_PROTOBUF_VERSION \([0-9]*\)\([0-9]\{3\}\)\([0-9]\{3\}\)$/\1 \2 \3/p' \
    /usr/include/google/protobuf/stubs/common.h 2>/dev/null |
    while read -r major minor patch; do echo "$major.$((10#$minor)).$((10#$patch))"; done
}

# True if the directory has the sources of libprotobuf.
usable_protobuf_root() { [ -e "$1/src/google/protobuf/arena.cc" ] && [ -e "$1/LICENSE" ]; }

# True if the directory has the tools that make the Python package and the wheels to test it with, as
# scripts/python-root makes it.
usable_python_root() {
  [ -d "$1/wheels" ] &&
    "$1/venv/bin/python" -c "import nanobind, scikit_build_core, auditwheel" >/dev/null 2>&1
}

# True if the directory has the wheels that scripts/peers-root fetches.
usable_peers_root() { ls "$1"/wheels/supervision-*.whl >/dev/null 2>&1; }

# True if the system's Python is the one that scripts/triton-root knows, or there is
# none yet and it will be.
triton_python=3.11
can_have_triton() {
  if [ -x /usr/bin/python3 ]; then
    [ "$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')" = "$triton_python" ]
  else
    # shellcheck source=/dev/null
    [ -r /etc/os-release ] && (. /etc/os-release && [ "${ID:-}-${VERSION_ID:-}" = debian-12 ])
  fi
}

# A python3 that has pip.
python_with_pip() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -m pip --version >/dev/null 2>&1; then
      printf '%s\n' "$python"
      return 0
    fi
  done
  return 1
}

# Debian has ONNX Runtime's headers and library from release 13 on.
debian_has_onnxruntime() {
  is_debian_like && [ -r /etc/os-release ] || return 1
  # shellcheck source=/dev/null
  (. /etc/os-release && [ "${ID:-}" = debian ] && [ "${VERSION_ID:-99}" -ge 13 ])
}

# root_packages NAME: the Debian packages that prepare_root NAME needs on this
# machine. NAME is onnxruntime, openvino, triton, cocotools, lint, protobuf, python or peers, as in scripts/NAME-root.
root_packages() {
  local name=$1 variable=${root_variable[$1]}
  if [ -n "${!variable:-}" ] || "usable_${name}_root" /usr; then
    return 0
  elif [ "$name" = onnxruntime ] && debian_has_onnxruntime; then
    say libonnxruntime-dev
  elif ! "$repo/scripts/$name-root" --check "$repo/build/$name"; then
    say ca-certificates
    python_with_pip >/dev/null || printf '%s\n' python3 python3-pip
  fi
  # The server has the system's Python in it, as a library.
  [ "$name" != triton ] || say "libpython$triton_python"
}

# prepare_root NAME TITLE: adds what CMake's configure step must be told to the
# array root_args: the value of its root_variable if that is set, else that the system
# has the library, else a root made at build/NAME.
prepare_root() {
  local name=$1 title=$2 variable=${root_variable[$1]}
  local given=${!variable:-} made=$repo/build/$1
  if [ -n "$given" ]; then
    "usable_${name}_root" "$given" ||
      die "$variable is $given, where $title's ${root_content[$name]}"
    root_args+=("-D$variable=$given")
  elif "usable_${name}_root" /usr; then
    root_args+=("-D$variable=")
  else
    if ! "$repo/scripts/$name-root" --check "$made"; then
      step "fetch $title into build/$name" "$name" "$repo/scripts/$name-root" "$made" ||
        die "$title could not be fetched (see above)"
    fi
    root_args+=("-D$variable=$made")
  fi
}
declare -A root_content=(
  [onnxruntime]="include/onnxruntime_cxx_api.h (or include/onnxruntime/onnxruntime_cxx_api.h) with lib/libonnxruntime.so is not"
  [openvino]="CMake package (OpenVINOConfig.cmake) is not"
  [triton]="server and virtual environment, as scripts/triton-root makes them, are not"
  [cocotools]="virtual environment with pycocotools, as scripts/cocotools-root makes it, is not"
  [lint]="virtual environment with clang-format and clang-tidy, as scripts/lint-root makes it, is not"
  [protobuf]="sources (src/google/protobuf and LICENSE) are not"
  [python]="tools and wheels, as scripts/python-root makes them, are not"
  [peers]="wheels, as scripts/peers-root makes them, are not"
)
