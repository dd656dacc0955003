// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_ONNX_TOOLS_FILES_FILE_STATUS_HPP
#define PADBATCH_ONNX_TOOLS_FILES_FILE_STATUS_HPP

#include <filesystem>
#include <optional>
#include <string>

#include <sys/stat.h>

namespace padbatch::onnx_tools {

/// The system's text for an `errno`.
[[nodiscard]] std::string reason(int error);

/// What to do about an error of a file that is to be looked at or written.
[[nodiscard]] std::string remedy_of(int error);

/// What is at `path`, or nothing if there is no such file or folder. Only the system's saying so (ENOENT, or ENOTDIR
/// where a part of the path is a file) means that: a path that may not be looked at, for one, says nothing about what
/// is there. `status_at` follows links; `link_status_at` tells of a link itself.
///
/// Throw `tool_error` with `failure::io` on any other error.
[[nodiscard]] std::optional<struct stat> status_at(const std::filesystem::path& path);
[[nodiscard]] std::optional<struct stat> link_status_at(const std::filesystem::path& path);

[[nodiscard]] bool is_folder(const std::optional<struct stat>& status);
[[nodiscard]] bool is_file(const std::optional<struct stat>& status);

/// Whether both are one file, under whatever names. False where either is not there.
[[nodiscard]] bool is_same_file(const std::optional<struct stat>& a, const std::optional<struct stat>& b);

/// The folder that a file is in, going by its path.
[[nodiscard]] std::filesystem::path folder_of(const std::filesystem::path& file);

/// Where a file called `path` is or would be: links are followed, even one whose target does not exist yet.
///
/// Throws `tool_error` with `failure::io`: where the links lead in a circle, and as `link_status_at`.
[[nodiscard]] std::filesystem::path target_of(const std::filesystem::path& path);

/// Whether files called `a` and `b` are or would be one.
///
/// Throws as `target_of`.
[[nodiscard]] bool is_same_place(const std::filesystem::path& a, const std::filesystem::path& b);

} // namespace padbatch::onnx_tools

#endif
