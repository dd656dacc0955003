// SPDX-License-Identifier: Apache-2.0
#include <_rewrite/models.hpp>

#include <_rewrite/failures.hpp>

#include <onnx_tools/cli/help.hpp>
#include <onnx_tools/cli/inspect.hpp>
#include <onnx_tools/cli/inspect_json.hpp>
#include <onnx_tools/cli/job.hpp>
#include <onnx_tools/cli/options.hpp>
#include <onnx_tools/cli/report.hpp>
#include <onnx_tools/error.hpp>
#include <onnx_tools/files/model_io.hpp>
#include <onnx_tools/model/wording.hpp>

#include <algorithm>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nb = nanobind;

namespace padbatch::python {
namespace {

using namespace onnx_tools;

std::string_view view(const nb::bytes& bytes)
{
    return {bytes.c_str(), bytes.size()};
}

// Where the model comes from.
struct source {
    std::string_view bytes;
    std::string path; // empty for a model in memory

    source(const nb::bytes& model, bool in_memory) : bytes(view(model)), path(in_memory ? "" : std::string(bytes)) {}

    [[nodiscard]] onnx::ModelProto load() const { return path.empty() ? model_from_bytes(bytes) : load_model(path); }
    // What messages call the file, such as in a proposal for the name of a model.
    [[nodiscard]] std::string name() const { return path.empty() ? "model.onnx" : path; }
};

std::vector<std::string> texts(const nb::list& list)
{
    std::vector<std::string> result;
    for (const nb::handle item : list) {
        result.emplace_back(view(nb::cast<nb::bytes>(item)));
    }
    return result;
}

// What the command would read from these arguments. Without an output, it is as if there were one, whose name is not
// used.
cli::options understood(const std::vector<std::string>& arguments, const source& from,
                        const std::optional<std::string>& output)
{
    std::vector<const char*> argv{"padbatch"};
    for (const auto& argument : arguments) {
        argv.push_back(argument.c_str());
    }
    const std::string in = from.name();
    argv.insert(argv.end(), {"--", in.c_str()});
    if (output) {
        argv.push_back(output->c_str());
    }
    auto o = cli::parse(static_cast<int>(argv.size()), argv.data()).run.value();
    o.in = from.path;
    return o;
}

// A model that is neither read from a file nor written to one beside it cannot name files with weights.
void require_whole(const source& from, const onnx::ModelProto& model, const std::optional<std::string>& output)
{
    const auto files = external_data(model);
    if (files.empty() || from.path.empty() == !output) {
        return;
    }
    throw tool_error(failure::refused,
                     {"the model keeps weights in " + quoted(files.front()) + ", beside its own file, and " +
                          (output ? "it is given without that file" : "the padded model is returned without a file"),
                      output ? "the path of the model's file" : "an output in the folder of the model's file",
                      "give both as paths; or give the model with its weights, as onnx.load reads it"});
}

// Makes bytes of a model, in place.
PyObject* serialized(const onnx::ModelProto& model)
{
    require_writable(model);
    const std::size_t size = model.ByteSizeLong();
    PyObject* made = nullptr;
    char* memory = nullptr;
    {
        const nb::gil_scoped_acquire gil;
        made = PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(size));
        memory = made == nullptr ? nullptr : PyBytes_AsString(made);
        PyErr_Clear();
    }
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    try {
        write_model(model, std::span(memory, size));
    } catch (...) {
        const nb::gil_scoped_acquire gil;
        Py_DECREF(made);
        throw;
    }
    return made;
}

struct result {
    PyObject* model = nullptr; // owned by who takes it
    std::string report;
    std::string warnings;
    std::vector<std::string> serving_warnings;
};

result padded(const source& from, const std::optional<std::string>& output, const std::vector<std::string>& arguments)
{
    // The command wants to be told of an output even if there is none.
    const bool serving = std::any_of(arguments.begin(), arguments.end(), [](const std::string& argument) {
        return argument.rfind("--triton-repository=", 0) == 0;
    });
    const auto o = understood(arguments, from, output || serving ? output : std::optional<std::string>("padded.onnx"));
    const bool writes = output || o.triton;
    save_options saving{o.force, from.path, {}};
    if (writes) {
        require_savable(o, saving);
    }
    auto model = from.load();
    saving.external_files = external_data(model);
    if (!o.triton) { // which takes no such model, and says so itself
        require_whole(from, model, output);
    }
    if (writes) {
        require_savable(o, saving);
    }
    const auto padded = cli::pad(model, o);
    result made;
    made.report = cli::inspect_json({from.path, padded.declared, {}},
                                    {padded.plan, false, cli::planned_rows(model, padded.plan), {}});
    made.warnings = cli::limit_warning(padded.plan) + cli::size_warnings(padded.plan);
    made.serving_warnings = cli::serving_warnings(o, padded, model);
    if (writes) {
        save(o, saving, model);
    } else {
        made.model = serialized(model);
    }
    return made;
}

} // namespace

nb::tuple pad(const nb::bytes& model, bool in_memory, const nb::object& output, const nb::list& arguments)
{
    const source from(model, in_memory);
    const auto to = output.is_none() ? std::nullopt : std::optional(std::string(view(nb::cast<nb::bytes>(output))));
    const auto options = texts(arguments);
    result made;
    {
        const nb::gil_scoped_release no_gil;
        made = padded(from, to, options);
    }
    const nb::object bytes = made.model == nullptr ? nb::none() : nb::steal(made.model);
    nb::list serving;
    for (const auto& warning : made.serving_warnings) {
        serving.append(text(warning));
    }
    return nb::make_tuple(bytes, text(made.report), text(made.warnings), serving);
}

nb::tuple inspect(const nb::bytes& model, bool in_memory, const nb::list& arguments)
{
    const source from(model, in_memory);
    auto options = texts(arguments);
    options.insert(options.end(), {"--inspect", "--json"});
    cli::inspection found;
    {
        const nb::gil_scoped_release no_gil;
        const auto o = understood(options, from, std::nullopt);
        auto loaded = from.load();
        found = cli::inspect(loaded, o);
    }
    const nb::object refusal = found.refusal ? error_for(*found.refusal) : nb::none();
    return nb::make_tuple(text(found.report), refusal);
}

nb::object help()
{
    return text(cli::help);
}

} // namespace padbatch::python
