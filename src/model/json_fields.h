// Typed, bounded access to the fields of a JSON configuration. Every error names the file, the
// field and the rule. A field that is null counts as absent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "base/result.h"

namespace heddle::model {

// A view of one object; the simdjson parser that made it outlives it.
class JsonFields {
public:
    // `where` names the object in errors: "config.json", "config.json: rope_scaling".
    JsonFields(std::string where, simdjson::dom::object object)
        : where_(std::move(where)), object_(object) {}

    [[nodiscard]] bool has(std::string_view name) const { return find(name).has_value(); }
    // Fields of this object.
    [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(object_.size()); }

    [[nodiscard]] Result<std::optional<std::int64_t>> integer(std::string_view name,
                                                              std::int64_t least,
                                                              std::int64_t most) const;
    [[nodiscard]] Result<std::int64_t> integer_or(std::string_view name, std::int64_t fallback,
                                                  std::int64_t least, std::int64_t most) const;
    [[nodiscard]] Result<std::int64_t> require_integer(std::string_view name, std::int64_t least,
                                                       std::int64_t most) const;
    [[nodiscard]] Result<std::optional<double>> number(std::string_view name, double least,
                                                       double most) const;
    [[nodiscard]] Result<double> number_or(std::string_view name, double fallback, double least,
                                           double most) const;
    [[nodiscard]] Result<bool> boolean_or(std::string_view name, bool fallback) const;
    [[nodiscard]] Result<std::optional<std::string_view>> text(std::string_view name) const;
    // Empty when absent; at most `count_max` elements.
    [[nodiscard]] Result<std::vector<std::string_view>> texts(std::string_view name,
                                                              std::size_t count_max) const;
    [[nodiscard]] Result<std::vector<float>> numbers(std::string_view name,
                                                     std::size_t count_max) const;
    // One integer or an array of them (eos_token_id is either); empty when absent.
    [[nodiscard]] Result<std::vector<std::int64_t>> integers(std::string_view name,
                                                             std::int64_t least, std::int64_t most,
                                                             std::size_t count_max) const;
    [[nodiscard]] Result<std::optional<JsonFields>> object(std::string_view name) const;

    [[nodiscard]] Error wrong(std::string_view name, std::string_view rule) const;

private:
    [[nodiscard]] std::optional<simdjson::dom::element> find(std::string_view name) const;

    std::string where_;
    simdjson::dom::object object_;
};

// The whole text as one object; kCorrupt when it is not.
[[nodiscard]] Result<JsonFields> parse_json_object(simdjson::dom::parser& parser,
                                                   const std::string& text, std::string where);

}  // namespace heddle::model
