// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_RUN_AS_NOBODY_HPP
#define PADBATCH_TESTS_SUPPORT_RUN_AS_NOBODY_HPP

#include <stdexcept>

#include <sys/wait.h>
#include <unistd.h>

namespace padbatch::test {

/// Runs `action` in a process of its own, with the rights of an ordinary user: root may look at and write anything.
/// True if it returned true.
template <typename Action>
bool run_as_nobody(const Action& action)
{
    constexpr uid_t nobody = 65534;
    const auto child = ::fork();
    if (child == 0) {
        bool done = false;
        try {
            done = (::geteuid() != 0 || ::seteuid(nobody) == 0) && action();
        } catch (...) { // NOLINT(bugprone-empty-catch): the exit code tells
        }
        ::_exit(done ? 0 : 1);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child) {
        throw std::runtime_error("cannot run a process");
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace padbatch::test

#endif
