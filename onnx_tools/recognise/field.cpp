// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/recognise/field.hpp>

#include <onnx_tools/model/wording.hpp>
#include <padbatch/fields.hpp>

#include <utility>

namespace padbatch::onnx_tools {
namespace {

// The names that the headers use.
constexpr words<field, field_count> field_names{{
    {field::boxes, t::boxes_t::name},
    {field::labels, t::labels_t::name},
    {field::scores, t::scores_t::name},
    {field::masks, t::masks_t::name},
    {field::keypoints, t::keypoints_t::name},
    {field::keypoints_scores, t::keypoints_scores_t::name},
    {field::mask_coefficients, t::mask_coefficients_t::name},
}};

bool last_extent_may_be(const value_type& type, std::int64_t size)
{
    return type.shape.empty() || !type.shape.back().size || *type.shape.back().size == size;
}

} // namespace

std::string_view name_of(field f) noexcept
{
    return word_for(field_names, f);
}

std::optional<field> field_from_name(std::string_view name) noexcept
{
    return value_for(field_names, name);
}

std::vector<field> all_fields()
{
    std::vector<field> fields;
    for (const auto& [kind, name] : field_names) {
        fields.push_back(kind);
    }
    return fields;
}

std::string all_field_names()
{
    return list_of(all_fields());
}

std::string list_of(const std::vector<field>& fields, std::string_view separator)
{
    return joined(fields, separator, [](field f) { return name_of(f); });
}

bool fits(field kind, const value_type& type)
{
    if (!type.element || !type.rank) {
        return false;
    }
    const bool floating = is_floating(*type.element);
    const bool boolean = *type.element == element_type::boolean;
    switch (kind) {
    case field::boxes: return floating && *type.rank == 2 && last_extent_may_be(type, 4);
    case field::labels: return !floating && !boolean && *type.rank == 1;
    case field::scores: return floating && *type.rank == 1;
    case field::masks:
        return (floating || boolean || *type.element == element_type::uint8) && (*type.rank == 4 || *type.rank == 3);
    case field::keypoints: return floating && *type.rank == 3 && last_extent_may_be(type, 3);
    case field::keypoints_scores: return floating && *type.rank == 2;
    case field::mask_coefficients: return false;
    }
    return false;
}

int usual_rank(field kind) noexcept
{
    switch (kind) {
    case field::labels:
    case field::scores: return 1;
    case field::boxes:
    case field::keypoints_scores:
    case field::mask_coefficients: return 2;
    case field::keypoints: return 3;
    case field::masks: return 4;
    }
    return 0;
}

bool may_be_called(field kind, const value_type& type) noexcept
{
    const bool fixed = kind == field::boxes || kind == field::labels || kind == field::scores;
    const bool floating = type.element && is_floating(*type.element);
    return (!type.rank || (fixed ? *type.rank == usual_rank(kind) : *type.rank >= 1)) &&
           (floating || kind == field::labels || kind == field::masks);
}

} // namespace padbatch::onnx_tools
