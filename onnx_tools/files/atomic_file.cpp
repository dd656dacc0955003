// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/files/atomic_file.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/files/file_status.hpp>
#include <onnx_tools/model/wording.hpp>

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace padbatch::onnx_tools {

namespace fs = std::filesystem;

file_descriptor::~file_descriptor()
{
    if (m_fd >= 0) {
        ::close(m_fd);
    }
}

bool file_descriptor::close()
{
    return ::close(std::exchange(m_fd, -1)) == 0;
}

std::string temporary_name(int attempt)
{
    return ".padbatch-" + std::to_string(::getpid()) + "-" + std::to_string(attempt) + ".tmp";
}

int make_temporary(const fs::path& folder, fs::path& made, const std::function<int(const fs::path&)>& make)
{
    constexpr int most = 1'000'000; // a file system that always reports EEXIST must not keep the command for ever
    int error = EEXIST;
    for (int attempt = 0; error == EEXIST && attempt < most; ++attempt) {
        made = folder / temporary_name(attempt);
        error = make(made);
    }
    return error;
}

void exists_already(const std::string& path, const std::string& expected, const std::string& remedy)
{
    throw tool_error(failure::io, {quoted(path) + " already exists", expected, remedy});
}

void cannot_write(const std::string& path, int error)
{
    throw tool_error(failure::io,
                     {"cannot write " + quoted(path) + ": " + reason(error),
                      error == ENAMETOOLONG ? "a name that the file system takes" : "a folder with room for the file",
                      remedy_of(error)});
}

int write_new_file(const fs::path& path, const std::string& content)
{
    // The kernel applies the umask to these permissions.
    file_descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (file.get() < 0) {
        return errno;
    }
    std::size_t written = 0;
    while (written < content.size()) {
        const auto size = ::write(file.get(), content.data() + written, content.size() - written);
        if (size < 0 && errno != EINTR) {
            return errno;
        }
        written += size < 0 ? 0 : static_cast<std::size_t>(size);
    }
    return ::fsync(file.get()) == 0 && file.close() ? 0 : errno;
}

int flush_folder(const fs::path& folder)
{
    const file_descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // Some file systems cannot flush a folder, and report EINVAL.
    return opened.get() >= 0 && (::fsync(opened.get()) == 0 || errno == EINVAL) ? 0 : errno;
}

} // namespace padbatch::onnx_tools
