// The walk over a chat template's tree. One evaluator renders one text on one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "text/template_syntax.h"
#include "text/template_value.h"

namespace heddle::text {

// What a rendering may spend. Steps are expressions and statements walked, and the items that
// filters and methods look at; bytes are those of all strings made, the output among them.
struct TemplateLimits {
    std::size_t steps_max = 1'000'000;
    std::size_t bytes_max = std::size_t{64} << 20;
    int macro_depth_max = 24;
};

class TemplateEvaluator {
public:
    // `globals` are the variables of the template.
    TemplateEvaluator(TemplateValue::Map globals, std::chrono::sys_seconds now,
                      const TemplateLimits& limits);

    ~TemplateEvaluator();
    TemplateEvaluator(const TemplateEvaluator&) = delete;
    TemplateEvaluator& operator=(const TemplateEvaluator&) = delete;

    // Throws TemplateFailure.
    [[nodiscard]] std::string render(const TemplateBody& body);

    // For filters, tests and methods (template_filters.cpp, template_methods.cpp).
    void spend_steps(std::size_t steps);
    void spend_bytes(std::size_t bytes);
    // A string that counts against the limit.
    [[nodiscard]] TemplateValue text(std::string bytes);
    [[nodiscard]] std::string to_text(const TemplateValue& value);
    [[nodiscard]] std::size_t bytes_left() const { return limits_.bytes_max - bytes_; }
    // `value.name` and `value[key]`.
    [[nodiscard]] TemplateValue attribute(const TemplateValue& value, std::string_view name);
    [[nodiscard]] TemplateValue item(const TemplateValue& value, const TemplateValue& key);
    [[nodiscard]] bool contains(const TemplateValue& container, const TemplateValue& value);
    // What a for loop would go over.
    [[nodiscard]] std::vector<TemplateValue> items_of(const TemplateValue& value);

private:
    // Variables by name; what is not found is looked for further out.
    struct Scope {
        std::map<std::string, TemplateValue, std::less<>> names;
        std::shared_ptr<Scope> outer;
    };
    using ScopePtr = std::shared_ptr<Scope>;
    enum class Flow { kNext, kBreak, kContinue };

    class ScopeGuard;

    [[nodiscard]] Flow run(const TemplateBody& body, std::string& out);
    [[nodiscard]] Flow run(const TemplateStatement& statement, std::string& out);
    [[nodiscard]] Flow run_for(const TemplateStatement& statement, std::string& out);
    [[nodiscard]] Flow run_iterations(const TemplateStatement& statement,
                                      const std::vector<TemplateValue>& items, std::string& out);
    void run_set(const TemplateStatement& statement);
    void assign(const std::vector<std::string>& names, const TemplateValue& value);
    [[nodiscard]] TemplateValue::Map loop_fields(const std::vector<TemplateValue>& items,
                                                 std::size_t index) const;
    [[nodiscard]] std::string run_body(const TemplateBody& body);
    [[nodiscard]] TemplateValue make_macro(const TemplateStatement& statement);
    [[nodiscard]] TemplateValue call_macro(const TemplateStatement& statement,
                                           const ScopePtr& scope, const TemplateArguments& given);
    [[nodiscard]] TemplateValue call(const TemplateValue& callee, const TemplateArguments& given);

    [[nodiscard]] TemplateValue make_namespace(const TemplateArguments& given);
    [[nodiscard]] TemplateValue evaluate(const TemplateExpression& node);
    [[nodiscard]] TemplateValue evaluate_name(const TemplateExpression& node);
    [[nodiscard]] TemplateValue evaluate_list(const TemplateExpression& node, bool tuple);
    [[nodiscard]] TemplateValue evaluate_map(const TemplateExpression& node);
    [[nodiscard]] TemplateValue evaluate_call(const TemplateExpression& node);
    [[nodiscard]] TemplateValue evaluate_slice(const TemplateExpression& node);
    [[nodiscard]] TemplateValue evaluate_filter(const TemplateExpression& node);
    [[nodiscard]] TemplateValue evaluate_test(const TemplateExpression& node);
    [[nodiscard]] TemplateValue evaluate_compare(const TemplateExpression& node);
    [[nodiscard]] TemplateValue evaluate_binary(const TemplateExpression& node);
    [[nodiscard]] TemplateArguments arguments_of(const TemplateExpression& node);
    [[nodiscard]] TemplateValue add(const TemplateValue& left, const TemplateValue& right);
    [[nodiscard]] TemplateValue multiply(const TemplateValue& left, const TemplateValue& right);
    void define_functions(std::chrono::sys_seconds now);
    [[noreturn]] void fail_here(const std::string& what) const;

    const TemplateLimits limits_;
    ScopePtr scope_;
    // All that were made: they may hold each other, and are emptied at the end.
    std::vector<std::shared_ptr<TemplateValue::Map>> namespaces_;
    std::size_t steps_ = 0;
    std::size_t bytes_ = 0;
    int macro_depth_ = 0;
    int depth_ = 0;  // of the tree walked
    int line_ = 0;
};

// Less-than as Python has it: numbers, strings, lists. Throws TemplateFailure for others.
[[nodiscard]] bool template_less(const TemplateValue& left, const TemplateValue& right);

// Throws TemplateFailure for a name that is not known.
[[nodiscard]] TemplateValue apply_template_filter(TemplateEvaluator& evaluator,
                                                  std::string_view name, const TemplateValue& value,
                                                  const TemplateArguments& arguments);
[[nodiscard]] bool apply_template_test(TemplateEvaluator& evaluator, std::string_view name,
                                       const TemplateValue& value,
                                       const TemplateArguments& arguments);
// A method of a string, a list or a map bound to it; undefined where there is none.
[[nodiscard]] TemplateValue find_template_method(TemplateEvaluator& evaluator,
                                                 const TemplateValue& value, std::string_view name);
// Python's strftime of a time in UTC.
[[nodiscard]] std::string format_template_time(std::string_view format,
                                               std::chrono::sys_seconds now);

}  // namespace heddle::text
