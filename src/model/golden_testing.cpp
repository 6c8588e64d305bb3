#include "model/golden_testing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include <simdjson.h>

#include "base/check.h"

namespace heddle::model {
namespace {

namespace dom = simdjson::dom;

template <class T>
std::vector<T> row_of(dom::element element) {
    std::vector<T> row;
    for (const dom::element value : element.get_array()) {
        if constexpr (std::is_floating_point_v<T>) {
            row.push_back(static_cast<T>(value.get_double().value()));
        } else {
            row.push_back(static_cast<T>(value.get_int64().value()));
        }
    }
    return row;
}

template <class T>
std::vector<std::vector<T>> rows_of(dom::element golden, std::string_view name) {
    std::vector<std::vector<T>> rows;
    dom::array array;
    if (golden[name].get(array) != simdjson::SUCCESS) return rows;
    for (const dom::element row : array) rows.push_back(row_of<T>(row));
    return rows;
}

std::uint64_t split_mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

}  // namespace

Golden load_golden(std::string_view name) {
    const auto path = std::filesystem::path(HEDDLE_SOURCE_DIR) / "tests/golden/model" /
                      (std::string(name) + ".json");
    dom::parser parser;
    const dom::element root = parser.load(path.string());
    Golden golden;
    golden.config = simdjson::minify(root["config"]);
    for (const auto [tensor, shape] : root["tensors"].get_object()) {
        golden.tensors.push_back({std::string(tensor), row_of<std::int64_t>(shape)});
    }
    std::uint64_t salt = 0;
    if (root["salt"].get(salt) == simdjson::SUCCESS) golden.salt = static_cast<std::uint8_t>(salt);
    golden.prompts = rows_of<std::int32_t>(root, "prompts");
    golden.logits = rows_of<float>(root, "logits");
    golden.greedy = rows_of<std::int32_t>(root, "greedy");
    golden.states = rows_of<float>(root, "states");
    golden.scores = rows_of<float>(root, "scores");
    dom::array inputs;
    if (root["inputs"].get(inputs) == simdjson::SUCCESS) {
        for (const dom::element input : inputs) {
            golden.inputs.push_back(
                {row_of<std::int32_t>(input["ids"]), input["second_segment"].get_uint64().value()});
        }
    }
    return golden;
}

std::vector<float> random_weights(std::string_view name, const std::vector<std::int64_t>& shape,
                                  std::uint8_t salt) {
    std::uint64_t seed = 0xCBF29CE484222325ULL;
    seed = (seed ^ salt) * 0x100000001B3ULL;
    for (const char c : name) {
        seed = (seed ^ static_cast<std::uint8_t>(c)) * 0x100000001B3ULL;
    }
    std::int64_t count = 1;
    for (const std::int64_t extent : shape) count *= extent;
    const bool is_weight = name.ends_with("weight");
    const bool is_embedding = name.find("embed") != std::string_view::npos;
    const double gain = std::sqrt(6.0 / static_cast<double>(shape.back()));
    std::vector<float> values;
    for (std::int64_t i = 1; i <= count; ++i) {
        const std::uint64_t bits =
            split_mix(seed + static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15ULL);
        double value = static_cast<double>(bits >> 40) * 0x1.0p-23 - 1.0;
        if (shape.size() == 1) {
            value = is_weight ? 1.0 + 0.25 * value : 0.25 * value;
        } else if (!is_embedding) {
            value *= gain;
        }
        values.push_back(static_cast<float>(value));
    }
    return values;
}

void write_model(const Golden& golden, const TemporaryFolder& folder) {
    std::string header = "{";
    std::string data;
    for (const auto& [name, shape] : golden.tensors) {
        const std::vector<float> values = random_weights(name, shape, golden.salt);
        const std::size_t begin = data.size();
        data.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
        header +=
            fmt::format(R"({}"{}":{{"dtype":"F32","shape":[{}],"data_offsets":[{},{}]}})",
                        begin == 0 ? "" : ",", name, fmt::join(shape, ","), begin, data.size());
    }
    folder.write("config.json", golden.config);
    folder.write("model.safetensors", safetensors_bytes(header + "}", data));
}

double relative_error(const std::vector<float>& actual, const std::vector<float>& expected) {
    HEDDLE_CHECK(actual.size() == expected.size(), "rows have the same length");
    double largest = 0;
    double difference = 0;
    for (std::size_t i = 0; i < actual.size(); ++i) {
        largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
        difference = std::max(difference, std::abs(static_cast<double>(actual[i]) - expected[i]));
        if (!std::isfinite(actual[i])) return INFINITY;
    }
    return difference / largest;
}

}  // namespace heddle::model
