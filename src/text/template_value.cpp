#include "text/template_value.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include <simdjson.h>

#include "text/json_fields.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace heddle::text {
namespace {

TemplateValue from_element(const JsonElement& element) {
    switch (element.type()) {
        case simdjson::dom::element_type::ARRAY: {
            TemplateValue::List list;
            for (const JsonElement item : JsonArray(element)) {
                list.items.push_back(from_element(item));
            }
            return list;
        }
        case simdjson::dom::element_type::OBJECT: {
            TemplateValue::Map map;
            for (const auto& [key, value] : JsonObject(element)) {
                map.entries.emplace_back(key, from_element(value));
            }
            return map;
        }
        case simdjson::dom::element_type::INT64:
            return std::int64_t(element);
        case simdjson::dom::element_type::UINT64:
            return static_cast<double>(std::uint64_t(element));
        case simdjson::dom::element_type::DOUBLE:
            return double(element);
        case simdjson::dom::element_type::STRING:
            return std::string_view(element);
        case simdjson::dom::element_type::BOOL:
            return bool(element);
        case simdjson::dom::element_type::NULL_VALUE:
            return TemplateValue::None{};
    }
    return {};
}

// Python's repr() of a string prefers single quotes.
void write_string_repr(std::string_view text, std::string& out) {
    const bool single = text.find('\'') == text.npos || text.find('"') != text.npos;
    const char quote = single ? '\'' : '"';
    out.push_back(quote);
    for (std::size_t i = 0; i < text.size();) {
        const Utf8Character c = decode_utf8(text, i);
        const std::string_view bytes = text.substr(i, c.length);
        i += c.length;
        const Category category = class_of(c.code_point).category();
        if (c.code_point == static_cast<unsigned char>(quote) || c.code_point == '\\') {
            out.append("\\").append(bytes);
        } else if (c.code_point == '\n') {
            out += "\\n";
        } else if (c.code_point == '\r') {
            out += "\\r";
        } else if (c.code_point == '\t') {
            out += "\\t";
        } else if (c.code_point == ' ' || (category < Category::kZs && category != Category::kCn)) {
            out += bytes;
        } else if (c.code_point < 0x100) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned>(c.code_point));
        } else if (c.code_point < 0x10000) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c.code_point));
        } else {
            out += fmt::format("\\U{:08x}", static_cast<unsigned>(c.code_point));
        }
    }
    out.push_back(quote);
}

void write_json_string(std::string_view text, bool ensure_ascii, std::string& out) {
    out.push_back('"');
    for (std::size_t i = 0; i < text.size();) {
        const Utf8Character c = decode_utf8(text, i);
        switch (c.code_point) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            case '\b':
                out += "\\b";
                break;
            case '\f':
                out += "\\f";
                break;
            default:
                if (c.code_point < 0x20 || (ensure_ascii && c.code_point >= 0x7F &&
                                            c.code_point < 0x10000 && c.code_point != 0x7F)) {
                    out += fmt::format("\\u{:04x}", static_cast<unsigned>(c.code_point));
                } else if (ensure_ascii && c.code_point >= 0x10000) {
                    const auto rest = static_cast<unsigned>(c.code_point - 0x10000);
                    out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10),
                                       0xDC00 + (rest & 0x3FF));
                } else {
                    out.append(text.substr(i, c.length));
                }
        }
        i += c.length;
    }
    out.push_back('"');
}

class JsonWriter {
public:
    JsonWriter(const JsonStyle& style, std::string& out, std::size_t bytes_max)
        : style_(style), out_(out), bytes_max_(bytes_max) {}

    bool write(const TemplateValue& value, int depth) {
        if (out_.size() >= bytes_max_) return true;
        if (const std::string* text = value.string_if()) {
            write_json_string(*text, style_.ensure_ascii, out_);
        } else if (value.is_none()) {
            out_ += "null";
        } else if (value.is_bool()) {
            out_ += value.is_true() ? "true" : "false";
        } else if (value.is_number()) {
            write_number(value);
        } else if (const TemplateValue::List* list = value.list_if()) {
            return write_list(*list, depth);
        } else if (const TemplateValue::Map* map = value.map_if(); map && !map->is_namespace) {
            return write_map(*map, depth);
        } else {
            return false;
        }
        return true;
    }

private:
    void write_number(const TemplateValue& value) {
        if (value.is_integer()) {
            out_ += std::to_string(value.as_integer());
        } else if (std::isnan(value.as_float())) {
            out_ += "NaN";
        } else if (std::isinf(value.as_float())) {
            out_ += value.as_float() > 0 ? "Infinity" : "-Infinity";
        } else {
            out_ += python_float(value.as_float());
        }
    }

    bool write_list(const TemplateValue::List& list, int depth) {
        if (list.is_lazy) return false;
        out_.push_back('[');
        for (std::size_t i = 0; i < list.items.size(); ++i) {
            separate(i, depth + 1);
            if (!write(list.items[i], depth + 1)) return false;
        }
        if (!list.items.empty()) break_line(depth);
        out_.push_back(']');
        return true;
    }

    bool write_map(const TemplateValue::Map& map, int depth) {
        auto entries = map.entries;
        if (style_.sort_keys) {
            std::ranges::sort(entries, {}, [](const auto& e) -> const auto& { return e.first; });
        }
        out_.push_back('{');
        for (std::size_t i = 0; i < entries.size(); ++i) {
            separate(i, depth + 1);
            write_json_string(entries[i].first, style_.ensure_ascii, out_);
            out_ += style_.key_separator;
            if (!write(entries[i].second, depth + 1)) return false;
        }
        if (!entries.empty()) break_line(depth);
        out_.push_back('}');
        return true;
    }

    void separate(std::size_t place, int depth) {
        if (place > 0) out_ += style_.item_separator;
        break_line(depth);
    }

    void break_line(int depth) {
        if (style_.indent < 0) return;
        out_.push_back('\n');
        out_.append(static_cast<std::size_t>(style_.indent) * static_cast<std::size_t>(depth), ' ');
    }

    const JsonStyle& style_;
    std::string& out_;
    const std::size_t bytes_max_;
};

}  // namespace

TemplateValue::TemplateValue(List list) {
    for (const TemplateValue& item : list.items) {
        if (item.function_if()) throw TemplateFailure("a list cannot hold a function");
        list.depth = std::max(list.depth, item.depth() + 1);
    }
    if (list.depth > kTemplateValueDepthMax) throw TemplateFailure("a list is nested too deep");
    data_ = std::make_shared<const List>(std::move(list));
}

TemplateValue::TemplateValue(Map map) {
    for (const auto& [key, value] : map.entries) {
        if (map.is_namespace) break;
        if (value.function_if()) throw TemplateFailure("a map cannot hold a function");
        map.depth = std::max(map.depth, value.depth() + 1);
    }
    if (map.depth > kTemplateValueDepthMax) throw TemplateFailure("a map is nested too deep");
    data_ = std::make_shared<Map>(std::move(map));
}

int TemplateValue::depth() const {
    if (const List* list = list_if()) return list->depth;
    if (const Map* map = map_if()) return map->depth;
    return 0;
}

const TemplateValue* TemplateArguments::find(std::size_t place, std::string_view name) const {
    if (place < positional.size()) return &positional[place];
    for (const auto& [key, value] : named) {
        if (key == name) return &value;
    }
    return nullptr;
}

const TemplateValue* TemplateValue::Map::find(std::string_view key) const {
    for (const auto& [name, value] : entries) {
        if (name == key) return &value;
    }
    return nullptr;
}

void TemplateValue::Map::set(std::string_view key, TemplateValue value) {
    for (auto& [name, old] : entries) {
        if (name != key) continue;
        old = std::move(value);
        return;
    }
    entries.emplace_back(key, std::move(value));
}

TemplateValue TemplateValue::Map::key_value(const std::string& key) const {
    if (!has_integer_keys) return key;
    std::int64_t number = 0;
    std::from_chars(key.data(), key.data() + key.size(), number);
    return number;
}

Result<TemplateValue> TemplateValue::from_json(std::string_view json) {
    simdjson::dom::parser parser;
    JsonElement root;
    if (parser.allocate(json.size() + 1, kJsonDepthMax) != simdjson::SUCCESS ||
        parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) {
        return fail(ErrorCode::kInvalidArgument, "the text is not JSON, or nested too deep");
    }
    return from_element(root);
}

const std::string* TemplateValue::string_if() const {
    const auto* held = std::get_if<std::shared_ptr<const std::string>>(&data_);
    return held ? held->get() : nullptr;
}

const TemplateValue::List* TemplateValue::list_if() const {
    const auto* held = std::get_if<std::shared_ptr<const List>>(&data_);
    return held ? held->get() : nullptr;
}

const TemplateValue::Map* TemplateValue::map_if() const {
    const auto* held = std::get_if<std::shared_ptr<Map>>(&data_);
    return held ? held->get() : nullptr;
}

TemplateValue::Map* TemplateValue::namespace_if() const {
    const auto* held = std::get_if<std::shared_ptr<Map>>(&data_);
    return held && (*held)->is_namespace ? held->get() : nullptr;
}

const TemplateValue::Function* TemplateValue::function_if() const {
    const auto* held = std::get_if<std::shared_ptr<const Function>>(&data_);
    return held ? held->get() : nullptr;
}

std::int64_t TemplateValue::as_integer() const {
    if (const bool* value = std::get_if<bool>(&data_)) return *value ? 1 : 0;
    if (const auto* value = std::get_if<std::int64_t>(&data_)) return *value;
    if (const double* value = std::get_if<double>(&data_)) {
        constexpr double kLimit = 9.2e18;
        return std::abs(*value) < kLimit ? static_cast<std::int64_t>(*value) : 0;
    }
    return 0;
}

double TemplateValue::as_float() const {
    if (const double* value = std::get_if<double>(&data_)) return *value;
    return static_cast<double>(as_integer());
}

bool TemplateValue::is_true() const {
    if (is_number()) return as_float() != 0;
    if (const std::string* text = string_if()) return !text->empty();
    if (const List* list = list_if()) return !list->items.empty();
    if (const Map* map = map_if()) return map->is_namespace || !map->entries.empty();
    return function_if() != nullptr;
}

bool TemplateValue::equals(const TemplateValue& other) const {
    if (is_number() && other.is_number()) {
        if (is_float() || other.is_float()) return as_float() == other.as_float();
        return as_integer() == other.as_integer();
    }
    if (data_.index() != other.data_.index()) return false;
    if (const std::string* text = string_if()) return *text == *other.string_if();
    if (const List* list = list_if()) {
        const List& right = *other.list_if();
        return list->is_tuple == right.is_tuple &&
               std::ranges::equal(list->items, right.items,
                                  [](const auto& a, const auto& b) { return a.equals(b); });
    }
    if (const Map* map = map_if()) {
        const Map& right = *other.map_if();
        if (map == &right) return true;
        if (map->is_namespace || map->entries.size() != right.entries.size()) return false;
        return std::ranges::all_of(map->entries, [&right](const auto& entry) {
            const TemplateValue* value = right.find(entry.first);
            return value != nullptr && entry.second.equals(*value);
        });
    }
    return function_if() == other.function_if();  // None and undefined equal their like
}

void TemplateValue::write_text(std::string& out, std::size_t bytes_max) const {
    if (const std::string* text = string_if()) {
        out += *text;
    } else if (!is_undefined()) {
        write_repr(out, bytes_max);
    }
}

void TemplateValue::write_repr(std::string& out, std::size_t bytes_max) const {
    if (out.size() >= bytes_max) return;
    if (const std::string* text = string_if()) {
        write_string_repr(*text, out);
    } else if (is_none()) {
        out += "None";
    } else if (is_bool()) {
        out += is_true() ? "True" : "False";
    } else if (is_integer()) {
        out += std::to_string(as_integer());
    } else if (is_float()) {
        out += python_float(as_float());
    } else if (const List* list = list_if()) {
        out.push_back(list->is_tuple ? '(' : '[');
        for (std::size_t i = 0; i < list->items.size(); ++i) {
            if (i > 0) out += ", ";
            list->items[i].write_repr(out, bytes_max);
        }
        if (list->is_tuple && list->items.size() == 1) out.push_back(',');
        out.push_back(list->is_tuple ? ')' : ']');
    } else if (const Map* map = map_if()) {
        if (map->is_namespace) {  // it may hold itself
            out += "<Namespace>";
            return;
        }
        out.push_back('{');
        for (std::size_t i = 0; i < map->entries.size(); ++i) {
            if (i > 0) out += ", ";
            map->key_value(map->entries[i].first).write_repr(out, bytes_max);
            out += ": ";
            map->entries[i].second.write_repr(out, bytes_max);
        }
        out.push_back('}');
    } else {
        out += type_name();
    }
}

std::string_view TemplateValue::type_name() const {
    constexpr std::array<std::string_view, 9> kNames = {
        "Undefined", "NoneType", "bool", "int", "float", "str", "list", "dict", "function"};
    return kNames[data_.index()];
}

std::string python_float(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    std::array<char, 32> buffer{};
    const auto scientific = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                          std::chars_format::scientific);
    const std::string_view digits(buffer.data(),
                                  static_cast<std::size_t>(scientific.ptr - buffer.data()));
    int exponent = 0;
    const std::size_t e = digits.find('e');
    const std::size_t sign = e + (digits[e + 1] == '+' ? 2 : 1);
    std::from_chars(digits.data() + sign, digits.data() + digits.size(), exponent);
    if (exponent < -4 || exponent >= 16) return std::string(digits);
    const auto fixed = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                     std::chars_format::fixed);
    std::string text(buffer.data(), static_cast<std::size_t>(fixed.ptr - buffer.data()));
    if (text.find('.') == text.npos) text += ".0";
    return text;
}

bool write_json(const TemplateValue& value, const JsonStyle& style, std::string& out,
                std::size_t bytes_max) {
    return JsonWriter(style, out, bytes_max).write(value, 0);
}

}  // namespace heddle::text
