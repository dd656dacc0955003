// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_FILES_ATOMIC_FILE_HPP
#define PADBATCH_ONNX_TOOLS_FILES_ATOMIC_FILE_HPP

#include <filesystem>
#include <functional>
#include <string>

namespace padbatch::onnx_tools {

/// An open file, or none (-1). The destructor closes it.
class file_descriptor {
public:
    explicit file_descriptor(int fd) : m_fd(fd) {}
    file_descriptor(const file_descriptor&) = delete;
    file_descriptor& operator=(const file_descriptor&) = delete;
    ~file_descriptor();

    [[nodiscard]] int get() const { return m_fd; }
    /// Some file systems report a failed write only here.
    [[nodiscard]] bool close();

private:
    int m_fd;
};

/// The name that attempt number `attempt` gives a temporary file or folder. Programs that run at the same time use
/// different names, unless they are in different containers.
[[nodiscard]] std::string temporary_name(int attempt);

/// Makes a temporary file or folder in `folder` under the first of these names that is free, however many are taken by
/// what earlier programs left behind. `make` makes it at the path that it is given, only if nothing is there, and
/// returns 0 or the error; it is called again on EEXIST. `made` becomes the path. Returns 0, or the error.
[[nodiscard]] int make_temporary(const std::filesystem::path& folder, std::filesystem::path& made,
                                 const std::function<int(const std::filesystem::path&)>& make);

/// Both throw `tool_error` with `failure::io`. `expected` says which name would do, `remedy` what to do.
[[noreturn]] void exists_already(const std::string& path, const std::string& expected, const std::string& remedy);
[[noreturn]] void cannot_write(const std::string& path, int error);

/// Makes a file with this content, and flushes it to the disk. The file must not exist yet. Returns 0, or the error.
[[nodiscard]] int write_new_file(const std::filesystem::path& path, const std::string& content);

/// Flushes the list of a folder's files to the disk. Returns 0, or the error.
[[nodiscard]] int flush_folder(const std::filesystem::path& folder);

} // namespace padbatch::onnx_tools

#endif
