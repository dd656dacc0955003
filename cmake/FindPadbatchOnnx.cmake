# The ONNX protobuf classes, whatever their package calls them: the target padbatch::onnx_proto.
#
# Debian 12's ONNX 1.12 has the target `onnx_proto` and needs protobuf to be found first; from 1.17 or so (Debian 13) it
# is `ONNX::onnx_proto`.

include(FindPackageHandleStandardArgs)

find_package(Protobuf QUIET)
find_package(ONNX CONFIG QUIET)
foreach(target ONNX::onnx_proto onnx_proto)
    if(TARGET ${target} AND NOT PadbatchOnnx_TARGET)
        set(PadbatchOnnx_TARGET ${target})
    endif()
endforeach()

find_package_handle_standard_args(PadbatchOnnx REQUIRED_VARS PadbatchOnnx_TARGET Protobuf_FOUND
    REASON_FAILURE_MESSAGE "install libonnx-dev, libprotobuf-dev and protobuf-compiler")

if(PadbatchOnnx_FOUND AND NOT TARGET padbatch::onnx_proto)
    add_library(padbatch::onnx_proto INTERFACE IMPORTED)
    target_link_libraries(padbatch::onnx_proto INTERFACE ${PadbatchOnnx_TARGET} protobuf::libprotobuf)
endif()
