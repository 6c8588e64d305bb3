// Asking inside a conversation: the question and its answer are kept, the answer is written whether
// or not its reader stays, and it is saved while it grows.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "async/task.h"
#include "async/task_group.h"
#include "service/answer_run.h"
#include "service/answerer.h"
#include "service/conversations.h"

namespace heddle::service {

struct ConversationAnswersOptions {
    RunLimits run;
    std::size_t running_max = 256;           // answers written at once
    std::size_t history_messages_max = 400;  // given to the model, newest kept
    std::chrono::milliseconds save_every{1000};
    // For so long the events of an answer that has ended can still be read one by one.
    std::chrono::seconds kept_for{300};
};

struct ConversationQuestion {
    std::string owner;
    std::string conversation;
    // A new question, hung on `parent` (absent: the end of the shown path; "": a first message) …
    std::string content;
    std::optional<std::string> parent;
    // … or another answer to this message, a question or an answer to one.
    std::string again;
    std::string system;    // goes before the conversation; empty: none
    AnswerRequest answer;  // owner and messages are filled in here
};

struct StartedAnswer {
    std::optional<MessageInfo> question;  // nothing when it was there already
    MessageInfo answer;
    std::shared_ptr<AnswerRun> run;
};

// Thread-safe; the answers themselves run on the executor's thread. Stopped before it dies.
class ConversationAnswers {
public:
    ConversationAnswers(std::shared_ptr<Conversations> conversations,
                        std::shared_ptr<Answerer> answerer, async::Executor executor,
                        ConversationAnswersOptions options);
    ~ConversationAnswers();

    // Both messages are durable when it returns. kUnavailable when too many answers run.
    async::Task<Result<StartedAnswer>> ask(ConversationQuestion question);

    // The answer under way or lately ended; null when its events are no longer held.
    [[nodiscard]] std::shared_ptr<AnswerRun> find(const std::string& owner,
                                                  const std::string& conversation,
                                                  const std::string& message) const;
    // Everything that runs in the conversation, or one answer of it. Returns at once.
    void stop(const std::string& owner, const std::string& conversation,
              const std::string& message = "");

    // Ends every answer as interrupted and waits until all are saved. On the executor's thread.
    async::Task<> shut_down();

private:
    struct Draft;
    Result<StartedAnswer> begin(storage::Transaction& tx, const ConversationQuestion& question,
                                std::vector<Message>& history) const;
    async::Task<> write(AnswerRequest request, std::shared_ptr<Draft> draft);
    async::Task<> record(std::shared_ptr<AnswerStream> events, std::shared_ptr<Draft> draft);
    async::Task<> save(std::shared_ptr<Draft> draft, bool with_sources);
    async::Task<> close(std::shared_ptr<Draft> draft);
    [[nodiscard]] bool register_run(const std::shared_ptr<AnswerRun>& run);
    void sweep();

    const std::shared_ptr<Conversations> conversations_;
    const std::shared_ptr<Answerer> answerer_;
    const ConversationAnswersOptions options_;
    async::TaskGroup tasks_;

    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::shared_ptr<AnswerRun>> runs_;  // guarded by mutex_
};

}  // namespace heddle::service
