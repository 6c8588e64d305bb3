#include "api/logprobs_json.h"

#include <algorithm>
#include <string>

#include "text/utf8.h"

namespace heddle::api {
namespace {

using nlohmann::json;

json token_json(const service::TokenProbability& token) {
    json bytes = json::array();
    for (const char byte : token.bytes) bytes.push_back(static_cast<unsigned char>(byte));
    return {{"token", text::to_valid_utf8(token.bytes)},
            {"logprob", token.logprob},
            {"bytes", std::move(bytes)}};
}

std::size_t characters_in(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

json chat_logprobs(const std::vector<service::TokenDetail>& tokens) {
    json content = json::array();
    for (const service::TokenDetail& token : tokens) {
        json entry = token_json(token.token);
        entry["top_logprobs"] = json::array();
        for (const service::TokenProbability& other : token.top)
            entry["top_logprobs"].push_back(token_json(other));
        content.push_back(std::move(entry));
    }
    return {{"content", std::move(content)}, {"refusal", nullptr}};
}

json text_logprobs(const std::vector<service::TokenDetail>& tokens, std::size_t& offset) {
    json lists = {{"tokens", json::array()},
                  {"token_logprobs", json::array()},
                  {"top_logprobs", json::array()},
                  {"text_offset", json::array()}};
    for (const service::TokenDetail& token : tokens) {
        const std::string text = text::to_valid_utf8(token.token.bytes);
        lists["tokens"].push_back(text);
        lists["token_logprobs"].push_back(token.token.logprob);
        json top = json::object();
        for (const service::TokenProbability& other : token.top)
            top[text::to_valid_utf8(other.bytes)] = other.logprob;
        lists["top_logprobs"].push_back(std::move(top));
        lists["text_offset"].push_back(offset);
        offset += characters_in(text);
    }
    return lists;
}

}  // namespace heddle::api
