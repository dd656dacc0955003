// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_PYTHON_ARRAYS_ARRAYS_HPP
#define PADBATCH_PYTHON_ARRAYS_ARRAYS_HPP

#include <padbatch/element_type.hpp>
#include <padbatch/error.hpp>
#include <padbatch/memory.hpp>
#include <padbatch/tensor_ref.hpp>

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>

/// How the module's functions take arrays and return them.
///
/// A function takes `nanobind::handle`s and makes an `array` of each: of a NumPy array, a torch tensor, or anything
/// else with DLPack or the buffer protocol in host memory, without a copy, read-only memory too. It checks types and
/// shapes with `require_type` and `require_shape`, makes its results with `make_array`, and does its work inside of
/// `without_gil`. Errors are TypeError (another type of object or of elements) or ValueError, with what was found, what
/// was expected and what to do; a `padbatch::error` becomes a ValueError.
namespace padbatch::python {

/// Whose arrays a function returns: torch tensors if its first array is one, else NumPy arrays.
enum class library : unsigned char { numpy, torch };

[[noreturn]] void refuse_type(const std::string& why);
[[noreturn]] void refuse_value(const std::string& why);

/// Throws what stands for `outcome` in Python, unless it is success.
void require(const status& outcome);

/// A view of an object's memory, which is given back at the end.
struct buffer_view {
    Py_buffer view{};

    buffer_view() noexcept = default;
    buffer_view(buffer_view&& other) noexcept : view(std::exchange(other.view, Py_buffer{})) {}
    buffer_view(const buffer_view&) = delete;
    buffer_view& operator=(const buffer_view&) = delete;
    buffer_view& operator=(buffer_view&&) = delete;
    ~buffer_view() { PyBuffer_Release(&view); } // nothing, if it has no owner
};

/// An argument that is an array. Holds its memory; is made and destroyed with the interpreter's lock.
class array {
public:
    /// `name` is the argument's, for messages.
    array(nanobind::handle given, const char* name);
    array(array&&) noexcept = default;
    array(const array&) = delete;
    array& operator=(const array&) = delete;
    array& operator=(array&&) = delete;
    ~array() = default;

    [[nodiscard]] const char* name() const noexcept { return m_name; }
    [[nodiscard]] library from() const noexcept { return m_from; }
    /// Aligned host memory with strides in elements, which may be negative or 0.
    [[nodiscard]] const const_tensor_ref& tensor() const noexcept { return m_tensor; }
    [[nodiscard]] element_type type() const noexcept { return m_tensor.type(); }
    [[nodiscard]] std::size_t rank() const noexcept { return m_tensor.rank(); }
    [[nodiscard]] std::size_t extent(std::size_t axis) const noexcept
    {
        return static_cast<std::size_t>(m_tensor.shape()[axis]);
    }
    /// The number of elements.
    [[nodiscard]] std::size_t size() const noexcept;
    /// "float32 [10, 4]"
    [[nodiscard]] std::string words() const;

    /// TypeError unless the elements are of one of these types. `remedy` is what to do, if not to convert to the first.
    void require_type(std::initializer_list<element_type> types, const char* remedy = nullptr) const
    {
        for (const element_type type : types) {
            if (type == this->type()) {
                return;
            }
        }
        refuse_types(types, remedy);
    }
    /// ValueError unless the shape is this one, where -1 is any extent. `expected` is the shape in words: "[n, 4]".
    void require_shape(std::initializer_list<std::int64_t> extents, const char* expected) const
    {
        bool fits = extents.size() == rank();
        for (std::size_t k = 0; fits && k < extents.size(); ++k) {
            const std::int64_t extent = extents.begin()[k];
            fits = extent < 0 || extent == m_tensor.shape()[k];
        }
        if (!fits) [[unlikely]] {
            refuse_shape(expected);
        }
    }

    /// Puts the elements side by side in row-major order: a copy, unless they are so already. Takes no lock.
    void make_contiguous()
    {
        if (!m_tensor.is_contiguous()) {
            copy_elements();
        }
    }
    /// Writes the elements to `to`, side by side in row-major order. Takes no lock.
    void copy_to(void* to) const;
    /// The elements of an array of `T` after `make_contiguous`.
    template <element T>
    [[nodiscard]] std::span<const T> values() const noexcept
    {
        return {static_cast<const T*>(m_tensor.data()), size()};
    }
    /// Turns integers, bools, and floats that are whole numbers into contiguous int64 (a copy, unless they are so
    /// already). ValueError for fractions, NaN and what is beyond int64.
    void make_int64();

private:
    const char* m_name;
    library m_from = library::numpy;
    const_tensor_ref m_tensor;
    buffer_view m_buffer;      // of a NumPy array
    nanobind::object m_holder; // of another array
    memory m_copy;

    void read_buffer(nanobind::handle given);
    void read_torch(nanobind::handle given);
    void read_dlpack(nanobind::handle given);
    void set(const void* data, element_type type, std::span<const std::int64_t> shape,
             std::span<const std::int64_t> byte_strides);
    void copy_elements();
    [[noreturn]] void refuse_types(std::initializer_list<element_type> types, const char* remedy) const;
    [[noreturn]] void refuse_shape(const char* expected) const;
};

/// A new array, to be returned, and its memory, contiguous, to be written.
struct made_array {
    nanobind::object object;
    void* data;

    template <class T>
    [[nodiscard]] T* as() const noexcept
    {
        return static_cast<T*>(data);
    }
};

/// What new memory holds.
enum class memory_content : unsigned char { anything, zeros };

/// A new array of `library`, in host memory. TypeError if the library has no such type (NumPy has no bfloat16).
[[nodiscard]] made_array make_array(library where, element_type type, std::span<const std::int64_t> shape,
                                    memory_content content = memory_content::anything);
[[nodiscard]] inline made_array make_array(library where, element_type type, std::initializer_list<std::size_t> shape,
                                           memory_content content = memory_content::anything)
{
    std::int64_t extents[const_tensor_ref::max_rank] = {};
    std::size_t rank = 0;
    for (const std::size_t extent : shape) {
        extents[rank++] = static_cast<std::int64_t>(extent);
    }
    return make_array(where, type, std::span<const std::int64_t>(extents, rank), content);
}

/// Does `work` without the interpreter's lock, so that other threads of Python go on, if it is `long_enough`: from
/// about 20 us on. To give up the lock for less would make a thread wait for the others more than it works.
template <class Work>
decltype(auto) without_gil(bool long_enough, const Work& work)
{
    if (!long_enough) {
        return work();
    }
    const nanobind::gil_scoped_release released;
    return work();
}

} // namespace padbatch::python

#endif
