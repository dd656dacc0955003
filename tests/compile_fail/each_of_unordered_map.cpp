// SPDX-License-Identifier: Apache-2.0
// expect: the images of a field are a container with random access
#include <padbatch/source.hpp>

#include <unordered_map>
#include <vector>

using namespace padbatch;

// Its keys are not numbers of images, and its [] inserts those that it does not find.
#ifdef PADBATCH_MUST_FAIL
using images_type = std::unordered_map<int, std::vector<float>>;
#else
using images_type = std::vector<std::vector<float>>;
#endif

std::size_t images(images_type& given)
{
    return each(t::scores(given)).size();
}
