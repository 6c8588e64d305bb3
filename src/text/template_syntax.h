// The tree of a chat template. Made by template_parser, walked by template_evaluator.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "text/template_value.h"

namespace heddle::text {

struct TemplateExpression {
    enum class Kind : std::uint8_t {
        kLiteral,    // literal
        kName,       // text
        kList,       // children
        kTuple,      // children
        kMap,        // children: key, value, key, value, …
        kAttribute,  // children[0] . text
        kItem,       // children[0] [ children[1] ]
        kSlice,   // children[0] [ children[1] : children[2] : children[3] ], absent: literal None
        kCall,    // children[0] ( children[1…], named )
        kFilter,  // children[0] | text ( children[1…], named )
        kTest,    // children[0] is text ( children[1…], named )
        kConditional,  // children[1] if children[0] else children[2]
        kOr,
        kAnd,
        kNot,
        kNegative,
        kPositive,
        kAdd,
        kSubtract,
        kMultiply,
        kDivide,
        kFloorDivide,
        kModulo,
        kPower,
        kConcatenate,
        kCompare,  // children[0] op children[1] op children[2] …, ops in `text`, one char each
    };

    Kind kind = Kind::kLiteral;
    int line = 0;
    std::string text;
    TemplateValue literal;
    std::vector<TemplateExpression> children;
    std::vector<std::string> names;         // of named arguments, and
    std::vector<TemplateExpression> named;  // their values
};

struct TemplateStatement;
using TemplateBody = std::vector<TemplateStatement>;

struct TemplateStatement {
    enum class Kind : std::uint8_t {
        kText,      // text
        kOutput,    // expressions[0]
        kIf,        // expressions[0], body, otherwise
        kFor,       // names, expressions[0], [1] the condition if any, body, otherwise
        kSet,       // names, or text the namespace and names[0] its field; expressions[0]
        kSetBlock,  // names[0], body, filters in expressions[0] over the name kBodyName if any
        kMacro,     // text the name, names the parameters, expressions the defaults of the last
        kCall,      // expressions[0] a call, body its caller, names the caller's parameters
        kFilter,    // expressions[0] over the name kBodyName, body
        kBlock,     // body: generation, and `with` with names and expressions
        kBreak,
        kContinue,
    };

    Kind kind = Kind::kText;
    int line = 0;
    std::string text;
    std::vector<std::string> names;
    std::vector<TemplateExpression> expressions;
    TemplateBody body;
    TemplateBody otherwise;
};

// Stands for the text of a block inside the filters on it; no template can write it.
inline constexpr const char* kBodyName = " body";

}  // namespace heddle::text
