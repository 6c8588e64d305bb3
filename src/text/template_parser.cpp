// Recursive descent, in the order of precedence of Jinja's own parser.
#include "text/template_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <utility>

#include "text/template_lexer.h"

namespace heddle::text {
namespace {

using Expression = TemplateExpression;
using Statement = TemplateStatement;
using Token = TemplateToken;

class Parser {
public:
    explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

    TemplateBody run() {
        TemplateBody body = parse_body({});
        if (current().kind != Token::Kind::kEnd) fail_here("an unexpected block");
        return body;
    }

private:
    // Counts how deep the parser is; the tree, and its walk, are as deep.
    class Nesting {
    public:
        explicit Nesting(Parser& parser) : parser_(parser) {
            if (++parser_.depth_ > kTemplateDepthMax) parser_.fail_here("nested too deep");
        }
        ~Nesting() { --parser_.depth_; }
        Nesting(const Nesting&) = delete;
        Nesting& operator=(const Nesting&) = delete;

    private:
        Parser& parser_;
    };

    [[noreturn]] void fail_here(std::string_view what) const {
        throw TemplateFailure(fmt::format("line {}: {}", current().line, what));
    }

    // A chain of operators makes the tree as deep as brackets do.
    void check_links(int links) const {
        if (links > kTemplateDepthMax) fail_here("nested too deep");
    }

    [[nodiscard]] const Token& current() const { return tokens_[at_]; }
    [[nodiscard]] const Token& following() const {
        return tokens_[std::min(at_ + 1, tokens_.size() - 1)];
    }
    Token take() {
        Token token = tokens_[at_];
        if (at_ + 1 < tokens_.size()) ++at_;
        return token;
    }
    [[nodiscard]] bool is(Token::Kind kind, std::string_view text) const {
        return current().kind == kind && current().text == text;
    }
    [[nodiscard]] bool is_operator(std::string_view text) const {
        return is(Token::Kind::kOperator, text);
    }
    [[nodiscard]] bool is_word(std::string_view text) const { return is(Token::Kind::kName, text); }
    bool skip_operator(std::string_view text) {
        if (!is_operator(text)) return false;
        take();
        return true;
    }
    bool skip_word(std::string_view text) {
        if (!is_word(text)) return false;
        take();
        return true;
    }
    void expect_operator(std::string_view text) {
        if (!skip_operator(text)) fail_here(fmt::format("expected \"{}\"", text));
    }
    void expect_word(std::string_view text) {
        if (!skip_word(text)) fail_here(fmt::format("expected \"{}\"", text));
    }
    std::string take_name() {
        if (current().kind != Token::Kind::kName) fail_here("expected a name");
        return take().text;
    }
    void end_block() {
        if (current().kind != Token::Kind::kBlockEnd) fail_here("expected the end of the block");
        take();
    }

    Expression make(Expression::Kind kind, std::vector<Expression> children = {}) const {
        return {.kind = kind, .line = current().line, .children = std::move(children)};
    }

    TemplateBody parse_body(std::initializer_list<std::string_view> ends);
    Statement parse_statement(const std::string& word);
    Statement parse_if();
    Statement parse_for();
    Statement parse_set();
    Statement parse_macro();
    Statement parse_call_block();
    Statement parse_filter_block();
    Statement parse_with();
    void parse_parameters(Statement& statement);

    Expression parse_expression() { return parse_conditional(); }
    Expression parse_tuple(bool with_condition = true);
    Expression parse_conditional();
    Expression parse_or();
    Expression parse_and();
    Expression parse_not();
    Expression parse_compare();
    Expression parse_binary(int level);
    Expression parse_unary(bool with_filter);
    Expression parse_primary();
    Expression parse_list();
    Expression parse_map();
    Expression parse_postfix(Expression node);
    Expression parse_subscript(Expression node);
    Expression parse_filters(Expression node);
    Expression parse_test(Expression node);
    void parse_arguments(Expression& call);

    std::vector<Token> tokens_;
    std::size_t at_ = 0;
    int depth_ = 0;
    int loops_ = 0;  // around the place at hand
};

TemplateBody Parser::parse_body(std::initializer_list<std::string_view> ends) {
    const Nesting nesting(*this);
    TemplateBody body;
    for (;;) {
        const Token& token = current();
        if (token.kind == Token::Kind::kText) {
            body.push_back({.kind = Statement::Kind::kText, .line = token.line});
            body.back().text = take().text;
        } else if (token.kind == Token::Kind::kOutputBegin) {
            take();
            Statement output = {.kind = Statement::Kind::kOutput, .line = token.line};
            output.expressions.push_back(parse_tuple());
            if (current().kind != Token::Kind::kOutputEnd) fail_here("expected \"}}\"");
            take();
            body.push_back(std::move(output));
        } else if (token.kind == Token::Kind::kBlockBegin) {
            const std::string& word = following().text;
            if (std::ranges::find(ends, word) != ends.end()) return body;
            take();
            body.push_back(parse_statement(take_name()));
        } else {
            if (ends.size() > 0) fail_here("a block is not closed");
            return body;
        }
    }
}

Statement Parser::parse_statement(const std::string& word) {
    if (word == "if") return parse_if();
    if (word == "for") return parse_for();
    if (word == "set") return parse_set();
    if (word == "macro") return parse_macro();
    if (word == "call") return parse_call_block();
    if (word == "filter") return parse_filter_block();
    if (word == "with") return parse_with();
    Statement statement = {.line = current().line};
    if (word == "generation") {  // marks what the assistant wrote; adds nothing to the text
        end_block();
        statement.kind = Statement::Kind::kBlock;
        statement.body = parse_body({"endgeneration"});
        take();
        take();
    } else if ((word == "break" || word == "continue") && loops_ > 0) {
        statement.kind = word == "break" ? Statement::Kind::kBreak : Statement::Kind::kContinue;
    } else {
        fail_here(fmt::format("unknown tag \"{}\"", word));
    }
    end_block();
    return statement;
}

Statement Parser::parse_if() {
    const Nesting nesting(*this);
    Statement statement = {.kind = Statement::Kind::kIf, .line = current().line};
    statement.expressions.push_back(parse_tuple());
    end_block();
    statement.body = parse_body({"elif", "else", "endif"});
    take();
    const std::string word = take_name();
    if (word == "elif") {  // the endif is that of the innermost
        statement.otherwise.push_back(parse_if());
        return statement;
    }
    if (word == "else") {
        end_block();
        statement.otherwise = parse_body({"endif"});
        take();
        take();
    }
    end_block();
    return statement;
}

Statement Parser::parse_for() {
    Statement statement = {.kind = Statement::Kind::kFor, .line = current().line};
    const bool bracketed = skip_operator("(");
    do {
        statement.names.push_back(take_name());
    } while (skip_operator(","));
    if (bracketed) expect_operator(")");
    expect_word("in");
    statement.expressions.push_back(parse_tuple(false));
    if (skip_word("if")) statement.expressions.push_back(parse_expression());
    if (is_word("recursive")) fail_here("recursive loops are not supported");
    end_block();
    ++loops_;
    statement.body = parse_body({"else", "endfor"});
    --loops_;
    take();
    if (take_name() == "else") {
        end_block();
        statement.otherwise = parse_body({"endfor"});
        take();
        take();
    }
    end_block();
    return statement;
}

Statement Parser::parse_set() {
    Statement statement = {.kind = Statement::Kind::kSet, .line = current().line};
    do {
        statement.names.push_back(take_name());
    } while (skip_operator(","));
    if (statement.names.size() == 1 && skip_operator(".")) {
        statement.text = std::exchange(statement.names[0], take_name());
    }
    if (skip_operator("=")) {
        statement.expressions.push_back(parse_tuple());
        end_block();
        return statement;
    }
    if (statement.names.size() != 1 || !statement.text.empty()) fail_here("expected \"=\"");
    statement.kind = Statement::Kind::kSetBlock;
    if (is_operator("|")) {
        Expression body = make(Expression::Kind::kName);
        body.text = kBodyName;
        statement.expressions.push_back(parse_filters(std::move(body)));
    }
    end_block();
    statement.body = parse_body({"endset"});
    take();
    take();
    end_block();
    return statement;
}

// (a, b=1): defaults belong to the last parameters.
void Parser::parse_parameters(Statement& statement) {
    expect_operator("(");
    while (!is_operator(")")) {
        statement.names.push_back(take_name());
        if (skip_operator("=")) {
            statement.expressions.push_back(parse_expression());
        } else if (!statement.expressions.empty() && statement.kind == Statement::Kind::kMacro) {
            fail_here("a parameter without a default follows one that has it");
        }
        if (!skip_operator(",")) break;
    }
    expect_operator(")");
}

Statement Parser::parse_macro() {
    Statement statement = {.kind = Statement::Kind::kMacro, .line = current().line};
    statement.text = take_name();
    parse_parameters(statement);
    end_block();
    const int loops = std::exchange(loops_, 0);
    statement.body = parse_body({"endmacro"});
    loops_ = loops;
    take();
    take();
    if (current().kind == Token::Kind::kName) take();
    end_block();
    return statement;
}

Statement Parser::parse_call_block() {
    Statement statement = {.kind = Statement::Kind::kCall, .line = current().line};
    if (skip_operator("(")) {
        while (!is_operator(")")) {
            statement.names.push_back(take_name());
            if (!skip_operator(",")) break;
        }
        expect_operator(")");
    }
    statement.expressions.push_back(parse_expression());
    if (statement.expressions[0].kind != Expression::Kind::kCall) fail_here("expected a call");
    end_block();
    const int loops = std::exchange(loops_, 0);
    statement.body = parse_body({"endcall"});
    loops_ = loops;
    take();
    take();
    end_block();
    return statement;
}

Statement Parser::parse_filter_block() {
    Statement statement = {.kind = Statement::Kind::kFilter, .line = current().line};
    // The same as `body | filter`: the first bar is not written.
    Expression node = make(Expression::Kind::kFilter);
    node.children.push_back(make(Expression::Kind::kName));
    node.children[0].text = kBodyName;
    node.text = take_name();
    if (is_operator("(")) parse_arguments(node);
    statement.expressions.push_back(parse_filters(std::move(node)));
    end_block();
    statement.body = parse_body({"endfilter"});
    take();
    take();
    end_block();
    return statement;
}

Statement Parser::parse_with() {
    Statement statement = {.kind = Statement::Kind::kBlock, .line = current().line};
    while (current().kind == Token::Kind::kName) {
        statement.names.push_back(take_name());
        expect_operator("=");
        statement.expressions.push_back(parse_expression());
        if (!skip_operator(",")) break;
    }
    end_block();
    statement.body = parse_body({"endwith"});
    take();
    take();
    end_block();
    return statement;
}

Expression Parser::parse_tuple(bool with_condition) {
    Expression first = with_condition ? parse_expression() : parse_or();
    if (!is_operator(",")) return first;
    Expression tuple = make(Expression::Kind::kTuple);
    tuple.children.push_back(std::move(first));
    while (skip_operator(",")) {
        if (is_operator(")") || current().kind == Token::Kind::kBlockEnd ||
            current().kind == Token::Kind::kOutputEnd) {
            break;
        }
        tuple.children.push_back(with_condition ? parse_expression() : parse_or());
    }
    return tuple;
}

Expression Parser::parse_conditional() {
    const Nesting nesting(*this);
    Expression value = parse_or();
    while (skip_word("if")) {
        Expression condition = parse_or();
        Expression otherwise = make(Expression::Kind::kLiteral);
        if (skip_word("else")) otherwise = parse_conditional();
        Expression node = make(Expression::Kind::kConditional);
        node.children.push_back(std::move(condition));
        node.children.push_back(std::move(value));
        node.children.push_back(std::move(otherwise));
        value = std::move(node);
    }
    return value;
}

Expression Parser::parse_or() {
    Expression left = parse_and();
    for (int links = 0; skip_word("or"); ++links) {
        check_links(links);
        Expression right = parse_and();
        left = make(Expression::Kind::kOr, {std::move(left), std::move(right)});
    }
    return left;
}

Expression Parser::parse_and() {
    Expression left = parse_not();
    for (int links = 0; skip_word("and"); ++links) {
        check_links(links);
        Expression right = parse_not();
        left = make(Expression::Kind::kAnd, {std::move(left), std::move(right)});
    }
    return left;
}

Expression Parser::parse_not() {
    if (!is_word("not")) return parse_compare();
    const Nesting nesting(*this);
    take();
    return make(Expression::Kind::kNot, {parse_not()});
}

// Comparisons chain; each is one character of `text`: n for in, N for not in, g and l for >= <=.
Expression Parser::parse_compare() {
    Expression first = parse_binary(0);
    std::string operators;
    std::vector<Expression> children;
    for (;;) {
        char op = 0;
        if (skip_operator("==")) {
            op = '=';
        } else if (skip_operator("!=")) {
            op = '!';
        } else if (skip_operator(">=")) {
            op = 'g';
        } else if (skip_operator("<=")) {
            op = 'l';
        } else if (skip_operator(">")) {
            op = '>';
        } else if (skip_operator("<")) {
            op = '<';
        } else if (skip_word("in")) {
            op = 'n';
        } else if (is_word("not") && following().text == "in") {
            take();
            take();
            op = 'N';
        } else {
            break;
        }
        operators.push_back(op);
        children.push_back(parse_binary(0));
    }
    if (operators.empty()) return first;
    children.insert(children.begin(), std::move(first));
    Expression node = make(Expression::Kind::kCompare, std::move(children));
    node.text = std::move(operators);
    return node;
}

// From loose to tight: + -, ~, * / // %, **.
Expression Parser::parse_binary(int level) {
    using Kind = Expression::Kind;
    struct Operator {
        std::string_view text;
        Kind kind;
        int level;
    };
    static constexpr Operator kOperators[] = {
        {"+", Kind::kAdd, 0},      {"-", Kind::kSubtract, 0}, {"~", Kind::kConcatenate, 1},
        {"*", Kind::kMultiply, 2}, {"/", Kind::kDivide, 2},   {"//", Kind::kFloorDivide, 2},
        {"%", Kind::kModulo, 2},   {"**", Kind::kPower, 3},
    };
    constexpr int kTightest = 3;
    if (level > kTightest) return parse_unary(true);
    Expression left = parse_binary(level + 1);
    for (int links = 0;; ++links) {
        check_links(links);
        const Operator* found = nullptr;
        for (const Operator& op : kOperators) {
            if (op.level == level && is_operator(op.text)) found = &op;
        }
        if (found == nullptr) return left;
        take();
        Expression right = parse_binary(level + 1);
        left = make(found->kind, {std::move(left), std::move(right)});
    }
}

Expression Parser::parse_unary(bool with_filter) {
    const Nesting nesting(*this);
    Expression node;
    if (skip_operator("-")) {
        node = make(Expression::Kind::kNegative, {parse_unary(false)});
    } else if (skip_operator("+")) {
        node = make(Expression::Kind::kPositive, {parse_unary(false)});
    } else {
        node = parse_primary();
    }
    node = parse_postfix(std::move(node));
    return with_filter ? parse_filters(std::move(node)) : node;
}

Expression Parser::parse_primary() {
    Expression node = make(Expression::Kind::kLiteral);
    const Token token = current();
    switch (token.kind) {
        case Token::Kind::kName: {
            take();
            const std::string& name = token.text;
            if (name == "true" || name == "True") {
                node.literal = true;
            } else if (name == "false" || name == "False") {
                node.literal = false;
            } else if (name == "none" || name == "None") {
                node.literal = TemplateValue::None{};
            } else {
                node.kind = Expression::Kind::kName;
                node.text = name;
            }
            return node;
        }
        case Token::Kind::kString: {
            std::string text;
            while (current().kind == Token::Kind::kString) text += take().text;
            node.literal = std::move(text);
            return node;
        }
        case Token::Kind::kInteger: {
            take();
            std::int64_t value = 0;
            const char* end = token.text.data() + token.text.size();
            if (std::from_chars(token.text.data(), end, value).ptr != end) {
                fail_here("a number is too large");
            }
            node.literal = value;
            return node;
        }
        case Token::Kind::kFloat: {
            take();
            double value = 0;
            std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
            node.literal = value;
            return node;
        }
        default:
            break;
    }
    if (skip_operator("(")) {
        if (skip_operator(")")) return make(Expression::Kind::kTuple);
        Expression inner = parse_tuple();
        expect_operator(")");
        return inner;
    }
    if (skip_operator("[")) return parse_list();
    if (skip_operator("{")) return parse_map();
    fail_here("expected an expression");
}

Expression Parser::parse_list() {
    Expression node = make(Expression::Kind::kList);
    while (!is_operator("]")) {
        node.children.push_back(parse_expression());
        if (!skip_operator(",")) break;
    }
    expect_operator("]");
    return node;
}

Expression Parser::parse_map() {
    Expression node = make(Expression::Kind::kMap);
    while (!is_operator("}")) {
        node.children.push_back(parse_expression());
        expect_operator(":");
        node.children.push_back(parse_expression());
        if (!skip_operator(",")) break;
    }
    expect_operator("}");
    return node;
}

Expression Parser::parse_postfix(Expression node) {
    for (int links = 0;; ++links) {
        check_links(links);
        if (skip_operator(".")) {
            Expression attribute = make(Expression::Kind::kAttribute);
            attribute.children.push_back(std::move(node));
            if (current().kind == Token::Kind::kInteger) {
                attribute.kind = Expression::Kind::kItem;
                attribute.children.push_back(parse_primary());
            } else {
                attribute.text = take_name();
            }
            node = std::move(attribute);
        } else if (skip_operator("[")) {
            node = parse_subscript(std::move(node));
        } else if (is_operator("(")) {
            Expression call = make(Expression::Kind::kCall);
            call.children.push_back(std::move(node));
            parse_arguments(call);
            node = std::move(call);
        } else {
            return node;
        }
    }
}

Expression Parser::parse_subscript(Expression node) {
    Expression item = make(Expression::Kind::kItem);
    item.children.push_back(std::move(node));
    Expression none = make(Expression::Kind::kLiteral);
    none.literal = TemplateValue::None{};
    const auto bound = [&] {
        return is_operator(":") || is_operator("]") ? none : parse_expression();
    };
    item.children.push_back(bound());
    if (is_operator(":")) {
        item.kind = Expression::Kind::kSlice;
        take();
        item.children.push_back(bound());
        const bool has_step = skip_operator(":");
        item.children.push_back(has_step ? bound() : none);
    }
    expect_operator("]");
    return item;
}

void Parser::parse_arguments(Expression& call) {
    const Nesting nesting(*this);
    expect_operator("(");
    while (!is_operator(")")) {
        if (current().kind == Token::Kind::kName && following().text == "=" &&
            following().kind == Token::Kind::kOperator) {
            std::string name = take().text;
            take();
            call.names.push_back(std::move(name));
            call.named.push_back(parse_expression());
        } else {
            if (is_operator("*") || is_operator("**")) fail_here("unpacking is not supported");
            call.children.push_back(parse_expression());
        }
        if (!skip_operator(",")) break;
    }
    expect_operator(")");
}

Expression Parser::parse_filters(Expression node) {
    for (int links = 0;; ++links) {
        check_links(links);
        if (skip_operator("|")) {
            Expression filter = make(Expression::Kind::kFilter);
            filter.children.push_back(std::move(node));
            filter.text = take_name();
            if (is_operator("(")) parse_arguments(filter);
            node = std::move(filter);
        } else if (skip_word("is")) {
            node = parse_test(std::move(node));
        } else if (is_operator("(")) {
            Expression call = make(Expression::Kind::kCall);
            call.children.push_back(std::move(node));
            parse_arguments(call);
            node = std::move(call);
        } else {
            return node;
        }
    }
}

Expression Parser::parse_test(Expression node) {
    const bool negated = skip_word("not");
    Expression test = make(Expression::Kind::kTest);
    test.children.push_back(std::move(node));
    test.text = take_name();
    using Kind = Token::Kind;
    const Kind kind = current().kind;
    const bool keyword =
        kind == Kind::kName && (is_word("else") || is_word("or") || is_word("and") ||
                                is_word("if") || is_word("is") || is_word("in") || is_word("not"));
    if (is_operator("(")) {
        parse_arguments(test);
    } else if (!keyword &&
               (kind == Kind::kName || kind == Kind::kString || kind == Kind::kInteger ||
                kind == Kind::kFloat || is_operator("[") || is_operator("{"))) {
        test.children.push_back(parse_postfix(parse_primary()));
    }
    return negated ? make(Expression::Kind::kNot, {std::move(test)}) : std::move(test);
}

}  // namespace

TemplateBody parse_template(std::string_view source) {
    return Parser(read_template_tokens(source)).run();
}

}  // namespace heddle::text
