// The one decoder of request bodies: JSON → typed, range-checked values. Every error is
// kUnprocessable and names the field (param, dotted), the rule (message) and its kind (reason),
// in pydantic's words. Duplicate names and nesting beyond 32 levels are refused everywhere; names
// that a request does not know are ignored; null means absent.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "async/task.h"
#include "base/result.h"
#include "http/request.h"

namespace heddle::api {

struct TextRule {
    std::size_t bytes_min = 0;
    std::size_t bytes_max = std::size_t{1} << 20;
};

// A view into a JsonBody, which must outlive it.
class JsonObject {
public:
    [[nodiscard]] static Result<JsonObject> make(simdjson::dom::element element, std::string path);

    // Absent or null: nothing.
    [[nodiscard]] Result<std::optional<std::string>> text(std::string_view name,
                                                          TextRule rule = {}) const;
    [[nodiscard]] Result<std::string> required_text(std::string_view name,
                                                    TextRule rule = {}) const;
    [[nodiscard]] Result<std::optional<double>> number(std::string_view name, double least,
                                                       double most) const;
    [[nodiscard]] Result<std::optional<std::int64_t>> integer(std::string_view name,
                                                              std::int64_t least,
                                                              std::int64_t most) const;
    [[nodiscard]] Result<bool> boolean(std::string_view name, bool otherwise) const;
    [[nodiscard]] Result<std::optional<JsonObject>> object(std::string_view name) const;
    [[nodiscard]] Result<std::vector<JsonObject>> objects(std::string_view name,
                                                          std::size_t count_min,
                                                          std::size_t count_max) const;
    // A list of strings, or with `or_single` one string in place of a list of one.
    [[nodiscard]] Result<std::vector<std::string>> texts(std::string_view name,
                                                         std::size_t count_max, TextRule rule,
                                                         bool or_single = false) const;

    [[nodiscard]] bool has(std::string_view name) const { return find(name).has_value(); }
    [[nodiscard]] std::optional<simdjson::dom::element> find(std::string_view name) const;
    // Names a field of this object for an error ("messages.0.content").
    [[nodiscard]] std::string path_of(std::string_view name) const;

private:
    JsonObject(simdjson::dom::object object, std::string path)
        : object_(object), path_(std::move(path)) {}

    simdjson::dom::object object_;
    std::string path_;
};

[[nodiscard]] tl::unexpected<Error> field_error(std::string param, std::string message,
                                                std::string reason);

// A parsed body; movable.
class JsonBody {
public:
    [[nodiscard]] static Result<JsonBody> parse(const std::string& text);
    // Reads the request's body within its route's cap.
    static async::Task<Result<JsonBody>> read(http::Request& request);

    [[nodiscard]] Result<JsonObject> object() const { return JsonObject::make(root_, ""); }
    [[nodiscard]] simdjson::dom::element root() const { return root_; }

private:
    JsonBody() : parser_(std::make_unique<simdjson::dom::parser>()) {}
    std::unique_ptr<simdjson::dom::parser> parser_;
    simdjson::dom::element root_;
};

}  // namespace heddle::api
