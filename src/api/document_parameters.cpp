#include "api/document_parameters.h"

#include <charconv>
#include <string>

namespace heddle::api {

Error no_documents() {
    return {ErrorCode::kUnavailable, "this server keeps no documents"};
}

Result<std::size_t> count_parameter(const http::Request& request, std::string_view name,
                                    std::size_t least, std::size_t most, std::size_t otherwise) {
    const auto text = request.query(name);
    if (!text) return otherwise;
    std::size_t value = 0;
    const auto [end, ec] = std::from_chars(text->data(), text->data() + text->size(), value);
    const bool whole = ec == std::errc() && end == text->data() + text->size();
    if (whole && value >= least && value <= most) return value;
    return fail(Error(ErrorCode::kInvalidArgument, std::string(name) + " must be a number from " +
                                                       std::to_string(least) + " to " +
                                                       std::to_string(most))
                    .with_param(std::string(name)));
}

std::optional<service::DocumentState> parse_state(std::string_view text) {
    using service::DocumentState;
    for (const auto state :
         {DocumentState::kQueued, DocumentState::kExtracting, DocumentState::kEmbedding,
          DocumentState::kReady, DocumentState::kFailed}) {
        if (service::to_string(state) == text) return state;
    }
    return std::nullopt;
}

}  // namespace heddle::api
