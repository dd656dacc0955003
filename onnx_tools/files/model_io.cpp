// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/files/model_io.hpp>

#include <onnx_tools/error.hpp>
#include <onnx_tools/files/atomic_file.hpp>
#include <onnx_tools/files/file_status.hpp>
#include <onnx_tools/model/graph.hpp>
#include <onnx_tools/model/wording.hpp>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <set>
#include <span>
#include <stdexcept>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace padbatch::onnx_tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* expected_model = "an ONNX model, as torch.onnx.export writes it";

tool_error not_onnx(const std::string& source, const std::string& what, const std::string& remedy)
{
    return {failure::not_onnx, {source + " " + what, expected_model, remedy}};
}

// What is not a model, going by its first bytes: the kinds of file that people take for one.
tool_error unreadable_model(const std::string& source, std::string_view head)
{
    const auto begins = [&](std::string_view text) { return head.substr(0, text.size()) == text; };
    if (begins("version https://git-lfs")) {
        return not_onnx(source, "is a Git LFS pointer, not the file itself", "fetch the file: git lfs pull");
    }
    if (begins("PK\x03\x04")) {
        return not_onnx(source, "is a zip archive, such as a PyTorch checkpoint or TorchScript file",
                        "export the model with torch.onnx.export");
    }
    if (begins("\x80\x02")) {
        return not_onnx(source, "is a pickle, such as a PyTorch checkpoint", "export the model with torch.onnx.export");
    }
    const bool text = std::all_of(head.begin(), head.end(),
                                  [](unsigned char c) { return c >= ' ' || c == '\n' || c == '\r' || c == '\t'; });
    if (text && (begins("<") || begins("{"))) {
        return not_onnx(source, "is text, such as an error page that was downloaded instead of a model",
                        "look at the file, and fetch or export the model again");
    }
    if (begins("\x08")) { // the ir_version that every exporter writes first
        return not_onnx(source, "begins like an ONNX model but is damaged or incomplete",
                        "copy or export the file again; the transfer may have been cut off");
    }
    return not_onnx(source, "is not an ONNX model: it is not a protobuf message",
                    "pass the .onnx file that torch.onnx.export wrote");
}

[[noreturn]] void cannot_read(const std::string& path, int error)
{
    throw tool_error(failure::io, {"cannot read " + quoted(path) + ": " + reason(error), expected_model,
                                   error == ENOENT   ? "check the name"
                                   : error == EACCES ? "check the permissions of the file and its folders"
                                                     : "check the disk, or copy the file again"});
}

// A message of `size` bytes can be read.
void require_size(const std::string& source, std::uintmax_t size)
{
    if (size == 0) {
        throw not_onnx(source, "is empty", "copy or export the file again");
    }
    if (size > INT_MAX) {
        throw not_onnx(source,
                       "has " + std::to_string(size) + " bytes, but a protobuf message must be smaller than 2 GiB",
                       "save the model with its weights as external data");
    }
}

// What was read is a model. `head` is how the bytes begin that it was read from.
void require_model(const onnx::ModelProto& model, bool parsed, const std::string& source, std::string_view head)
{
    if (!parsed || !model.has_graph()) {
        throw unreadable_model(source, head);
    }
    if (model.opset_import_size() == 0) {
        throw not_onnx(source, "has a graph but declares no opset: its end is missing",
                       "copy or export the file again; the transfer may have been cut off");
    }
}

// The first bytes of a file, at most 64.
constexpr std::size_t head_size = 64;

std::string read_head(int fd, const std::string& path)
{
    std::string head(head_size, '\0');
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

// Calls `visit` with each tensor that an attribute of `node` holds, or a graph in it.
void for_each_tensor(const onnx::GraphProto& graph, const std::function<void(const onnx::TensorProto&)>& visit);

void for_each_tensor(const onnx::SparseTensorProto& tensor, const std::function<void(const onnx::TensorProto&)>& visit)
{
    visit(tensor.values());
    visit(tensor.indices());
}

void for_each_tensor(const onnx::NodeProto& node, const std::function<void(const onnx::TensorProto&)>& visit)
{
    for (const auto& attribute : node.attribute()) {
        visit(attribute.t());
        for (const auto& tensor : attribute.tensors()) {
            visit(tensor);
        }
        for_each_tensor(attribute.sparse_tensor(), visit);
        for (const auto& tensor : attribute.sparse_tensors()) {
            for_each_tensor(tensor, visit);
        }
    }
    for_each_subgraph(node, [&](const onnx::GraphProto& sub) { for_each_tensor(sub, visit); });
}

void for_each_tensor(const onnx::GraphProto& graph, const std::function<void(const onnx::TensorProto&)>& visit)
{
    for (const auto& tensor : graph.initializer()) {
        visit(tensor);
    }
    for (const auto& tensor : graph.sparse_initializer()) {
        for_each_tensor(tensor, visit);
    }
    for (const auto& node : graph.node()) {
        for_each_tensor(node, visit);
    }
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
        m_error = make_temporary(folder, m_path, [&](const fs::path& path) {
            // The kernel applies the umask to these permissions.
            m_fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
            return m_fd < 0 ? errno : 0;
        });
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
            struct stat existing = {};
            if (::lstat(path.c_str(), &existing) == 0) {
                return EEXIST;
            }
            if (errno != ENOENT) {
                return errno;
            }
        }
        m_kept = ::rename(m_path.c_str(), path.c_str()) == 0;
        return m_kept ? 0 : errno;
    }

private:
    fs::path m_path;
    int m_fd = -1;
    int m_error = 0;
    bool m_kept = false;
};

// Equal models give equal bytes.
bool serialize(const onnx::ModelProto& model, google::protobuf::io::ZeroCopyOutputStream& to)
{
    google::protobuf::io::CodedOutputStream coded(&to);
    coded.SetSerializationDeterministic(true);
    return model.SerializeToCodedStream(&coded);
}

// Returns 0, or the error.
int write_message(const onnx::ModelProto& model, int fd)
{
    constexpr int block = 1 << 20; // several times faster than the default of 8 KiB
    google::protobuf::io::FileOutputStream file(fd, block);
    if (serialize(model, file) && file.Flush()) {
        return 0;
    }
    return file.GetErrno() != 0 ? file.GetErrno() : EIO;
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
    if (S_ISREG(info.st_mode)) {
        require_size(quoted(path), static_cast<std::uintmax_t>(info.st_size));
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
    require_model(model, parsed, quoted(path), head);
    return model;
}

onnx::ModelProto model_from_bytes(std::string_view bytes)
{
    const std::string source = "the model";
    require_size(source, bytes.size());
    onnx::ModelProto model;
    const bool parsed = model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
    require_model(model, parsed, source, bytes.substr(0, head_size));
    return model;
}

std::vector<std::string> external_data(const onnx::ModelProto& model)
{
    std::vector<std::string> files;
    std::set<std::string_view> known;
    const auto add = [&](const std::string& file) {
        if (known.insert(file).second) {
            files.push_back(file);
        }
    };
    const auto visit = [&](const onnx::TensorProto& tensor) {
        if (tensor.data_location() != onnx::TensorProto::EXTERNAL) {
            return;
        }
        static const std::string nowhere = "(no location)";
        bool named = false;
        for (const auto& entry : tensor.external_data()) { // which of several counts, readers do not agree on
            if (entry.key() == "location") {
                add(entry.value());
                named = true;
            }
        }
        if (!named) {
            add(nowhere);
        }
    };
    for_each_tensor(model.graph(), visit);
    for (const auto& function : model.functions()) {
        for (const auto& node : function.node()) {
            for_each_tensor(node, visit);
        }
    }
    for (const auto& training : model.training_info()) {
        for_each_tensor(training.initialization(), visit);
        for_each_tensor(training.algorithm(), visit);
    }
    return files;
}

void require_no_source(const std::string& path, const std::string& loaded_from,
                       const std::vector<std::string>& external_files)
{
    if (loaded_from.empty()) {
        return;
    }
    const auto existing = status_at(path);
    if (is_same_file(existing, status_at(loaded_from))) {
        throw tool_error(failure::io, {quoted(path) + " is the input file itself", "another file to write to",
                                       "give another name; replace the input afterwards, if you want to"});
    }
    if (external_files.empty()) {
        return;
    }
    // Runtimes look beside the name of the model; other programs follow a link first.
    const fs::path folders[] = {folder_of(loaded_from), folder_of(target_of(loaded_from))};
    for (const auto& file : external_files) {
        for (const auto& folder : folders) {
            if (is_same_place(path, folder / file)) {
                throw tool_error(
                    failure::io,
                    {quoted(path) + " is where the input file keeps weights: its external data " + quoted(file),
                     "another file to write to", "give another name"});
            }
        }
    }
}

void require_savable(const std::string& path, const save_options& options)
{
    const fs::path target = target_of(path);
    require_no_source(path, options.loaded_from, options.external_files);
    // Under the name as given: only the system can follow a link into /proc, such as /dev/stdout.
    if (const auto existing = status_at(path)) {
        if (!is_file(existing)) {
            throw tool_error(failure::io,
                             {quoted(path) + (is_folder(existing) ? " is a folder" : " is a device, pipe or socket"),
                              "the name of a file to write", "give the name of a file, such as padded.onnx"});
        }
        if (!options.overwrite) {
            file_exists(path);
        }
        return;
    }
    const fs::path folder = folder_of(target);
    const auto parent = status_at(folder);
    if (!parent) {
        throw tool_error(failure::io, {"cannot write to the folder " + quoted(folder.string()) + ": it does not exist",
                                       "a folder that exists", "make the folder, or name another one"});
    }
    if (!is_folder(parent)) {
        throw tool_error(failure::io, {quoted(folder.string()) + " is not a folder", "a folder that exists",
                                       "name a file in a folder"});
    }
}

void require_writable(const onnx::ModelProto& model)
{
    if (model.ByteSizeLong() > INT_MAX) {
        throw tool_error(failure::refused,
                         {"the padded model would have " + std::to_string(model.ByteSizeLong()) +
                              " bytes, but a protobuf message must be smaller than 2 GiB",
                          "a model smaller than 2 GiB", "save the model with its weights as external data"});
    }
}

void write_model(const onnx::ModelProto& model, std::span<char> bytes)
{
    google::protobuf::io::ArrayOutputStream stream(bytes.data(), static_cast<int>(bytes.size()));
    if (!serialize(model, stream) || static_cast<std::size_t>(stream.ByteCount()) != bytes.size()) {
        throw std::logic_error("a model has another size than it says");
    }
}

int write_new_model(const std::string& path, const onnx::ModelProto& model)
{
    // The kernel applies the umask to these permissions.
    file_descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (file.get() < 0) {
        return errno;
    }
    if (const int error = write_message(model, file.get()); error != 0) {
        return error;
    }
    return ::fsync(file.get()) == 0 && file.close() ? 0 : errno;
}

void save_model(const onnx::ModelProto& model, const std::string& path, const save_options& options)
{
    const auto data = external_data(model);
    save_options all = options;
    all.external_files.insert(all.external_files.end(), data.begin(), data.end());
    require_savable(path, all);
    const fs::path target = target_of(path);
    // Runtimes look beside the name that they are given, even if it is a link to a file elsewhere.
    if (!data.empty() && (options.loaded_from.empty() ||
                          !is_same_file(status_at(folder_of(path)), status_at(folder_of(options.loaded_from))))) {
        throw tool_error(failure::refused,
                         {"the model keeps weights in " + quoted(data.front()) + ", beside its own file, and " +
                              quoted(path) + " is in another folder, where they would not be found",
                          "an output in the folder of the input", "write it there, then move both files together"});
    }
    require_writable(model);
    temporary_file temporary(folder_of(target));
    if (temporary.error() != 0) {
        cannot_write(path, temporary.error());
    }
    file_descriptor file(temporary.descriptor());
    if (const auto existing = status_at(target)) {
        // For root, the file stays its owner's. Other users may not give files away, so it becomes theirs.
        (void)(::fchown(file.get(), existing->st_uid, existing->st_gid) == 0);
        if (::fchmod(file.get(), existing->st_mode & 07777U) != 0) {
            cannot_write(path, errno);
        }
    }
    if (const int error = write_message(model, file.get()); error != 0) {
        cannot_write(path, error);
    }
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
