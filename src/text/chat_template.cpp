#include "text/chat_template.h"

#include <utility>

#include "text/template_parser.h"
#include "text/utf8.h"

namespace heddle::text {

Result<ChatTemplate> ChatTemplate::parse(std::string_view source) {
    if (source.size() > kTemplateBytesMax) {
        return fail(ErrorCode::kTooLarge, "the chat template is larger than 1 MiB");
    }
    try {
        return ChatTemplate(
            std::make_shared<const TemplateBody>(parse_template(to_valid_utf8(source))));
    } catch (const TemplateFailure& failure) {
        return fail(Error(ErrorCode::kCorrupt, failure.what()).with_context("the chat template"));
    }
}

Result<std::string> ChatTemplate::render(const TemplateValue& variables,
                                         std::chrono::sys_seconds now,
                                         const TemplateLimits& limits) const {
    if (variables.map_if() == nullptr) {
        return fail(ErrorCode::kInvalidArgument, "the variables of a template are not a map");
    }
    try {
        return TemplateEvaluator(*variables.map_if(), now, limits).render(*body_);
    } catch (const TemplateLimitFailure& failure) {
        return fail(Error(ErrorCode::kTooLarge, failure.what()).with_context("the chat template"));
    } catch (const TemplateFailure& failure) {
        return fail(
            Error(ErrorCode::kInvalidArgument, failure.what()).with_context("the chat template"));
    }
}

}  // namespace heddle::text
