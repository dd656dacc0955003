# SPDX-License-Identifier: Apache-2.0
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/padbatch")

install(TARGETS padbatch EXPORT padbatchTargets FILE_SET HEADERS FILE_SET adapters)
install(EXPORT padbatchTargets NAMESPACE padbatch:: DESTINATION "${package_dir}")
if(PADBATCH_BUILD_ONNX_TOOLS AND NOT PADBATCH_STATIC_ONNX) # a wheel's objects are of no use outside it
    install(TARGETS padbatch_onnx_tools EXPORT padbatchOnnxToolsTargets FILE_SET HEADERS DESTINATION
        "${CMAKE_INSTALL_INCLUDEDIR}/padbatch-onnx-tools")
    install(TARGETS onnx-pad-outputs)
    install(EXPORT padbatchOnnxToolsTargets NAMESPACE padbatch:: DESTINATION "${package_dir}")
endif()

configure_package_config_file(cmake/padbatchConfig.cmake.in padbatchConfig.cmake
    INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(padbatchConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/padbatchConfig.cmake" "${PROJECT_BINARY_DIR}/padbatchConfigVersion.cmake"
    cmake/padbatchAdapters.cmake cmake/FindONNXRuntime.cmake cmake/FindPadbatchOnnx.cmake DESTINATION "${package_dir}")
install(DIRECTORY cmake/adapters DESTINATION "${package_dir}" FILES_MATCHING PATTERN "*.cmake")
