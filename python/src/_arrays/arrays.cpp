// SPDX-License-Identifier: Apache-2.0
#include <_arrays/arrays.hpp>
#include <_arrays/copies.hpp>
#include <_arrays/libraries.hpp>
#include <_arrays/parts.hpp>

#include <nanobind/ndarray.h>

#include <bit>
#include <cstring>
#include <utility>

namespace nb = nanobind;

namespace padbatch::python {

namespace {

constexpr std::size_t most_axes = const_tensor_ref::max_rank;

[[nodiscard]] bool is_instance(nb::handle given, nb::handle type)
{
    return PyObject_TypeCheck(given.ptr(), reinterpret_cast<PyTypeObject*>(type.ptr())) != 0;
}

[[nodiscard]] std::string words_of(const nb::object& of)
{
    return nb::str(nb::handle(of)).c_str();
}

/// Reads a tuple of integers, times `factor`; returns how many.
std::size_t read_integers(std::int64_t* to, nb::handle tuple, std::int64_t factor)
{
    const Py_ssize_t n = PyTuple_Size(tuple.ptr());
    for (Py_ssize_t k = 0; k < n && k < static_cast<Py_ssize_t>(most_axes); ++k) {
        to[k] = PyLong_AsLongLong(PyTuple_GetItem(tuple.ptr(), k)) * factor;
    }
    if (PyErr_Occurred() != nullptr) {
        nb::raise_python_error();
    }
    return static_cast<std::size_t>(n);
}

[[nodiscard]] std::string shape_words(std::span<const std::int64_t> shape)
{
    std::string words = "[";
    for (const std::int64_t extent : shape) {
        words += (words.size() > 1 ? ", " : "") + std::to_string(extent);
    }
    return words + "]";
}

void check_axes(const char* name, std::size_t axes)
{
    if (axes > most_axes) {
        refuse_value(std::string(name) + " has " + std::to_string(axes) + " axes; expected at most " +
                     std::to_string(most_axes) + ": reshape it");
    }
}

/// The type of a format of the buffer protocol; false if it is none of ours.
[[nodiscard]] bool read_format(const char* format, Py_ssize_t bytes, element_type& type)
{
    constexpr element_type signed_types[] = {element_type::int8, element_type::int16, element_type::int32,
                                             element_type::int64};
    constexpr element_type unsigned_types[] = {element_type::uint8, element_type::uint16, element_type::uint32,
                                               element_type::uint64};
    if (format == nullptr) {
        type = element_type::uint8;
        return true;
    }
    if (*format == '@' || *format == '=' || (*format == '<' && std::endian::native == std::endian::little)) {
        ++format;
    }
    if (*format == '\0' || format[1] != '\0') {
        return false;
    }
    const unsigned power = bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : 3;
    switch (*format) {
    case 'f': type = element_type::float32; return bytes == 4;
    case 'd': type = element_type::float64; return bytes == 8;
    case 'e': type = element_type::float16; return bytes == 2;
    case '?': type = element_type::boolean; return bytes == 1;
    case 'b':
    case 'h':
    case 'i':
    case 'l':
    case 'q':
    case 'n': type = signed_types[power]; return true;
    case 'B':
    case 'H':
    case 'I':
    case 'L':
    case 'Q':
    case 'N': type = unsigned_types[power]; return true;
    default: return false;
    }
}

/// The type of a DLPack tensor; false if it is none of ours.
[[nodiscard]] bool read_dlpack_type(nb::dlpack::dtype from, element_type& type)
{
    if (from.lanes != 1) {
        return false;
    }
    if (from == nb::dlpack::dtype{static_cast<std::uint8_t>(nb::dlpack::dtype_code::Bfloat), 16, 1}) {
        type = element_type::bfloat16;
        return true;
    }
    const char* const format = from.code == static_cast<std::uint8_t>(nb::dlpack::dtype_code::Int)     ? "q"
                               : from.code == static_cast<std::uint8_t>(nb::dlpack::dtype_code::UInt)  ? "Q"
                               : from.code == static_cast<std::uint8_t>(nb::dlpack::dtype_code::Bool)  ? "?"
                               : from.code != static_cast<std::uint8_t>(nb::dlpack::dtype_code::Float) ? ""
                               : from.bits == 16                                                       ? "e"
                               : from.bits == 32                                                       ? "f"
                                                                                                       : "d";
    return from.bits % 8 == 0 && from.bits <= 64 && read_format(format, from.bits / 8, type);
}

} // namespace

void refuse_type(const std::string& why)
{
    throw nb::type_error(why.c_str());
}
void refuse_value(const std::string& why)
{
    throw nb::value_error(why.c_str());
}
void require(const status& outcome)
{
    if (!outcome.ok()) {
        throw error(outcome);
    }
}

array::array(nb::handle given, const char* name) : m_name(name)
{
    if (is_instance(given, numpy_parts::get().ndarray)) {
        read_buffer(given);
    } else if (const torch_parts* torch = torch_parts::get(); torch != nullptr && is_instance(given, torch->tensor)) {
        read_torch(given);
    } else {
        read_dlpack(given);
    }
}

std::size_t array::size() const noexcept
{
    std::size_t size = 1;
    for (const std::int64_t extent : m_tensor.shape()) {
        size *= static_cast<std::size_t>(extent);
    }
    return size;
}

std::string array::words() const
{
    return name_of(type()) + (" " + shape_words(m_tensor.shape()));
}

void array::read_buffer(nb::handle given)
{
    if (given.type().ptr() != numpy_parts::get().ndarray.ptr() && is_masked(given)) {
        refuse_type(m_name + std::string(" is a masked array; expected all elements to count: pick them first, or fill "
                                         "them"));
    }
    element_type type{};
    Py_buffer& view = m_buffer.view;
    const bool has_buffer = PyObject_GetBuffer(given.ptr(), &view, PyBUF_RECORDS_RO) == 0;
    if (!has_buffer || !read_format(view.format, view.itemsize, type)) {
        PyErr_Clear();
        refuse_type(m_name + (" has elements of type " + words_of(given.attr("dtype").attr("str"))) +
                    "; expected numbers or bools in the machine's byte order: convert them with astype");
    }
    const auto axes = static_cast<std::size_t>(view.ndim);
    check_axes(m_name, axes);
    std::int64_t shape[most_axes] = {};
    std::int64_t strides[most_axes] = {};
    for (std::size_t k = 0; k < axes; ++k) {
        shape[k] = view.shape[k];
        strides[k] = view.strides[k];
    }
    set(view.buf, type, {shape, axes}, {strides, axes});
}

void array::read_torch(nb::handle given)
{
    const torch_parts& torch = *torch_parts::get();
    m_from = library::torch;
    m_holder = nb::borrow(given);
    if (get(given, torch.is_cpu).ptr() != Py_True) {
        refuse_value(m_name + (" is on the device " + words_of(given.attr("device"))) +
                     "; expected host memory: call .cpu()");
    }
    if (!get(given, torch.layout).is(torch.strided)) {
        refuse_type(m_name + (" has the layout " + words_of(given.attr("layout"))) +
                    "; expected torch.strided: call .to_dense()");
    }
    if (call(given, torch.is_neg).ptr() == Py_True) { // a view whose numbers are meant with the other sign
        m_holder = call(given, torch.resolve_neg);
    }
    const nb::object dtype = get(m_holder, torch.dtype);
    std::size_t known = 0;
    while (known < type_count && !(torch.types[known].is_valid() && dtype.is(torch.types[known]))) {
        ++known;
    }
    if (known == type_count) {
        refuse_type(m_name + (" has elements of type " + words_of(dtype)) +
                    "; expected real numbers or bools: convert them with .to(...)");
    }
    const auto type = static_cast<element_type>(known);
    std::int64_t shape[most_axes] = {};
    std::int64_t strides[most_axes] = {};
    const std::size_t axes = read_integers(shape, get(m_holder, torch.shape), 1);
    check_axes(m_name, axes);
    read_integers(strides, call(m_holder, torch.stride), static_cast<std::int64_t>(size_of(type)));
    const void* const data = PyLong_AsVoidPtr(call(m_holder, torch.data_ptr).ptr());
    if (PyErr_Occurred() != nullptr) {
        nb::raise_python_error();
    }
    set(data, type, {shape, axes}, {strides, axes});
    if (data == nullptr && size() != 0) {
        refuse_type(m_name + (" is a tensor without memory, " + words()) +
                    "; expected one with numbers in host memory");
    }
}

void array::read_dlpack(nb::handle given)
{
    nb::ndarray<nb::ro> found;
    if (!nb::try_cast(given, found, false)) {
        refuse_type(m_name + (" is of type " + std::string(nb::type_name(given.type()).c_str())) +
                    "; expected a NumPy array or a tensor in host memory: make one with numpy.asarray");
    }
    if (found.device_type() != nb::device::cpu::value && found.device_type() != nb::device::cuda_host::value &&
        found.device_type() != nb::device::rocm_host::value) {
        refuse_value(m_name + (" is in the memory of a device, number " + std::to_string(found.device_type())) +
                     " of DLPack; expected host memory: copy it there first");
    }
    element_type type{};
    if (!read_dlpack_type(found.dtype(), type)) {
        refuse_type(m_name + std::string(" has elements that are neither real numbers of up to 64 bits nor bools; "
                                         "expected these: convert them first"));
    }
    const std::size_t axes = found.ndim();
    check_axes(m_name, axes);
    std::int64_t shape[most_axes] = {};
    std::int64_t strides[most_axes] = {};
    for (std::size_t k = 0; k < axes; ++k) {
        shape[k] = static_cast<std::int64_t>(found.shape(k));
        strides[k] = found.stride(k) * static_cast<std::int64_t>(size_of(type));
    }
    set(found.data(), type, {shape, axes}, {strides, axes});
    // The memory is `given`'s; nanobind's reference to it ends where the interpreter's lock is held.
    m_holder = nb::capsule(new nb::ndarray<nb::ro>(std::move(found)),
                           [](void* held) noexcept { delete static_cast<nb::ndarray<nb::ro>*>(held); });
}

void array::set(const void* data, element_type type, std::span<const std::int64_t> shape,
                std::span<const std::int64_t> byte_strides)
{
    const std::size_t bytes = size_of(type);
    bool regular = reinterpret_cast<std::uintptr_t>(data) % bytes == 0;
    std::int64_t strides[most_axes] = {};
    for (std::size_t k = 0; k < shape.size(); ++k) {
        strides[k] = byte_strides[k] / static_cast<std::int64_t>(bytes);
        regular = regular && strides[k] * static_cast<std::int64_t>(bytes) == byte_strides[k];
    }
    if (!regular) {
        m_tensor = const_tensor_ref(nullptr, type, shape);
        m_copy = allocate(size(), bytes);
        copy_all(m_copy.data(), data, bytes, shape, byte_strides);
        m_tensor = const_tensor_ref(m_copy.data(), type, shape);
        return;
    }
    m_tensor = const_tensor_ref(data, type, shape, std::span<const std::int64_t>(strides, shape.size()));
}

void array::copy_to(void* to) const
{
    const std::size_t bytes = size_of(type());
    if (m_tensor.is_contiguous()) {
        if (size() != 0) {
            std::memcpy(to, m_tensor.data(), size() * bytes);
        }
        return;
    }
    std::int64_t strides[most_axes] = {};
    for (std::size_t k = 0; k < rank(); ++k) {
        strides[k] = m_tensor.strides()[k] * static_cast<std::int64_t>(bytes);
    }
    copy_all(to, m_tensor.data(), bytes, m_tensor.shape(), {strides, rank()});
}

void array::copy_elements()
{
    memory copy = allocate(size(), size_of(type()));
    copy_to(copy.data());
    m_tensor = const_tensor_ref(copy.data(), type(), m_tensor.shape());
    m_copy = std::move(copy);
}

void array::make_int64()
{
    make_contiguous();
    if (type() == element_type::int64) {
        return;
    }
    memory whole = allocate(size(), sizeof(std::int64_t));
    auto* const to = static_cast<std::int64_t*>(whole.data());
    switch (type()) {
    case element_type::int8: convert_whole(to, values<std::int8_t>(), m_name); break;
    case element_type::int16: convert_whole(to, values<std::int16_t>(), m_name); break;
    case element_type::int32: convert_whole(to, values<std::int32_t>(), m_name); break;
    case element_type::boolean:
    case element_type::uint8: convert_whole(to, values<std::uint8_t>(), m_name); break;
    case element_type::uint16: convert_whole(to, values<std::uint16_t>(), m_name); break;
    case element_type::uint32: convert_whole(to, values<std::uint32_t>(), m_name); break;
    case element_type::uint64: convert_whole(to, values<std::uint64_t>(), m_name); break;
    case element_type::float32: convert_whole(to, values<float>(), m_name); break;
    case element_type::float64: convert_whole(to, values<double>(), m_name); break;
    default: refuse_types({element_type::int64, element_type::int32}, nullptr);
    }
    m_copy = std::move(whole);
    m_tensor = const_tensor_ref(m_copy.data(), element_type::int64, m_tensor.shape());
}

void array::refuse_types(std::initializer_list<element_type> types, const char* remedy) const
{
    std::string expected;
    for (const element_type type : types) {
        expected += (expected.empty() ? "" : " or ") + std::string(name_of(type));
    }
    const char* const first = name_of(*types.begin());
    const std::string convert = m_from == library::torch ? std::string(".to(torch.") + first + ")"
                                                         : std::string(".astype(numpy.") + first + ")";
    refuse_type(m_name + (" is " + words()) + "; expected " + expected + ": " +
                (remedy != nullptr ? remedy : "convert it with " + convert));
}

void array::refuse_shape(const char* expected) const
{
    refuse_value(m_name + (" has the shape " + shape_words(m_tensor.shape())) + "; expected " + expected);
}

void add_arrays(nb::module_&)
{
    nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
        try {
            std::rethrow_exception(thrown);
        } catch (const error& why) {
            PyObject* const type = why.code() == status_code::out_of_memory ? PyExc_MemoryError
                                   : why.code() == status_code::wrong_type  ? PyExc_TypeError
                                                                            : PyExc_ValueError;
            PyErr_SetString(type, why.what());
        }
    });
}

} // namespace padbatch::python
