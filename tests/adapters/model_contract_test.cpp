// SPDX-License-Identifier: Apache-2.0
#include <padbatch/adapters/model_contract.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>

using namespace padbatch;

TEST_CASE("a model's metadata name its outputs, M and B")
{
    model_contract model;
    REQUIRE(model.try_read({"n", "boxes=b,scores=s=1", "100", "8"}).ok());
    CHECK(std::string(model.count_name()) == "n");
    CHECK(std::string(model.field_list()) == "boxes=b,scores=s=1");
    REQUIRE(model.fields().size() == 2);
    CHECK(std::string(model.fields()[0].field) == "boxes");
    CHECK(std::string(model.output_of("scores")) == "s=1");
    CHECK(model.output_of("masks") == nullptr);
    CHECK(model.max_detections() == 100);
    CHECK(model.batch() == 8);

    const model_contract moved = std::move(model);
    CHECK(std::string(moved.output_of("boxes")) == "b");
}

TEST_CASE("M and B are open where they are no numbers")
{
    model_contract model;
    REQUIRE(model.try_read({"n", "boxes=b", contract::max_detections_of_batch, nullptr}).ok());
    CHECK(!model.max_detections().has_value());
    CHECK(!model.batch().has_value());
}

TEST_CASE("metadata that are missing or damaged change nothing")
{
    model_contract model;
    REQUIRE(model.try_read({"n", "boxes=b", "1", "1"}).ok());
    CHECK(model.try_read({nullptr, "boxes=b", nullptr, nullptr}).code() == status_code::missing_field);
    CHECK(model.try_read({"n", nullptr, nullptr, nullptr}).code() == status_code::missing_field);
    for (const char* const fields : {"", "boxes", "=b", "boxes=", "boxes=b,", ",boxes=b", "boxes=b,,scores=s"}) {
        CAPTURE(fields);
        CHECK(model.try_read({"m", fields, "2", "2"}).code() == status_code::bad_argument);
    }
    CHECK(std::string(model.count_name()) == "n");
    CHECK(model.batch() == 1);
    CHECK(model_contract().fields().empty());
}

TEST_CASE("counts as a tensor [B, 1]")
{
    std::array<float, 8> values{};
    std::array<std::int64_t, 2> counts{1, 0};
    const tensor_ref tensor = counts_ref(padded_view(counts, 1, t::boxes(values)));
    CHECK(tensor.data() == counts.data());
    CHECK(tensor.type() == element_type::int64);
    CHECK(tensor.shape().size() == 2);
    CHECK(tensor.shape()[0] == 2);
    CHECK(tensor.shape()[1] == 1);
}
