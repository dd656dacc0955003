// SPDX-License-Identifier: Apache-2.0
#ifndef PADBATCH_TESTS_SUPPORT_MUTANT_HPP
#define PADBATCH_TESTS_SUPPORT_MUTANT_HPP

#include <tests/support/fixtures.hpp>
#include <tests/support/plain_outputs.hpp>
#include <tests/support/tensor.hpp>

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

// A changed export that remembers what each of its outputs was made from.
namespace padbatch::test {

/// One change of an output's values.
struct value_change {
    enum class kind { cast, transpose, unsqueeze, squeeze, repeat, count } what = kind::cast;
    int number = 0;        ///< the element type, or the axis
    std::vector<int> axes; ///< the order of a transposition
};

/// What an output holds.
struct origin {
    std::string source; ///< the export's output; empty for a constant
    std::string field;  ///< empty for what is no detection
    std::size_t image = 0;
    std::vector<value_change> changes;
    std::optional<tensor> constant;
    int rank = -1;                 ///< before the changes; -1 if it is not known
    bool has_unit_channel = false; ///< whether axis 1 has the extent 1 before the changes

    [[nodiscard]] bool is_detection() const { return !field.empty(); }
};

/// A changed export.
struct mutant {
    onnx::ModelProto model;
    std::vector<origin> outputs; ///< one for each output of the graph
    /// False for a graph that no runtime may take, or that has a detection twice: it must be refused.
    bool valid = true;
    /// Whether nothing has changed that the meaning of the outputs could depend on: it must not be refused.
    bool harmless = true;
    std::vector<std::string> steps; ///< what was done
};

/// The export itself.
inline mutant unchanged(const fixture& f, const onnx::ModelProto& model)
{
    mutant m;
    m.model = model;
    for (const auto& output : model.graph().output()) {
        origin o;
        o.source = output.name();
        for (std::size_t image = 0; image < f.batch; ++image) {
            for (std::size_t slot = 0; slot < f.fields.size(); ++slot) {
                if (f.output(image, slot) == output.name()) {
                    o.field = f.fields[slot];
                    o.image = image;
                }
            }
        }
        if (o.is_detection()) {
            o.rank = o.field == "boxes" || o.field == "keypoints_scores" ? 2
                     : o.field == "labels" || o.field == "scores"        ? 1
                     : o.field == "masks"                                ? 4
                                                                         : 3;
            o.has_unit_channel = o.field == "masks";
        }
        m.outputs.push_back(std::move(o));
    }
    return m;
}

namespace detail {

inline tensor transposed(const tensor& from, const std::vector<int>& order)
{
    tensor to{from.type, {}, {}};
    for (const int axis : order) {
        to.shape.push_back(from.shape.at(static_cast<std::size_t>(axis)));
    }
    std::vector<std::size_t> strides(from.shape.size(), 1);
    for (std::size_t d = from.shape.size(); d-- > 1;) {
        strides[d - 1] = strides[d] * static_cast<std::size_t>(from.shape[d]);
    }
    const std::size_t size = element_size(from.type);
    to.bytes.reserve(from.bytes.size());
    std::vector<std::int64_t> at(to.shape.size(), 0);
    for (std::size_t written = 0; written < from.bytes.size(); written += size) {
        std::size_t place = 0;
        for (std::size_t d = 0; d < at.size(); ++d) {
            place += static_cast<std::size_t>(at[d]) * strides[static_cast<std::size_t>(order[d])];
        }
        const auto begin = from.bytes.begin() + static_cast<std::ptrdiff_t>(place * size);
        to.bytes.insert(to.bytes.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
        for (std::size_t d = at.size(); d-- > 0;) {
            ++at[d];
            if (at[d] < to.shape[d]) {
                break;
            }
            at[d] = 0;
        }
    }
    return to;
}

inline tensor cast(const tensor& from, int type)
{
    if (type != onnx_number::boolean) {
        return converted(from, type);
    }
    tensor to{type, from.shape, {}};
    for (std::size_t i = 0; i < elements_of(from); ++i) {
        append_number(to, number_at(from, i) != 0 ? 1 : 0);
    }
    return to;
}

} // namespace detail

/// The values of an output, worked out plainly from those of the export's.
inline tensor changed(tensor t, const std::vector<value_change>& changes)
{
    for (const auto& change : changes) {
        switch (change.what) {
        case value_change::kind::cast: t = detail::cast(t, change.number); break;
        case value_change::kind::transpose: t = detail::transposed(t, change.axes); break;
        case value_change::kind::unsqueeze: t.shape.insert(t.shape.begin() + change.number, 1); break;
        case value_change::kind::squeeze: t.shape.erase(t.shape.begin() + change.number); break;
        case value_change::kind::repeat: {
            const auto once = t.bytes;
            t.bytes.insert(t.bytes.end(), once.begin(), once.end());
            t.shape.at(0) *= 2;
            break;
        }
        case value_change::kind::count: {
            tensor n{onnx_number::int64, {1}, {}};
            detail::append_number(n, static_cast<double>(t.shape.at(0)));
            t = std::move(n);
            break;
        }
        }
    }
    return t;
}

/// Which of the export's axes each axis of an output is, -1 for one that was inserted.
inline std::vector<int> axes_of(const origin& o)
{
    std::vector<int> axes;
    for (int axis = 0; axis < o.rank; ++axis) {
        axes.push_back(axis);
    }
    for (const auto& change : o.changes) {
        if (change.what == value_change::kind::transpose) {
            const auto before = axes;
            for (std::size_t d = 0; d < axes.size(); ++d) {
                axes[d] = before.at(static_cast<std::size_t>(change.axes[d]));
            }
        } else if (change.what == value_change::kind::unsqueeze) {
            axes.insert(axes.begin() + change.number, -1);
        } else if (change.what == value_change::kind::squeeze) {
            axes.erase(axes.begin() + change.number);
        }
    }
    return axes;
}

/// The rows of a detection's output, along the first axis where it has them along another, and once.
inline tensor rows_along_first_axis(const origin& o, const tensor& source)
{
    auto changes = o.changes;
    changes.erase(std::remove_if(changes.begin(), changes.end(),
                                 [](const value_change& c) { return c.what == value_change::kind::repeat; }),
                  changes.end());
    tensor t = changed(source, changes);
    const auto axes = axes_of(o);
    const auto row = static_cast<std::size_t>(std::find(axes.begin(), axes.end(), 0) - axes.begin());
    std::vector<int> order{static_cast<int>(row)};
    std::vector<std::int64_t> shape{t.shape.at(row)};
    for (std::size_t d = 0; d < axes.size(); ++d) {
        if (d != row) {
            order.push_back(static_cast<int>(d));
            if (d > row || axes[d] != -1) {
                shape.push_back(t.shape[d]);
            }
        }
    }
    if (row != 0) {
        t = detail::transposed(t, order);
    }
    t.shape = std::move(shape);
    return t;
}

/// Whether an output has another shape than the export's.
inline bool is_reshaped(const origin& o)
{
    return std::any_of(o.changes.begin(), o.changes.end(),
                       [](const value_change& c) { return c.what != value_change::kind::cast; });
}

/// `scores of image 1`, for messages.
inline std::string text_of(const origin& o)
{
    std::string text = o.constant        ? "a constant"
                       : o.field.empty() ? o.source
                                         : o.field + " of image " + std::to_string(o.image);
    for (const auto& change : o.changes) {
        text += change.what == value_change::kind::cast        ? ", cast"
                : change.what == value_change::kind::transpose ? ", transposed"
                : change.what == value_change::kind::unsqueeze ? ", unsqueezed"
                : change.what == value_change::kind::squeeze   ? ", squeezed"
                : change.what == value_change::kind::repeat    ? ", twice"
                                                               : ", counted";
    }
    return text;
}

/// The images that have a detection among the outputs from 0 to `count`.
inline std::vector<std::size_t> images_of(const mutant& m, std::size_t count)
{
    std::set<std::size_t> images;
    for (std::size_t k = 0; k < std::min(count, m.outputs.size()); ++k) {
        if (m.outputs[k].is_detection()) {
            images.insert(m.outputs[k].image);
        }
    }
    return {images.begin(), images.end()};
}

} // namespace padbatch::test

#endif
