#ifndef PADBATCH_EXAMPLES_PADDED_MODEL_HPP
#define PADBATCH_EXAMPLES_PADDED_MODEL_HPP

// What a model that onnx-pad-outputs made says of itself.

#include <padbatch/contract.hpp>

#include <onnxruntime_cxx_api.h>

#include <map>
#include <stdexcept>
#include <string>

namespace examples {

// An entry of a model's metadata; empty if it has none of this key.
inline std::string metadata_value(const Ort::Session& session, const char* key)
{
    const Ort::AllocatorWithDefaultOptions allocator;
    const auto text = session.GetModelMetadata().LookupCustomMetadataMapAllocated(key, allocator);
    return text ? text.get() : "";
}

// The names of the padded outputs by their fields, such as `boxes`, and that of the row counts as `count`.
inline std::map<std::string, std::string> padded_names(const Ort::Session& session)
{
    const auto fields = metadata_value(session, padbatch::contract::fields_key) + ",";
    const auto count = metadata_value(session, padbatch::contract::count_key);
    if (fields == "," || count.empty()) {
        throw std::runtime_error("the model was not made by onnx-pad-outputs");
    }
    std::map<std::string, std::string> names{{"count", count}};
    for (std::size_t begin = 0; begin < fields.size(); begin = fields.find(',', begin) + 1) {
        const auto equals = fields.find('=', begin);
        names[fields.substr(begin, equals - begin)] = fields.substr(equals + 1, fields.find(',', equals) - equals - 1);
    }
    return names;
}

} // namespace examples

#endif
