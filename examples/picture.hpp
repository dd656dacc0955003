// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_EXAMPLES_PICTURE_HPP
#define PADBATCH_EXAMPLES_PICTURE_HPP

// A picture to draw on: PNG files in and out, areas, frames, text.

#include <png.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace examples {

// Red, green and blue from 0 to 1.
using color = std::array<float, 3>;

struct rectangle {
    int left = 0;
    int top = 0;
    int width = 0;
    int height = 0;
};

// A plane of numbers, `factor` times as wide and high, interpolated between the pixels' centers.
inline std::vector<float> enlarged(const float* plane, int width, int height, int factor)
{
    struct tap {
        int low, high;
        float weight; // of high
    };
    const auto taps = [factor](int extent) {
        std::vector<tap> list;
        for (int i = 0; i < extent * factor; ++i) {
            const float at = std::max((static_cast<float>(i) + 0.5F) / static_cast<float>(factor) - 0.5F, 0.0F);
            const int low = static_cast<int>(at);
            list.push_back({low, std::min(low + 1, extent - 1), at - static_cast<float>(low)});
        }
        return list;
    };
    const auto columns = taps(width);
    std::vector<float> result;
    result.reserve(columns.size() * static_cast<std::size_t>(height * factor));
    for (const auto& y : taps(height)) {
        const float* upper = plane + static_cast<std::ptrdiff_t>(y.low) * width;
        const float* lower = plane + static_cast<std::ptrdiff_t>(y.high) * width;
        for (const auto& x : columns) {
            const float above = std::lerp(upper[x.low], upper[x.high], x.weight);
            const float below = std::lerp(lower[x.low], lower[x.high], x.weight);
            result.push_back(std::lerp(above, below, y.weight));
        }
    }
    return result;
}

class picture {
public:
    picture(int width, int height, const color& background)
        : m_width(width), m_height(height),
          m_numbers(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height))
    {
        fill({0, 0, width, height}, background);
    }

    static picture read(const std::string& path)
    {
        png_image file{};
        file.version = PNG_IMAGE_VERSION;
        if (png_image_begin_read_from_file(&file, path.c_str()) == 0) {
            throw std::runtime_error(path + ": " + file.message);
        }
        file.format = PNG_FORMAT_RGB;
        std::vector<png_byte> bytes(PNG_IMAGE_SIZE(file));
        const png_color white{255, 255, 255};
        if (png_image_finish_read(&file, &white, bytes.data(), 0, nullptr) == 0) {
            throw std::runtime_error(path + ": " + file.message);
        }
        picture result(static_cast<int>(file.width), static_cast<int>(file.height), {});
        const std::size_t pixels = bytes.size() / 3;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            result.m_numbers[i % 3 * pixels + i / 3] = static_cast<float>(bytes[i]) / 255.0F;
        }
        return result;
    }

    // Writes a PNG file with 52 levels per channel, which makes it less than half as large as all 256 would.
    void write(const std::string& path) const
    {
        png_image file{};
        file.version = PNG_IMAGE_VERSION;
        file.format = PNG_FORMAT_RGB;
        file.width = static_cast<png_uint_32>(m_width);
        file.height = static_cast<png_uint_32>(m_height);
        std::vector<png_byte> bytes(m_numbers.size());
        const std::size_t pixels = bytes.size() / 3;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            bytes[i] = static_cast<png_byte>(std::lround(m_numbers[i % 3 * pixels + i / 3] * 51.0F) * 5);
        }
        if (png_image_write_to_file(&file, path.c_str(), 0, bytes.data(), 0, nullptr) == 0) {
            throw std::runtime_error(path + ": " + file.message);
        }
    }

    [[nodiscard]] int width() const { return m_width; }
    [[nodiscard]] int height() const { return m_height; }
    // One plane each of red, green and blue, as detection models take them.
    [[nodiscard]] const std::vector<float>& numbers() const { return m_numbers; }

    [[nodiscard]] picture enlarged(int factor) const
    {
        picture result(m_width * factor, m_height * factor, {});
        result.m_numbers.clear();
        for (std::size_t channel = 0; channel < 3; ++channel) {
            const auto plane = examples::enlarged(&m_numbers[at(channel, 0, 0)], m_width, m_height, factor);
            result.m_numbers.insert(result.m_numbers.end(), plane.begin(), plane.end());
        }
        return result;
    }

    // Covers a pixel with paint, or tints it where `cover` is less than 1. Pixels outside are left out.
    void dot(int x, int y, const color& paint, float cover = 1.0F)
    {
        if (x < 0 || x >= m_width || y < 0 || y >= m_height) {
            return;
        }
        for (std::size_t channel = 0; channel < 3; ++channel) {
            float& number = m_numbers[at(channel, x, y)];
            number = std::lerp(number, paint[channel], cover);
        }
    }

    void fill(const rectangle& area, const color& paint, float cover = 1.0F)
    {
        for (int y = area.top; y < area.top + area.height; ++y) {
            for (int x = area.left; x < area.left + area.width; ++x) {
                dot(x, y, paint, cover);
            }
        }
    }

    // The outline of an area, drawn inside it.
    void frame(const rectangle& area, int thickness, const color& paint)
    {
        fill({area.left, area.top, area.width, thickness}, paint);
        fill({area.left, area.top + area.height - thickness, area.width, thickness}, paint);
        fill({area.left, area.top, thickness, area.height}, paint);
        fill({area.left + area.width - thickness, area.top, thickness, area.height}, paint);
    }

    void paste(const picture& other, int left, int top)
    {
        for (int y = 0; y < other.m_height; ++y) {
            for (int x = 0; x < other.m_width; ++x) {
                dot(left + x, top + y,
                    {other.m_numbers[at_of(other, 0, x, y)], other.m_numbers[at_of(other, 1, x, y)],
                     other.m_numbers[at_of(other, 2, x, y)]});
            }
        }
    }

    // Text in letters of 5 x 7 dots and 2 rows below the line, each dot `scale` pixels wide.
    void text(int left, int top, std::string_view line, const color& paint, int scale)
    {
        for (const char letter : line) {
            const auto glyph = font().find(static_cast<char>(std::tolower(static_cast<unsigned char>(letter))));
            for (int dot = 0; glyph != font().end() && dot < 5 * 9; ++dot) {
                const char row = glyph->second[static_cast<std::size_t>(dot / 5)];
                const int bits = row >= 'a' ? row - 'a' + 10 : row - '0';
                if ((bits >> (4 - dot % 5) & 1) != 0) {
                    fill({left + dot % 5 * scale, top + dot / 5 * scale, scale, scale}, paint);
                }
            }
            left += 6 * scale;
        }
    }

    static int text_width(std::string_view line, int scale) { return (static_cast<int>(line.size()) * 6 - 1) * scale; }

private:
    [[nodiscard]] static std::size_t at_of(const picture& of, std::size_t channel, int x, int y)
    {
        return (channel * static_cast<std::size_t>(of.m_height) + static_cast<std::size_t>(y)) *
                   static_cast<std::size_t>(of.m_width) +
               static_cast<std::size_t>(x);
    }
    [[nodiscard]] std::size_t at(std::size_t channel, int x, int y) const { return at_of(*this, channel, x, y); }

    // Nine rows of five dots a letter; a row is a digit in base 32, its highest bit the leftmost dot.
    static const std::map<char, std::string_view>& font()
    {
        static const std::map<char, std::string_view> letters{
            // clang-format off
            {'0', "ehjlphe00"}, {'1', "4c4444e00"}, {'2', "eh168gv00"}, {'3', "eh161he00"}, {'4', "26aiv2200"},
            {'5', "vgu11he00"}, {'6', "eguhhhe00"}, {'7', "v12448800"}, {'8', "ehhehhe00"}, {'9', "ehhhf1e00"},
            {'a', "00e1fhf00"}, {'b', "gguhhhu00"}, {'c', "00ehghe00"}, {'d', "11fhhhf00"}, {'e', "00ehvge00"},
            {'f', "698u88800"}, {'g', "00fhhhf1e"}, {'h', "gguhhhh00"}, {'i', "40c444e00"}, {'j', "2062222ic"},
            {'k', "ggikoki00"}, {'l', "c44444e00"}, {'m', "00qllll00"}, {'n', "00uhhhh00"}, {'o', "00ehhhe00"},
            {'p', "00uhhhugg"}, {'q', "00fhhhf11"}, {'r', "00mpggg00"}, {'s', "00fge1u00"}, {'t', "88u889600"},
            {'u', "00hhhhf00"}, {'v', "00hhha400"}, {'w', "00hllla00"}, {'x', "00ha4ah00"}, {'y', "00hhhhf1e"},
            {'z', "00v248v00"}, {'.', "00000cc00"}, {'-', "000e00000"}, {'_', "000000v00"},
            // clang-format on
        };
        return letters;
    }

    int m_width;
    int m_height;
    std::vector<float> m_numbers;
};

} // namespace examples

#endif
