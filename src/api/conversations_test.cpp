// Conversations over HTTP: asking, following from anywhere, stopping, retrying, exporting; and what
// only administrators may do.
#include <chrono>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/api_testing.h"
#include "http/sse.h"

namespace heddle::api {
namespace {

using http::Method;
using nlohmann::json;

struct Event {
    std::string name;
    json data;
    std::string id;
};

std::vector<Event> events_of(const std::string& body) {
    http::SseParser parser;
    parser.feed(body);
    std::vector<Event> all;
    for (auto event = parser.next(); event && *event; event = parser.next()) {
        all.push_back({(*event)->name, json::parse((*event)->data), (*event)->id});
    }
    return all;
}

std::string names_of(const std::vector<Event>& events) {
    std::string names;
    for (const Event& event : events) names += event.name + " ";
    return names;
}

class Conversation : public ::testing::Test {
protected:
    Conversation() {
        const Reply made = api_.post("/conversations", R"({"settings": {"model": "scripted"}})");
        EXPECT_EQ(made.status, 201) << made.body;
        path_ = "/conversations/" + json::parse(made.body)["id"].get<std::string>();
    }
    std::vector<Event> ask(const std::string& body) {
        const Reply reply = api_.post(path_ + "/messages", body);
        EXPECT_EQ(reply.status, 200) << reply.body;
        return events_of(reply.body);
    }
    json messages() { return json::parse(api_.get(path_ + "/messages").body)["messages"]; }

    TestApi api_;
    std::string path_;
};

TEST_F(Conversation, AnAnswerIsStreamedWithNumbersAndKept) {
    const auto events = ask(R"({"content": "Say hello\nplease", "ground": false})");
    EXPECT_EQ(names_of(events), "message delta delta usage done saved ");
    EXPECT_EQ(events[1].id, "1");
    EXPECT_EQ(events[4].id, "4");
    EXPECT_EQ(events[0].data["question"]["content"], "Say hello\nplease");
    EXPECT_EQ(events[5].data["content"], "Hello \"wörld\"\n");
    EXPECT_EQ(events[5].data["state"], "done");
    EXPECT_EQ(events[5].data["model"], "scripted");
    EXPECT_GT(events[5].data["first_token_ms"], 0);
    const json kept = messages();
    ASSERT_EQ(kept.size(), 2U);
    EXPECT_EQ(kept[1], events[5].data);
    const json conversation = json::parse(api_.get(path_).body);
    EXPECT_EQ(conversation["title"], "Say hello");
    EXPECT_EQ(conversation["messages"], 2);
    EXPECT_EQ(conversation["settings"]["model"], "scripted");
}

TEST_F(Conversation, AStreamIsTakenUpAnywhere) {
    const auto events = ask(R"({"content": "q", "ground": false})");
    const std::string answer = events[0].data["answer"]["id"];
    const std::string address = path_ + "/messages/" + answer + "/events";
    EXPECT_EQ(names_of(events_of(api_.get(address).body)), "delta delta usage done saved ");
    EXPECT_EQ(names_of(events_of(api_.get(address + "?from=2").body)), "usage done saved ");
    const Reply resumed = api_.get(address, {{"Last-Event-ID", "4"}});
    EXPECT_EQ(names_of(events_of(resumed.body)), "saved ");
    EXPECT_EQ(api_.get(address + "?from=x").status, 400);
    EXPECT_EQ(api_.get(path_ + "/messages/nobody/events").status, 404);
    // A question is no answer, yet it can be read back the same way.
    const std::string question = events[0].data["question"]["id"];
    const auto whole = events_of(api_.get(path_ + "/messages/" + question + "/events").body);
    EXPECT_EQ(names_of(whole), "restart saved ");
}

TEST_F(Conversation, AReaderWhoLeavesLosesNothingAndStopEndsTheAnswer) {
    api_.generator().waits_for_ever = true;
    api_.patience = std::chrono::milliseconds(300);
    EXPECT_EQ(api_.post(path_ + "/messages", R"({"content": "q", "ground": false})").status, 0);
    api_.patience = std::chrono::milliseconds(20'000);
    const json running = messages()[1];
    EXPECT_EQ(running["state"], "running");
    EXPECT_FALSE(api_.generator().cancelled);
    const std::string address = path_ + "/messages/" + running["id"].get<std::string>();
    EXPECT_EQ(api_.post(address + "/stop", "").status, 204);
    const auto events = events_of(api_.get(address + "/events").body);
    EXPECT_EQ(names_of(events), "delta delta saved ");
    EXPECT_EQ(events.back().data["state"], "stopped");
    EXPECT_EQ(events.back().data["content"], "Hello \"wörld\"\n");
    EXPECT_TRUE(api_.generator().cancelled);
}

TEST_F(Conversation, AFailureIsSaidAndKept) {
    api_.generator().failure = Error(ErrorCode::kUpstream, "the model server failed");
    const auto events = ask(R"({"content": "q", "ground": false})");
    EXPECT_EQ(names_of(events), "message delta delta error saved ");
    EXPECT_EQ(events.back().data["state"], "failed");
    EXPECT_EQ(events.back().data["error"], "the model server failed");
    const auto unknown = ask(R"({"content": "q", "model": "nobody", "ground": false})");
    EXPECT_EQ(names_of(unknown), "message error saved ");
}

TEST_F(Conversation, AskingAgainAndEditingMakeSiblings) {
    const auto first = ask(R"({"content": "q", "ground": false})");
    const std::string answer = first[0].data["answer"]["id"];
    const auto again = ask(R"({"again": ")" + answer + R"(", "ground": false})");
    EXPECT_FALSE(again[0].data.contains("question"));
    EXPECT_EQ(again[0].data["answer"]["siblings"].size(), 2U);
    ask(R"({"content": "edited", "parent": "", "ground": false})");
    EXPECT_EQ(messages()[0]["content"], "edited");
    EXPECT_EQ(messages()[0]["siblings"].size(), 2U);
    const Reply shown = api_.request(Method::kPatch, path_, R"({"head": ")" + answer + R"("})");
    EXPECT_EQ(shown.status, 200) << shown.body;
    EXPECT_EQ(messages()[1]["id"], answer);
    EXPECT_EQ(api_.post(path_ + "/messages", R"({"again": "nobody"})").status, 404);
    EXPECT_EQ(api_.post(path_ + "/messages", R"({})").status, 422);
    EXPECT_EQ(api_.post(path_ + "/messages", R"({"content": "x", "parent": "no"})").status, 404);
}

TEST_F(Conversation, IsRenamedBranchedExportedAndDeleted) {
    ask(R"({"content": "What is 1 < 2?", "ground": false})");
    EXPECT_EQ(api_.request(Method::kPatch, path_, R"({"title": "Numbers"})").status, 200);
    EXPECT_EQ(api_.request(Method::kPatch, path_, R"({"title": ""})").status, 422);
    const std::string head = json::parse(api_.get(path_).body)["head"];
    const Reply branch = api_.post(path_ + "/branch", R"({"message": ")" + head + R"("})");
    EXPECT_EQ(branch.status, 201);
    EXPECT_EQ(json::parse(branch.body)["title"], "Numbers");
    const Reply markdown = api_.get(path_ + "/export");
    EXPECT_EQ(markdown.headers.get("content-disposition"),
              "attachment; filename*=UTF-8''Numbers.md");
    EXPECT_NE(markdown.body.find("## Question\n\nWhat is 1 < 2?"), std::string::npos);
    const json exported = json::parse(api_.get(path_ + "/export?format=json").body);
    EXPECT_EQ(exported["messages"].size(), 2U);
    EXPECT_EQ(api_.get(path_ + "/export?format=pdf").status, 400);
    const json found = json::parse(api_.get("/conversations?q=NUMBERS").body);
    EXPECT_EQ(found["conversations"].size(), 2U);
    EXPECT_EQ(api_.request(Method::kDelete, path_).status, 204);
    EXPECT_EQ(api_.get(path_).status, 404);
    EXPECT_EQ(api_.get("/conversations?limit=0").status, 400);
}

TEST_F(Conversation, AnswersWithoutAStreamToo) {
    const Reply reply =
        api_.post(path_ + "/messages", R"({"content": "q", "ground": false, "stream": false})");
    EXPECT_EQ(json::parse(reply.body)["content"], "Hello \"wörld\"\n");
    EXPECT_EQ(api_.post("/conversations", R"({"settings": []})").status, 422);
}

TEST(Roles, OnlyAdministratorsAdminister) {
    const std::string admin = "hd-admin-key-0123456789";
    TestApi api({admin});
    const auto with = [](const std::string& key) {
        return http::Headers{{"Authorization", "Bearer " + key}};
    };
    const Reply made = api.post("/admin/keys", R"({"owner": "bert"})", with(admin));
    ASSERT_EQ(made.status, 201) << made.body;
    const std::string user = json::parse(made.body)["key"];
    EXPECT_EQ(json::parse(made.body)["role"], "user");
    for (const Endpoint& endpoint : api.api().endpoints()) {
        if (!endpoint.for_admins) continue;
        std::string path(endpoint.pattern);
        if (const std::size_t open = path.find('{'); open != std::string::npos) path.resize(open);
        path += path.ends_with('/') ? "x" : "";
        EXPECT_EQ(api.request(endpoint.method, path, "{}", with(user)).status, 403) << path;
        EXPECT_NE(api.request(endpoint.method, path, "{}", with(admin)).status, 403) << path;
    }
    EXPECT_EQ(api.post("/admin/keys", R"({"owner": "c", "role": "root"})", with(admin)).status,
              422);
    const json keys = json::parse(api.get("/admin/keys", with(admin)).body)["keys"];
    ASSERT_EQ(keys.size(), 1U);
    EXPECT_FALSE(keys[0].contains("key"));
    const std::string id = keys[0]["id"];
    EXPECT_EQ(api.request(Method::kDelete, "/admin/keys/" + id, "", with(admin)).status, 204);
    EXPECT_EQ(api.get("/conversations", with(user)).status, 401);
}

TEST(Roles, TheFirstKeyOfAnOpenServerIsAnAdministrators) {
    TestApi api;
    EXPECT_EQ(api.get("/admin/models").status, 200);
    EXPECT_EQ(api.get("/admin/errors").body, R"({"errors":[]})");
    EXPECT_EQ(api.post("/admin/keys", R"({"owner": "anna"})").status, 503)
        << "this test's server keeps no keys";
}

}  // namespace
}  // namespace heddle::api
