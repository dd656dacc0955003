# SPDX-License-Identifier: Apache-2.0
set(title xtensor)
set(oldest 0.24)
set(package xtensor)
set(library xtensor)
set(advice "install it (Debian: libxtensor-dev) or pass -Dxtensor_DIR=<the folder of xtensorConfig.cmake>")
if(NOT XTENSOR_USE_TBB)
    # xtensor's package looks for TBB in any case, and CMake would link a TBB::tbb with OpenVINO, which has its own.
    set(CMAKE_DISABLE_FIND_PACKAGE_TBB TRUE)
endif()
