// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_ONNX_TOOLS_ENGINES_SETTING_PAIRS_HPP
#define PADBATCH_TESTS_ONNX_TOOLS_ENGINES_SETTING_PAIRS_HPP

#include <tests/onnx_tools/engines/chosen_fixtures.hpp>

#include <nlohmann/json.hpp>
#include <onnx_tools/plan/options.hpp>
#include <onnx_tools/recognise/parameter.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace padbatch::test {

/// Values of a model's parameters.
using setting_values = std::map<onnx_tools::parameter, onnx_tools::number>;

/// A fixture, and an export of the same module with other values of some parameters (tests/data/make_settings.py).
struct setting_pair {
    std::string other; ///< the bytes of the other export
    setting_values before;
    setting_values after;
    std::vector<onnx_tools::parameter> folded; ///< those of the values that the fixture has only as part of others
    std::vector<std::vector<unsigned>> scenes; ///< of runs; each of the values changes the outputs in one of them
};

namespace detail {

inline onnx_tools::parameter parameter_named(std::string_view name)
{
    return onnx_tools::parameter_from_name(name).value();
}

inline setting_values values_in(const nlohmann::json& object)
{
    setting_values values;
    for (const auto& [name, value] : object.items()) {
        values[parameter_named(name)] =
            value.is_number_integer() ? onnx_tools::number(value.get<std::int64_t>()) : value.get<double>();
    }
    return values;
}

// The bytes after the edits: at each place, some are taken out and others put in.
inline std::string edited(const std::string& bytes, const nlohmann::json& edits)
{
    std::string result;
    std::size_t done = 0;
    for (const auto& edit : edits) {
        const auto place = edit.at(0).get<std::size_t>();
        result.append(bytes, done, place - done);
        const auto digits = edit.at(2).get<std::string>();
        for (std::size_t i = 0; i < digits.size(); i += 2) {
            result += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
        }
        done = place + edit.at(1).get<std::size_t>();
    }
    return result.append(bytes, done);
}

} // namespace detail

/// Whether the fixture's folder has pairs at all.
inline bool has_setting_pairs(const fixture& f)
{
    return std::filesystem::exists(f.file.parent_path() / "settings.json");
}

/// The pairs that the folder lists for the fixture.
inline std::vector<setting_pair> setting_pairs_of(const fixture& f)
{
    std::ifstream file(f.file.parent_path() / "settings.json");
    std::vector<setting_pair> pairs;
    const auto listing = nlohmann::json::parse(file);
    for (const auto& entry : listing.at("pairs")) {
        if (entry.at("base") != f.file.filename().string()) {
            continue;
        }
        setting_pair pair;
        pair.other = detail::edited(read_bytes(f.file), entry.at("edits"));
        pair.before = detail::values_in(entry.at("before"));
        pair.after = detail::values_in(entry.at("after"));
        for (const auto& name : entry.at("folded")) {
            pair.folded.push_back(detail::parameter_named(name.get<std::string>()));
        }
        pair.scenes = entry.at("scenes");
        pairs.push_back(std::move(pair));
    }
    return pairs;
}

} // namespace padbatch::test

#endif
