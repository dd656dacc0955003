// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/files/file_status.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/model/wording.hpp>

#include <cerrno>
#include <cstring>

namespace padbatch::onnx_tools {
namespace {

namespace fs = std::filesystem;

using status_function = int(const char*, struct stat*);

std::optional<struct stat> look(const fs::path& path, status_function* function)
{
    struct stat status = {};
    if (function(path.c_str(), &status) == 0) {
        return status;
    }
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR) {
        return std::nullopt;
    }
    throw tool_error(failure::io, {"cannot look at " + quoted(path.string()) + ": " + reason(error),
                                   "a path to look at, whether or not a file is there", remedy_of(error)});
}

} // namespace

std::string reason(int error)
{
    return std::strerror(error); // NOLINT(concurrency-mt-unsafe): the command has one thread
}

std::string remedy_of(int error)
{
    switch (error) {
    case EFBIG: return "raise the file size limit: ulimit -f";
    case ENOSPC:
    case EDQUOT: return "free some space, or write to another disk";
    case ENAMETOOLONG: return "give a shorter name: most file systems take at most 255 bytes";
    case ENOENT: return "check whether the folder still exists";
    case EROFS: return "write to another disk, or have this one mounted for writing";
    case ELOOP: return "correct the symbolic links in the path";
    default: return "check the folder, those that it is in, and their permissions";
    }
}

std::optional<struct stat> status_at(const fs::path& path)
{
    return look(path, ::stat);
}

std::optional<struct stat> link_status_at(const fs::path& path)
{
    return look(path, ::lstat);
}

bool is_folder(const std::optional<struct stat>& status)
{
    return status && S_ISDIR(status->st_mode);
}

bool is_file(const std::optional<struct stat>& status)
{
    return status && S_ISREG(status->st_mode);
}

bool is_same_file(const std::optional<struct stat>& a, const std::optional<struct stat>& b)
{
    return a && b && a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

fs::path folder_of(const fs::path& file)
{
    return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

fs::path target_of(const fs::path& path)
{
    fs::path target = path;
    for (int links = 0;; ++links) {
        const auto status = link_status_at(target);
        if (!status || !S_ISLNK(status->st_mode)) {
            return target;
        }
        std::error_code error;
        const fs::path next = fs::read_symlink(target, error);
        if (error || links == 40) {
            throw tool_error(failure::io, {quoted(path.string()) + " is a symbolic link that " +
                                               (error ? "cannot be read: " + error.message() : "leads back to itself"),
                                           "a file name to write to", "correct the link, or give another name"});
        }
        target = next.is_absolute() ? next : target.parent_path() / next;
    }
}

bool is_same_place(const fs::path& a, const fs::path& b)
{
    const auto at_a = status_at(a);
    const auto at_b = status_at(b);
    if (at_a || at_b) {
        return is_same_file(at_a, at_b);
    }
    const auto target_a = target_of(a);
    const auto target_b = target_of(b);
    return target_a.filename() == target_b.filename() &&
           is_same_file(status_at(folder_of(target_a)), status_at(folder_of(target_b)));
}

} // namespace padbatch::onnx_tools
