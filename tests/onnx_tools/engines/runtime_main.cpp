// SPDX-License-Identifier: Apache-2.0
// Runs exports beside the models that were made from them.
//
//     runtime_tests [--few-options] FOLDER [FIXTURE ...]     the fixtures of FOLDER/manifest.json, all or those named

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <tests/onnx_tools/engines/chosen_fixtures.hpp>

#include <algorithm>
#include <cstdio>
#include <set>

namespace {

std::vector<padbatch::test::fixture> chosen;
bool few = false;

} // namespace

const std::vector<padbatch::test::fixture>& padbatch::test::chosen_fixtures()
{
    return chosen;
}

bool padbatch::test::few_options()
{
    return few;
}

int main(int argc, char** argv)
{
    std::vector<std::string> arguments(argv + 1, argv + argc);
    if (!arguments.empty() && arguments.front() == "--few-options") {
        few = true;
        arguments.erase(arguments.begin());
    }
    if (arguments.empty()) {
        std::fprintf(stderr, "usage: runtime_tests [--few-options] FOLDER [FIXTURE ...]\n");
        return 2;
    }
    const std::set<std::string> names(arguments.begin() + 1, arguments.end());
    for (auto& f : padbatch::test::read_manifest(arguments.front())) {
        if (names.empty() || names.count(f.file.filename().string()) != 0) {
            chosen.push_back(std::move(f));
        }
    }
    if (chosen.size() < std::max<std::size_t>(names.size(), 1)) {
        std::fprintf(stderr, "%s: not all of the fixtures named are in the manifest\n", arguments.front().c_str());
        return 2;
    }
    return doctest::Context(1, argv).run();
}
