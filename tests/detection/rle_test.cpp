// SPDX-License-Identifier: Apache-2.0
#include <padbatch/detection/rle.hpp>

#include <tests/support/check_status.hpp>
#include <tests/support/guarded.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <limits>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace padbatch;
using padbatch::test::check_status;

namespace {

using rle_counts = std::vector<std::uint32_t>;
using rle_pixels = std::vector<std::uint8_t>;

struct rle_mask {
    std::size_t height;
    std::size_t width;
    rle_pixels pixels;

    rle_mask(std::size_t h, std::size_t w) : height(h), width(w), pixels(h * w) {}
    [[nodiscard]] std::uint8_t& at(std::size_t y, std::size_t x) { return pixels[y * width + x]; }
    [[nodiscard]] std::uint8_t at(std::size_t y, std::size_t x) const { return pixels[y * width + x]; }
    /// Pixel k in the order of run lengths.
    [[nodiscard]] bool set(std::size_t k) const { return at(k % height, k / height) != 0; }
};

rle_counts twin_rle(const rle_mask& mask)
{
    rle_counts counts{0};
    bool object = false;
    for (std::size_t k = 0; k < mask.pixels.size(); ++k) {
        if (mask.set(k) != object) {
            counts.push_back(0);
            object = !object;
        }
        ++counts.back();
    }
    return counts;
}

rle_pixels twin_pixels(std::span<const std::uint32_t> counts, std::size_t height, std::size_t width)
{
    rle_mask mask(height, width);
    std::size_t k = 0;
    for (std::size_t run = 0; run < counts.size(); ++run) {
        for (std::uint32_t n = 0; n < counts[run]; ++n, ++k) {
            mask.at(k % height, k / height) = run % 2;
        }
    }
    return mask.pixels;
}

/// pycocotools' `rleToString`, as it reads.
std::string twin_string(std::span<const std::uint32_t> counts)
{
    std::string text;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        auto x = static_cast<long long>(counts[i]);
        if (i > 2) {
            x -= static_cast<long long>(counts[i - 2]);
        }
        for (bool more = true; more;) {
            auto c = static_cast<char>(x & 0x1F);
            x >>= 5;
            more = (c & 0x10) != 0 ? x != -1 : x != 0;
            text += static_cast<char>((more ? c | 0x20 : c) + 48);
        }
    }
    return text;
}

rle_counts counts_of(const run_length_view& runs)
{
    return {runs.counts.begin(), runs.counts.end()};
}

run_lengths encoded(const rle_mask& mask)
{
    run_lengths runs;
    rle_encode(runs, t::masks(mask.pixels, 1, mask.height, mask.width));
    return runs;
}

rle_pixels decoded(const run_lengths& runs, std::size_t shift = 0)
{
    guarded<std::uint8_t> pixels(runs.size() * runs.height() * runs.width(), shift);
    rle_decode(t::masks(pixels.span(), 1, runs.height(), runs.width()), runs);
    CHECK(pixels.intact());
    return {pixels.begin(), pixels.end()};
}

std::string text_of(const run_length_view& runs)
{
    guarded<char> text(rle_string_size(runs));
    CHECK(rle_to_string(text.span(), runs) == text.size());
    CHECK(text.intact());
    return {text.begin(), text.end()};
}

/// The mask's rows as bits, with ones behind their ends.
rle_pixels bits_of(const rle_mask& mask)
{
    const std::size_t row = (mask.width + 7) / 8;
    rle_pixels bits(mask.height * row);
    for (std::size_t y = 0; y < mask.height; ++y) {
        for (std::size_t x = 0; x < row * 8; ++x) {
            if (x >= mask.width || mask.at(y, x) != 0) {
                bits[y * row + x / 8] = static_cast<std::uint8_t>(bits[y * row + x / 8] | (0x80 >> (x % 8)));
            }
        }
    }
    return bits;
}

/// Masks of every kind: noise of some density, some rectangles, all or nothing, whole columns or rows.
rle_mask random_mask(std::mt19937& random, std::size_t height, std::size_t width)
{
    rle_mask mask(height, width);
    const auto kind = random() % 6;
    const auto of_1000 = std::array<std::size_t, 4>{1, 50, 500, 990}[random() % 4];
    if (kind == 0) {
        std::generate(mask.pixels.begin(), mask.pixels.end(), [&] { return random() % 1000 < of_1000 ? 1 : 0; });
    } else if (kind == 1) {
        std::fill(mask.pixels.begin(), mask.pixels.end(), static_cast<std::uint8_t>(random() % 2 * 255));
    } else {
        for (auto n = random() % 4 + 1; n > 0; --n) {
            std::size_t y0 = random() % height;
            std::size_t y1 = y0 + 1 + random() % (height - y0);
            std::size_t x0 = random() % width;
            std::size_t x1 = x0 + 1 + random() % (width - x0);
            if (kind == 2) {
                y0 = 0;
                y1 = height;
            } else if (kind == 3) {
                x0 = 0;
                x1 = width;
            }
            for (std::size_t y = y0; y < y1; ++y) {
                for (std::size_t x = x0; x < x1; ++x) {
                    mask.at(y, x) = static_cast<std::uint8_t>(random() % 255 + 1); // any value but 0
                }
            }
        }
    }
    return mask;
}

std::array<float, 4> random_region_box(std::mt19937& random, float height, float width)
{
    const auto number = [&](float low, float high) { return std::uniform_real_distribution<float>(low, high)(random); };
    const float x = number(0, width);
    const float y = number(0, height);
    switch (random() % 8) {
    case 0: return {x, y, number(x, width), number(y, height)};
    case 1: return {x - width / 2, y - height / 2, x + width / 2, y + height / 2};
    case 2: return {x + width + 2, y, x + 2 * width + 2, y + height};
    case 3: return {x, y, x, y};
    case 4: return {x, -5, x + number(0, 9), height + 5}; // the whole height
    case 5: return {-9, -5, width + 9, height + 5};
    case 6: return {x, std::numeric_limits<float>::quiet_NaN(), x + 5, y};
    default: return {x, y, x + number(0, 4), y + number(0, 4)};
    }
}

/// The lines of the stored values, word by word.
std::vector<std::vector<std::string>> stored_rles()
{
    std::ifstream file(std::string(PADBATCH_TESTS_DATA) + "/rle.txt");
    std::vector<std::vector<std::string>> lines;
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        lines.emplace_back();
        for (std::string word; words >> word;) {
            lines.back().push_back(word);
        }
    }
    return lines;
}

std::size_t number_in(const std::string& word)
{
    return std::stoull(word);
}

rle_mask stored_mask(const std::vector<std::string>& words)
{
    rle_mask mask(number_in(words[1]), number_in(words[2]));
    const std::size_t row = (mask.width + 7) / 8;
    for (std::size_t y = 0; y < mask.height; ++y) {
        for (std::size_t x = 0; x < mask.width; ++x) {
            const std::string digits = words[3].substr(2 * (y * row + x / 8), 2);
            mask.at(y, x) = std::stoul(digits, nullptr, 16) >> (7 - x % 8) & 1;
        }
    }
    return mask;
}

/// A plain intersection or union.
rle_mask twin_merge(const std::vector<rle_mask>& masks, bool all)
{
    rle_mask merged(masks[0].height, masks[0].width);
    for (std::size_t k = 0; k < merged.pixels.size(); ++k) {
        const auto set = [&](const rle_mask& mask) { return mask.pixels[k] != 0; };
        merged.pixels[k] =
            all ? std::all_of(masks.begin(), masks.end(), set) : std::any_of(masks.begin(), masks.end(), set);
    }
    return merged;
}

run_lengths list_of(const std::vector<rle_mask>& masks)
{
    run_lengths runs;
    for (const rle_mask& mask : masks) {
        rle_encode(runs, t::masks(mask.pixels, 1, mask.height, mask.width));
    }
    return runs;
}

} // namespace

TEST_CASE("run lengths, strings, areas and boxes are those of pycocotools, and lead back to the masks")
{
    std::size_t found = 0;
    for (const auto& words : stored_rles()) {
        if (words[0] != "mask") {
            continue;
        }
        const rle_mask mask = stored_mask(words);
        CAPTURE(found);
        const run_lengths runs = encoded(mask);
        REQUIRE(runs.size() == 1);
        CHECK(counts_of(runs[0]) == twin_rle(mask));
        CHECK(text_of(runs[0]) == words[4]);
        CHECK(rle_area(runs[0]) == number_in(words[5]));
        const auto box = rle_box(runs[0]);
        for (std::size_t k = 0; k < 4; ++k) {
            CHECK(box[k] == number_in(words[6 + k]));
        }
        run_lengths read;
        rle_from_string(read, words[4], mask.height, mask.width);
        CHECK(counts_of(read[0]) == counts_of(runs[0]));
        CHECK(decoded(read, found % 9) == mask.pixels);
        run_lengths of_bits;
        rle_encode_bits(of_bits, mask.width, t::masks(bits_of(mask), 1, mask.height, (mask.width + 7) / 8));
        CHECK(counts_of(of_bits[0]) == counts_of(runs[0]));
        ++found;
    }
    CHECK(found == 49);
}

TEST_CASE("merged masks and IoUs are those of pycocotools, to the last bit")
{
    run_lengths all;
    std::size_t found = 0;
    for (const auto& words : stored_rles()) {
        if (words[0] == "mask" && words[1] == "24" && words[2] == "37") {
            rle_from_string(all, words[4], 24, 37);
        } else if (words[0] == "merged") {
            run_lengths some;
            for (std::size_t i = 0; i < number_in(words[2]); ++i) {
                some.append(all[i]);
            }
            run_lengths merged;
            rle_merge(merged, some, words[1] == "all" ? rle_intersection : rle_union);
            CHECK(text_of(merged[0]) == words[3]);
            ++found;
        } else if (words[0] == "iou") {
            run_lengths dets;
            run_lengths truths;
            for (std::size_t i = 0; i < all.size(); ++i) {
                (i < 6 ? dets : truths).append(all[i]);
            }
            std::vector<std::uint8_t> crowd;
            for (const char digit : words[1]) {
                crowd.push_back(digit == '1');
            }
            REQUIRE(crowd.size() == truths.size());
            std::vector<double> values(6 * crowd.size());
            rle_iou(values, dets, truths, crowd);
            std::size_t wrong = 0;
            for (std::size_t k = 0; k < values.size(); ++k) {
                wrong += values[k] != std::strtod(words[2 + k].c_str(), nullptr) ? 1 : 0;
            }
            CHECK(wrong == 0);
            CHECK(words.size() == 2 + values.size());
            ++found;
        } else if (words[0] == "runs") {
            rle_counts counts;
            for (std::size_t k = 4; k < words.size(); ++k) {
                counts.push_back(static_cast<std::uint32_t>(number_in(words[k])));
            }
            run_lengths runs;
            runs.append({counts, number_in(words[1]), number_in(words[2])});
            CHECK(text_of(runs[0]) == words[3]);
            run_lengths read;
            rle_from_string(read, words[3].c_str(), runs.height(), runs.width());
            CHECK(counts_of(read[0]) == counts);
            ++found;
        }
    }
    CHECK(found == 15);
}

TEST_CASE("masks of all sizes become the run lengths of a plain loop, from bytes and bits, and back")
{
    std::mt19937 random(3);
    const std::pair<std::size_t, std::size_t> sizes[] = {{1, 1},  {1, 70}, {70, 1},   {2, 64},   {5, 63},   {9, 65},
                                                         {31, 8}, {64, 7}, {40, 129}, {17, 200}, {3, 4099}, {6, 8200}};
    for (const auto& size : sizes) {
        const std::size_t height = size.first;
        const std::size_t width = size.second;
        CAPTURE(height);
        CAPTURE(width);
        run_lengths runs;
        run_lengths of_bits;
        rle_pixels all;
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < 24; ++i) {
            const rle_mask mask = random_mask(random, height, width);
            guarded<std::uint8_t> memory(mask.pixels.size(), i % 5);
            std::copy(mask.pixels.begin(), mask.pixels.end(), memory.begin());
            rle_encode(runs, t::masks(memory.span(), 1, height, width));
            rle_encode_bits(of_bits, width, t::masks(bits_of(mask), 1, height, (width + 7) / 8));
            const rle_counts expected = twin_rle(mask);
            wrong += counts_of(runs[i]) != expected ? 1 : 0;
            wrong += counts_of(of_bits[i]) != expected ? 1 : 0;
            wrong += text_of(runs[i]) != twin_string(expected) ? 1 : 0;
            const rle_pixels pixels = twin_pixels(expected, height, width);
            all.insert(all.end(), pixels.begin(), pixels.end());
        }
        CHECK(wrong == 0);
        CHECK(decoded(runs, 3) == all);
        CHECK(std::equal(all.begin(), all.end(), decoded(of_bits).begin()));
    }
}

TEST_CASE("region masks become the run lengths of the masks that paste_masks makes")
{
    std::mt19937 random(5);
    std::uniform_real_distribution<float> probability(0, 1);
    const std::array<std::size_t, 2> cell_sizes[] = {{28, 28}, {1, 1}, {14, 21}, {3, 1300}};
    const std::array<std::size_t, 2> images[] = {{50, 70}, {33, 1100}, {1, 1}, {120, 5}, {1, 40}};
    std::size_t runs_of_some = 0;
    for (const auto& cells : cell_sizes) {
        for (const auto& image : images) {
            const std::size_t n = 24;
            std::vector<std::array<float, 4>> boxes(n);
            std::generate(boxes.begin(), boxes.end(), [&] {
                return random_region_box(random, static_cast<float>(image[0]), static_cast<float>(image[1]));
            });
            std::vector<float> regions(n * cells[0] * cells[1]);
            const bool solid = random() % 2 == 0; // as masks are, not noise
            std::generate(regions.begin(), regions.end(),
                          [&] { return solid ? 0.9F + probability(random) / 10 : probability(random); });
            for (const float threshold : {0.5F, 0.05F}) {
                const std::size_t area = image[0] * image[1];
                rle_pixels full(n * area);
                paste_masks(t::masks(full, 1, image[0], image[1]), t::boxes(boxes),
                            t::masks(regions, 1, cells[0], cells[1]), mask_threshold(threshold));
                run_lengths expected;
                rle_encode(expected, t::masks(full, 1, image[0], image[1]));
                run_lengths runs;
                rle_encode_regions(runs, t::boxes(boxes), t::masks(regions, 1, cells[0], cells[1]), image[0], image[1],
                                   mask_threshold(threshold));
                REQUIRE(runs.size() == n);
                CHECK(counts_of({runs.counts(), 0, 0}) == counts_of({expected.counts(), 0, 0}));
                CHECK(decoded(runs) == full);
                runs_of_some += runs.counts().size();
            }
        }
    }
    CHECK(runs_of_some > 10000);
}

TEST_CASE("region masks of any numbers, at any threshold, become what paste_masks makes of them")
{
    const float inf = std::numeric_limits<float>::infinity();
    const float tiny = std::numeric_limits<float>::denorm_min();
    const float most = std::numeric_limits<float>::max();
    const std::array<float, 12> numbers = {0,    1,    -1,       inf,  -inf,  std::numeric_limits<float>::quiet_NaN(),
                                           0.5F, tiny, 2 * tiny, most, -most, 0.49999997F};
    std::mt19937 random(8);
    for (int round = 0; round < 60; ++round) {
        std::vector<float> regions(2 * 784, numbers[random() % numbers.size()]);
        for (auto n = random() % 40; n > 0; --n) {
            regions[random() % regions.size()] = numbers[random() % numbers.size()];
        }
        // The first one, grown, is as large as its mask: all weights are 0.
        const std::vector<std::array<float, 4>> boxes = {{20, 10, 47.2F, 37.2F}, {3, 4, 66, 55}};
        for (const float threshold : {0.5F, tiny, 2 * tiny, 1.0F}) {
            rle_pixels full(boxes.size() * 60 * 70);
            paste_masks(t::masks(full, 1, 60, 70), t::boxes(boxes), t::masks(regions, 1, 28, 28),
                        mask_threshold(threshold));
            run_lengths runs;
            rle_encode_regions(runs, t::boxes(boxes), t::masks(regions, 1, 28, 28), 60, 70, mask_threshold(threshold));
            CHECK(decoded(runs) == full);
        }
    }
}

TEST_CASE("merging and comparing are what plain loops over pixels find")
{
    std::mt19937 random(11);
    for (const std::array<std::size_t, 2>& size : {std::array<std::size_t, 2>{1, 1}, {7, 90}, {41, 33}, {100, 2}}) {
        std::vector<rle_mask> masks;
        for (std::size_t n = 1; n <= 13; ++n) {
            masks.push_back(random_mask(random, size[0], size[1]));
            const run_lengths runs = list_of(masks);
            run_lengths merged;
            rle_merge(merged, runs, rle_union);
            rle_merge(merged, runs, rle_intersection);
            rle_merge(merged, runs[n - 1], runs[0], rle_union);
            rle_merge(merged, runs[n - 1], runs[0], rle_intersection);
            CHECK(counts_of(merged[0]) == twin_rle(twin_merge(masks, false)));
            CHECK(counts_of(merged[1]) == twin_rle(twin_merge(masks, true)));
            CHECK(counts_of(merged[2]) == twin_rle(twin_merge({masks[0], masks[n - 1]}, false)));
            CHECK(counts_of(merged[3]) == twin_rle(twin_merge({masks[0], masks[n - 1]}, true)));
        }
        const run_lengths runs = list_of(masks);
        std::vector<std::uint8_t> crowd(13);
        std::generate(crowd.begin(), crowd.end(), [&] { return random() % 2; });
        std::vector<double> values(13 * 13);
        std::vector<double> plain(13 * 13);
        rle_iou(values, runs, runs, crowd);
        rle_iou(plain, runs, runs);
        std::size_t wrong = 0;
        for (std::size_t d = 0; d < 13; ++d) {
            for (std::size_t g = 0; g < 13; ++g) {
                const auto area = [](const rle_mask& mask) { return static_cast<double>(rle_area(encoded(mask)[0])); };
                const double both = area(twin_merge({masks[d], masks[g]}, true));
                const double any = area(twin_merge({masks[d], masks[g]}, false));
                const double own = area(masks[d]);
                // Whole numbers below 2^53: the quotient of two of them has one rounding.
                wrong += plain[d * 13 + g] != (both == 0 ? 0 : both / any) ? 1 : 0;
                wrong += values[d * 13 + g] != (both == 0 ? 0 : both / (crowd[g] != 0 ? own : any)) ? 1 : 0;
            }
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("runs of length 0 do no harm")
{
    const std::initializer_list<rle_counts> several = {{0, 0, 5, 0, 0, 3, 4}, {5, 0, 7},      {5, 7, 0},
                                                       {12, 0, 0, 0},         {0, 12, 0, 0},  {0, 0, 0, 12},
                                                       {3, 2, 0, 2, 5},       {3, 2, 0, 0, 7}};
    run_lengths other;
    other.append({rle_counts{2, 6, 4}, 4, 3});
    for (const rle_counts& counts : several) {
        run_lengths runs;
        runs.append({counts, 4, 3});
        rle_mask mask(4, 3);
        mask.pixels = twin_pixels(counts, 4, 3);
        CHECK(decoded(runs) == mask.pixels);
        const rle_counts canonical = twin_rle(mask);
        run_lengths merged;
        rle_merge(merged, runs, rle_union);
        rle_merge(merged, runs[0], runs[0], rle_intersection);
        CHECK(counts_of(merged[0]) == canonical);
        CHECK(counts_of(merged[1]) == canonical);
        CHECK(rle_area(runs[0]) == rle_area(merged[0]));
        CHECK(rle_box(runs[0]) == rle_box(merged[0]));
        double ious[2];
        rle_iou(std::span(ious, 1), runs, other);
        rle_iou(std::span(ious + 1, 1), merged = encoded(mask), other);
        CHECK(ious[0] == ious[1]);
        run_lengths read;
        rle_from_string(read, text_of(runs[0]), 4, 3);
        CHECK(counts_of(read[0]) == counts); // as they were
    }
}

TEST_CASE("strings that are no run lengths are refused, and leave the list as it was")
{
    const auto refuse = [](const std::string& text, std::size_t h, std::size_t w, status_code code,
                           std::initializer_list<const char*> texts) {
        run_lengths runs;
        runs.append({rle_counts{2, 3, 15}, 4, 5});
        CAPTURE(text);
        check_status(try_rle_from_string(runs, text, h, w), code, texts);
        CHECK(runs.size() == 1);
        CHECK(counts_of(runs[0]) == rle_counts{2, 3, 15});
        CHECK(try_rle_from_string(runs, "23?", 4, 5).ok());
        CHECK(counts_of(runs[1]) == rle_counts{2, 3, 15});
    };
    refuse("", 4, 5, status_code::size_mismatch, {"add up to 0; expected 20", "4 x 5"});
    refuse("23>", 4, 5, status_code::size_mismatch, {"add up to 19; expected 20"});
    refuse("23P1", 4, 5, status_code::size_mismatch, {"run length 2", "is 32, after 5 pixels of 20"});
    refuse("23?N", 4, 5, status_code::size_mismatch, {"run length 3", "is 1, after 20"});
    refuse("2O", 4, 5, status_code::size_mismatch, {"run length 1", "is -1"});
    refuse("23P", 4, 5, status_code::size_mismatch, {"ends at character 3, within a number"});
    refuse("23/", 4, 5, status_code::bad_argument, {"character 2", "code 47", "48 to 111"});
    refuse("23p", 4, 5, status_code::bad_argument, {"code 112"});
    refuse("2\xFF", 4, 5, status_code::bad_argument, {"code 255"});
    refuse(std::string("23\0?", 4), 4, 5, status_code::bad_argument, {"code 0"});
    refuse("2ooooooo?", 4, 5, status_code::bad_argument, {"number at character 1", "more than 7"});
    refuse("23?", 5, 4, status_code::row_mismatch, {"5 x 4", "4 x 5"});
    refuse("23?", 0, 5, status_code::bad_argument, {"0 x 5"});
    refuse("23?", 65536, 65536, status_code::size_overflow, {"65536 x 65536"});

    // Whatever the characters are: refused, or a mask of the size.
    std::mt19937 random(2);
    std::size_t taken = 0;
    for (int k = 0; k < 20000; ++k) {
        std::string text(random() % 6, ' ');
        std::generate(text.begin(), text.end(), [&] { return static_cast<char>(random() % 70 + 45); });
        run_lengths runs;
        if (try_rle_from_string(runs, text, 4, 5).ok()) {
            CHECK(detail::check_rle(runs[0]).ok());
            ++taken;
        } else {
            CHECK(runs.empty());
        }
    }
    CHECK(taken > 5);
}
