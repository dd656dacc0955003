// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_BATCH_INPUT_HPP
#define PADBATCH_TESTS_SUPPORT_BATCH_INPUT_HPP

#include <tests/support/fixtures.hpp>
#include <tests/support/scenes.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace padbatch::test {

/// The images of one run, in the form that a model takes.
struct batch_input {
    std::vector<std::vector<float>> data;
    std::vector<std::vector<std::int64_t>> shapes;
};

/// Scenes of the sizes that a fixture was exported for, or larger ones.
inline batch_input make_batch_input(const fixture& f, const std::vector<unsigned>& scenes, int larger_by = 0)
{
    batch_input input;
    for (std::size_t i = 0; i < f.batch; ++i) {
        // Growing each image differently makes masks of different sizes where the model takes them.
        const int grow = f.list_input ? larger_by * (static_cast<int>(i) + 1) : larger_by;
        const int height = f.image_sizes[i].first + grow;
        const int width = f.image_sizes[i].second + 2 * grow;
        auto image = scene(scenes[i], height, width);
        if (f.list_input || i == 0) {
            input.data.push_back(std::move(image));
            input.shapes.push_back({3, height, width});
        } else {
            input.data.front().insert(input.data.front().end(), image.begin(), image.end());
        }
    }
    if (!f.list_input) {
        input.shapes.front().insert(input.shapes.front().begin(), static_cast<std::int64_t>(f.batch));
    }
    return input;
}

} // namespace padbatch::test

#endif
