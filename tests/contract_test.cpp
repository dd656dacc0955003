// SPDX-License-Identifier: Apache-2.0
#include <padbatch/contract.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace contract = padbatch::contract;

TEST_CASE("the texts of the contract stay as they are: models in use hold them")
{
    CHECK(std::string(contract::version_key) == "padbatch.version");
    CHECK(std::string(contract::count_key) == "padbatch.count");
    CHECK(std::string(contract::fields_key) == "padbatch.fields");
    CHECK(std::string(contract::columns_key) == "padbatch.columns");
    CHECK(std::string(contract::max_detections_key) == "padbatch.max_detections");
    CHECK(std::string(contract::batch_key) == "padbatch.batch");
    CHECK(std::string(contract::layout_key) == "padbatch.layout");
    CHECK(std::string(contract::masks_key) == "padbatch.masks");
    CHECK(std::string(contract::default_count_name) == "num_detections");
    CHECK(std::string(contract::normalised_boxes) == "normalised_boxes");
    CHECK(std::string(contract::dynamic_batch) == "dynamic");
    CHECK(std::string(contract::region_masks) == "roi");
    CHECK(std::string(contract::max_detections_of_batch) == "batch");
}

TEST_CASE("the keys share a prefix, by which a program finds them all")
{
    const std::set<std::string> keys{contract::version_key,        contract::count_key, contract::fields_key,
                                     contract::columns_key,        contract::batch_key, contract::layout_key,
                                     contract::max_detections_key, contract::masks_key};
    CHECK(keys.size() == 8);
    for (const std::string& key : keys) {
        CHECK(key.starts_with(contract::key_prefix));
    }
}
