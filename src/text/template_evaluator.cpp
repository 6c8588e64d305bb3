#include "text/template_evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace heddle::text {

namespace {

// The deepest walk over a tree, macros within macros included.
constexpr int kWalkDepthMax = 1500;

}  // namespace

// Opens a scope inside `outer` and closes it at the end.
class TemplateEvaluator::ScopeGuard {
public:
    ScopeGuard(TemplateEvaluator& evaluator, ScopePtr outer)
        : evaluator_(evaluator), before_(evaluator.scope_) {
        evaluator.scope_ = std::make_shared<Scope>();
        evaluator.scope_->outer = std::move(outer);
    }
    ~ScopeGuard() { evaluator_.scope_ = before_; }
    ScopeGuard(const ScopeGuard&) = delete;
    ScopeGuard& operator=(const ScopeGuard&) = delete;

private:
    TemplateEvaluator& evaluator_;
    const ScopePtr before_;
};

TemplateEvaluator::TemplateEvaluator(TemplateValue::Map globals, std::chrono::sys_seconds now,
                                     const TemplateLimits& limits)
    : limits_(limits), scope_(std::make_shared<Scope>()) {
    define_functions(now);
    for (auto& [name, value] : globals.entries) {
        scope_->names.insert_or_assign(name, std::move(value));
    }
}

TemplateEvaluator::~TemplateEvaluator() {
    for (const auto& fields : namespaces_) fields->entries.clear();
}

void TemplateEvaluator::fail_here(const std::string& what) const {
    throw TemplateFailure(fmt::format("line {}: {}", line_, what));
}

void TemplateEvaluator::spend_steps(std::size_t steps) {
    steps_ += steps;
    if (steps_ > limits_.steps_max) throw TemplateLimitFailure("it runs too long");
}

void TemplateEvaluator::spend_bytes(std::size_t bytes) {
    bytes_ += bytes;
    if (bytes_ > limits_.bytes_max) throw TemplateLimitFailure("it writes too much");
}

TemplateValue TemplateEvaluator::text(std::string bytes) {
    spend_bytes(bytes.size());
    return TemplateValue(std::move(bytes));
}

std::string TemplateEvaluator::to_text(const TemplateValue& value) {
    std::string out;
    value.write_text(out, bytes_left() + 1);
    spend_bytes(out.size());
    return out;
}

void TemplateEvaluator::define_functions(std::chrono::sys_seconds now) {
    using Arguments = TemplateArguments;
    const auto define = [this](const char* name, TemplateValue::Function function) {
        scope_->names.emplace(name, TemplateValue(std::move(function)));
    };
    define("raise_exception", [this](const Arguments& given) -> TemplateValue {
        const TemplateValue* message = given.find(0, "message");
        throw TemplateFailure(message == nullptr ? "the template refuses" : to_text(*message));
    });
    define("strftime_now", [this, now](const Arguments& given) {
        const TemplateValue* format = given.find(0, "format");
        if (format == nullptr || !format->is_string()) fail_here("strftime_now needs a format");
        return text(format_template_time(*format->string_if(), now));
    });
    define("namespace", [this](const Arguments& given) { return make_namespace(given); });
    define("dict", [](const Arguments& given) {
        TemplateValue::Map map;
        if (!given.positional.empty() && given.positional[0].map_if()) {
            map.entries = given.positional[0].map_if()->entries;
        }
        for (const auto& [name, value] : given.named) map.set(name, value);
        return TemplateValue(std::move(map));
    });
    define("range", [this](const Arguments& given) {
        const auto& bounds = given.positional;
        if (bounds.empty() || bounds.size() > 3) fail_here("range takes one to three numbers");
        const std::int64_t begin = bounds.size() > 1 ? bounds[0].as_integer() : 0;
        const std::int64_t end = bounds[bounds.size() > 1 ? 1 : 0].as_integer();
        const std::int64_t step = bounds.size() > 2 ? bounds[2].as_integer() : 1;
        if (step == 0) fail_here("range with a step of zero");
        TemplateValue::List list;
        for (std::int64_t i = begin; step > 0 ? i < end : i > end;) {
            spend_steps(1);
            list.items.emplace_back(i);
            if (__builtin_add_overflow(i, step, &i)) break;
        }
        return TemplateValue(std::move(list));
    });
}

TemplateValue TemplateEvaluator::make_namespace(const TemplateArguments& given) {
    TemplateValue::Map fields;
    fields.is_namespace = true;
    if (!given.positional.empty() && given.positional[0].map_if()) {
        fields.entries = given.positional[0].map_if()->entries;
    }
    for (const auto& [name, value] : given.named) fields.set(name, value);
    TemplateValue value(std::move(fields));
    namespaces_.push_back(std::get<std::shared_ptr<TemplateValue::Map>>(value.data_));
    return value;
}

std::string TemplateEvaluator::render(const TemplateBody& body) {
    std::string out;
    (void)run(body, out);
    return out;
}

std::string TemplateEvaluator::run_body(const TemplateBody& body) {
    std::string out;
    (void)run(body, out);
    return out;
}

TemplateEvaluator::Flow TemplateEvaluator::run(const TemplateBody& body, std::string& out) {
    for (const TemplateStatement& statement : body) {
        const Flow flow = run(statement, out);
        if (flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
}

TemplateEvaluator::Flow TemplateEvaluator::run(const TemplateStatement& statement,
                                               std::string& out) {
    using Kind = TemplateStatement::Kind;
    spend_steps(1);
    line_ = statement.line;
    switch (statement.kind) {
        case Kind::kText:
            spend_bytes(statement.text.size());
            out += statement.text;
            return Flow::kNext;
        case Kind::kOutput:
            out += to_text(evaluate(statement.expressions[0]));
            return Flow::kNext;
        case Kind::kIf:
            return run(
                evaluate(statement.expressions[0]).is_true() ? statement.body : statement.otherwise,
                out);
        case Kind::kFor:
            return run_for(statement, out);
        case Kind::kSet:
        case Kind::kSetBlock:
            run_set(statement);
            return Flow::kNext;
        case Kind::kMacro:
            scope_->names.insert_or_assign(statement.text, make_macro(statement));
            return Flow::kNext;
        case Kind::kCall: {
            const ScopeGuard guard(*this, scope_);
            scope_->names.emplace("caller", make_macro(statement));
            out += to_text(evaluate(statement.expressions[0]));
            return Flow::kNext;
        }
        case Kind::kFilter: {
            const ScopeGuard guard(*this, scope_);
            scope_->names.insert_or_assign(kBodyName, text(run_body(statement.body)));
            out += to_text(evaluate(statement.expressions[0]));
            return Flow::kNext;
        }
        case Kind::kBlock: {
            // Values are those outside: `with a = 1, b = a` does not see its own a.
            std::vector<TemplateValue> values;
            for (const TemplateExpression& e : statement.expressions) values.push_back(evaluate(e));
            const ScopeGuard guard(*this, scope_);
            for (std::size_t i = 0; i < values.size(); ++i) {
                scope_->names.insert_or_assign(statement.names[i], std::move(values[i]));
            }
            return run(statement.body, out);
        }
        case Kind::kBreak:
            return Flow::kBreak;
        case Kind::kContinue:
            return Flow::kContinue;
    }
    return Flow::kNext;
}

void TemplateEvaluator::run_set(const TemplateStatement& statement) {
    TemplateValue value;
    if (statement.kind == TemplateStatement::Kind::kSetBlock) {
        const ScopeGuard guard(*this, scope_);
        value = text(run_body(statement.body));
        if (!statement.expressions.empty()) {
            scope_->names.insert_or_assign(kBodyName, value);
            value = evaluate(statement.expressions[0]);
        }
    } else {
        value = evaluate(statement.expressions[0]);
    }
    if (statement.text.empty()) return assign(statement.names, value);
    for (Scope* scope = scope_.get(); scope != nullptr; scope = scope->outer.get()) {
        const auto found = scope->names.find(statement.text);
        if (found == scope->names.end()) continue;
        TemplateValue::Map* fields = found->second.namespace_if();
        if (fields == nullptr) break;
        spend_steps(fields->entries.size() / 16);
        return fields->set(statement.names[0], std::move(value));
    }
    fail_here("only the fields of a namespace can be set");
}

void TemplateEvaluator::assign(const std::vector<std::string>& names, const TemplateValue& value) {
    if (names.size() == 1) {
        scope_->names.insert_or_assign(names[0], value);
        return;
    }
    const std::vector<TemplateValue> items = items_of(value);
    if (items.size() != names.size()) fail_here("the number of values to unpack does not fit");
    for (std::size_t i = 0; i < names.size(); ++i) {
        scope_->names.insert_or_assign(names[i], items[i]);
    }
}

TemplateEvaluator::Flow TemplateEvaluator::run_for(const TemplateStatement& statement,
                                                   std::string& out) {
    std::vector<TemplateValue> items = items_of(evaluate(statement.expressions[0]));
    if (statement.expressions.size() > 1) {
        std::vector<TemplateValue> kept;
        for (TemplateValue& item : items) {
            const ScopeGuard guard(*this, scope_);
            assign(statement.names, item);
            if (evaluate(statement.expressions[1]).is_true()) kept.push_back(std::move(item));
        }
        items = std::move(kept);
    }
    if (!items.empty()) return run_iterations(statement, items, out);
    const ScopeGuard guard(*this, scope_);
    return run(statement.otherwise, out);
}

TemplateEvaluator::Flow TemplateEvaluator::run_iterations(const TemplateStatement& statement,
                                                          const std::vector<TemplateValue>& items,
                                                          std::string& out) {
    for (std::size_t i = 0; i < items.size(); ++i) {
        spend_steps(1);
        const ScopeGuard guard(*this, scope_);
        scope_->names.insert_or_assign("loop", TemplateValue(loop_fields(items, i)));
        assign(statement.names, items[i]);
        if (run(statement.body, out) == Flow::kBreak) break;
    }
    return Flow::kNext;
}

TemplateValue::Map TemplateEvaluator::loop_fields(const std::vector<TemplateValue>& items,
                                                  std::size_t index) const {
    const auto at = static_cast<std::int64_t>(index);
    const auto size = static_cast<std::int64_t>(items.size());
    TemplateValue::Map loop;
    loop.is_namespace = false;
    const auto add = [&loop](const char* name, TemplateValue value) {
        loop.entries.emplace_back(name, std::move(value));
    };
    add("index0", at);
    add("index", at + 1);
    add("first", index == 0);
    add("last", index + 1 == items.size());
    add("length", size);
    add("revindex", size - at);
    add("revindex0", size - at - 1);
    const auto neighbour = [&items](std::size_t place) {
        const bool usable = place < items.size() && items[place].function_if() == nullptr;
        return usable ? items[place] : TemplateValue();
    };
    add("previtem", neighbour(index - 1));
    add("nextitem", neighbour(index + 1));
    return loop;
}

// A macro sees the scope that it stands in, as it is when the macro is called. That scope holds
// the macro, hence the weak pointer.
TemplateValue TemplateEvaluator::make_macro(const TemplateStatement& statement) {
    const std::weak_ptr<Scope> home = scope_;
    return TemplateValue::Function([this, &statement, home](const TemplateArguments& given) {
        return call_macro(statement, home.lock(), given);
    });
}

TemplateValue TemplateEvaluator::call_macro(const TemplateStatement& statement,
                                            const ScopePtr& scope, const TemplateArguments& given) {
    if (macro_depth_ >= limits_.macro_depth_max) fail_here("macros call each other too deep");
    const std::vector<std::string>& names = statement.names;
    if (given.positional.size() > names.size()) fail_here("a macro got too many arguments");
    const ScopeGuard guard(*this, scope);
    const bool has_defaults = statement.kind == TemplateStatement::Kind::kMacro;
    const std::size_t without =
        has_defaults ? names.size() - statement.expressions.size() : names.size();
    for (std::size_t i = 0; i < names.size(); ++i) {
        TemplateValue value = TemplateValue::Undefined{names[i]};
        if (const TemplateValue* argument = given.find(i, names[i])) {
            value = *argument;
        } else if (i >= without) {
            value = evaluate(statement.expressions[i - without]);
        }
        scope_->names.insert_or_assign(names[i], std::move(value));
    }
    for (const auto& [name, value] : given.named) {
        if (name == "caller") scope_->names.insert_or_assign(name, value);
        if (name != "caller" && std::ranges::find(names, name) == names.end()) {
            fail_here(fmt::format("a macro has no parameter \"{}\"", name));
        }
    }
    ++macro_depth_;
    std::string out = run_body(statement.body);
    --macro_depth_;
    return TemplateValue(std::move(out));
}

TemplateValue TemplateEvaluator::call(const TemplateValue& callee, const TemplateArguments& given) {
    if (const TemplateValue::Function* function = callee.function_if()) return (*function)(given);
    if (const auto* undefined = callee.undefined_if()) {
        fail_here(fmt::format("\"{}\" is undefined", undefined->name));
    }
    fail_here(fmt::format("a {} cannot be called", callee.type_name()));
}

TemplateArguments TemplateEvaluator::arguments_of(const TemplateExpression& node) {
    TemplateArguments arguments;
    for (std::size_t i = 1; i < node.children.size(); ++i) {
        arguments.positional.push_back(evaluate(node.children[i]));
    }
    for (std::size_t i = 0; i < node.named.size(); ++i) {
        arguments.named.emplace_back(node.names[i], evaluate(node.named[i]));
    }
    return arguments;
}

TemplateValue TemplateEvaluator::evaluate(const TemplateExpression& node) {
    using Kind = TemplateExpression::Kind;
    struct Depth {
        explicit Depth(TemplateEvaluator& evaluator) : evaluator_(evaluator) {
            if (++evaluator_.depth_ > kWalkDepthMax) evaluator_.fail_here("nested too deep");
        }
        ~Depth() { --evaluator_.depth_; }
        TemplateEvaluator& evaluator_;
    } const depth(*this);
    spend_steps(1);
    const auto child = [&](std::size_t i) { return evaluate(node.children[i]); };
    switch (node.kind) {
        case Kind::kLiteral:
            return node.literal;
        case Kind::kName:
            return evaluate_name(node);
        case Kind::kList:
            return evaluate_list(node, false);
        case Kind::kTuple:
            return evaluate_list(node, true);
        case Kind::kMap:
            return evaluate_map(node);
        case Kind::kAttribute:
            return attribute(child(0), node.text);
        case Kind::kItem:
            return item(child(0), child(1));
        case Kind::kSlice:
            return evaluate_slice(node);
        case Kind::kCall:
            return evaluate_call(node);
        case Kind::kFilter:
            return evaluate_filter(node);
        case Kind::kTest:
            return evaluate_test(node);
        case Kind::kConditional:
            return child(0).is_true() ? child(1) : child(2);
        case Kind::kOr: {
            TemplateValue left = child(0);
            return left.is_true() ? left : child(1);
        }
        case Kind::kAnd: {
            TemplateValue left = child(0);
            return left.is_true() ? child(1) : left;
        }
        case Kind::kNot:
            return !child(0).is_true();
        case Kind::kCompare:
            return evaluate_compare(node);
        default:
            return evaluate_binary(node);
    }
}

TemplateValue TemplateEvaluator::evaluate_call(const TemplateExpression& node) {
    const TemplateValue callee = evaluate(node.children[0]);
    return call(callee, arguments_of(node));
}

TemplateValue TemplateEvaluator::evaluate_name(const TemplateExpression& node) {
    for (const Scope* scope = scope_.get(); scope != nullptr; scope = scope->outer.get()) {
        const auto found = scope->names.find(node.text);
        if (found != scope->names.end()) return found->second;
        spend_steps(1);
    }
    return TemplateValue::Undefined{node.text};
}

TemplateValue TemplateEvaluator::evaluate_list(const TemplateExpression& node, bool tuple) {
    TemplateValue::List list;
    list.is_tuple = tuple;
    for (const TemplateExpression& child : node.children) list.items.push_back(evaluate(child));
    return list;
}

TemplateValue TemplateEvaluator::evaluate_map(const TemplateExpression& node) {
    TemplateValue::Map map;
    for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
        const TemplateValue key = evaluate(node.children[i]);
        if (i == 0) map.has_integer_keys = key.is_integer();
        if (!(map.has_integer_keys ? key.is_integer() : key.is_string())) {
            fail_here("the keys of a map are all strings or all integers");
        }
        spend_steps(map.entries.size() / 16);
        map.set(to_text(key), evaluate(node.children[i + 1]));
    }
    return map;
}

TemplateValue TemplateEvaluator::evaluate_filter(const TemplateExpression& node) {
    const TemplateValue value = evaluate(node.children[0]);
    return apply_template_filter(*this, node.text, value, arguments_of(node));
}

TemplateValue TemplateEvaluator::evaluate_test(const TemplateExpression& node) {
    const TemplateValue value = evaluate(node.children[0]);
    return apply_template_test(*this, node.text, value, arguments_of(node));
}

TemplateValue TemplateEvaluator::evaluate_compare(const TemplateExpression& node) {
    TemplateValue left = evaluate(node.children[0]);
    for (std::size_t i = 0; i < node.text.size(); ++i) {
        TemplateValue right = evaluate(node.children[i + 1]);
        bool holds = false;
        switch (node.text[i]) {
            case '=':
                holds = left.equals(right);
                break;
            case '!':
                holds = !left.equals(right);
                break;
            case '<':
                holds = template_less(left, right);
                break;
            case '>':
                holds = template_less(right, left);
                break;
            case 'l':
                holds = !template_less(right, left);
                break;
            case 'g':
                holds = !template_less(left, right);
                break;
            case 'n':
                holds = contains(right, left);
                break;
            default:
                holds = !contains(right, left);
        }
        if (!holds) return false;
        left = std::move(right);
    }
    return true;
}

bool TemplateEvaluator::contains(const TemplateValue& container, const TemplateValue& value) {
    if (const std::string* text = container.string_if()) {
        if (!value.is_string()) fail_here("only a string can be in a string");
        spend_steps(text->size() / 64);
        return text->find(*value.string_if()) != text->npos;
    }
    if (const TemplateValue::Map* map = container.map_if()) {
        spend_steps(map->entries.size() / 16);
        if (!(map->has_integer_keys ? value.is_integer() : value.is_string())) return false;
        return map->find(to_text(value)) != nullptr;
    }
    const std::vector<TemplateValue> items = items_of(container);
    return std::ranges::any_of(items, [&value](const auto& i) { return i.equals(value); });
}

bool template_less(const TemplateValue& left, const TemplateValue& right) {
    if (left.is_number() && right.is_number()) {
        if (left.is_float() || right.is_float()) return left.as_float() < right.as_float();
        return left.as_integer() < right.as_integer();
    }
    if (left.is_string() && right.is_string()) return *left.string_if() < *right.string_if();
    if (left.is_list() && right.is_list()) {
        const auto& a = left.list_if()->items;
        const auto& b = right.list_if()->items;
        for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
            if (!a[i].equals(b[i])) return template_less(a[i], b[i]);
        }
        return a.size() < b.size();
    }
    throw TemplateFailure(
        fmt::format("a {} and a {} cannot be compared", left.type_name(), right.type_name()));
}

}  // namespace heddle::text
