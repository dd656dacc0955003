// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_FIXTURES_HPP
#define PADBATCH_TESTS_SUPPORT_FIXTURES_HPP

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace padbatch::test {

/// One row of a manifest: an exported model and what is known about it from its making.
struct fixture {
    std::filesystem::path file;
    std::string family;
    std::int64_t opset = 0;
    std::size_t batch = 0;
    bool list_input = false;
    std::vector<std::pair<int, int>> image_sizes; ///< height, width
    bool by_field = false;
    std::vector<std::string> fields;
    std::int64_t limit = 0;
    double score_threshold = 0;
    std::vector<std::string> outputs;
    std::vector<std::string> extra_outputs;

    struct run {
        std::vector<unsigned> scenes;
        std::optional<std::vector<std::int64_t>> counts; ///< rows of each image, where they were recorded
    };
    std::vector<run> runs;

    /// The output that holds a field of an image.
    [[nodiscard]] const std::string& output(std::size_t image, std::size_t slot) const
    {
        return outputs.at(by_field ? slot * batch + image : image * fields.size() + slot);
    }
};

/// The fixtures that `folder/manifest.json` lists.
inline std::vector<fixture> read_manifest(const std::filesystem::path& folder)
{
    std::ifstream file(folder / "manifest.json");
    if (!file) {
        throw std::runtime_error("cannot read " + (folder / "manifest.json").string());
    }
    std::vector<fixture> fixtures;
    const auto manifest = nlohmann::json::parse(file);
    for (const auto& entry : manifest.at("fixtures")) {
        fixture f;
        f.file = folder / entry.at("file").get<std::string>();
        f.family = entry.at("family");
        f.opset = entry.at("opset");
        f.batch = entry.at("batch");
        f.list_input = entry.at("input") == "list";
        f.image_sizes = entry.at("image_sizes");
        f.by_field = entry.at("order") == "field";
        f.fields = entry.at("fields");
        f.limit = entry.at("limit");
        f.score_threshold = entry.at("score_threshold");
        f.outputs = entry.at("outputs");
        f.extra_outputs = entry.at("extra_outputs");
        for (const auto& run : entry.at("runs")) {
            fixture::run r;
            r.scenes = run.at("scenes").get<std::vector<unsigned>>();
            if (!run.at("counts").is_null()) {
                r.counts = run.at("counts").get<std::vector<std::int64_t>>();
            }
            f.runs.push_back(std::move(r));
        }
        fixtures.push_back(std::move(f));
    }
    return fixtures;
}

} // namespace padbatch::test

#endif
