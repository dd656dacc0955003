# What only the developers of padbatch need: warnings, sanitizers, and the parts that users do not build.

option(PADBATCH_BUILD_TESTS "Build the tests" ON)
option(PADBATCH_BUILD_BENCHMARKS "Build the benchmarks" ON)
option(PADBATCH_LONG_TESTS "Also run the tests that take long" OFF)
set(PADBATCH_SANITIZERS "" CACHE STRING "Sanitizers to build with, such as address,undefined")

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ON)

add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    add_compile_options(-Wno-restrict) # false alarms on std::string's operator+, GCC bug 105651
endif()
if(PADBATCH_SANITIZERS)
    add_compile_options(-fsanitize=${PADBATCH_SANITIZERS} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${PADBATCH_SANITIZERS})
endif()
