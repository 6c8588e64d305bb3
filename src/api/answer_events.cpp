#include "api/answer_events.h"

#include <type_traits>
#include <variant>

#include "api/answer_json.h"
#include "api/error_response.h"
#include "api/json_text.h"

namespace heddle::api {
namespace {

std::string data_of(const service::SourcesEvent& event) {
    return to_text({{"sources", to_json(event.sources)}});
}

std::string data_of(const service::DeltaEvent& event) {
    std::string data = R"({"text":)";
    append_quoted(data, event.text);
    data += '}';
    return data;
}

std::string data_of(const service::UsageEvent& event) {
    return to_text(to_json(event.usage));
}

std::string data_of(const service::DoneEvent& event) {
    return to_text(
        {{"model", event.model}, {"finish_reason", service::to_string(event.finish_reason)}});
}

std::string data_of(const service::ErrorEvent& event) {
    return to_text({{"detail", event.error.message()},
                    {"status", status_of(event.error.code())},
                    {"code", event.error.reason()}});
}

constexpr std::string_view kNames[] = {"sources", "delta", "usage", "done", "error"};
static_assert(std::variant_size_v<service::AnswerEvent> == std::size(kNames));

}  // namespace

NamedEvent encode_event(const service::AnswerEvent& event) {
    return {kNames[event.index()], std::visit([](const auto& one) { return data_of(one); }, event)};
}

}  // namespace heddle::api
