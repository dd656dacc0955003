#include <onnx_tools/cli/options.hpp>

#include <onnx_tools/error.hpp>
#include <padbatch/contract.hpp>
#include <padbatch/version.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>
#include <utility>

namespace padbatch::onnx_tools::cli {
namespace {

constexpr const char* usage = "onnx-pad-outputs [OPTIONS] IN.onnx OUT.onnx";
constexpr const char* inspect_usage = "onnx-pad-outputs --inspect [OPTIONS] IN.onnx";
constexpr const char* see_help = "onnx-pad-outputs --help lists the options";

constexpr const char* help = R"(Usage: onnx-pad-outputs [OPTIONS] IN.onnx OUT.onnx
       onnx-pad-outputs --inspect [--json] [OPTIONS] IN.onnx

Rewrites a torchvision detection model that was exported to ONNX (Faster, Mask or Keypoint R-CNN,
RetinaNet, FCOS, SSD): the loose outputs of each image become one output a field for the whole
batch, padded to one shape, and num_detections, int32 [B, 1], says how many rows of each image are
real. IN is left as it is.

Options:
  --max-detections N|batch   How many rows every image is padded to. Without this option, the
                             model's own limit. A smaller N keeps the first N rows, which are the
                             best; `batch` pads to the largest count of the batch at hand.
  --pad-value FIELD=VALUE    Fill the padding of FIELD with VALUE instead of 0. Can be repeated.
  --rename FIELD=NAME        Call the output of FIELD, or num_detections, NAME. Can be repeated.
  --inspect                  Show what is recognised in IN and what the rewrite would do; write
                             nothing.
  --json                     With --inspect: print JSON.
  --force                    Replace OUT if it exists.
  --quiet                    Print no report of what was done, only errors.
  --version                  Print the version.
  -h, --help                 Print this help.

When recognition fails, or you know better:
  --fields boxes,labels,...  The fields of one image, in the order of the outputs.
  --batch B                  The number of images.
  --order image|field        Whether the outputs go image by image (boxes, labels, scores of the
                             first image, then of the next) or field by field (the boxes of all
                             images, then the labels of all, and so on).

A FIELD is one of boxes, labels, scores, masks, keypoints, keypoints_scores.

Examples:
  onnx-pad-outputs maskrcnn.onnx padded.onnx
  onnx-pad-outputs --inspect maskrcnn.onnx
  onnx-pad-outputs --max-detections 20 --pad-value labels=-1 maskrcnn.onnx padded.onnx

Exit codes: 0 done; 1 internal error, or out of memory; 2 wrong usage; 3 a file cannot be read or
written; 4 IN is not an ONNX model; 5 IN is a model that this command does not rewrite.
)";

[[noreturn]] void misused(const std::string& found, const std::string& expected, const std::string& remedy)
{
    throw tool_error(failure::usage, {found, expected, remedy});
}

std::vector<std::string> split(const std::string& text, const std::string& separator)
{
    std::vector<std::string> parts;
    std::size_t begin = 0;
    for (auto end = text.find(separator); end != std::string::npos; end = text.find(separator, begin)) {
        parts.push_back(text.substr(begin, end - begin));
        begin = end + separator.size();
    }
    parts.push_back(text.substr(begin));
    return parts;
}

// --- guessing what was meant ------------------------------------------------------------------------------------

std::string lower_letters(const std::string& word)
{
    std::string letters;
    for (const char c : word) {
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            letters += c;
        } else if (c >= 'A' && c <= 'Z') {
            letters += static_cast<char>(c - 'A' + 'a');
        }
    }
    return letters;
}

// How many letters must be added, left out or changed to get from one word to the other.
std::size_t distance(const std::string& from, const std::string& to)
{
    std::vector<std::size_t> row(to.size() + 1);
    for (std::size_t i = 0; i < row.size(); ++i) {
        row[i] = i;
    }
    for (std::size_t i = 1; i <= from.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= to.size(); ++j) {
            const std::size_t changed = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
        }
    }
    return row.back();
}

// The one of `names` that was most likely meant with `word`, or nothing.
std::string closest(const std::string& word, const std::vector<std::string>& names)
{
    const std::string typed = lower_letters(word);
    std::string best;
    std::size_t least = 3;
    for (const auto& name : names) {
        const std::string letters = lower_letters(name);
        const bool beginning = typed.size() >= 3 && letters.compare(0, typed.size(), typed) == 0;
        const std::size_t d =
            beginning ? std::min<std::size_t>(1, letters.size() - typed.size()) : distance(typed, letters);
        if (d < least && 2 * d < typed.size()) {
            best = name;
            least = d;
        }
    }
    return best;
}

// --- values -----------------------------------------------------------------------------------------------------

std::int64_t positive(const std::string& option, const std::string& text, const std::string& or_else,
                      const std::string& example)
{
    std::int64_t value = 0;
    const char* end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value);
    if (result.ec != std::errc() || result.ptr != end || value < 1 ||
        value > std::numeric_limits<std::int32_t>::max()) {
        misused(option + " is '" + text + "'", "a whole number from 1 to 2147483647" + or_else,
                "write for example " + option + " " + example);
    }
    return value;
}

std::vector<std::string> field_names()
{
    std::vector<std::string> names;
    for (const auto f : all_fields()) {
        names.emplace_back(name_of(f));
    }
    return names;
}

// `FIELD=VALUE` options, each field once.
std::map<std::string, std::string> pairs(const std::string& option, const std::vector<std::string>& texts,
                                         const std::string& value_name, const std::string& also)
{
    const std::string form = option + " FIELD=" + value_name;
    const std::string example = option + " labels=" + (value_name == "NAME" ? "classes" : "-1");
    std::vector<std::string> names = field_names();
    if (!also.empty()) {
        names.push_back(also);
    }
    std::map<std::string, std::string> chosen;
    for (const auto& text : texts) {
        const std::string given = option + " '" + text + "'";
        const auto equals = text.find('=');
        if (equals == std::string::npos) {
            misused(given + " has no '='", form, "write for example " + example);
        }
        if (text.find(',') != std::string::npos) {
            misused(given + " has a comma in it", form + ", one field at a time",
                    "repeat the option for each field, for example " + example + " " + option +
                        " scores=" + (value_name == "NAME" ? "confidences" : "-1"));
        }
        const std::string name = text.substr(0, equals);
        const std::string value = text.substr(equals + 1);
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            const std::string meant = closest(name, names);
            misused(given + ": there is no field '" + name + "'",
                    form + ", with a FIELD of " + all_field_names() + (also.empty() ? "" : ", " + also),
                    meant.empty() ? "correct the field's name"
                                  : "did you mean " + option + " " + meant + "=" +
                                        value.substr(std::min(value.find_first_not_of(' '), value.size())) + "?");
        }
        if (value.empty()) {
            misused(given + " has nothing after the '='", form, "write for example " + example);
        }
        if (!chosen.emplace(name, value).second) {
            misused(option + " names the field '" + name + "' twice", "each field once", "leave one of them out");
        }
    }
    return chosen;
}

std::vector<field> field_list(const std::string& text)
{
    const std::string given = "--fields '" + text + "'";
    const std::string expected =
        "names from " + all_field_names() + ", with commas between them and no spaces, such as boxes,labels,scores";
    std::vector<field> fields;
    for (const auto& name : split(text, ",")) {
        if (name.empty()) {
            misused(given + " has an empty name in it", expected, "leave out the comma that is too much");
        }
        const auto f = field_from_name(name);
        if (!f) {
            const std::string meant = closest(name, field_names());
            misused(given + ": there is no field '" + name + "'", expected,
                    meant.empty() ? "correct the field's name" : "did you mean '" + meant + "'?");
        }
        if (std::find(fields.begin(), fields.end(), *f) != fields.end()) {
            misused(given + " names '" + name + "' twice", "each field of an image once", "leave one of them out");
        }
        fields.push_back(*f);
    }
    return fields;
}

// --- the command line -------------------------------------------------------------------------------------------

[[noreturn]] void has_no_value(const std::string& option)
{
    misused(option + " has no value", "a value after " + option, "give a value, or leave the option out");
}

// `--option=`, a slip of a script most often: CLI11 would take the next argument for the value.
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

// What the options are before they are understood: each with all the values that it is given.
struct raw_options {
    std::vector<std::string> max_detections;
    std::vector<std::string> pad_values;
    std::vector<std::string> names;
    std::vector<std::string> fields;
    std::vector<std::string> batch;
    std::vector<std::string> order;
};

std::optional<std::string> only_value(const std::string& option, const std::vector<std::string>& values)
{
    if (values.empty()) {
        return std::nullopt;
    }
    if (values.size() > 1) {
        misused(option + " is given " + std::to_string(values.size()) + " times", option + " once at most",
                "leave the others out");
    }
    if (values.front().empty()) { // a slip, of a script most often
        has_no_value(option);
    }
    return values.front();
}

void understand(const raw_options& raw, options& o)
{
    const auto rows = only_value("--max-detections", raw.max_detections);
    if (rows == contract::max_detections_of_batch) {
        o.pad.max_of_batch = true;
    } else if (rows) {
        o.pad.max_detections = positive("--max-detections", *rows, ", or the word batch", "20");
    }
    o.pad.pad_values = pairs("--pad-value", raw.pad_values, "VALUE", "");
    o.pad.names = pairs("--rename", raw.names, "NAME", contract::default_count_name);
    if (const auto fields = only_value("--fields", raw.fields)) {
        o.recognise.fields = field_list(*fields);
    }
    if (const auto batch = only_value("--batch", raw.batch)) {
        o.recognise.batch = positive("--batch", *batch, "", "2");
    }
    if (const auto order = only_value("--order", raw.order)) {
        if (order != "image" && order != "field") {
            misused("--order is '" + *order + "'", "image or field",
                    "say image when the outputs follow one another image by image, field when field by field");
        }
        o.recognise.order = order == "image" ? output_order::by_image : output_order::by_field;
    }
}

// Complains of arguments that are left over once options have their values and IN and OUT are taken.
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
            misused("there is no option '" + name + "'", usage,
                    meant.empty() ? std::string(see_help) + "; a file whose name begins with '-' is written ./" + name
                                  : "did you mean " + meant + "? " + see_help);
        } else {
            files += ", '" + argument + "'";
        }
    }
    if (!files.empty()) {
        misused(
            "more than two files are named: '" + o.in + "', '" + o.out + "'" + files, usage,
            "put names with spaces in quotes, write the list of --fields with commas and without spaces, and repeat "
            "--pad-value and --rename for each field");
    }
}

void require_files(const options& o)
{
    if (o.json && !o.inspect) {
        misused("--json is given without --inspect", "--json together with --inspect",
                "add --inspect, or leave --json out");
    }
    if (o.in.empty()) {
        misused("no model is named", o.inspect ? inspect_usage : usage,
                std::string(o.inspect ? "name the model to read" : "name the model to read and the file to write") +
                    "; onnx-pad-outputs --help shows examples");
    }
    if (!o.inspect && o.out.empty()) {
        misused("only '" + o.in + "' is named, and no file to write", usage,
                "name the file to write too; or add --inspect to see what would be done");
    }
    if (o.inspect && !o.out.empty()) {
        misused("--inspect writes nothing, and '" + o.out + "' is named as a file to write", inspect_usage,
                "leave out the file or --inspect");
    }
    if (o.in == "-" || o.out == "-") {
        misused("'-' is named as the file to " + std::string(o.in == "-" ? "read" : "write"),
                "the names of files: models are not read from standard input, nor written to standard output",
                "name a file; if yours is really called -, write ./-");
    }
}

} // namespace

parsed parse(int argc, const char* const* argv)
{
    options o;
    raw_options raw;
    CLI::App app("", "onnx-pad-outputs");
    app.allow_extras(); // they get messages of our own
    app.add_option("IN", o.in);
    app.add_option("OUT", o.out);
    app.add_flag("--inspect", o.inspect);
    app.add_flag("--json", o.json);
    app.add_flag("--force", o.force);
    app.add_flag("--quiet", o.quiet);
    app.set_version_flag("--version", "onnx-pad-outputs " PADBATCH_VERSION);
    app.set_help_flag("-h,--help");
    std::vector<std::string> names;
    const auto with_value = [&](const char* name, std::vector<std::string>& to) {
        app.add_option(name, to)->allow_extra_args(false);
        names.emplace_back(name);
    };
    with_value("--max-detections", raw.max_detections);
    with_value("--pad-value", raw.pad_values);
    with_value("--rename", raw.names);
    with_value("--fields", raw.fields);
    with_value("--batch", raw.batch);
    with_value("--order", raw.order);
    require_values(argc, argv, names);
    names.insert(names.end(), {"--inspect", "--json", "--force", "--quiet", "--version", "--help"});
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
        misused(e.what(), "--inspect, --json, --force and --quiet without a value", see_help);
    } catch (const CLI::ParseError& e) {
        misused(e.what(), usage, see_help);
    }
    understand(raw, o);
    require_no_more(app.remaining(), names, o);
    require_files(o);
    return {std::move(o), ""};
}

} // namespace padbatch::onnx_tools::cli
