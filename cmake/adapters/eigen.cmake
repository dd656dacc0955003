# SPDX-License-Identifier: Apache-2.0
set(title Eigen)
set(oldest 3.4)
set(package Eigen3)
set(library Eigen3::Eigen)
set(advice "install it (Debian: libeigen3-dev) or pass -DEigen3_DIR=<the folder of Eigen3Config.cmake>")
