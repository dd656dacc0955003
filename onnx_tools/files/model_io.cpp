// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/files/model_io.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/files/atomic_file.hpp>
#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/wording.hpp>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <filesystem>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace padbatch::onnx_tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* expected_model = "an ONNX model, as torch.onnx.export writes it";

tool_error not_onnx(const std::string& path, const std::string& what, const std::string& remedy)
{
    return {failure::not_onnx, {quoted(path) + " " + what, expected_model, remedy}};
}

// What a file that is not a model is, going by its first bytes: the kinds of file that people take for one.
tool_error unreadable_model(const std::string& path, std::string_view head)
{
    const auto begins = [&](std::string_view text) { return head.substr(0, text.size()) == text; };
    if (begins("version https://git-lfs")) {
        return not_onnx(path, "is a Git LFS pointer, not the file itself", "fetch the file: git lfs pull");
    }
    if (begins("PK\x03\x04")) {
        return not_onnx(path, "is a zip archive, such as a PyTorch checkpoint or TorchScript file",
                        "export the model with torch.onnx.export");
    }
    if (begins("\x80\x02")) {
        return not_onnx(path, "is a pickle, such as a PyTorch checkpoint", "export the model with torch.onnx.export");
    }
    const bool text = std::all_of(head.begin(), head.end(),
                                  [](unsigned char c) { return c >= ' ' || c == '\n' || c == '\r' || c == '\t'; });
    if (text && (begins("<") || begins("{"))) {
        return not_onnx(path, "is text, such as an error page that was downloaded instead of a model",
                        "look at the file, and fetch or export the model again");
    }
    if (begins("\x08")) { // the ir_version that every exporter writes first
        return not_onnx(path, "begins like an ONNX model but is damaged or incomplete",
                        "copy or export the file again; the transfer may have been cut off");
    }
    return not_onnx(path, "is not an ONNX model: it is not a protobuf message",
                    "pass the .onnx file that torch.onnx.export wrote");
}

[[noreturn]] void cannot_read(const std::string& path, int error)
{
    throw tool_error(failure::io, {"cannot read " + quoted(path) + ": " + reason(error), expected_model,
                                   error == ENOENT   ? "check the name"
                                   : error == EACCES ? "check the file's permissions"
                                                     : "check the disk, or copy the file again"});
}

// The first bytes of a file, at most 64.
std::string read_head(int fd, const std::string& path)
{
    std::string head(64, '\0');
    std::size_t size = 0;
    while (size < head.size()) {
        const auto got = ::read(fd, head.data() + size, head.size() - size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            cannot_read(path, errno);
        }
        if (got == 0) {
            break;
        }
        size += static_cast<std::size_t>(got);
    }
    head.resize(size);
    return head;
}

std::optional<std::string> external_location(const onnx::TensorProto& tensor)
{
    if (tensor.data_location() != onnx::TensorProto::EXTERNAL) {
        return std::nullopt;
    }
    for (const auto& entry : tensor.external_data()) {
        if (entry.key() == "location") {
            return entry.value();
        }
    }
    return "(no location)";
}

std::optional<std::string> external_location(const onnx::SparseTensorProto& tensor)
{
    auto found = external_location(tensor.values());
    return found ? found : external_location(tensor.indices());
}

std::optional<std::string> external_data(const onnx::GraphProto& graph);

std::optional<std::string> external_data(const onnx::NodeProto& node)
{
    std::optional<std::string> found;
    for (const auto& attribute : node.attribute()) {
        if (attribute.has_t() && !found) {
            found = external_location(attribute.t());
        }
        for (const auto& tensor : attribute.tensors()) {
            found = found ? found : external_location(tensor);
        }
        if (attribute.has_sparse_tensor() && !found) {
            found = external_location(attribute.sparse_tensor());
        }
        for (const auto& tensor : attribute.sparse_tensors()) {
            found = found ? found : external_location(tensor);
        }
    }
    for_each_subgraph(node, [&](const onnx::GraphProto& sub) { found = found ? found : external_data(sub); });
    return found;
}

std::optional<std::string> external_data(const onnx::GraphProto& graph)
{
    for (const auto& tensor : graph.initializer()) {
        if (auto location = external_location(tensor)) {
            return location;
        }
    }
    for (const auto& tensor : graph.sparse_initializer()) {
        if (auto location = external_location(tensor)) {
            return location;
        }
    }
    for (const auto& node : graph.node()) {
        if (auto location = external_data(node)) {
            return location;
        }
    }
    return std::nullopt;
}

// Where a file called `path` is or would be: links are followed, even one whose target does not exist yet.
fs::path target_of(const std::string& path)
{
    fs::path target = path;
    std::error_code none;
    for (int links = 0; fs::is_symlink(target, none); ++links) {
        if (links == 40) {
            throw tool_error(failure::io, {quoted(path) + " is a symbolic link that leads back to itself",
                                           "a file name to write to", "correct the link, or give another name"});
        }
        const fs::path next = fs::read_symlink(target, none);
        target = next.is_absolute() ? next : target.parent_path() / next;
    }
    return target;
}

bool same_file(const struct stat& a, const struct stat& b)
{
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

[[noreturn]] void file_exists(const std::string& path)
{
    exists_already(path, "a name that no file has", "give another name, or `force` to replace the file");
}

// A new file in `folder` under an unused name. It is removed unless it was given its final name.
class temporary_file {
public:
    explicit temporary_file(const fs::path& folder)
    {
        for (int attempt = 0;; ++attempt) {
            m_path = (folder / temporary_name(attempt)).string();
            // The kernel applies the umask to these permissions.
            m_fd = ::open(m_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
            if (m_fd >= 0 || errno != EEXIST || attempt == 1000) {
                break;
            }
        }
        m_error = m_fd < 0 ? errno : 0;
    }
    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;
    ~temporary_file()
    {
        if (m_error == 0 && !m_kept) {
            ::unlink(m_path.c_str());
        }
    }

    [[nodiscard]] int descriptor() const { return m_fd; }
    [[nodiscard]] int error() const { return m_error; }

    // Gives the file its final name. Returns 0, or the error.
    [[nodiscard]] int rename_to(const fs::path& path, bool overwrite)
    {
        if (!overwrite) {
            // Fails if another program has made the file in the meantime.
            if (::renameat2(AT_FDCWD, m_path.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) {
                m_kept = true;
                return 0;
            }
            if (errno != EINVAL && errno != ENOSYS) { // these mean that the file system cannot do it
                return errno;
            }
            // Fails in that case too. The temporary name is then removed as if the file had not been kept.
            if (::link(m_path.c_str(), path.c_str()) == 0) {
                return 0;
            }
            if (errno != EPERM && errno != ENOSYS &&
                errno != EOPNOTSUPP) { // these mean that it has no hard links either
                return errno;
            }
            if (::access(path.c_str(), F_OK) == 0) {
                return EEXIST;
            }
        }
        m_kept = ::rename(m_path.c_str(), path.c_str()) == 0;
        return m_kept ? 0 : errno;
    }

private:
    std::string m_path;
    int m_fd = -1;
    int m_error = 0;
    bool m_kept = false;
};

void write_message(const onnx::ModelProto& model, int fd, const std::string& path)
{
    constexpr int block = 1 << 20; // several times faster than the default of 8 KiB
    google::protobuf::io::FileOutputStream file(fd, block);
    bool written = false;
    {
        google::protobuf::io::CodedOutputStream coded(&file);
        coded.SetSerializationDeterministic(true);
        written = model.SerializeToCodedStream(&coded);
    }
    if (!written || !file.Flush()) {
        cannot_write(path, file.GetErrno());
    }
}

} // namespace

onnx::ModelProto load_model(const std::string& path)
{
    const file_descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info = {};
    if (file.get() < 0 || ::fstat(file.get(), &info) != 0) {
        cannot_read(path, errno);
    }
    if (S_ISDIR(info.st_mode)) {
        throw tool_error(failure::io, {quoted(path) + " is a folder", expected_model, "name the .onnx file in it"});
    }
    if (S_ISREG(info.st_mode) && info.st_size == 0) {
        throw not_onnx(path, "is empty", "copy or export the file again");
    }
    if (info.st_size > INT_MAX) {
        throw not_onnx(
            path, "has " + std::to_string(info.st_size) + " bytes, but a protobuf message must be smaller than 2 GiB",
            "save the model with its weights as external data");
    }
    // The first bytes are kept for a message, since a pipe can be read only once.
    const std::string head = read_head(file.get(), path);
    google::protobuf::io::ArrayInputStream beginning(head.data(), static_cast<int>(head.size()));
    google::protobuf::io::FileInputStream rest(file.get(), 1 << 20);
    google::protobuf::io::ZeroCopyInputStream* streams[] = {&beginning, &rest};
    google::protobuf::io::ConcatenatingInputStream whole(streams, 2);
    onnx::ModelProto model;
    const bool parsed = model.ParseFromZeroCopyStream(&whole);
    if (rest.GetErrno() != 0) {
        cannot_read(path, rest.GetErrno());
    }
    if (!parsed || !model.has_graph()) {
        throw unreadable_model(path, head);
    }
    if (model.opset_import_size() == 0) {
        throw not_onnx(path, "has a graph but declares no opset: its end is missing",
                       "copy or export the file again; the transfer may have been cut off");
    }
    return model;
}

std::optional<std::string> external_data(const onnx::ModelProto& model)
{
    auto found = external_data(model.graph());
    for (const auto& function : model.functions()) {
        for (const auto& node : function.node()) {
            found = found ? found : external_data(node);
        }
    }
    return found;
}

void require_savable(const std::string& path, const save_options& options)
{
    const fs::path target = target_of(path);
    struct stat existing = {};
    // Under the name as given: only the system can follow a link into /proc, such as /dev/stdout.
    if (::stat(path.c_str(), &existing) == 0) {
        struct stat source = {};
        if (!options.loaded_from.empty() && ::stat(options.loaded_from.c_str(), &source) == 0 &&
            same_file(existing, source)) {
            throw tool_error(failure::io, {quoted(path) + " is the input file itself", "another file to write to",
                                           "give another name; replace the input afterwards, if you want to"});
        }
        if (!S_ISREG(existing.st_mode)) {
            throw tool_error(
                failure::io,
                {quoted(path) + (S_ISDIR(existing.st_mode) ? " is a folder" : " is a device, pipe or socket"),
                 "the name of a file to write", "give the name of a file, such as padded.onnx"});
        }
        if (!options.overwrite) {
            file_exists(path);
        }
        return;
    }
    const fs::path folder = folder_of(target);
    struct stat parent = {};
    if (::stat(folder.c_str(), &parent) != 0) {
        const int error = errno;
        throw tool_error(failure::io, {"cannot write to the folder " + quoted(folder.string()) + ": " + reason(error),
                                       "a folder that exists", "make the folder, or name another one"});
    }
    if (!S_ISDIR(parent.st_mode)) {
        throw tool_error(failure::io, {quoted(folder.string()) + " is not a folder", "a folder that exists",
                                       "name a file in a folder"});
    }
}

void save_model(const onnx::ModelProto& model, const std::string& path, const save_options& options)
{
    require_savable(path, options);
    const fs::path target = target_of(path);
    if (const auto data = external_data(model)) {
        // Runtimes look beside the name that they are given, even if it is a link to a file elsewhere.
        std::error_code error;
        if (options.loaded_from.empty() || !fs::equivalent(folder_of(path), folder_of(options.loaded_from), error)) {
            throw tool_error(failure::refused,
                             {"the model keeps weights in " + quoted(*data) + ", beside its own file, and " +
                                  quoted(path) + " is in another folder, where they would not be found",
                              "an output in the folder of the input", "write it there, then move both files together"});
        }
    }
    if (model.ByteSizeLong() > INT_MAX) {
        throw tool_error(failure::refused,
                         {"the padded model would have " + std::to_string(model.ByteSizeLong()) +
                              " bytes, but a protobuf message must be smaller than 2 GiB",
                          "a model smaller than 2 GiB", "save the model with its weights as external data"});
    }
    temporary_file temporary(folder_of(target));
    if (temporary.error() != 0) {
        cannot_write(path, temporary.error());
    }
    file_descriptor file(temporary.descriptor());
    struct stat existing = {};
    if (::stat(target.c_str(), &existing) == 0) {
        // For root, the file stays its owner's. Other users may not give files away, so it becomes theirs.
        (void)(::fchown(file.get(), existing.st_uid, existing.st_gid) == 0);
        if (::fchmod(file.get(), existing.st_mode & 07777U) != 0) {
            cannot_write(path, errno);
        }
    }
    write_message(model, file.get(), path);
    if (::fsync(file.get()) != 0 || !file.close()) {
        cannot_write(path, errno);
    }
    const int error = temporary.rename_to(target, options.overwrite);
    if (error == EEXIST) {
        file_exists(path);
    }
    if (error != 0) {
        cannot_write(path, error);
    }
}

} // namespace padbatch::onnx_tools
