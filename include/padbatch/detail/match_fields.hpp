// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_DETAIL_MATCH_FIELDS_HPP
#define PADBATCH_DETAIL_MATCH_FIELDS_HPP

#include <padbatch/extents.hpp>
#include <padbatch/fields.hpp>

#include <type_traits>

namespace padbatch::inline PADBATCH_ABI::detail {

/// Whether a source's field can be copied to an output's. If not, this is a compile error with the reason.
template <class Out, class In>
consteval bool match_field() noexcept
{
    static_assert(!std::is_void_v<In>,
                  "the output has a field (see Out above) that the source lacks: name it in the source, "
                  "as in each(t::boxes(boxes), t::scores(scores)), or leave it out of the output");
    if constexpr (!std::is_void_v<In>) {
        static_assert(std::is_same_v<typename Out::value_type, typename In::value_type>,
                      "a field has another element type in the output (see Out above) than in the source (see In): "
                      "nothing is converted unless you ask for it; write t::labels(x).as<std::int32_t>() in the "
                      "source, or give the output the source's type, as in labels<std::int64_t>");
        static_assert(may_be_same<typename Out::extents_type, typename In::extents_type>(),
                      "a field has rows of another shape in the output (see Out above) than in the source (see In)");
    }
    return true;
}

/// The same for each of an output's fields; `List` are the source's.
template <class List, class... Fields>
consteval bool match_fields() noexcept
{
    return (match_field<Fields, field_of<typename Fields::tag, List>>() && ...);
}

} // namespace padbatch::inline PADBATCH_ABI::detail

#endif
