// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_FIXTURE_MODELS_HPP
#define PADBATCH_TESTS_SUPPORT_FIXTURE_MODELS_HPP

#include <tests/support/fixtures.hpp>

#include <onnx_tools/files/model_io.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace padbatch::test {

struct fixture_model {
    fixture known;
    onnx::ModelProto model;
};

/// One fixture in `every`, with their models.
inline std::vector<fixture_model> load_fixtures(std::size_t every)
{
    const auto known = read_manifest(PADBATCH_TESTS_DATA);
    if (known.size() < 30) { // a test over all fixtures must not pass because there are none
        throw std::runtime_error("the manifest lists too few fixtures");
    }
    std::vector<fixture_model> models;
    for (std::size_t i = 0; i < known.size(); i += every) {
        models.push_back({known[i], onnx_tools::load_model(known[i].file.string())});
    }
    return models;
}

/// All fixtures with their models, read once.
inline const std::vector<fixture_model>& fixture_models()
{
    static const auto all = load_fixtures(1);
    return all;
}

/// The fixture whose file is `name` with `.onnx`.
inline const fixture_model& fixture_named(const std::string& name)
{
    for (const auto& each : fixture_models()) {
        if (each.known.file.stem() == name) {
            return each;
        }
    }
    throw std::runtime_error("there is no fixture " + name);
}

/// What a test that counts must reach: of all fixtures, or of those that stand for them.
constexpr int at_least(int of_all)
{
#ifdef PADBATCH_TESTS_SOME_FIXTURES
    return of_all / 4;
#else
    return of_all;
#endif
}

/// Calls `test(known, model)` for every fixture; a check that fails says which one it was. Where sanitizers watch,
/// which take ten times as long, one in three stands for all, unless the tests are long; without them all are tested.
template <typename Test>
void for_each_fixture(const Test& test)
{
#ifdef PADBATCH_TESTS_SOME_FIXTURES
    static const auto fixtures = load_fixtures(3);
#else
    const auto& fixtures = fixture_models();
#endif
    for (const auto& each : fixtures) {
        CAPTURE(each.known.file.filename().string());
        test(each.known, each.model);
    }
}

/// Erases the shapes of all outputs and everything in `value_info`. (Exports may say that little.)
inline void erase_shapes(onnx::ModelProto& model)
{
    for (auto& output : *model.mutable_graph()->mutable_output()) {
        output.mutable_type()->mutable_tensor_type()->clear_shape();
    }
    model.mutable_graph()->clear_value_info();
}

} // namespace padbatch::test

#endif
