# SPDX-License-Identifier: Apache-2.0
set(title OpenCV)
set(oldest 4.5)
set(package OpenCV)
set(library opencv_core)
set(wanted COMPONENTS core)
set(advice "install it (Debian: libopencv-dev) or pass -DOpenCV_DIR=<the folder of OpenCVConfig.cmake>")
