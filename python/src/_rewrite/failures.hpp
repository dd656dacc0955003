// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_PYTHON_REWRITE_FAILURES_HPP
#define PADBATCH_PYTHON_REWRITE_FAILURES_HPP

#include <onnx_tools/error.hpp>

#include <nanobind/nanobind.h>

#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

namespace padbatch::python {

/// `text` as a str. What is not UTF-8 in it is replaced.
[[nodiscard]] nanobind::object text(std::string_view text);

/// The `padbatch.Error` for a failure of the rewrite, whose options are then spelled as keywords.
[[nodiscard]] nanobind::object error_for(const onnx_tools::tool_error& failure);

/// Raises it.
[[noreturn]] void raise(const onnx_tools::tool_error& failure);

/// Calls `work`, and raises Python's exceptions for what it throws.
template <class Work>
auto or_raise(const Work& work) -> decltype(work())
{
    try {
        return work();
    } catch (const onnx_tools::tool_error& e) {
        raise(e);
    } catch (const nanobind::python_error&) {
        throw;
    } catch (const nanobind::builtin_exception&) {
        throw;
    } catch (const std::bad_alloc&) {
        throw;                           // a MemoryError
    } catch (const std::length_error&) { // a text that would be longer than memory
        throw std::bad_alloc();
    } catch (const std::exception& e) {
        raise({onnx_tools::failure::internal,
               {std::string("internal error: ") + e.what(), "no internal error, whatever the model",
                "please report this bug, with the model"}});
    }
}

} // namespace padbatch::python

#endif
