// SPDX-License-Identifier: Apache-2.0
#include <onnx_tools/cli/options.hpp>

#include <onnx_tools/cli/exposed.hpp>
#include <onnx_tools/cli/help.hpp>
#include <onnx_tools/cli/values.hpp>
#include <onnx_tools/model/wording.hpp>
#include <onnx_tools/recognise/box_format.hpp>
#include <onnx_tools/recognise/head_kind.hpp>
#include <padbatch/contract.hpp>
#include <padbatch/version.hpp>

#include <CLI/CLI.hpp>

#include <filesystem>
#include <initializer_list>
#include <map>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace padbatch::onnx_tools::cli {
namespace {

[[noreturn]] void has_no_value(const std::string& option)
{
    misused(option + " has no value", "a value after " + option, "give a value, or leave the option out");
}

// Refuses `--option=`, which is usually a slip in a script: CLI11 would take the next argument for the value.
void require_values(int argc, const char* const* argv, const std::vector<std::string>& options_with_value)
{
    for (int i = 1; i < argc && argv[i] != std::string_view("--"); ++i) {
        for (const auto& option : options_with_value) {
            if (argv[i] == option + "=") {
                has_no_value(option);
            }
        }
    }
}

// The options that take a value, each with all the values that it is given, not yet interpreted.
class raw_values {
public:
    raw_values()
    {
        for (const char* name : {"--max-detections",
                                 "--min-score",
                                 "--classes",
                                 "--exclude-classes",
                                 "--expose",
                                 "--expose-per-image",
                                 "--pad-value",
                                 "--rename",
                                 "--masks",
                                 "--mask-type",
                                 "--mask-threshold",
                                 "--layout",
                                 "--to",
                                 "--count-type",
                                 "--count-shape",
                                 "--label-type",
                                 "--triton-repository",
                                 "--model-name",
                                 "--max-batch-size",
                                 "--fields",
                                 "--batch",
                                 "--order",
                                 "--from",
                                 "--columns",
                                 "--set",
                                 "--count-output",
                                 "--box-format",
                                 "--batch-index",
                                 "--per-image-input",
                                 "--shared-input",
                                 "--head",
                                 "--conf",
                                 "--max-det",
                                 "--iou-threshold",
                                 "--nms",
                                 "--scores",
                                 "--strides",
                                 "--image-size",
                                 "--keypoints",
                                 "--num-classes"}) {
            m_values[name];
        }
    }

    void add_to(CLI::App& app)
    {
        for (auto& [name, values] : m_values) {
            app.add_option(name, values)->allow_extra_args(false);
        }
    }

    [[nodiscard]] std::vector<std::string> names() const
    {
        std::vector<std::string> names;
        for (const auto& [name, values] : m_values) {
            names.push_back(name);
        }
        return names;
    }

    [[nodiscard]] const std::vector<std::string>& all(const std::string& option) const { return m_values.at(option); }

    // The value of an option that may be given once.
    [[nodiscard]] std::optional<std::string> only(const std::string& option) const
    {
        const auto& values = all(option);
        if (values.empty()) {
            return std::nullopt;
        }
        if (values.size() > 1) {
            misused(option + " is given " + std::to_string(values.size()) + " times", option + " once at most",
                    "remove the others");
        }
        if (values.front().empty()) { // usually a slip in a script
            has_no_value(option);
        }
        return values.front();
    }

    // What the word given to an option means; `otherwise` when the option is not given.
    template <typename T, typename Otherwise>
    [[nodiscard]] Otherwise word(const std::string& option, Otherwise otherwise,
                                 const std::vector<std::pair<std::string, T>>& words) const
    {
        const auto text = only(option);
        return text ? meaning(words, option, *text) : otherwise;
    }

private:
    std::map<std::string, std::vector<std::string>> m_values;
};

const std::vector<std::pair<std::string, element_type>> number_types = {
    {"int32", element_type::int32}, {"int64", element_type::int64}, {"float32", element_type::float32}};

void understand_names(const raw_values& raw, pad_options& pad)
{
    for (auto& [name, value] : pairs("--rename", raw.all("--rename"), "NAME", contract::default_count_name)) {
        if (const auto kind = field_from_name(name)) {
            pad.names[*kind] = value;
        } else {
            pad.count_name = value;
        }
    }
}

void understand_pad_values(const raw_values& raw, options& o)
{
    for (const auto& [name, value] : pairs("--pad-value", raw.all("--pad-value"), "VALUE", "")) {
        const auto kind = *field_from_name(name);
        const bool word = value == "true" || value == "false";
        o.rewrite.pad.pad_values[kind] =
            word ? number(std::int64_t{value == "true"}) : any_number("--pad-value " + name + "=" + value, value);
        if (word) {
            o.pad_words.insert(kind);
        }
    }
}

std::optional<double> threshold(const raw_values& raw, const std::string& option)
{
    const auto text = raw.only(option);
    return text ? std::optional(fraction(option, *text)) : std::nullopt;
}

// The labels that rows are chosen by.
std::optional<class_choice> classes(const raw_values& raw)
{
    const auto kept = raw.only("--classes");
    const auto dropped = raw.only("--exclude-classes");
    if (kept && dropped) {
        misused("--classes is given together with --exclude-classes", "the labels to keep, or those to drop",
                "leave out --classes or --exclude-classes");
    }
    if (!kept && !dropped) {
        return std::nullopt;
    }
    class_choice chosen{{}, dropped.has_value()};
    const std::string option = dropped ? "--exclude-classes" : "--classes";
    for (const auto& label : split(kept ? *kept : *dropped, ",")) {
        chosen.labels.push_back(whole_number(option, label, 0, ", or several with commas between them", "1,17,44"));
    }
    return chosen;
}

// The name by which an option with two names is given; the first one if it is not given.
std::string name_given(const raw_values& raw, const std::string& usual, const std::string& other)
{
    if (!raw.all(other).empty() && !raw.all(usual).empty()) {
        misused(other + " is given together with " + usual, "one of them: they are two names of one option",
                "leave out " + other + " or " + usual);
    }
    return raw.all(other).empty() ? usual : other;
}

// The layout, by either name of the option.
void understand_layout(const raw_values& raw, pad_options& pad)
{
    const auto given = name_given(raw, "--layout", "--to");
    if (const auto layout = raw.only(given)) {
        const auto names = all_layout_names();
        pad.layout = *layout_from_name(names[position_in(names, given, *layout)]);
    }
}

void understand_outputs(const raw_values& raw, options& o)
{
    auto& pad = o.rewrite.pad;
    const auto most = name_given(raw, "--max-detections", "--max-det");
    const auto rows = raw.only(most);
    if (rows == contract::max_detections_of_batch) {
        pad.max_detections = largest_of_batch{};
    } else if (rows) {
        pad.max_detections = whole_number(most, *rows, 1, ", or the word batch", "20");
    }
    pad.min_score = threshold(raw, name_given(raw, "--min-score", "--conf"));
    pad.classes = classes(raw);
    pad.settings = settings("--set", raw.all("--set"));
    pad.exposed = exposed_options(raw.all("--expose"), raw.all("--expose-per-image"));
    understand_pad_values(raw, o);
    understand_names(raw, pad);
    understand_layout(raw, pad);
    pad.count_type = raw.word("--count-type", pad.count_type, number_types);
    pad.flat_counts = raw.word<bool>("--count-shape", pad.flat_counts, {{"B", true}, {"Bx1", false}});
    pad.label_type = raw.word("--label-type", pad.label_type, number_types);
    pad.masks =
        raw.word<mask_choice>("--masks", mask_choice::full,
                              {{"full", mask_choice::full}, {"roi", mask_choice::roi}, {"none", mask_choice::none}});
    pad.mask_type = raw.word<element_type>(
        "--mask-type", pad.mask_type,
        {{"float", element_type::float32}, {"uint8", element_type::uint8}, {"bool", element_type::boolean}});
    pad.mask_threshold = threshold(raw, "--mask-threshold");
}

void understand_input(const raw_values& raw, recognise_options& recognise)
{
    recognise.from = raw.word<export_kind>("--from", export_kind::automatic,
                                           {{"auto", export_kind::automatic},
                                            {"fields", export_kind::fields},
                                            {"torchvision", export_kind::fields},
                                            {"flat", export_kind::flat},
                                            {"nms", export_kind::nms},
                                            {"padded", export_kind::padded},
                                            {"raw", export_kind::raw}});
    const bool fields_of_images = recognise.from == export_kind::automatic || recognise.from == export_kind::fields;
    for (const char* option : {"--fields", "--batch", "--order"}) {
        if (!fields_of_images && !raw.all(option).empty()) {
            misused(std::string(option) + " is given together with --from " + raw.all("--from").front(),
                    "--fields, --batch and --order for exports with outputs for each image, or --columns for others",
                    std::string("leave out ") + option + " or --from");
        }
    }
    recognise.batch_index = raw.only("--batch-index");
    recognise.count_output = raw.only("--count-output");
    for (const char* option : {"--batch-index", "--count-output"}) {
        if (!raw.all(option).empty() && (recognise.from == export_kind::fields || recognise.from == export_kind::nms)) {
            misused(std::string(option) + " is given together with --from " + raw.all("--from").front(),
                    "--batch-index for rows of all images in one list, and --count-output for rows that are counted",
                    std::string("leave out ") + option + " or --from");
        }
    }
    if (!raw.all("--fields").empty() && !raw.all("--columns").empty()) {
        misused("--fields is given together with --columns",
                "--fields, which names the outputs of an image, or --columns, which names the columns of one output",
                "leave out --fields or --columns");
    }
    for (const auto& [option, names] : {std::pair("--per-image-input", &recognise.per_image_inputs),
                                        std::pair("--shared-input", &recognise.shared_inputs)}) {
        for (const auto& name : raw.all(option)) {
            if (name.empty()) {
                has_no_value(option);
            }
            names->insert(name);
        }
    }
    if (const auto fields = raw.only("--fields")) {
        recognise.fields = field_list(*fields);
    }
    if (const auto batch = raw.only("--batch")) {
        recognise.batch = whole_number("--batch", *batch, 1, "", "2");
    }
    if (const auto order = raw.only("--order")) {
        recognise.order = meaning<output_order>(
            {{"image", output_order::by_image}, {"field", output_order::by_field}}, "--order", *order,
            "write image if the outputs follow one another image by image, or field if they do so field by field");
    }
    if (const auto columns = raw.only("--columns")) {
        recognise.columns = column_list(*columns);
    }
    recognise.boxes = raw.word("--box-format", recognise.boxes, all_box_formats());
}

// Two whole numbers with an x between them.
std::pair<std::int64_t, std::int64_t> extents(const std::string& option, const std::string& text,
                                              const std::string& example, const std::string& expected)
{
    const auto parts = split(text, "x");
    if (parts.size() != 2) {
        misused(option + " is " + quoted(text), expected, "write, for example, " + example);
    }
    return {whole_number(option, parts[0], 1, "", "640"), whole_number(option, parts[1], 1, "", "640")};
}

void understand_head(const raw_values& raw, options& o)
{
    auto& head = o.rewrite.recognise.head;
    head.kind = raw.word("--head", head.kind, all_head_kinds());
    head.nms = raw.word("--nms", head.nms, all_suppressions());
    head.activation = raw.word("--scores", head.activation, all_score_activations());
    head.iou_threshold = threshold(raw, "--iou-threshold");
    if (const auto strides = raw.only("--strides")) {
        head.strides.emplace();
        for (const auto& stride : *strides == "none" ? std::vector<std::string>() : split(*strides, ",")) {
            head.strides->push_back(whole_number("--strides", stride, 1, ", several with commas, or none", "8,16,32"));
        }
    }
    if (const auto size = raw.only("--image-size")) {
        head.image_size = extents("--image-size", *size, "640x640", "height and width with an x between them");
    }
    if (const auto classes = raw.only("--num-classes")) {
        head.class_count = whole_number("--num-classes", *classes, 1, "", "80");
    }
    if (const auto points = raw.only("--keypoints")) {
        head.keypoints = extents("--keypoints", *points, "17x3", "their number and 2 or 3 with an x between them");
        if (head.keypoints->second != 2 && head.keypoints->second != 3) {
            misused("--keypoints is " + quoted(*points),
                    "2 or 3 numbers for each keypoint: x, y and perhaps visibility", "write, for example, 17x3");
        }
    }
    head.score = o.rewrite.pad.min_score;
    head.classes = o.rewrite.pad.classes;
    if (const auto* most = std::get_if<std::int64_t>(&o.rewrite.pad.max_detections)) {
        head.most = *most;
    }
}

// A name for the model in `file` that a server accepts.
std::string usual_model_name(const std::string& file)
{
    std::string name;
    for (const char c : std::filesystem::path(file).stem().string()) {
        const bool usual = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        name += usual || c == '-' ? c : '_';
    }
    return name.empty() ? "detector" : name;
}

void understand_serving(const raw_values& raw, options& o)
{
    const auto folder = raw.only("--triton-repository");
    const auto name = raw.only("--model-name");
    const auto images = raw.only("--max-batch-size");
    if (!folder) {
        if (name || images) {
            const std::string given = name ? "--model-name" : "--max-batch-size";
            misused(given + " is given without --triton-repository", triton_usage,
                    "add --triton-repository DIR, or leave " + given + " out");
        }
        return;
    }
    if (!name) {
        misused("--triton-repository is given without --model-name", triton_usage,
                "name the model for the server: --model-name " + usual_model_name(o.in));
    }
    o.triton.emplace();
    o.triton->repository = *folder;
    o.triton->model_name = *name;
    o.triton->overwrite = o.force;
    if (images) {
        o.triton->max_batch_size = whole_number("--max-batch-size", *images, 0, ", 0 for none", "8");
    }
}

// Complains about arguments that are left over once options have their values and IN and OUT are taken.
void require_no_more(const std::vector<std::string>& left_over, const std::vector<std::string>& option_names,
                     const options& o)
{
    bool options_end = false;
    std::string files;
    for (const auto& argument : left_over) {
        if (argument == "--") {
            options_end = true;
        } else if (!options_end && argument.size() > 1 && argument.front() == '-') {
            const std::string name = argument.substr(0, argument.find('='));
            const std::string meant = closest(name, option_names);
            misused("there is no option " + quoted(name), usage,
                    meant.empty() ? std::string(see_help) + "; write a file name that begins with '-' as ./" + name
                                  : "did you mean " + meant + "? " + see_help);
        } else {
            files += ", " + quoted(argument);
        }
    }
    if (!files.empty()) {
        misused("more than two files are named: " + quoted(o.in) + ", " + quoted(o.out) + files, usage,
                "put names with spaces in quotes, write the lists of --fields and --columns with commas and without "
                "spaces, and repeat --pad-value and --rename for each field");
    }
}

void require_files(const options& o)
{
    if (o.json && !o.inspect) {
        misused("--json is given without --inspect", "--json together with --inspect",
                "add --inspect, or leave --json out");
    }
    if (o.in.empty()) {
        misused("no model is named",
                o.inspect  ? inspect_usage
                : o.triton ? triton_usage
                           : usage,
                std::string(o.inspect || o.triton ? "name the model to read"
                                                  : "name the model to read and the file to write") +
                    "; onnx-pad-outputs --help shows examples");
    }
    if (!o.inspect && !o.triton && o.out.empty()) {
        misused("only " + quoted(o.in) + " is named, but no file to write", usage,
                "name the file to write too; or add --inspect to see what would be done");
    }
    if (o.inspect && o.triton) {
        misused("--inspect writes nothing, but --triton-repository names a folder to write to", inspect_usage,
                "leave out --inspect, or --triton-repository and its options");
    }
    if (o.inspect && !o.out.empty()) {
        misused("--inspect writes nothing, but " + quoted(o.out) + " is named as a file to write", inspect_usage,
                "leave out the file, or --inspect");
    }
    if (o.triton && !o.out.empty()) {
        misused(quoted(o.out) + " is named as the file to write, and --triton-repository as the folder", triton_usage,
                "leave out the file, or --triton-repository and its options");
    }
    if (o.in == "-" || o.out == "-") {
        misused("'-' is named as the file to " + std::string(o.in == "-" ? "read" : "write"),
                "file names: models are neither read from standard input nor written to standard output",
                "name a file; if it is really called -, write ./-");
    }
}

} // namespace

parsed parse(int argc, const char* const* argv)
{
    options o;
    raw_values raw;
    CLI::App app("", "onnx-pad-outputs");
    app.allow_extras(); // they get messages of their own
    app.add_option("IN", o.in);
    app.add_option("OUT", o.out);
    raw.add_to(app);
    const std::map<std::string, bool*> flags = {
        {"--dynamic-batch", &o.rewrite.pad.dynamic_batch},
        {"--squeeze-masks", &o.rewrite.pad.squeeze_masks},
        {"--normalized", &o.rewrite.recognise.normalised},
        {"--normalised", &o.rewrite.recognise.normalised},
        {"--multi-label", &o.rewrite.recognise.head.multi_label},
        {"--class-agnostic", &o.rewrite.recognise.head.class_agnostic},
        {"--inspect", &o.inspect},
        {"--json", &o.json},
        {"--force", &o.force},
        {"--quiet", &o.quiet},
    };
    for (const auto& [name, to] : flags) {
        app.add_flag(name, *to);
    }
    app.set_version_flag("--version", "onnx-pad-outputs " PADBATCH_VERSION);
    app.set_help_flag("-h,--help");
    auto names = raw.names();
    require_values(argc, argv, names);
    for (const auto& [name, to] : flags) {
        names.push_back(name);
    }
    names.insert(names.end(), {"--version", "--help"});
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return {std::nullopt, help};
    } catch (const CLI::CallForVersion&) {
        return {std::nullopt, app.version() + "\n"};
    } catch (const CLI::ArgumentMismatch& e) { // "--batch: 1 required ... missing"
        const std::string option = split(e.what(), ":").front();
        misused(option + " has no value", "a value after " + option,
                std::string("give a value, or leave the option out; ") + see_help);
    } catch (const CLI::ConversionError& e) { // of a flag; "Could not convert: --quiet = 7"
        misused(e.what(), "the option without a value", see_help);
    } catch (const CLI::ParseError& e) {
        misused(e.what(), usage, see_help);
    }
    understand_outputs(raw, o);
    understand_input(raw, o.rewrite.recognise);
    understand_head(raw, o);
    understand_serving(raw, o);
    require_servable(o.rewrite.pad.exposed, o.triton);
    require_no_more(app.remaining(), names, o);
    require_files(o);
    return {std::move(o), ""};
}

} // namespace padbatch::onnx_tools::cli
