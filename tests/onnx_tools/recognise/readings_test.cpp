// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/readings.hpp>

#include <tests/support/check_failure.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

using namespace padbatch::onnx_tools;
using namespace padbatch::test;
using padbatch::element_type;

namespace {

output floats(const std::string& name, const std::vector<dimension>& shape)
{
    output o;
    o.name = name;
    o.type = {element_type::float32, static_cast<int>(shape.size()), shape};
    return o;
}

const dimension any;

std::vector<output> by_image()
{
    return {floats("b0", {any, {4, ""}}), floats("s0", {any}), floats("b1", {any, {4, ""}}), floats("s1", {any})};
}

std::vector<output> by_field()
{
    auto outputs = by_image();
    std::swap(outputs[1], outputs[2]);
    return outputs;
}

recognise_options told(std::optional<std::int64_t> batch = {}, std::optional<output_order> order = {})
{
    recognise_options options;
    options.fields = {field::boxes, field::scores};
    options.batch = batch;
    options.order = order;
    return options;
}

void check_told_usage(const std::vector<output>& outputs, const recognise_options& options,
                      const std::vector<std::string>& words)
{
    check_failure(failure::usage, words, [&] { (void)read_as_told(outputs, options); });
}

} // namespace

TEST_CASE("a reading has one position for each field of each image, in either order")
{
    for (const auto order : {output_order::by_image, output_order::by_field}) {
        const reading r{2, 3, order, {field::boxes, field::scores}};
        CHECK(r.count() == 6);
        std::set<int> positions;
        for (int image = 0; image < 3; ++image) {
            for (int slot = 0; slot < 2; ++slot) {
                positions.insert(r.position(image, slot));
            }
        }
        CHECK(positions == std::set{2, 3, 4, 5, 6, 7});
        CHECK(r.position(0, 1) == (order == output_order::by_image ? 3 : 5));
        CHECK(r.position(2, 0) == (order == output_order::by_image ? 6 : 4));
        CHECK_FALSE(r.covers(1));
        CHECK(r.covers(2));
        CHECK(r.covers(7));
        CHECK_FALSE(r.covers(8));
    }
    const auto outputs = by_field();
    const reading r{0, 2, output_order::by_field, {field::boxes, field::scores}};
    CHECK(r.at(outputs, 1, 0).name == "b1");
    CHECK(r.at(outputs, 0, 1).name == "s0");
}

TEST_CASE("outputs are read as the user says, in the order that their types allow")
{
    const auto r = read_as_told(by_image(), told());
    CHECK(r.first == 0);
    CHECK(r.images == 2);
    CHECK(r.order == output_order::by_image);
    CHECK(r.fields == std::vector{field::boxes, field::scores});
    CHECK(read_as_told(by_field(), told()).order == output_order::by_field);
    CHECK(read_as_told(by_image(), told(1)).images == 1);
    check_told_usage(by_image(), told({}, output_order::by_field), {"'s0'"});
    check_told_usage(by_field(), told(2, output_order::by_image), {"'s0'", "image 1"});
}

TEST_CASE("outputs that cannot be what the user says are named")
{
    auto five = by_image();
    five.push_back(floats("extra", {any}));
    check_told_usage(five, told(), {"`fields`", "5", "'extra'", "`batch`"});
    CHECK(read_as_told(five, told(2)).images == 2);
    check_told_usage(five, told(3), {"`batch`", "3", "5"});
    check_told_usage(five, told(0), {});
    auto none = told();
    none.fields.emplace();
    check_told_usage(five, none, {});

    auto rows = by_image();
    rows[2] = floats("b1", {any, {5, ""}});
    check_told_usage(rows, told(), {"'b1'", "image 1", "'b0'"});
    rows[2] = floats("b1", {any, any}); // may be 4
    CHECK(read_as_told(rows, told()).images == 2);
    rows[2].type.element = element_type::float64;
    check_told_usage(rows, told(), {"'b1'", "image 1", "'b0'"});
    rows[2].type.element.reset();
    check_told_usage(rows, told(), {"'b1'"});
}
