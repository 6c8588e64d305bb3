// Conversations on a database in a folder of its own, for tests of this room and of api.
#pragma once

#include <memory>

#include "service/conversation_answers.h"
#include "service/conversations.h"
#include "storage/database.h"
#include "storage/scratch_testing.h"

namespace heddle::service {

class TestConversations {
public:
    TestConversations(std::shared_ptr<Answerer> answerer, async::Executor executor)
        : database_(*storage::Database::open({.location = scratch_.path() + "/heddle.db"})),
          conversations_(*Conversations::open(*database_, {.conversations_max = 50})),
          answers_(std::make_shared<ConversationAnswers>(conversations_, std::move(answerer),
                                                         std::move(executor),
                                                         ConversationAnswersOptions{})) {}

    [[nodiscard]] std::shared_ptr<Conversations> conversations() { return conversations_; }
    [[nodiscard]] std::shared_ptr<ConversationAnswers> answers() { return answers_; }

private:
    storage::Scratch scratch_;
    std::unique_ptr<storage::Database> database_;
    std::shared_ptr<Conversations> conversations_;
    std::shared_ptr<ConversationAnswers> answers_;
};

}  // namespace heddle::service
