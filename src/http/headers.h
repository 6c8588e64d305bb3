// Field lines of a message: ordered, names compared without case.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heddle::http {

[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b);

// True when the comma-separated list holds the token ("keep-alive, Upgrade" holds "upgrade").
[[nodiscard]] bool list_has_token(std::string_view list, std::string_view token);

// What RFC 9110 calls a token: a method or a field name.
[[nodiscard]] bool is_token(std::string_view text);

// No CR, LF, NUL or other control but the tab: what may stand in a field value.
[[nodiscard]] bool is_field_value(std::string_view text);

class Headers {
public:
    struct Field {
        std::string name;
        std::string value;
    };

    Headers() = default;
    Headers(std::initializer_list<Field> fields) : fields_(fields) {}

    // Values must satisfy is_field_value(); a value that does not is a bug of the caller.
    void add(std::string name, std::string value);
    // Replaces every field of that name.
    void set(std::string_view name, std::string value);
    void remove(std::string_view name);

    // The first field of that name; empty when there is none (has() tells an empty one apart).
    [[nodiscard]] std::string_view get(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
    [[nodiscard]] std::size_t count(std::string_view name) const;
    // Whether a token stands in any of the fields of that name.
    [[nodiscard]] bool has_token(std::string_view name, std::string_view token) const;

    [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }
    [[nodiscard]] std::size_t size() const { return fields_.size(); }
    void clear() { fields_.clear(); }

private:
    [[nodiscard]] const Field* find(std::string_view name) const;

    std::vector<Field> fields_;
};

// The cookie's value in a `Cookie` field, unquoted; nothing when absent.
[[nodiscard]] std::optional<std::string_view> cookie(const Headers& headers, std::string_view name);

}  // namespace heddle::http
