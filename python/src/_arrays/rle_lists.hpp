// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_PYTHON_ARRAYS_RLE_LISTS_HPP
#define PADBATCH_PYTHON_ARRAYS_RLE_LISTS_HPP

#include <padbatch/detection/rle.hpp>

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// COCO's run lengths as Python has them: lists of `{"size": [height, width], "counts": ...}`, whose counts are the
/// compressed string as str or bytes, or numbers.
namespace padbatch::python {

/// How counts are given to Python. The numbers are those that rle.py passes.
enum class rle_form : int { text = 0, bytes = 1, numbers = 2 };

/// From this many counts on, a list is worth giving up the interpreter's lock for.
inline constexpr std::size_t long_counts = 10000;

/// The masks of a list, read while the interpreter's lock is held. What they refer to is kept alive, so that they can
/// be parsed without the lock.
class rle_list {
public:
    /// Takes a list of masks; `what` names it in messages. Throws ValueError or TypeError for what is no mask.
    rle_list(nanobind::handle masks, const char* what);

    [[nodiscard]] std::size_t size() const noexcept { return m_masks.size(); }
    /// Whether parsing it takes so long that other threads should go on meanwhile.
    [[nodiscard]] bool is_long() const noexcept { return m_total >= long_counts; }

    /// Appends mask i to `runs`. Does not need the lock.
    [[nodiscard]] status try_append_to(run_lengths& runs, std::size_t i) const noexcept;

    /// Appends all masks, which must be of one size. Sets `failed` to the number of the mask that is wrong, if one is.
    /// Does not need the lock.
    [[nodiscard]] status try_append_all_to(run_lengths& runs, std::size_t& failed) const noexcept;

    /// Throws the ValueError that says what is wrong with mask i.
    [[noreturn]] void refuse(std::size_t i, const status& why) const;

private:
    struct mask {
        std::size_t height = 0;
        std::size_t width = 0;
        bool is_text = false;
        std::span<const char> text;
        std::size_t first = 0; // of its numbers, in `m_numbers`
        std::size_t count = 0;
    };

    const char* m_what;
    std::vector<mask> m_masks;
    std::vector<std::uint32_t> m_numbers;
    std::vector<nanobind::object> m_kept; // the strings
    std::size_t m_total = 0;              // characters and numbers

    void take(nanobind::handle given);
    void take_numbers(mask& into, nanobind::handle counts);
    [[nodiscard]] std::size_t take_side(nanobind::handle side) const;
    [[noreturn]] void refuse(const std::string& text) const;
};

/// Makes a Python list of masks. Needs the lock, but makes the strings without it.
[[nodiscard]] nanobind::list to_list(const run_lengths& runs, rle_form form);

} // namespace padbatch::python

#endif
