# SPDX-License-Identifier: Apache-2.0
# ONNX, whatever its package calls it: the target padbatch::onnx_proto for the protobuf classes, and padbatch::onnx for
# the full library if that is installed.
#
# Debian 12's ONNX 1.12 has the targets `onnx_proto` and `onnx` and needs protobuf to be found first; from 1.17 or so
# (Debian 13) they are `ONNX::onnx_proto` and `ONNX::onnx`.

include(FindPackageHandleStandardArgs)

find_package(Protobuf QUIET)
find_package(ONNX CONFIG QUIET)
foreach(library onnx_proto onnx)
    unset(PadbatchOnnx_${library}_TARGET)
    foreach(target ONNX::${library} ${library})
        if(TARGET ${target} AND NOT PadbatchOnnx_${library}_TARGET)
            set(PadbatchOnnx_${library}_TARGET ${target})
        endif()
    endforeach()
endforeach()

find_package_handle_standard_args(PadbatchOnnx REQUIRED_VARS PadbatchOnnx_onnx_proto_TARGET Protobuf_FOUND
    REASON_FAILURE_MESSAGE "install libonnx-dev, libprotobuf-dev and protobuf-compiler")

if(PadbatchOnnx_FOUND)
    foreach(library onnx_proto onnx)
        if(PadbatchOnnx_${library}_TARGET AND NOT TARGET padbatch::${library})
            add_library(padbatch::${library} INTERFACE IMPORTED)
            target_link_libraries(padbatch::${library} INTERFACE
                ${PadbatchOnnx_${library}_TARGET} protobuf::libprotobuf)
        endif()
    endforeach()
endif()
