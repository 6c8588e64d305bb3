// What a conversation is: a tree of messages kept for its owner. Every message but the first hangs
// on the one it follows; asking again or editing a question adds a sibling, nothing is overwritten.
// The path from the root to `head` is what is shown and what a model is given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/generator.h"
#include "service/source.h"

namespace heddle::service {

enum class MessageState {
    kDone,
    kRunning,      // an answer that is being written
    kStopped,      // by its owner
    kFailed,       // MessageInfo::error says why
    kInterrupted,  // the server ended while it was written
};
[[nodiscard]] std::string_view to_string(MessageState state);

struct MessageInfo {
    std::string id;
    std::string parent;  // empty for a first message
    Role role = Role::kUser;
    std::string content;
    MessageState state = MessageState::kDone;
    std::string model;          // of an answer
    std::string finish_reason;  // of an answer that came to its end
    std::string error;          // fit for the client
    std::vector<Source> sources;
    Usage usage;
    std::int64_t first_token_ms = 0;  // from the question to the first piece; 0 while unknown
    std::int64_t duration_ms = 0;     // from the question to the end; 0 while unknown
    std::int64_t created_ms = 0;
    // The messages that hang on the same parent, this one included, oldest first.
    std::vector<std::string> siblings;
};

struct ConversationInfo {
    std::string id;
    std::string title;
    std::string head;      // the last message of the path that is shown; empty without messages
    std::string settings;  // the client's own, as it sent them
    std::uint64_t messages = 0;
    std::int64_t created_ms = 0;
    std::int64_t updated_ms = 0;
    // Of a search: the newest message that holds the words, and the text around them. Both empty
    // when only the title does.
    std::string hit;
    std::string snippet;
};

struct ConversationQuery {
    std::string search;  // in titles and messages, without case for ASCII; empty: all
    std::string after;   // id of the last conversation of the page before
    std::size_t limit = 50;
};

struct ConversationChange {
    std::optional<std::string> title;
    std::optional<std::string> settings;
    // Shows the newest path through this message.
    std::optional<std::string> head;
};

struct MessagePage {
    std::vector<MessageInfo> messages;  // oldest first, along one path
    bool more = false;                  // there are older ones
};

}  // namespace heddle::service
