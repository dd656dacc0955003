// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_FORM_TOLD_HPP
#define PADBATCH_TESTS_SUPPORT_FORM_TOLD_HPP

#include <tests/support/follow_remedies.hpp>
#include <tests/support/form_mutations.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

// What a user who knows a changed export would say about it, and whether options say something else.
namespace padbatch::test {

class told_form {
public:
    told_form(const form_export& e, const form_mutant& m) : m_export(e), m_mutant(m)
    {
        m_known.values["--max-detections"] = "20";
        if (const auto columns = right_columns(); !columns.empty()) {
            m_known.values["--columns"] = columns;
        }
        if (m.batch == 1 && e.form != output_form::nms) {
            read_fields();
        }
    }

    [[nodiscard]] const known_values& known() const { return m_known; }

    /// Whether the outputs no longer say what they hold.
    [[nodiscard]] bool is_lost() const
    {
        const auto& all = m_mutant.outputs;
        const auto has = [&](const char* letters) {
            return std::any_of(all.begin(), all.end(), [&](const output_meaning& o) {
                return o.columns.find_first_of(letters) != std::string::npos;
            });
        };
        return has("?") || (m_export.form == output_form::nms ? !has("S") : !has("xc") || !has("s"));
    }

    [[nodiscard]] bool is_wrong(const flag_list& flags) const
    {
        return std::any_of(flags.begin(), flags.end(), [&](const auto& flag) { return is_wrong(flag); });
    }

    [[nodiscard]] std::string right_form() const
    {
        switch (m_export.form) {
        case output_form::loose: return "fields";
        case output_form::flat: return "flat";
        case output_form::nms: return "nms";
        case output_form::padded: break;
        }
        return "padded";
    }

    [[nodiscard]] const std::string& name_of(std::size_t k) const
    {
        return m_mutant.model.graph().output(static_cast<int>(k)).name();
    }

    /// Whether these columns are the right ones in another order, with the same box.
    [[nodiscard]] bool is_other_order(const std::string& columns) const
    {
        const auto right = m_known.values.find("--columns");
        if (right == m_known.values.end()) {
            return false;
        }
        // (What five columns are is not shown by their widths.)
        if (m_export.form == output_form::padded && right->second.rfind("x1", 0) != columns.rfind("x1", 0)) {
            return false;
        }
        const auto sorted = [](const std::string& text) {
            auto all = detail::split_at(text, std::regex(","));
            std::sort(all.begin(), all.end());
            return all;
        };
        return sorted(columns) == sorted(right->second);
    }

private:
    [[nodiscard]] bool holds_images() const
    {
        return std::any_of(m_mutant.outputs.begin(), m_mutant.outputs.end(),
                           [](const output_meaning& o) { return o.columns == "b" || o.columns == "n"; });
    }

    [[nodiscard]] bool is_wrong(const std::pair<std::string, std::string>& flag) const
    {
        const auto& name = flag.first;
        const auto& value = flag.second; // clang 14 captures no structured binding
        const auto holds = [&](const char* columns) {
            for (std::size_t k = 0; k < m_mutant.outputs.size(); ++k) {
                if (name_of(k) == value) {
                    return m_mutant.outputs[k].columns == columns;
                }
            }
            return true; // which is refused
        };
        if (name == "--from") {
            const bool one_image = m_mutant.batch == 1 && m_export.real == real_rows::all &&
                                   m_export.file.find("paddle") == std::string::npos;
            return value != "auto" && value != right_form() &&
                   !(value == "fields" && one_image && m_export.form != output_form::nms) &&
                   !(value == "flat" && m_export.form == output_form::loose && holds_images());
        }
        if (name == "--columns" && value == right_columns(true)) {
            return false; // all of them, side by side
        }
        if (name == "--columns" || name == "--fields" || name == "--batch" || name == "--order") {
            const auto right = m_known.values.find(name);
            return right == m_known.values.end() || right->second != value;
        }
        if (name == "--box-format") {
            const bool centers =
                std::any_of(m_mutant.outputs.begin(), m_mutant.outputs.end(),
                            [](const output_meaning& o) { return o.columns.find('c') != std::string::npos; });
            return value != (centers ? "cxcywh" : "xyxy");
        }
        return (name == "--batch-index" && !holds("b")) || (name == "--count-output" && !holds("n")) ||
               ((name == "--normalized" || name == "--normalised") && !m_mutant.is_normalised);
    }

    [[nodiscard]] std::string right_columns(bool all = false) const
    {
        static const std::map<char, std::string> names{{'x', "x1"},    {'y', "y1"},    {'X', "x2"},   {'Y', "y2"},
                                                       {'c', "cx"},    {'d', "cy"},    {'w', "w"},    {'h', "h"},
                                                       {'s', "score"}, {'l', "label"}, {'b', "batch"}};
        std::string letters;
        for (const auto& o : m_mutant.outputs) {
            const bool box = o.columns.find_first_of("xc") != std::string::npos;
            const bool part =
                (all || m_export.form == output_form::padded) && o.columns.find_first_of("sl") != std::string::npos;
            if ((box || part) && o.axes.find_first_of("Mn") != std::string::npos) {
                letters += o.columns;
            }
        }
        letters = m_export.form == output_form::nms ? m_export.selected : letters;
        std::string text;
        for (const char letter : letters) {
            if (names.count(letter) == 0) {
                return "";
            }
            text += (text.empty() ? "" : ",") + names.at(letter);
        }
        return text;
    }

    // The outputs as fields of one image, if they are.
    void read_fields()
    {
        std::string fields;
        bool others = false;
        for (const auto& o : m_mutant.outputs) {
            const std::string field = o.columns == "xyXY" ? "boxes"
                                      : o.columns == "l"  ? "labels"
                                      : o.columns == "s"  ? "scores"
                                                          : "";
            if (!field.empty() && (others || fields.find(field) != std::string::npos)) {
                return;
            }
            others = others || field.empty();
            fields += (field.empty() || fields.empty() ? "" : ",") + field;
        }
        if (fields.find("boxes") != std::string::npos && fields.find("scores") != std::string::npos &&
            m_export.real == real_rows::all && m_export.file.find("paddle") == std::string::npos) {
            m_known.values["--fields"] = fields;
            m_known.values["--batch"] = "1";
            m_known.values["--order"] = "image";
        }
    }

    const form_export& m_export;
    const form_mutant& m_mutant;
    known_values m_known;
};

/// Options for a changed export: what is asked for, and perhaps what it is said to be, right or wrong.
inline flag_list draw_form_options(const form_export& e, const form_mutant& m, mutation_draws& draw)
{
    static const std::vector<std::string> asked{
        "--max-detections 20",
        "--max-detections 3",
        "--max-detections batch",
        "--max-detections 20 --min-score 0.5",
        "--max-detections batch --min-score 0.4",
        "--max-detections 20 --classes 0,2",
        "--max-detections 5 --exclude-classes 1",
        "--max-detections 20 --to efficientnms",
        "--max-detections batch --to yolov7",
        "--max-detections 4 --to mmdeploy",
        "--max-detections 20 --to ultralytics",
        "--max-detections 20 --to tf-od",
        "--max-detections 20 --dynamic-batch",
        "--max-detections 6 --dynamic-batch --to efficientnms",
        "--max-detections batch --dynamic-batch",
        "--max-detections 20 --count-type int64 --count-shape B --label-type int32",
        "--max-detections 20 --label-type float32 --pad-value labels=-1 --pad-value scores=-2",
        "",
    };
    const told_form told(e, m);
    auto flags = flags_in(draw.of(asked));
    const auto say = [&](const std::string& name, const std::string& value) {
        if (!has_flag(flags, name)) {
            flags.emplace_back(name, value);
        }
    };
    if (!draw.one_in(3)) {
        for (const auto& flag : flags_in(e.told)) {
            say(flag.first, flag.second);
        }
    }
    static const std::vector<std::string> forms{"fields", "flat", "nms", "padded"};
    switch (draw.below(8)) {
    case 0:
    case 1: say("--from", told.right_form()); break;
    case 2: say("--from", draw.of(forms)); break;
    default: break;
    }
    const auto columns = told.known().values.count("--columns") != 0 ? told.known().values.at("--columns") : "";
    switch (draw.below(9)) {
    case 0:
    case 1:
        if (!columns.empty()) {
            say("--columns", columns);
        }
        break;
    case 2: { // label and score exchanged
        auto wrong = std::regex_replace(columns, std::regex("label"), "X");
        wrong = std::regex_replace(wrong, std::regex("score"), "label");
        wrong = std::regex_replace(wrong, std::regex("X"), "score");
        if (wrong != columns) {
            say("--columns", wrong);
        }
        break;
    }
    case 3: {
        static const std::vector<std::string> some{"x1,y1,x2,y2,score,label",       "x1,y1,x2,y2,score",
                                                   "label,score,x1,y1,x2,y2",       "x1,y1,x2,y2",
                                                   "batch,x1,y1,x2,y2,label,score", "cx,cy,w,h"};
        say("--columns", draw.of(some));
        break;
    }
    default: break;
    }
    const auto output_name = [&] { return told.name_of(draw.below(m.outputs.size())); };
    switch (draw.below(24)) {
    case 0:
    case 1:
    case 2:
        for (std::size_t k = 0; k < m.outputs.size(); ++k) {
            if (m.outputs[k].columns == "b" || m.outputs[k].columns == "n") {
                say(m.outputs[k].columns == "b" ? "--batch-index" : "--count-output", told.name_of(k));
                break;
            }
        }
        break;
    case 3: say("--batch-index", output_name()); break;
    case 4: say("--count-output", output_name()); break;
    case 5:
        for (const auto& [name, value] : told.known().values) {
            if (name == "--fields" || name == "--batch" || name == "--order") {
                say(name, value);
            }
        }
        break;
    case 6: say("--box-format", draw.one_in(2) ? "cxcywh" : "xyxy"); break;
    case 7: say("--normalized", ""); break;
    default: break;
    }
    return flags;
}

} // namespace padbatch::test

#endif
