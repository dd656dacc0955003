// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_ONNX_TOOLS_ENGINES_CHOSEN_FIXTURES_HPP
#define PADBATCH_TESTS_ONNX_TOOLS_ENGINES_CHOSEN_FIXTURES_HPP

#include <tests/support/fixtures.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace padbatch::test {

/// The exports that the command line of `runtime_tests` names.
const std::vector<fixture>& chosen_fixtures();
/// Whether it asks for only the most important options, as for exports that are large or many.
bool few_options();

inline std::string read_bytes(const std::filesystem::path& path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

} // namespace padbatch::test

#endif
