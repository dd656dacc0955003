// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_LIMITED_FILE_SYSTEM_HPP
#define PADBATCH_TESTS_SUPPORT_LIMITED_FILE_SYSTEM_HPP

#include <functional>
#include <string>

namespace padbatch::test {

/// Makes the file system look to this program as if it could not do some things. model_io_save_test.cpp has the
/// functions that consult it.
struct limited_file_system {
    bool limited = false;
    bool hard_links = true;
    std::function<void()> before_rename; ///< what another program does
    std::string not_followed = {};       ///< a link that the system does not follow, as in a folder that others own
};
inline limited_file_system file_system; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

} // namespace padbatch::test

#endif
