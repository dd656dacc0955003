// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_EXAMPLES_DRAWING_HPP
#define PADBATCH_EXAMPLES_DRAWING_HPP

// How the examples draw detections: masks, boxes with a tag, and several pictures on one sheet.

#include "picture.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace examples {

inline constexpr int zoom = 2; // images are drawn this much larger
inline constexpr color ink{0.13F, 0.15F, 0.19F};
inline constexpr color page{1.0F, 1.0F, 1.0F};

// The color that a label is drawn in.
inline color color_of(std::int64_t label)
{
    static constexpr std::array<color, 6> colors{{{0.80F, 0.10F, 0.45F},
                                                  {0.05F, 0.35F, 0.85F},
                                                  {0.90F, 0.35F, 0.00F},
                                                  {0.00F, 0.50F, 0.35F},
                                                  {0.45F, 0.20F, 0.75F},
                                                  {0.55F, 0.40F, 0.05F}}};
    return colors[static_cast<std::size_t>(label) % colors.size()];
}

// Tints the pixels of a panel that belong to a mask, and draws an outline around them. `is_inside(n)` tells of pixel n,
// row by row.
template <class IsInside>
void draw_mask(picture& panel, const IsInside& is_inside, const color& paint)
{
    const int width = panel.width();
    const int height = panel.height();
    const auto inside = [&](int x, int y) {
        return x >= 0 && x < width && y >= 0 && y < height &&
               is_inside(static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x));
    };
    constexpr int line = 2;
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            if (inside(x, y)) {
                const bool edge =
                    !inside(x - line, y) || !inside(x + line, y) || !inside(x, y - line) || !inside(x, y + line);
                panel.dot(x, y, edge ? page : paint, edge ? 0.9F : 0.45F);
            }
        }
    }
}

// Where a box, in pixels of the image, is in a panel.
inline rectangle place_of(const float* box)
{
    const auto pixel = [](float place) { return static_cast<int>(std::lround(place * zoom)); };
    return {pixel(box[0]), pixel(box[1]), pixel(box[2]) - pixel(box[0]), pixel(box[3]) - pixel(box[1])};
}

// Draws a box, and a tag with the name and the score at its upper edge.
inline void draw_box(picture& panel, const float* box, const std::string& name, float score, const color& paint)
{
    constexpr int scale = 2;
    const rectangle place = place_of(box);
    panel.frame(place, 2, paint);

    char text[64];
    std::snprintf(text, sizeof text, "%.40s %.2f", name.c_str(), score);
    const int width = picture::text_width(text, scale) + 4 * scale;
    const int height = 11 * scale;
    const int x = std::clamp(place.left, 0, std::max(panel.width() - width, 0));
    const int y =
        place.top >= height ? place.top - height : std::min(place.top + place.height, panel.height() - height);
    panel.fill({x, y, width, height}, paint);
    panel.text(x + 2 * scale, y + 2 * scale, text, page, scale);
}

// A drawn image, and what stands at the left and at the right below it.
struct panel {
    picture drawn;
    std::string title;
    std::string remark;
};

// Panels of one size on one page, so many in a row.
inline picture sheet_of(const std::vector<panel>& panels, std::size_t columns)
{
    constexpr int gap = 24;
    constexpr int caption = 60;
    constexpr int scale = 3;
    const int width = panels.at(0).drawn.width();
    const int height = panels.at(0).drawn.height();
    const std::size_t rows = (panels.size() + columns - 1) / columns;
    picture sheet(static_cast<int>(columns) * (width + gap) + gap, static_cast<int>(rows) * (gap + height + caption),
                  page);
    for (std::size_t i = 0; i < panels.size(); ++i) {
        const int left = gap + static_cast<int>(i % columns) * (width + gap);
        const int top = gap + static_cast<int>(i / columns) * (gap + height + caption);
        const int line = top + height + 15;
        sheet.paste(panels[i].drawn, left, top);
        sheet.text(left, line, panels[i].title, ink, scale);
        sheet.text(left + width - picture::text_width(panels[i].remark, scale), line, panels[i].remark, ink, scale);
    }
    return sheet;
}

} // namespace examples

#endif
