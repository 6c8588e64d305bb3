#include "api/constraint_request.h"

#include <utility>

#include "api/sampling_request.h"

namespace heddle::api {
namespace {

using Kind = service::Constraint::Kind;

constexpr std::size_t kSourceBytesMax = std::size_t{256} << 10;
constexpr std::size_t kChoicesMax = 1000;

// A schema stands there as JSON, or as a string that holds it.
Result<std::string> schema_text(const JsonObject& object, std::string_view name) {
    const auto found = object.find(name);
    if (!found) return field_error(object.path_of(name), "Field required", "missing");
    if (found->is_string()) return object.required_text(name, {1, kSourceBytesMax});
    if (!found->is_object() && !found->is_bool()) {
        return field_error(object.path_of(name), "Input should be a JSON schema", "value_error");
    }
    return simdjson::minify(*found);
}

// One field of one kind, where it is given.
Result<> decode_form(const JsonObject& object, std::string_view name, Kind kind,
                     service::Constraint& constraint) {
    if (!object.has(name)) return {};
    if (constraint.any()) {
        return field_error(object.path_of(name), "Only one form of the answer can be asked for",
                           "value_error");
    }
    if (kind == Kind::kJsonSchema) {
        HEDDLE_TRY(constraint.source, schema_text(object, name));
    } else if (kind == Kind::kJsonObject) {
        HEDDLE_TRY(const bool wanted, object.boolean(name, false));
        if (!wanted) return {};
    } else if (kind == Kind::kChoice) {
        HEDDLE_TRY(constraint.choices, object.texts(name, kChoicesMax, {1, kSourceBytesMax}));
        if (constraint.choices.empty()) {
            return field_error(object.path_of(name), "List should have at least 1 item",
                               "too_short");
        }
    } else {
        HEDDLE_TRY(constraint.source, object.required_text(name, {1, kSourceBytesMax}));
    }
    constraint.kind = kind;
    return {};
}

Result<> decode_response_format(const JsonObject& object, service::Constraint& constraint) {
    HEDDLE_TRY(const auto format, object.object("response_format"));
    if (!format) return {};
    HEDDLE_TRY(const std::string type, format->required_text("type"));
    if (type == "text") return {};
    if (type == "json_object") {
        constraint.kind = Kind::kJsonObject;
        return {};
    }
    if (type != "json_schema") {
        return field_error(format->path_of("type"),
                           "Input should be 'text', 'json_object' or 'json_schema'",
                           "unsupported_parameter");
    }
    HEDDLE_TRY(const auto schema, format->object("json_schema"));
    if (!schema) return field_error(format->path_of("json_schema"), "Field required", "missing");
    return decode_form(*schema, schema->has("schema") ? "schema" : "json", Kind::kJsonSchema,
                       constraint);
}

}  // namespace

Result<service::Constraint> decode_constraint(const JsonObject& object) {
    service::Constraint constraint;
    HEDDLE_TRY_VOID(decode_response_format(object, constraint));
    HEDDLE_TRY(const auto structured, object.object("structured_outputs"));
    if (structured) {
        HEDDLE_TRY_VOID(decode_form(*structured, "json", Kind::kJsonSchema, constraint));
        HEDDLE_TRY_VOID(decode_form(*structured, "json_object", Kind::kJsonObject, constraint));
        HEDDLE_TRY_VOID(decode_form(*structured, "regex", Kind::kRegex, constraint));
        HEDDLE_TRY_VOID(decode_form(*structured, "choice", Kind::kChoice, constraint));
        HEDDLE_TRY_VOID(decode_form(*structured, "grammar", Kind::kGrammar, constraint));
        HEDDLE_TRY_VOID(refuse_unsupported(*structured, {"structural_tag", "whitespace_pattern"}));
    }
    HEDDLE_TRY_VOID(decode_form(object, "guided_json", Kind::kJsonSchema, constraint));
    HEDDLE_TRY_VOID(decode_form(object, "guided_regex", Kind::kRegex, constraint));
    HEDDLE_TRY_VOID(decode_form(object, "guided_choice", Kind::kChoice, constraint));
    HEDDLE_TRY_VOID(decode_form(object, "guided_grammar", Kind::kGrammar, constraint));
    HEDDLE_TRY_VOID(refuse_unsupported(
        object, {"guided_whitespace_pattern", "structural_tag", "structured_output"}));
    return constraint;
}

}  // namespace heddle::api
