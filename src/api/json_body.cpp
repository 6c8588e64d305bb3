#include "api/json_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace heddle::api {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kDepthMax = 32;
// Names of one object; duplicates are looked for by sorting them.
constexpr std::size_t kFieldsMax = 1000;

Result<> check_text(std::string_view value, const std::string& param, TextRule rule) {
    if (value.size() < rule.bytes_min) {
        return field_error(param,
                           fmt::format("String should have at least {} character{}", rule.bytes_min,
                                       rule.bytes_min == 1 ? "" : "s"),
                           "string_too_short");
    }
    if (value.size() > rule.bytes_max) {
        return field_error(param,
                           fmt::format("String should have at most {} bytes", rule.bytes_max),
                           "string_too_long");
    }
    return {};
}

Result<std::string> take_text(dom::element element, const std::string& param, TextRule rule) {
    std::string_view value;
    if (element.get(value) != simdjson::SUCCESS) {
        return field_error(param, "Input should be a valid string", "string_type");
    }
    HEDDLE_TRY_VOID(check_text(value, param, rule));
    return std::string(value);
}

Result<> check_duplicates(dom::object object, const std::string& path) {
    std::vector<std::string_view> names;
    for (const auto field : object) {
        if (names.size() == kFieldsMax) {
            return field_error(path, "Object should have fewer fields", "too_long");
        }
        names.push_back(field.key);
    }
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice == names.end()) return {};
    const std::string prefix = path.empty() ? "" : path + ".";
    return field_error(prefix + std::string(*twice), "Field appears twice", "duplicate_field");
}

}  // namespace

tl::unexpected<Error> field_error(std::string param, std::string message, std::string reason) {
    return fail(Error(ErrorCode::kUnprocessable, std::move(message))
                    .with_param(std::move(param))
                    .with_reason(std::move(reason)));
}

Result<JsonObject> JsonObject::make(dom::element element, std::string path) {
    dom::object object;
    if (element.get(object) != simdjson::SUCCESS) {
        return field_error(path, "Input should be a valid dictionary", "dict_type");
    }
    HEDDLE_TRY_VOID(check_duplicates(object, path));
    return JsonObject(object, std::move(path));
}

std::string JsonObject::path_of(std::string_view name) const {
    return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

std::optional<dom::element> JsonObject::find(std::string_view name) const {
    dom::element element;
    if (object_.at_key(name).get(element) != simdjson::SUCCESS || element.is_null()) {
        return std::nullopt;
    }
    return element;
}

Result<std::optional<std::string>> JsonObject::text(std::string_view name, TextRule rule) const {
    const auto element = find(name);
    if (!element) return std::nullopt;
    HEDDLE_TRY(std::string value, take_text(*element, path_of(name), rule));
    return value;
}

Result<std::string> JsonObject::required_text(std::string_view name, TextRule rule) const {
    const auto element = find(name);
    if (!element) return field_error(path_of(name), "Field required", "missing");
    return take_text(*element, path_of(name), rule);
}

Result<std::optional<double>> JsonObject::number(std::string_view name, double least,
                                                 double most) const {
    const auto element = find(name);
    if (!element) return std::nullopt;
    double value = 0;
    if (!element->is_number() || element->get(value) != simdjson::SUCCESS) {
        return field_error(path_of(name), "Input should be a valid number", "float_type");
    }
    if (!std::isfinite(value)) {
        return field_error(path_of(name), "Input should be a finite number", "finite_number");
    }
    if (value < least) {
        return field_error(path_of(name),
                           fmt::format("Input should be greater than or equal to {}", least),
                           "greater_than_equal");
    }
    if (value > most) {
        return field_error(path_of(name),
                           fmt::format("Input should be less than or equal to {}", most),
                           "less_than_equal");
    }
    return value;
}

Result<std::optional<std::int64_t>> JsonObject::integer(std::string_view name, std::int64_t least,
                                                        std::int64_t most) const {
    const auto element = find(name);
    if (!element) return std::nullopt;
    std::int64_t value = 0;
    if (element->is<std::uint64_t>() && !element->is<std::int64_t>()) {
        value = std::numeric_limits<std::int64_t>::max();  // beyond every range we have
    } else if (!element->is<std::int64_t>() || element->get(value) != simdjson::SUCCESS) {
        return field_error(path_of(name), "Input should be a valid integer", "int_type");
    }
    if (value < least) {
        return field_error(path_of(name),
                           fmt::format("Input should be greater than or equal to {}", least),
                           "greater_than_equal");
    }
    if (value > most) {
        return field_error(path_of(name),
                           fmt::format("Input should be less than or equal to {}", most),
                           "less_than_equal");
    }
    return value;
}

Result<bool> JsonObject::boolean(std::string_view name, bool otherwise) const {
    const auto element = find(name);
    if (!element) return otherwise;
    bool value = false;
    if (element->get(value) != simdjson::SUCCESS) {
        return field_error(path_of(name), "Input should be a valid boolean", "bool_type");
    }
    return value;
}

Result<std::optional<JsonObject>> JsonObject::object(std::string_view name) const {
    const auto element = find(name);
    if (!element) return std::nullopt;
    HEDDLE_TRY(JsonObject value, make(*element, path_of(name)));
    return value;
}

Result<std::vector<JsonObject>> JsonObject::objects(std::string_view name, std::size_t count_min,
                                                    std::size_t count_max) const {
    std::vector<JsonObject> values;
    const auto element = find(name);
    if (!element && count_min == 0) return values;
    if (!element) return field_error(path_of(name), "Field required", "missing");
    dom::array array;
    if (element->get(array) != simdjson::SUCCESS) {
        return field_error(path_of(name), "Input should be a valid list", "list_type");
    }
    for (const dom::element item : array) {
        if (values.size() == count_max) {
            return field_error(path_of(name),
                               fmt::format("List should have at most {} items", count_max),
                               "too_long");
        }
        HEDDLE_TRY(JsonObject value,
                   make(item, path_of(name) + "." + std::to_string(values.size())));
        values.push_back(std::move(value));
    }
    if (values.size() < count_min) {
        return field_error(path_of(name),
                           fmt::format("List should have at least {} item{}", count_min,
                                       count_min == 1 ? "" : "s"),
                           "too_short");
    }
    return values;
}

Result<std::vector<std::string>> JsonObject::texts(std::string_view name, std::size_t count_max,
                                                   TextRule rule, bool or_single) const {
    std::vector<std::string> values;
    const auto element = find(name);
    if (!element) return values;
    if (or_single && element->is_string()) {
        HEDDLE_TRY(std::string value, take_text(*element, path_of(name), rule));
        values.push_back(std::move(value));
        return values;
    }
    dom::array array;
    if (element->get(array) != simdjson::SUCCESS) {
        return field_error(path_of(name), "Input should be a valid list", "list_type");
    }
    for (const dom::element item : array) {
        if (values.size() == count_max) {
            return field_error(path_of(name),
                               fmt::format("List should have at most {} items", count_max),
                               "too_long");
        }
        const std::string param = path_of(name) + "." + std::to_string(values.size());
        HEDDLE_TRY(std::string value, take_text(item, param, rule));
        values.push_back(std::move(value));
    }
    return values;
}

Result<JsonBody> JsonBody::parse(const std::string& text) {
    JsonBody body;
    if (body.parser_->allocate(std::max<std::size_t>(text.size(), 64), kDepthMax) !=
        simdjson::SUCCESS) {
        return fail(ErrorCode::kInternal, "out of memory");
    }
    const auto failure = body.parser_->parse(text).get(body.root_);
    if (failure == simdjson::DEPTH_ERROR) {
        return field_error("", "JSON is nested too deeply", "json_invalid");
    }
    if (failure != simdjson::SUCCESS) {
        return field_error("", "JSON decode error", "json_invalid");
    }
    return body;
}

async::Task<Result<JsonBody>> JsonBody::read(http::Request& request) {
    HEDDLE_CO_TRY(const std::string text, co_await request.body().read_all());
    co_return parse(text);
}

}  // namespace heddle::api
