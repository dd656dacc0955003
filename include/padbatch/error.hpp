#ifndef PADBATCH_ERROR_HPP
#define PADBATCH_ERROR_HPP

#include <stdexcept>
#include <string>

namespace padbatch {

/// What kind of mistake an `error` reports.
enum class errc {
    /// A size, such as B * M * row size, does not fit the type that has to hold it.
    size_overflow = 1,
};

/// The only exception that padbatch's headers throw. `what()` names the numbers that were wrong.
class error : public std::runtime_error {
public:
    error(errc code, const std::string& what) : std::runtime_error(what), m_code(code) {}

    [[nodiscard]] errc code() const noexcept { return m_code; }

private:
    errc m_code;
};

} // namespace padbatch

#endif
