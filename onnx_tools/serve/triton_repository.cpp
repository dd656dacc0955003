// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/serve/triton_repository.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/files/atomic_file.hpp>
#include <onnx_tools/files/file_status.hpp>
#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/model/wording.hpp>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace padbatch::onnx_tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* config_file = "config.pbtxt";
constexpr const char* version_folder = "1";
constexpr const char* model_file = "model.onnx";

// Whether anything is at a path itself: a symbolic link is not followed.
bool exists_at(const fs::path& path)
{
    return link_status_at(path).has_value();
}

[[noreturn]] void model_exists(const fs::path& folder)
{
    exists_already(folder.string(), "a name that no model has",
                   "give another `model_name`, or `force` to replace the model");
}

[[noreturn]] void not_ours(const fs::path& path, const std::string& what)
{
    throw tool_error(failure::io, {quoted(path.string()) + " " + what,
                                   "a model's folder with config.pbtxt, 1/model.onnx and nothing else",
                                   "move it away, or give another `model_name`"});
}

// What a folder may hold: a name, and whether it is a file or a folder, and no link to one.
using known_entry = std::pair<const char*, bool (*)(const std::optional<struct stat>&)>;

void require_only(const fs::path& folder, const std::vector<known_entry>& known)
{
    if (!is_folder(link_status_at(folder))) {
        not_ours(folder, "is not a folder");
    }
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; entry != end && !error; entry.increment(error)) {
        const auto name = entry->path().filename().string();
        bool expected = false;
        for (const auto& [known_name, is_of_type] : known) {
            expected = expected || (name == known_name && is_of_type(link_status_at(entry->path())));
        }
        if (!expected) {
            not_ours(entry->path(), "is in the way: models written here have no such file");
        }
    }
    if (error) {
        cannot_write(folder.string(), error.value());
    }
}

// Refuses a folder that holds anything but what may be deleted later.
void require_replaceable(const fs::path& folder)
{
    require_only(folder, {{config_file, is_file}, {version_folder, is_folder}});
    if (exists_at(folder / version_folder)) {
        require_only(folder / version_folder, {{model_file, is_file}});
    }
}

// Removes the files that `require_replaceable` allows, and then folders only if they are empty.
void remove_model(const fs::path& folder)
{
    ::unlink((folder / version_folder / model_file).c_str());
    ::rmdir((folder / version_folder).c_str());
    ::unlink((folder / config_file).c_str());
    ::rmdir(folder.c_str());
}

void require_repository(const std::string& path)
{
    if (is_folder(status_at(path))) {
        return;
    }
    // The name without a trailing '/'.
    const fs::path name = fs::path(path).has_filename() ? fs::path(path) : fs::path(path).parent_path();
    if (name.empty() || exists_at(name)) {
        throw tool_error(failure::io, {quoted(path) + " is not a folder", "the folder of a model repository",
                                       "name a folder that exists, or one to make"});
    }
    if (!is_folder(status_at(folder_of(name)))) {
        throw tool_error(failure::io, {"there is no folder " + quoted(folder_of(name).string()) + " to make " +
                                           quoted(name.string()) + " in",
                                       "a folder that exists", "make the folder, or name another one"});
    }
}

// The folder of the repository, made if it does not exist, and then removed unless it is kept.
class repository_folder {
public:
    explicit repository_folder(const std::string& path)
    {
        require_repository(path);
        m_made = ::mkdir(path.c_str(), 0777) == 0; // the kernel applies the umask
        if (!m_made && errno != EEXIST) {
            cannot_write(path, errno);
        }
        // Fails for a folder that was deleted and is still the current one.
        std::error_code error;
        m_path = fs::canonical(path, error);
        if (error) {
            if (m_made) {
                ::rmdir(path.c_str());
            }
            cannot_write(path, error.value());
        }
    }
    repository_folder(const repository_folder&) = delete;
    repository_folder& operator=(const repository_folder&) = delete;
    ~repository_folder()
    {
        if (m_made) {
            ::rmdir(m_path.c_str());
        }
    }

    [[nodiscard]] const fs::path& path() const { return m_path; }
    void keep() { m_made = false; }

private:
    fs::path m_path;
    bool m_made = false;
};

// Whether a file can be moved from one of these folders to the other.
bool on_one_mount(const fs::path& a, const fs::path& b)
{
    struct statx first = {};
    struct statx second = {};
    return ::statx(AT_FDCWD, a.c_str(), 0, STATX_MNT_ID, &first) == 0 &&
           ::statx(AT_FDCWD, b.c_str(), 0, STATX_MNT_ID, &second) == 0 && first.stx_mnt_id == second.stx_mnt_id &&
           first.stx_dev_major == second.stx_dev_major && first.stx_dev_minor == second.stx_dev_minor;
}

// Where a model's folder is made before it is moved to its place in the repository.
fs::path place_for_temporary(const fs::path& repository)
{
    const auto beside = repository.parent_path();
    return on_one_mount(beside, repository) && ::faccessat(AT_FDCWD, beside.c_str(), W_OK | X_OK, AT_EACCESS) == 0
               ? beside
               : repository;
}

int make_folder(const fs::path& path)
{
    return ::mkdir(path.c_str(), 0777) == 0 ? 0 : errno; // the kernel applies the umask
}

// A folder for a model that is not complete yet. The destructor removes it with everything in it.
class staging {
public:
    explicit staging(const fs::path& repository)
        : m_error(make_temporary(place_for_temporary(repository), m_path, make_folder))
    {
    }
    staging(const staging&) = delete;
    staging& operator=(const staging&) = delete;
    ~staging()
    {
        if (m_error != 0) {
            return;
        }
        remove_model(model());
        ::rmdir(m_path.c_str());
    }

    [[nodiscard]] int error() const { return m_error; }
    // One level below, so that a server that takes the folder itself for a model finds no version in it.
    [[nodiscard]] fs::path model() const { return m_path / "model"; }
    [[nodiscard]] fs::path replaced() const { return m_path / "replaced"; }

    // Moves the model's folder to its place. Returns 0, or the error.
    [[nodiscard]] int move_to(const fs::path& place, bool overwrite) const
    {
        const bool replace = overwrite && exists_at(place);
        const unsigned how = replace ? RENAME_EXCHANGE : RENAME_NOREPLACE;
        if (::renameat2(AT_FDCWD, model().c_str(), AT_FDCWD, place.c_str(), how) == 0) {
            return 0;
        }
        if (errno != EINVAL && errno != ENOSYS) { // these mean that the file system cannot do it
            return errno;
        }
        if (!replace) {
            return exists_at(place) ? EEXIST : rename(model(), place);
        }
        if (const int error = rename(place, replaced()); error != 0) {
            return error;
        }
        const int error = rename(model(), place);
        if (error == 0) {
            remove_model(replaced());
        } else if (rename(replaced(), place) != 0) {
            return errno; // the old model stays where it is
        }
        return error;
    }

private:
    static int rename(const fs::path& from, const fs::path& to)
    {
        return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
    }

    fs::path m_path;
    int m_error;
};

// Makes the model's folder with everything in it. Returns 0, or the error.
int write_model_folder(const fs::path& folder, const onnx::ModelProto& model, const std::string& config)
{
    const auto version = folder / version_folder;
    int error = make_folder(folder);
    error = error == 0 ? make_folder(version) : error;
    error = error == 0 ? write_new_model(version / model_file, model) : error;
    error = error == 0 ? write_new_file(folder / config_file, config) : error;
    for (const auto& each : {version, folder}) {
        error = error == 0 ? flush_folder(each) : error;
    }
    return error;
}

// Requires a place in the repository that may be taken.
void require_place(const fs::path& folder, bool overwrite, const std::string& loaded_from,
                   const std::vector<std::string>& external_files)
{
    if (!exists_at(folder)) {
        return;
    }
    if (!overwrite) {
        model_exists(folder);
    }
    require_replaceable(folder);
    for (const auto& file : {folder / config_file, folder / version_folder / model_file}) {
        if (exists_at(file)) {
            require_no_source(file, loaded_from, external_files);
        }
    }
}

} // namespace

void require_savable(const triton_options& options, const std::string& loaded_from,
                     const std::vector<std::string>& external_files)
{
    require_sensible(options);
    require_repository(options.repository);
    require_place(fs::path(options.repository) / options.model_name, options.overwrite, loaded_from, external_files);
}

void save_triton_repository(const onnx::ModelProto& model, const triton_options& options,
                            const std::string& loaded_from, const std::vector<std::string>& external_files)
{
    const auto config = triton_config(model, options);
    if (const auto data = external_data(model); !data.empty()) {
        throw tool_error(failure::refused,
                         {"the model keeps weights in " + quoted(data.front()) + ", beside its own file",
                          "a self-contained model",
                          "save it with its weights inside: onnx.save(onnx.load(IN), OUT) in Python"});
    }
    require_writable(model);
    repository_folder repository(options.repository);
    const auto place = repository.path() / options.model_name;
    require_place(place, options.overwrite, loaded_from, external_files);

    const staging temporary(repository.path());
    int error = temporary.error();
    error = error == 0 ? write_model_folder(temporary.model(), model, config) : error;
    error = error == 0 ? temporary.move_to(place, options.overwrite) : error;
    if (error == EEXIST) {
        model_exists(place);
    }
    if (error != 0) {
        cannot_write(place.string(), error);
    }
    repository.keep();
    (void)flush_folder(repository.path()); // the model is there; its name may reach the disk later
}

} // namespace padbatch::onnx_tools
