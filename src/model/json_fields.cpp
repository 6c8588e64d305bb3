#include "model/json_fields.h"

#include <fmt/format.h>

#include <utility>

namespace heddle::model {
namespace {

namespace dom = simdjson::dom;

std::optional<double> as_number(dom::element element) {
    double value = 0;
    if (element.get(value) != simdjson::SUCCESS) return std::nullopt;
    return value;
}

}  // namespace

Error JsonFields::wrong(std::string_view name, std::string_view rule) const {
    return {ErrorCode::kCorrupt, fmt::format("{}: {} {}", where_, name, rule)};
}

std::optional<dom::element> JsonFields::find(std::string_view name) const {
    dom::element element;
    if (object_[name].get(element) != simdjson::SUCCESS || element.is_null()) return std::nullopt;
    return element;
}

Result<std::optional<std::int64_t>> JsonFields::integer(std::string_view name, std::int64_t least,
                                                        std::int64_t most) const {
    const auto element = find(name);
    if (!element) return std::optional<std::int64_t>();
    std::int64_t value = 0;
    if (element->get(value) != simdjson::SUCCESS) return fail(wrong(name, "must be an integer"));
    if (value < least || value > most) {
        return fail(wrong(name, fmt::format("is {}; it must lie in {}..{}", value, least, most)));
    }
    return std::optional(value);
}

Result<std::int64_t> JsonFields::integer_or(std::string_view name, std::int64_t fallback,
                                            std::int64_t least, std::int64_t most) const {
    HEDDLE_TRY(const auto value, integer(name, least, most));
    return value.value_or(fallback);
}

Result<std::int64_t> JsonFields::require_integer(std::string_view name, std::int64_t least,
                                                 std::int64_t most) const {
    HEDDLE_TRY(const auto value, integer(name, least, most));
    if (!value) return fail(wrong(name, "is missing"));
    return *value;
}

Result<std::optional<double>> JsonFields::number(std::string_view name, double least,
                                                 double most) const {
    const auto element = find(name);
    if (!element) return std::optional<double>();
    const auto value = as_number(*element);
    if (!value) return fail(wrong(name, "must be a number"));
    if (!(*value >= least && *value <= most)) {
        return fail(wrong(name, fmt::format("is {}; it must lie in {}..{}", *value, least, most)));
    }
    return value;
}

Result<double> JsonFields::number_or(std::string_view name, double fallback, double least,
                                     double most) const {
    HEDDLE_TRY(const auto value, number(name, least, most));
    return value.value_or(fallback);
}

Result<bool> JsonFields::boolean_or(std::string_view name, bool fallback) const {
    const auto element = find(name);
    if (!element) return fallback;
    bool value = false;
    if (element->get(value) != simdjson::SUCCESS) return fail(wrong(name, "must be true or false"));
    return value;
}

Result<std::optional<std::string_view>> JsonFields::text(std::string_view name) const {
    const auto element = find(name);
    if (!element) return std::optional<std::string_view>();
    std::string_view value;
    if (element->get(value) != simdjson::SUCCESS) return fail(wrong(name, "must be a string"));
    return std::optional(value);
}

Result<std::vector<std::string_view>> JsonFields::texts(std::string_view name,
                                                        std::size_t count_max) const {
    std::vector<std::string_view> values;
    const auto element = find(name);
    if (!element) return values;
    dom::array array;
    if (element->get(array) != simdjson::SUCCESS) return fail(wrong(name, "must be an array"));
    for (const dom::element item : array) {
        std::string_view value;
        if (item.get(value) != simdjson::SUCCESS) return fail(wrong(name, "must hold strings"));
        if (values.size() == count_max) {
            return fail(wrong(name, fmt::format("has more than {} elements", count_max)));
        }
        values.push_back(value);
    }
    return values;
}

Result<std::vector<float>> JsonFields::numbers(std::string_view name, std::size_t count_max) const {
    std::vector<float> values;
    const auto element = find(name);
    if (!element) return values;
    dom::array array;
    if (element->get(array) != simdjson::SUCCESS) return fail(wrong(name, "must be an array"));
    for (const dom::element item : array) {
        const auto value = as_number(item);
        if (!value) return fail(wrong(name, "must hold numbers"));
        if (values.size() == count_max) {
            return fail(wrong(name, fmt::format("has more than {} elements", count_max)));
        }
        values.push_back(static_cast<float>(*value));
    }
    return values;
}

Result<std::vector<std::int64_t>> JsonFields::integers(std::string_view name, std::int64_t least,
                                                       std::int64_t most,
                                                       std::size_t count_max) const {
    std::vector<std::int64_t> values;
    const auto element = find(name);
    if (!element) return values;
    dom::array array;
    if (element->get(array) != simdjson::SUCCESS) {
        HEDDLE_TRY(const auto value, integer(name, least, most));
        values.push_back(*value);
        return values;
    }
    for (const dom::element item : array) {
        std::int64_t value = 0;
        if (item.get(value) != simdjson::SUCCESS || value < least || value > most) {
            return fail(wrong(name, fmt::format("must hold integers in {}..{}", least, most)));
        }
        if (values.size() == count_max) {
            return fail(wrong(name, fmt::format("has more than {} elements", count_max)));
        }
        values.push_back(value);
    }
    return values;
}

Result<std::optional<JsonFields>> JsonFields::object(std::string_view name) const {
    const auto element = find(name);
    if (!element) return std::optional<JsonFields>();
    dom::object inner;
    if (element->get(inner) != simdjson::SUCCESS) return fail(wrong(name, "must be an object"));
    return std::optional(JsonFields(fmt::format("{}: {}", where_, name), inner));
}

Result<JsonFields> parse_json_object(dom::parser& parser, const std::string& text,
                                     std::string where) {
    dom::object object;
    if (parser.parse(text).get(object) != simdjson::SUCCESS) {
        return fail(ErrorCode::kCorrupt, fmt::format("{}: is not a valid JSON object", where));
    }
    return JsonFields(std::move(where), object);
}

}  // namespace heddle::model
