# SPDX-License-Identifier: Apache-2.0
# Finds ONNX Runtime's C++ API.
#
# Looked at, in this order:
#   * ONNXRUNTIME_ROOT, a CMake variable or else an environment variable: the
#     directory of an unpacked release, of an installation prefix, or of what
#     scripts/onnxruntime-root makes; if relative, then to the source directory.
#     If it is set, nothing else is looked at.
#   * the system (Debian 13's libonnxruntime-dev, for example) and
#     CMAKE_PREFIX_PATH.
#
# Result:
#   ONNXRuntime_FOUND
#   ONNXRuntime_VERSION      the library's version, where its file name tells it
#   ONNXRuntime_API_VERSION  ORT_API_VERSION of the headers
#   ONNXRuntime::ONNXRuntime imported target; with it
#                            #include <onnxruntime_cxx_api.h> works
#   ONNXRuntime_NOT_FOUND_MESSAGE  where it was not found: what is missing, and
#                            what to do
#
# The library may be newer than the headers: it serves every older API version.

set(_ort_root "${ONNXRUNTIME_ROOT}")
if(NOT _ort_root)
  set(_ort_root "$ENV{ONNXRUNTIME_ROOT}")
endif()
if(_ort_root)
  file(TO_CMAKE_PATH "${_ort_root}" _ort_root)
  get_filename_component(_ort_root "${_ort_root}" ABSOLUTE BASE_DIR "${CMAKE_SOURCE_DIR}")
endif()

# Another root than last time: what was found before does not count.
if(NOT "${_ort_root}" STREQUAL "${_ONNXRuntime_LAST_ROOT}")
  unset(ONNXRuntime_INCLUDE_DIR CACHE)
  unset(ONNXRuntime_LIBRARY CACHE)
endif()
set(_ONNXRuntime_LAST_ROOT "${_ort_root}" CACHE INTERNAL "")

if(_ort_root)
  set(_ort_where PATHS "${_ort_root}" NO_DEFAULT_PATH)
else()
  set(_ort_where)
endif()
find_path(ONNXRuntime_INCLUDE_DIR onnxruntime_cxx_api.h
  ${_ort_where}
  PATH_SUFFIXES
    include include/onnxruntime include/onnxruntime/core/session
    onnxruntime onnxruntime/core/session
  DOC "The directory of onnxruntime_cxx_api.h")
find_library(ONNXRuntime_LIBRARY onnxruntime
  ${_ort_where}
  PATH_SUFFIXES lib lib64 "lib/${CMAKE_LIBRARY_ARCHITECTURE}"
  DOC "ONNX Runtime's library")
mark_as_advanced(ONNXRuntime_INCLUDE_DIR ONNXRuntime_LIBRARY)

set(ONNXRuntime_VERSION "")
set(ONNXRuntime_API_VERSION "")
set(_ort_reason "")
if(ONNXRuntime_INCLUDE_DIR AND EXISTS "${ONNXRuntime_INCLUDE_DIR}/onnxruntime_c_api.h")
  file(STRINGS "${ONNXRuntime_INCLUDE_DIR}/onnxruntime_c_api.h" _ort_line
    REGEX "^#define[ \t]+ORT_API_VERSION[ \t]+[0-9]+")
  if(_ort_line MATCHES "ORT_API_VERSION[ \t]+([0-9]+)")
    set(ONNXRuntime_API_VERSION "${CMAKE_MATCH_1}")
  endif()
endif()
if(ONNXRuntime_LIBRARY)
  get_filename_component(_ort_file "${ONNXRuntime_LIBRARY}" REALPATH)
  if(_ort_file MATCHES "libonnxruntime(\\.so)?\\.([0-9]+\\.[0-9]+(\\.[0-9]+)?)")
    set(ONNXRuntime_VERSION "${CMAKE_MATCH_2}")
  elseif(ONNXRuntime_API_VERSION)
    set(ONNXRuntime_VERSION "1.${ONNXRuntime_API_VERSION}")
  endif()
endif()

set(_ort_usable TRUE)
if(NOT ONNXRuntime_INCLUDE_DIR OR NOT ONNXRuntime_LIBRARY)
  if(_ort_root)
    set(_ort_reason
      "ONNXRUNTIME_ROOT is ${_ort_root}, but it lacks include/onnxruntime_cxx_api.h (or include/onnxruntime/onnxruntime_cxx_api.h) or lib/libonnxruntime.so.")
  else()
    set(_ort_reason
      "ONNX Runtime is not on this system. Install its development package (Debian 13: libonnxruntime-dev), or unpack a release of it and pass -DONNXRUNTIME_ROOT=<its directory>, or, on Debian 12, run `scripts/onnxruntime-root build/onnxruntime` of padbatch's sources and pass -DONNXRUNTIME_ROOT=build/onnxruntime.")
  endif()
elseif(ONNXRuntime_API_VERSION AND
       ONNXRuntime_VERSION VERSION_LESS "1.${ONNXRuntime_API_VERSION}")
  set(_ort_usable FALSE)
  set(_ort_reason
    "The library ${ONNXRuntime_LIBRARY} (${ONNXRuntime_VERSION}) is older than the headers in ${ONNXRuntime_INCLUDE_DIR} (1.${ONNXRuntime_API_VERSION}).")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ONNXRuntime
  REQUIRED_VARS ONNXRuntime_LIBRARY ONNXRuntime_INCLUDE_DIR _ort_usable
  VERSION_VAR ONNXRuntime_VERSION
  REASON_FAILURE_MESSAGE "${_ort_reason}")
set(ONNXRuntime_NOT_FOUND_MESSAGE "${_ort_reason}")

if(ONNXRuntime_FOUND AND NOT TARGET ONNXRuntime::ONNXRuntime)
  add_library(ONNXRuntime::ONNXRuntime UNKNOWN IMPORTED)
  set_target_properties(ONNXRuntime::ONNXRuntime PROPERTIES
    IMPORTED_LOCATION "${ONNXRuntime_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${ONNXRuntime_INCLUDE_DIR}"
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${ONNXRuntime_INCLUDE_DIR}")
endif()

unset(_ort_root)
unset(_ort_where)
unset(_ort_line)
unset(_ort_file)
unset(_ort_reason)
unset(_ort_usable)
