# SPDX-License-Identifier: Apache-2.0
# For 64-bit ARM, on another machine: Debian's cross compiler g++-aarch64-linux-gnu, and qemu-user-static, which runs
# what it makes.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CXX_FLAGS_INIT -Wno-psabi) # no notes about what GCC 9 did
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L /usr/aarch64-linux-gnu)
