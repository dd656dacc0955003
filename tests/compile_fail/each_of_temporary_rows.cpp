// SPDX-License-Identifier: Apache-2.0
// expect: indexing this container makes a temporary copy
#include <padbatch/source.hpp>

#include <span>
#include <vector>

using namespace padbatch;

struct images_by_value {
    std::vector<std::vector<float>> images;

    std::size_t size() const { return images.size(); }
#ifdef PADBATCH_MUST_FAIL
    std::vector<float> operator[](std::size_t i) const { return images[i]; }
#else
    std::span<const float> operator[](std::size_t i) const { return images[i]; }
#endif
};

std::size_t rows_of_first(const images_by_value& images)
{
    return each(t::scores(images)).image(0).size();
}
