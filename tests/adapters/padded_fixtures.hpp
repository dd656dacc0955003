// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_ADAPTERS_PADDED_FIXTURES_HPP
#define PADBATCH_TESTS_ADAPTERS_PADDED_FIXTURES_HPP

#include <onnx_tools/pad/pad.hpp>
#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/plan/plan.hpp>
#include <onnx_tools/recognise/recognise.hpp>
#include <padbatch/padded_view.hpp>
#include <tests/support/fixture_models.hpp>
#include <tests/support/scenes.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace padbatch::test {

/// The model that `onnx-pad-outputs` makes of another one, as bytes.
inline std::string padded(onnx::ModelProto model, const onnx_tools::pad_options& options = {})
{
    onnx_tools::pad(model, onnx_tools::plan(model, onnx_tools::recognise(model), options));
    return model.SerializeAsString();
}

/// What an export gives of one field of one image.
struct plain_output {
    std::vector<std::int64_t> shape;
    std::vector<char> bytes;
};

/// A fixture, its padded model, and the images of one of its runs as the model takes them.
struct padded_fixture {
    fixture known;
    std::string model;
    std::vector<std::vector<float>> images;
    std::vector<std::vector<std::int64_t>> shapes;
    /// What the export gives for them, by the names of its outputs; the engine's test fills it in.
    std::map<std::string, plain_output> plain;
    std::set<std::size_t> skipped;

    explicit padded_fixture(const std::string& name, const onnx_tools::pad_options& options = {}, std::size_t run = 0)
        : known(fixture_named(name).known), model(padded(fixture_named(name).model, options))
    {
        for (std::size_t i = 0; i < known.batch; ++i) {
            const auto [height, width] = known.image_sizes.at(i);
            auto image = scene(known.runs.at(run).scenes.at(i), height, width);
            if (known.list_input || i == 0) {
                images.push_back(std::move(image));
                shapes.push_back({3, height, width});
            } else {
                images.front().insert(images.front().end(), image.begin(), image.end());
            }
        }
        if (!known.list_input) {
            shapes.front().insert(shapes.front().begin(), static_cast<std::int64_t>(known.batch));
        }
    }

    /// What the export gives of one field of an image.
    [[nodiscard]] const plain_output& rows(std::size_t image, const std::string& field) const
    {
        const auto slot = std::find(known.fields.begin(), known.fields.end(), field) - known.fields.begin();
        return plain.at(known.output(image, static_cast<std::size_t>(slot)));
    }

    /// Demands that the rows of each image are those of the export, and that all rows after them are zero. Where
    /// `tolerance` is not 0, floats may differ by that much of their size. Images in `skipped` are not looked at.
    template <class Batch, class Tag>
    void check_field(const Batch& batch, const Tag& tag, float tolerance = 0) const
    {
        CAPTURE(Tag::name);
        REQUIRE(batch.size() == known.batch);
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (skipped.count(i) != 0) {
                continue;
            }
            CAPTURE(i);
            const plain_output& expected = rows(i, Tag::name);
            const auto real = batch.image(i)[tag].flat();
            REQUIRE(batch.count(i) == static_cast<std::size_t>(expected.shape.at(0)));
            REQUIRE(real.size_bytes() == expected.bytes.size());
            CHECK(same(real, expected.bytes, tolerance));
            const auto all = batch.slot(i)[tag].flat();
            const auto* padding = reinterpret_cast<const char*>(all.data());
            CHECK(std::all_of(padding + real.size_bytes(), padding + all.size_bytes(), [](char c) { return c == 0; }));
        }
    }

private:
    template <class T>
    static bool same(std::span<T> values, const std::vector<char>& bytes, float tolerance)
    {
        std::vector<std::remove_const_t<T>> expected(values.size());
        if (values.empty()) {
            return true;
        }
        std::memcpy(static_cast<void*>(expected.data()), bytes.data(), bytes.size());
        return std::equal(values.begin(), values.end(), expected.begin(), [&](const T& a, const T& b) {
            if constexpr (std::is_floating_point_v<T>) {
                return !(std::abs(a - b) > tolerance * std::abs(b));
            } else {
                return a == b;
            }
        });
    }
};

template <class Field>
using read_only = padbatch::detail::const_field<Field>;

/// Demands of a batch that was read from an engine's outputs: the export's rows, M and B, and the outputs' own memory.
/// `padded` has the fixture, the model's contract, and says where an output lies.
template <class... Fields, class Batch, class Ready>
void check_batch(const Batch& batch, Ready& padded, float tolerance = 0)
{
    (padded.fixture.check_field(batch, typename Fields::tag{}, tolerance), ...);
    CHECK(batch.capacity() == padded.model.max_detections());
    CHECK(batch.size() == padded.model.batch());
    CHECK(batch.count_data() == padded.memory("num_detections"));
    const bool same_memory = ((batch[typename Fields::tag{}].data() == padded.memory(Fields::tag::name)) && ...);
    CHECK(same_memory);
}

} // namespace padbatch::test

#endif
