#include "service/conversation_answers.h"

#include <algorithm>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include "async/together.h"
#include "base/ids.h"
#include "base/log.h"
#include "service/conversation_rows.h"

namespace heddle::service {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kEventsBuffered = 256;

tl::unexpected<Error> too_many_answers() {
    return fail(Error(ErrorCode::kUnavailable, "too many answers are being written; try again")
                    .with_retry_after(2));
}

std::int64_t ms_since(SteadyClock::time_point start) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - start)
        .count();
}

// What a model is given of a conversation: the path without answers that say nothing.
std::vector<Message> history_of(const std::vector<MessageInfo>& path, const std::string& system) {
    std::vector<Message> history;
    if (!system.empty()) history.push_back({Role::kSystem, system});
    for (const MessageInfo& message : path) {
        if (message.content.empty()) continue;
        history.push_back({message.role, message.content});
    }
    return history;
}

}  // namespace

// The answer as it will be saved. Lives on the executor's thread.
struct ConversationAnswers::Draft {
    MessageInfo message;
    std::shared_ptr<AnswerRun> run;
    SteadyClock::time_point begun = SteadyClock::now();
    SteadyClock::time_point saved = SteadyClock::now();

    void take(const AnswerEvent& event) {
        if (const auto* sources = std::get_if<SourcesEvent>(&event)) {
            message.sources = sources->sources;
        } else if (const auto* delta = std::get_if<DeltaEvent>(&event)) {
            if (message.first_token_ms == 0) {
                message.first_token_ms = std::max<std::int64_t>(1, ms_since(begun));
            }
            message.content += delta->text;
        } else if (const auto* usage = std::get_if<UsageEvent>(&event)) {
            message.usage = usage->usage;
        } else if (const auto* done = std::get_if<DoneEvent>(&event)) {
            message.state = MessageState::kDone;
            message.model = done->model;
            message.finish_reason = to_string(done->finish_reason);
        } else if (const auto* error = std::get_if<ErrorEvent>(&event)) {
            message.state = MessageState::kFailed;
            message.error = error->error.message();
        }
    }
};

ConversationAnswers::ConversationAnswers(std::shared_ptr<Conversations> conversations,
                                         std::shared_ptr<Answerer> answerer,
                                         async::Executor executor,
                                         ConversationAnswersOptions options)
    : conversations_(std::move(conversations)),
      answerer_(std::move(answerer)),
      options_(options),
      tasks_(std::move(executor), "service") {}

ConversationAnswers::~ConversationAnswers() = default;

Result<StartedAnswer> ConversationAnswers::begin(storage::Transaction& tx,
                                                 const ConversationQuestion& question,
                                                 std::vector<Message>& history) const {
    const std::string& id = question.conversation;
    HEDDLE_TRY(const ConversationInfo conversation, get_conversation(tx, question.owner, id));
    if (static_cast<std::int64_t>(conversation.messages) >= conversations_->limits().messages_max)
        return fail(ErrorCode::kConflict, "the conversation is full: begin another");
    HEDDLE_TRY(const std::int64_t now, tx.now_ms());
    StartedAnswer started;
    std::string asked;
    if (question.again.empty()) {
        MessageInfo& message = started.question.emplace();
        message.id = new_id();
        message.parent = question.parent.value_or(conversation.head);
        message.content = question.content;
        message.created_ms = now;
        if (!message.parent.empty()) HEDDLE_TRY_VOID(get_message(tx, id, message.parent));
        HEDDLE_TRY_VOID(insert_message(tx, id, message));
        asked = message.id;
        if (conversation.title.empty())
            HEDDLE_TRY_VOID(set_title(tx, id, title_from(question.content)));
    } else {
        HEDDLE_TRY(const MessageInfo known, get_message(tx, id, question.again));
        asked = known.role == Role::kUser ? known.id : known.parent;
    }
    HEDDLE_TRY(const auto path, path_to(tx, id, asked, options_.history_messages_max));
    if (path.empty() || path.back().role != Role::kUser) {
        return fail(Error(ErrorCode::kInvalidArgument, "there is no question to answer there")
                        .with_param("message"));
    }
    if (started.question) started.question->siblings = path.back().siblings;
    history = history_of(path, question.system);
    started.answer.id = new_id();
    started.answer.parent = asked;
    started.answer.role = Role::kAssistant;
    started.answer.state = MessageState::kRunning;
    started.answer.model = question.answer.model;
    started.answer.created_ms = now;
    HEDDLE_TRY_VOID(insert_message(tx, id, started.answer));
    HEDDLE_TRY_VOID(set_head(tx, id, started.answer.id));
    HEDDLE_TRY(const auto whole, path_to(tx, id, started.answer.id, 1));
    started.answer.siblings = whole.front().siblings;
    return started;
}

async::Task<Result<StartedAnswer>> ConversationAnswers::ask(ConversationQuestion question) {
    sweep();
    std::vector<Message> history;
    const auto insert = [&](storage::Transaction& tx) { return begin(tx, question, history); };
    HEDDLE_CO_TRY(StartedAnswer started, co_await conversations_->database().write(insert));
    started.run = std::make_shared<AnswerRun>(question.owner, question.conversation,
                                              started.answer.id, options_.run);
    const auto draft = std::make_shared<Draft>();
    draft->message = started.answer;
    draft->run = started.run;
    if (!register_run(started.run)) {
        draft->message.state = MessageState::kFailed;
        draft->message.error = too_many_answers().value().message();
        co_await save(draft, false);
        co_return too_many_answers();
    }
    AnswerRequest request = std::move(question.answer);
    request.owner = question.owner;
    request.messages = std::move(history);
    auto spawn = [this, request = std::move(request), draft]() mutable {
        tasks_.spawn(write(std::move(request), std::move(draft)));
    };
    boost::asio::post(tasks_.executor(), std::move(spawn));
    co_return started;
}

async::Task<> ConversationAnswers::write(AnswerRequest request, std::shared_ptr<Draft> draft) {
    using namespace boost::asio::experimental::awaitable_operators;
    const auto events = std::make_shared<AnswerStream>(kEventsBuffered);
    try {
        co_await (
            async::together(answerer_->answer(std::move(request), events), record(events, draft)) ||
            draft->run->wait_for_stop());
    } catch (const std::exception& failure) {
        if (!draft->run->stop_requested()) {
            log::error("service", "an answer broke off", {{"error", failure.what()}});
        }
    }
    co_await close(draft);
}

async::Task<> ConversationAnswers::record(std::shared_ptr<AnswerStream> events,
                                          std::shared_ptr<Draft> draft) {
    for (;;) {
        std::vector<AnswerEvent> batch = co_await events->next_batch();
        if (batch.empty()) co_return;
        bool sources_came = false;
        for (AnswerEvent& event : batch) {
            sources_came |= std::holds_alternative<SourcesEvent>(event);
            draft->take(event);
            if (!draft->run->append(std::move(event))) {
                events->abandon();
                draft->message.state = MessageState::kFailed;
                draft->message.error = "the answer has become too long";
                co_return;
            }
        }
        if (sources_came || SteadyClock::now() - draft->saved >= options_.save_every) {
            co_await save(draft, sources_came);
        }
    }
}

async::Task<> ConversationAnswers::save(std::shared_ptr<Draft> draft, bool with_sources) {
    draft->saved = SteadyClock::now();
    draft->message.duration_ms = ms_since(draft->begun);
    const auto update = [&](storage::Transaction& tx) -> Result<> {
        HEDDLE_TRY(const bool is_there, update_message(tx, draft->message));
        if (!is_there || !with_sources) return {};
        return replace_sources(tx, draft->message);
    };
    const auto saved = co_await conversations_->database().write(update);
    if (!saved) {
        log::warn("service", "an answer could not be saved", {{"error", saved.error().message()}});
    }
}

// How it ended is saved before its readers hear that it has.
async::Task<> ConversationAnswers::close(std::shared_ptr<Draft> draft) {
    MessageInfo& message = draft->message;
    if (message.state == MessageState::kRunning) {
        const auto stopped = draft->run->stop_requested();
        message.state = stopped.value_or(MessageState::kFailed);
        if (!stopped) message.error = "the answer broke off";
    }
    co_await save(draft, false);
    draft->run->end();
}

bool ConversationAnswers::register_run(const std::shared_ptr<AnswerRun>& run) {
    const std::lock_guard lock(mutex_);
    const auto running = std::count_if(runs_.begin(), runs_.end(),
                                       [](const auto& entry) { return !entry.second->ended(); });
    if (static_cast<std::size_t>(running) >= options_.running_max) return false;
    runs_.emplace(run->message(), run);
    return true;
}

void ConversationAnswers::sweep() {
    const auto now = SteadyClock::now();
    const std::lock_guard lock(mutex_);
    std::erase_if(runs_, [&](const auto& entry) {
        return entry.second->ended() && now - entry.second->ended_at() > options_.kept_for;
    });
}

std::shared_ptr<AnswerRun> ConversationAnswers::find(const std::string& owner,
                                                     const std::string& conversation,
                                                     const std::string& message) const {
    const std::lock_guard lock(mutex_);
    const auto found = runs_.find(message);
    if (found == runs_.end()) return nullptr;
    const AnswerRun& run = *found->second;
    const bool is_theirs = run.owner() == owner && run.conversation() == conversation;
    return is_theirs ? found->second : nullptr;
}

void ConversationAnswers::stop(const std::string& owner, const std::string& conversation,
                               const std::string& message) {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, run] : runs_) {
        if (run->owner() != owner || run->conversation() != conversation) continue;
        if (message.empty() || id == message) run->request_stop(MessageState::kStopped);
    }
}

async::Task<> ConversationAnswers::shut_down() {
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, run] : runs_) run->request_stop(MessageState::kInterrupted);
    }
    co_await tasks_.join();
}

}  // namespace heddle::service
