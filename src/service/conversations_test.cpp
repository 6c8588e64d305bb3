// Conversations over both databases: trees of messages, pages of paths, search, branches, owners.
#include "service/conversations.h"

#include <gtest/gtest.h>

#include "async/runtime.h"
#include "base/ids.h"
#include "service/conversation_rows.h"
#include "storage/postgres_testing.h"

namespace heddle::service {
namespace {

class ConversationsTest : public testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        location_ = scratch_.path() + "/heddle.db";
        if (std::string_view(GetParam()) == "postgres") {
            location_ = storage::fresh_postgres_url();
        }
        if (location_.empty()) GTEST_SKIP() << "no PostgreSQL server is installed";
        reopen();
    }
    void reopen() {
        kept_.reset();
        db_.reset();
        db_ = *storage::Database::open({.location = location_}, clock_);
        kept_ = *Conversations::open(*db_, {.conversations_max = 20});
    }

    std::string make(const std::string& owner = "anna", const std::string& title = "") {
        return runtime_.run(kept_->create(owner, title, "{}"))->id;
    }
    // Adds a message and shows it.
    std::string say(const std::string& conversation, const std::string& parent, Role role,
                    std::string text, MessageState state = MessageState::kDone) {
        MessageInfo message;
        message.id = new_id();
        message.parent = parent;
        message.role = role;
        message.content = std::move(text);
        message.state = state;
        if (role == Role::kAssistant) {
            Source source;
            source.n = 1;
            source.title = "manual.pdf";
            source.page = 3;
            source.score = 0.5;
            message.sources = {source};
        }
        const auto insert = [&](storage::Transaction& tx) -> Result<> {
            HEDDLE_TRY_VOID(insert_message(tx, conversation, message));
            return set_head(tx, conversation, message.id);
        };
        EXPECT_TRUE(db_->write_blocking(insert));
        return message.id;
    }
    std::vector<std::string> texts(const std::string& id, const std::string& before = "",
                                   std::size_t limit = 100) {
        const auto page = runtime_.run(kept_->messages("anna", id, before, limit));
        std::vector<std::string> all;
        if (!page) return {page.error().message()};
        for (const MessageInfo& message : page->messages) all.push_back(message.content);
        return all;
    }

    storage::Scratch scratch_;
    std::string location_;
    FakeClock clock_;
    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 1}};
    std::unique_ptr<storage::Database> db_;
    std::unique_ptr<Conversations> kept_;
};
INSTANTIATE_TEST_SUITE_P(Stores, ConversationsTest, testing::Values("sqlite", "postgres"));

using Texts = std::vector<std::string>;

TEST_P(ConversationsTest, APathIsReadInPagesFromItsEnd) {
    const std::string id = make();
    std::string last;
    for (int i = 0; i < 7; ++i) {
        last = say(id, last, i % 2 == 0 ? Role::kUser : Role::kAssistant, std::to_string(i));
    }
    const auto end = runtime_.run(kept_->messages("anna", id, "", 3));
    ASSERT_TRUE(end);
    ASSERT_EQ(end->messages.size(), 3U);
    EXPECT_TRUE(end->more);
    EXPECT_EQ(end->messages[0].content, "4");
    EXPECT_EQ(end->messages[1].sources.at(0).title, "manual.pdf");
    EXPECT_EQ(end->messages[1].sources.at(0).page, 3U);
    EXPECT_EQ(end->messages[1].sources.at(0).page_end, std::nullopt);
    EXPECT_EQ(texts(id, end->messages[0].id, 3), (Texts{"1", "2", "3"}));
    EXPECT_EQ(texts(id, end->messages[0].id), (Texts{"0", "1", "2", "3"}));
    EXPECT_FALSE(runtime_.run(kept_->messages("anna", id, "", 100))->more);
}

TEST_P(ConversationsTest, AnEditedQuestionKeepsBothPaths) {
    const std::string id = make();
    const std::string first = say(id, "", Role::kUser, "one");
    const std::string answer = say(id, first, Role::kAssistant, "answer one");
    const std::string edited = say(id, "", Role::kUser, "one, better");
    say(id, edited, Role::kAssistant, "answer two");
    EXPECT_EQ(texts(id), (Texts{"one, better", "answer two"}));
    const auto page = runtime_.run(kept_->messages("anna", id, "", 10));
    EXPECT_EQ(page->messages[0].siblings, (Texts{first, edited}));
    // Choosing a question shows the newest path through it.
    const auto changed = runtime_.run(kept_->change("anna", id, {.head = first}));
    ASSERT_TRUE(changed);
    EXPECT_EQ(changed->head, answer);
    EXPECT_EQ(texts(id), (Texts{"one", "answer one"}));
    EXPECT_FALSE(runtime_.run(kept_->change("anna", id, {.head = "no such"})));
}

TEST_P(ConversationsTest, ABranchIsACopyOfThePath) {
    const std::string id = make("anna", "Pumps");
    const std::string question = say(id, "", Role::kUser, "q");
    const std::string answer = say(id, question, Role::kAssistant, "a");
    say(id, answer, Role::kUser, "later");
    const auto branch = runtime_.run(kept_->branch("anna", id, answer));
    ASSERT_TRUE(branch) << branch.error().message();
    EXPECT_EQ(branch->title, "Pumps");
    EXPECT_EQ(texts(branch->id), (Texts{"q", "a"}));
    say(branch->id, branch->head, Role::kUser, "elsewhere");
    EXPECT_EQ(texts(id), (Texts{"q", "a", "later"}));
    const auto copied = runtime_.run(kept_->messages("anna", branch->id, "", 10));
    EXPECT_EQ(copied->messages[1].sources.size(), 1U);
}

TEST_P(ConversationsTest, SearchFindsTitlesAndMessagesLiterally) {
    const std::string pumps = make("anna", "About pumps");
    const std::string other = make("anna", "Other");
    say(other, "", Role::kUser, "Does 100% of the Pump\nstart? 泵什么时候启动？");
    make("bert", "pumps of another owner");
    const auto find = [&](std::string words) {
        std::vector<std::string> titles;
        const auto found = runtime_.run(kept_->list("anna", {.search = std::move(words)}));
        for (const ConversationInfo& one : *found) titles.push_back(one.title);
        return titles;
    };
    EXPECT_EQ(find("PUMP"), (Texts{"Other", "About pumps"}));
    EXPECT_EQ(find("100%"), (Texts{"Other"}));
    EXPECT_EQ(find("启动"), (Texts{"Other"}));
    EXPECT_EQ(find("1_0"), Texts{});
    EXPECT_EQ(find("'; DROP TABLE conversations; --"), Texts{});
    const auto hit = runtime_.run(kept_->list("anna", {.search = "pump start"}));
    EXPECT_TRUE(hit->empty()) << "words on two lines are not next to each other";
    const auto snippet = runtime_.run(kept_->list("anna", {.search = "启动"}))->front();
    EXPECT_NE(snippet.snippet.find("泵什么时候启动"), std::string::npos) << snippet.snippet;
}

TEST_P(ConversationsTest, TheListIsPagedByLastUse) {
    std::vector<std::string> made;
    for (int i = 0; i < 5; ++i) made.push_back(make("anna", std::to_string(i)));
    clock_.advance(std::chrono::milliseconds(1));  // times are kept in milliseconds
    say(made[0], "", Role::kUser, "used again");
    const auto first = runtime_.run(kept_->list("anna", {.limit = 2}));
    ASSERT_EQ(first->size(), 2U);
    EXPECT_EQ((*first)[0].title, "0");
    EXPECT_EQ((*first)[0].messages, 1U);
    const auto second = runtime_.run(kept_->list("anna", {.after = (*first)[1].id, .limit = 10}));
    EXPECT_EQ(second->size(), 3U);
}

TEST_P(ConversationsTest, NothingOfAnotherOwnerCanBeReachedOrSeen) {
    const std::string id = make();
    const std::string message = say(id, "", Role::kUser, "secret");
    EXPECT_EQ(runtime_.run(kept_->get("bert", id)).error().code(), ErrorCode::kNotFound);
    EXPECT_FALSE(runtime_.run(kept_->messages("bert", id, "", 10)));
    EXPECT_FALSE(runtime_.run(kept_->message("bert", id, message)));
    EXPECT_FALSE(runtime_.run(kept_->change("bert", id, {.title = "mine"})));
    EXPECT_FALSE(runtime_.run(kept_->branch("bert", id, message)));
    EXPECT_FALSE(runtime_.run(kept_->remove("bert", id)));
    EXPECT_TRUE(runtime_.run(kept_->list("bert", {}))->empty());
    EXPECT_TRUE(runtime_.run(kept_->list("bert", {.search = "secret"}))->empty());
    // A message of one conversation is not reached through another.
    EXPECT_FALSE(runtime_.run(kept_->message("anna", make(), message)));
}

TEST_P(ConversationsTest, LimitsAndDeletion) {
    for (int i = 0; i < 20; ++i) make();
    const auto over = runtime_.run(kept_->create("anna", "", "{}"));
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().code(), ErrorCode::kConflict);
    const std::string id = runtime_.run(kept_->list("anna", {}))->front().id;
    say(id, "", Role::kAssistant, "gone");
    EXPECT_TRUE(runtime_.run(kept_->remove("anna", id)));
    EXPECT_TRUE(runtime_.run(kept_->list("anna", {.search = "gone"}))->empty());
    const auto count = [](storage::Session& db) {
        return db.number("SELECT COUNT(*) FROM message_sources");
    };
    EXPECT_EQ(db_->read_blocking(count).value(), 0);
}

TEST_P(ConversationsTest, AnAnswerThatTheServerDidNotFinishIsInterruptedAfterwards) {
    const std::string id = make();
    const std::string question = say(id, "", Role::kUser, "q");
    say(id, question, Role::kAssistant, "half an ans", MessageState::kRunning);
    reopen();
    const auto page = runtime_.run(kept_->messages("anna", id, "", 10));
    EXPECT_EQ(page->messages[1].state, MessageState::kInterrupted);
    EXPECT_EQ(page->messages[1].content, "half an ans");
}

TEST(TitleFrom, IsTheFirstLineCutBetweenWordsOrCharacters) {
    EXPECT_EQ(title_from("  When?\nAnd why?"), "When?");
    EXPECT_EQ(title_from(" \n "), "…");
    const std::string longer = title_from(std::string(60, 'a') + " " + std::string(60, 'b'));
    EXPECT_EQ(longer, std::string(60, 'a') + "…");
    std::string chinese;
    for (int i = 0; i < 40; ++i) chinese += "泵";
    EXPECT_EQ(title_from(chinese), chinese.substr(0, 72) + "…");
}

}  // namespace
}  // namespace heddle::service
