// The endpoints over a real server: shapes, streams, who may call, and what is refused.
#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/api_testing.h"

namespace heddle::api {
namespace {

using http::Method;
using nlohmann::json;

const std::string kKey = "hd-test-key-0123456789";

http::Headers with_key(const std::string& key = kKey) {
    return {{"Authorization", "Bearer " + key}};
}

// A path of the table with something in place of its parameters.
std::string sample_path(std::string_view pattern) {
    std::string path(pattern);
    for (std::size_t open = path.find('{'); open != std::string::npos; open = path.find('{')) {
        path.replace(open, path.find('}') - open + 1, "01ARZ3NDEKTSV4RRFFQ69G5FAV");
    }
    return path;
}

TEST(RouteTable, EveryRouteOutsideTheOpenListNeedsAKey) {
    ApiOptions options;
    options.demo = true;
    TestApi api({kKey}, options);
    const std::vector<std::string> open = {"/auth/login", "/healthz", "/health", "/readyz"};
    std::size_t closed = 0;
    for (const Endpoint& endpoint : api.api().endpoints()) {
        const Reply reply = api.request(endpoint.method, sample_path(endpoint.pattern), "{}");
        if (std::count(open.begin(), open.end(), endpoint.pattern) > 0) {
            EXPECT_NE(reply.status, 401) << endpoint.pattern;
            continue;
        }
        ++closed;
        EXPECT_EQ(reply.status, 401) << endpoint.pattern;
        EXPECT_EQ(reply.headers.get("www-authenticate"), "Bearer") << endpoint.pattern;
    }
    EXPECT_GE(closed, 20u);
}

TEST(RouteTable, EveryResponseCarriesTheSecurityHeaders) {
    TestApi api({kKey});
    for (const auto* path : {"/healthz", "/nothing", "/documents", "/docs"}) {
        const Reply reply = api.get(path);
        EXPECT_EQ(reply.headers.get("x-content-type-options"), "nosniff") << path;
        EXPECT_TRUE(reply.headers.has("content-security-policy")) << path;
        EXPECT_TRUE(reply.headers.has("x-request-id")) << path;
        EXPECT_FALSE(reply.headers.has("access-control-allow-origin")) << path;
    }
}

TEST(RouteTable, IsWhatTheOpenApiDocumentSays) {
    TestApi api;
    const json document = json::parse(api.get("/openapi.json").body);
    std::size_t operations = 0;
    for (const auto& [path, methods] : document["paths"].items()) operations += methods.size();
    EXPECT_EQ(operations, api.api().endpoints().size());
    EXPECT_EQ(document["paths"]["/documents/{id}"]["get"]["parameters"][0]["name"], "id");
    EXPECT_TRUE(document["paths"]["/healthz"]["get"]["security"].empty());
    EXPECT_NE(api.get("/docs").body.find("/openapi.json"), std::string::npos);
}

TEST(GenerateText, AnswersAsOneDocument) {
    TestApi api;
    const Reply reply = api.post("/generate/text", R"({"prompt":"hi","temperature":0.2})");
    ASSERT_EQ(reply.status, 200) << reply.body;
    const json body = json::parse(reply.body);
    EXPECT_EQ(body["content"], "Hello \"wörld\"\n");
    EXPECT_EQ(body["ip"], "127.0.0.1");
    EXPECT_EQ(body["usage"]["total_tokens"], 9);
}

TEST(GenerateText, StreamsEvents) {
    TestApi api;
    const Reply reply = api.post("/generate/text", R"({"prompt":"hi","stream":true})");
    EXPECT_EQ(reply.status, 200);
    EXPECT_TRUE(reply.headers.get("content-type").starts_with("text/event-stream"));
    const std::string& body = reply.body;
    EXPECT_NE(body.find("event: delta\ndata: {\"text\":\"Hello \"}\n\n"), std::string::npos)
        << body;
    EXPECT_LT(body.find("event: sources"), body.find("event: delta"));
    EXPECT_LT(body.find("event: usage"), body.find("event: done"));
    EXPECT_NE(body.find("\"finish_reason\":\"stop\""), std::string::npos);
}

TEST(GenerateText, AnErrorBeforeTheFirstWordHasItsOwnStatus) {
    TestApi api;
    const Reply unknown =
        api.post("/generate/text", R"({"prompt":"hi","stream":true,"model":"none"})");
    EXPECT_EQ(unknown.status, 404) << unknown.body;
    api.generator().failure = Error(ErrorCode::kUpstream, "broke off");
    const Reply late = api.post("/generate/text", R"({"prompt":"hi","stream":true})");
    EXPECT_EQ(late.status, 200);
    EXPECT_NE(late.body.find("event: error\n"), std::string::npos) << late.body;
    EXPECT_EQ(api.post("/generate/text", R"({"prompt":"hi"})").status, 502);
}

TEST(GenerateText, AClientThatLeavesCancelsTheGenerator) {
    TestApi api;
    api.generator().waits_for_ever = true;
    for (const std::string& stream : {std::string("true"), std::string("false")}) {
        api.generator().cancelled = false;
        api.patience = std::chrono::milliseconds(200);
        const Reply cut_off =
            api.post("/generate/text", R"({"prompt":"hi","stream":)" + stream + "}");
        EXPECT_EQ(cut_off.status, 0) << "the client gives up and closes its connection";
        for (int i = 0; i < 300 && !api.generator().cancelled; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        EXPECT_TRUE(api.generator().cancelled) << "stream: " << stream;
    }
}

TEST(Decoder, NamesTheFieldAndTheRule) {
    TestApi api;
    const auto error = [&](const std::string& body) {
        const Reply reply = api.post("/generate/text", body);
        EXPECT_EQ(reply.status, 422) << body;
        const json detail = json::parse(reply.body)["detail"][0];
        std::string place;
        for (const auto& part : detail["loc"]) place += "/" + part.get<std::string>();
        return place + " " + detail["type"].get<std::string>();
    };
    EXPECT_EQ(error("{}"), "/body/prompt missing");
    EXPECT_EQ(error(R"({"prompt":null})"), "/body/prompt missing");
    EXPECT_EQ(error(R"({"prompt":""})"), "/body/prompt string_too_short");
    EXPECT_EQ(error(R"({"prompt":1})"), "/body/prompt string_type");
    EXPECT_EQ(error(R"({"prompt":"a","prompt":"b"})"), "/body/prompt duplicate_field");
    EXPECT_EQ(error("{"), "/body json_invalid");
    EXPECT_EQ(error(""), "/body json_invalid");
    EXPECT_EQ(error("[]"), "/body dict_type");
    EXPECT_EQ(error(std::string(100, '[') + std::string(100, ']')), "/body json_invalid");
    EXPECT_EQ(error(R"({"prompt":"a","collection":"../x"})"),
              "/body/collection string_pattern_mismatch");
}

TEST(Decoder, ChecksEveryNumberAtItsBounds) {
    TestApi api;
    const auto status = [&](const std::string& field, const std::string& value) {
        return api.post("/generate/text", R"({"prompt":"a",")" + field + "\":" + value + "}")
            .status;
    };
    for (const auto* good : {"0", "0.5", "2", "2.0", "null"}) {
        EXPECT_EQ(status("temperature", good), 200) << good;
    }
    for (const auto* bad : {"-1", "2.1", "1e308", "9223372036854775808", "\"1\"", "[]", "true",
                            "NaN", "Infinity", "1e999"}) {
        EXPECT_EQ(status("temperature", bad), 422) << bad;
    }
    EXPECT_EQ(status("max_tokens", "1"), 200);
    for (const auto* bad : {"-1", "0", "1000001", "2147483648", "9223372036854775807",
                            "18446744073709551615", "1.5", "\"1\"", "[]"}) {
        EXPECT_EQ(status("max_tokens", bad), 422) << bad;
    }
    EXPECT_EQ(status("limit", "50"), 200);
    EXPECT_EQ(status("limit", "51"), 422);
    EXPECT_EQ(status("stream", "\"true\""), 422);
}

TEST(ChatCompletions, SpeakOpenAisShapes) {
    TestApi api;
    const std::string messages = R"("messages":[{"role":"user","content":"hi"}])";
    const Reply whole = api.post("/v1/chat/completions", "{" + messages + "}");
    ASSERT_EQ(whole.status, 200) << whole.body;
    const json body = json::parse(whole.body);
    EXPECT_EQ(body["object"], "chat.completion");
    EXPECT_EQ(body["choices"][0]["message"]["content"], "Hello \"wörld\"\n");
    EXPECT_EQ(body["choices"][0]["finish_reason"], "stop");
    EXPECT_EQ(body["model"], "scripted");

    const Reply streamed =
        api.post("/v1/chat/completions",
                 "{" + messages + R"(,"stream":true,"stream_options":{"include_usage":true}})");
    std::string text;
    std::size_t with_usage = 0;
    http::SseParser parser;
    parser.feed(streamed.body);
    std::string last;
    for (auto event = parser.next(); event.value(); event = parser.next()) {
        last = (*event)->data;
        if (last == "[DONE]") continue;
        const json chunk = json::parse(last);
        with_usage += chunk.contains("usage");
        if (chunk["choices"].empty()) continue;
        text += chunk["choices"][0]["delta"].value("content", "");
    }
    EXPECT_EQ(text, "Hello \"wörld\"\n");
    EXPECT_EQ(last, "[DONE]");
    EXPECT_EQ(with_usage, 1u);
}

TEST(ChatCompletions, RefuseWhatTheyCannotHonour) {
    TestApi api;
    const auto code = [&](const std::string& fields) {
        const Reply reply =
            api.post("/v1/chat/completions",
                     R"({"messages":[{"role":"user","content":"hi"}],)" + fields + "}");
        EXPECT_EQ(reply.status, 400) << fields << reply.body;
        const json error = json::parse(reply.body)["error"];
        EXPECT_EQ(error["type"], "invalid_request_error");
        return error["param"].get<std::string>();
    };
    EXPECT_EQ(code(R"("n":0)"), "n");
    EXPECT_EQ(code(R"("response_format":{"type":"xml"})"), "response_format.type");
    EXPECT_EQ(code(R"("tools":[{"type":"function"}])"), "tools.0.function");
    EXPECT_EQ(code(R"("stop":["a","b","c","d","e"])"), "stop");
    EXPECT_EQ(code(R"("top_p":1.5)"), "top_p");
    const Reply unknown = api.post(
        "/v1/chat/completions", R"({"model":"none","messages":[{"role":"user","content":"x"}]})");
    EXPECT_EQ(unknown.status, 404);
    EXPECT_EQ(json::parse(unknown.body)["error"]["code"], "model_not_found");
    EXPECT_EQ(json::parse(api.get("/v1/models").body)["data"][0]["id"], "scripted");
    EXPECT_EQ(api.get("/v1/models/scripted").status, 200);
    EXPECT_EQ(api.get("/v1/models/no/such").status, 404);
}

std::string form(const std::string& content_type, const std::string& bytes) {
    return "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../r é.pdf\"\r\n"
           "Content-Type: " +
           content_type + "\r\n\r\n" + bytes + "\r\n--B--\r\n";
}
const http::Headers kForm = {{"Content-Type", "multipart/form-data; boundary=B"}};

TEST(Documents, GoInAndComeOut) {
    TestApi api;
    const std::string bytes = "%PDF-1.7 " + std::string(100'000, 'x');
    const Reply uploaded = api.post("/upload", form("application/pdf", bytes), kForm);
    ASSERT_EQ(uploaded.status, 202) << uploaded.body;
    const json body = json::parse(uploaded.body);
    EXPECT_EQ(body["filename"], "../r é.pdf") << "data, never a path";
    EXPECT_EQ(body["message"], "File uploaded successfully");
    const std::string place = "/documents/" + body["id"].get<std::string>();
    EXPECT_EQ(uploaded.headers.get("location"), place);
    EXPECT_EQ(json::parse(api.get(place).body)["bytes"], bytes.size());
    EXPECT_EQ(json::parse(api.get("/documents").body)["documents"].size(), 1u);
    EXPECT_NE(api.get(place + "/events").body.find("event: document\n"), std::string::npos);
    EXPECT_EQ(json::parse(api.get(place + "/chunks").body)["chunks"][0]["text"], "text");

    const Reply file = api.get(place + "/file");
    EXPECT_EQ(file.body, bytes);
    EXPECT_EQ(file.headers.get("content-disposition"),
              "inline; filename*=UTF-8''..%2Fr%20%C3%A9.pdf");
    const Reply part = api.get(place + "/file", {{"Range", "bytes=1-3"}});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, "PDF");
    EXPECT_EQ(api.get(place + "/file", {{"If-None-Match", "\"0123\""}}).status, 304);
    EXPECT_EQ(api.get(place + "/file", {{"Range", "bytes=999999-"}}).status, 416);

    EXPECT_EQ(api.request(Method::kDelete, place).status, 204);
    EXPECT_EQ(api.get(place).status, 404);
}

TEST(Documents, PagesAreShownAndCached) {
    TestApi api;
    const Reply uploaded = api.post("/upload", form("application/pdf", "%PDF-1.7"), kForm);
    const std::string id = json::parse(uploaded.body)["id"].get<std::string>();
    const std::string place = "/documents/" + id + "/pages/";
    const Reply page = api.get(place + "2.png?width=300&highlight=" + id + ".4");
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.headers.get("content-type"), "image/png");
    EXPECT_EQ(page.body, "page 2 width 300 mark " + id + ".4");
    EXPECT_EQ(page.headers.get("cache-control"), "private, max-age=3600");
    const http::Headers again = {{"If-None-Match", std::string(page.headers.get("etag"))}};
    EXPECT_EQ(api.get(place + "2.png?width=300&highlight=" + id + ".4", again).status, 304);
    EXPECT_EQ(api.get(place + "1.png?width=300", again).status, 200) << "another picture";
    for (const char* wrong : {"3.png", "0.png", "x.png", "1.jpg", "1", "99999999999.png"})
        EXPECT_EQ(api.get(place + wrong).status, 404) << wrong;
    EXPECT_EQ(api.get(place + "1.png?width=9").status, 400);
    EXPECT_EQ(api.get("/documents/none/pages/1.png").status, 404);
}

TEST(Documents, ManyGoInAndOutAtOnce) {
    TestApi api;
    const auto part = [](const std::string& name, const std::string& type) {
        return "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + name +
               "\"\r\nContent-Type: " + type + "\r\n\r\n%PDF-1.7\r\n";
    };
    const std::string both = part("a.pdf", "application/pdf") + part("b.txt", "text/plain");
    const Reply reply = api.post("/documents", both + "--B--\r\n", kForm);
    EXPECT_EQ(reply.status, 202) << reply.body;
    const json items = json::parse(reply.body)["documents"];
    ASSERT_EQ(items.size(), 2u);
    EXPECT_EQ(items[0]["filename"], "a.pdf");
    EXPECT_EQ(items[1]["error"], "Only uploading PDF documents are supported");
    EXPECT_EQ(api.post("/documents", both, kForm).status, 400) << "cut off";
    EXPECT_EQ(api.documents().stored.size(), 1u);

    const std::string id = items[0]["id"].get<std::string>();
    const Reply gone = api.post("/documents/delete", json{{"documents", {id, "none"}}}.dump());
    EXPECT_EQ(gone.status, 200);
    EXPECT_EQ(json::parse(gone.body), (json{{"deleted", {id}}, {"missing", {"none"}}}));
    EXPECT_TRUE(api.documents().stored.empty());
    EXPECT_EQ(api.post("/documents/delete", "{}").status, 422);
}

TEST(Documents, ANewVersionIsPut) {
    TestApi api;
    const Reply uploaded = api.post("/upload", form("application/pdf", "%PDF-1.7"), kForm);
    const std::string id = json::parse(uploaded.body)["id"].get<std::string>();
    const http::Headers pdf = {{"Content-Type", "application/pdf"}};
    const Reply put = api.request(Method::kPut, "/documents/" + id, "%PDF-1.7 new", pdf);
    ASSERT_EQ(put.status, 202) << put.body;
    const json body = json::parse(put.body);
    EXPECT_EQ(body["filename"], "../r é.pdf");
    EXPECT_EQ(body["replaces"], id);
    EXPECT_EQ(put.headers.get("location"), "/documents/" + body["id"].get<std::string>());
    EXPECT_EQ(api.request(Method::kPut, "/documents/none", "%PDF-1.7", pdf).status, 404);
    EXPECT_EQ(api.request(Method::kPut, "/documents/" + id, "x").status, 400) << "no type";
}

TEST(Documents, RefuseOtherUploads) {
    ApiOptions options;
    options.upload_bytes_max = 1000;
    TestApi api({}, options);
    const Reply text = api.post("/upload", form("text/plain", "x"), kForm);
    EXPECT_EQ(text.status, 400);
    EXPECT_EQ(json::parse(text.body)["detail"], "Only uploading PDF documents are supported");
    EXPECT_EQ(api.post("/upload", "{}").status, 400) << "no form";
    EXPECT_EQ(api.post("/upload", "--B--\r\n", kForm).status, 422) << "no file";
    EXPECT_EQ(api.post("/upload", "--B\r\n", kForm).status, 400) << "cut off";
    const Reply large =
        api.post("/upload", form("application/pdf", std::string(200'000, 'x')), kForm);
    EXPECT_EQ(large.status, 413);
    EXPECT_TRUE(api.documents().stored.empty());
}

TEST(Keys, OpenAndAreCounted) {
    TestApi api({kKey});
    EXPECT_EQ(api.get("/documents", with_key()).status, 200);
    EXPECT_EQ(api.get("/documents", {{"Authorization", "bearer " + kKey}}).status, 200);
    EXPECT_EQ(api.get("/documents", {{"Authorization", "Basic " + kKey}}).status, 401);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(api.get("/documents", with_key("wrong")).status, 401);
    const Reply limited = api.get("/documents", with_key("wrong"));
    EXPECT_EQ(limited.status, 429);
    EXPECT_TRUE(limited.headers.has("retry-after"));
    EXPECT_EQ(api.get("/documents", with_key()).status, 200) << "the right key still opens";
}

TEST(Sessions, NeedTheirTokenForUnsafeMethods) {
    TestApi api({kKey});
    EXPECT_EQ(api.post("/auth/login", R"({"key":"wrong"})").status, 401);
    const Reply login = api.post("/auth/login", R"({"key":")" + kKey + "\"}");
    ASSERT_EQ(login.status, 200) << login.body;
    const std::string set(login.headers.get("set-cookie"));
    EXPECT_NE(set.find("; HttpOnly; SameSite=Strict"), std::string::npos);
    const std::string cookie = set.substr(0, set.find(';'));
    const std::string csrf = json::parse(login.body)["csrf"];
    EXPECT_EQ(api.get("/documents", {{"Cookie", cookie}}).status, 200);
    EXPECT_EQ(api.post("/generate/text", R"({"prompt":"x"})", {{"Cookie", cookie}}).status, 403);
    EXPECT_EQ(api.post("/generate/text", R"({"prompt":"x"})",
                       {{"Cookie", cookie}, {"X-CSRF-Token", "wrong"}})
                  .status,
              403);
    EXPECT_EQ(api.post("/generate/text", R"({"prompt":"x"})",
                       {{"Cookie", cookie}, {"X-CSRF-Token", csrf}})
                  .status,
              200);
    EXPECT_EQ(json::parse(api.get("/auth/session", {{"Cookie", cookie}}).body)["csrf"], csrf);
    EXPECT_EQ(api.post("/auth/logout", "", {{"Cookie", cookie}, {"X-CSRF-Token", csrf}}).status,
              204);
    EXPECT_EQ(api.get("/documents", {{"Cookie", cookie}}).status, 401);
}

TEST(CrossSite, RequestsOfOtherPagesAreRefused) {
    ApiOptions options;
    options.demo = true;
    TestApi api({}, options);
    const std::string body = R"({"prompt":"x"})";
    EXPECT_EQ(api.post("/generate/text", body, {{"Origin", "http://evil.test"}}).status, 403);
    EXPECT_EQ(api.post("/generate/text", body, {{"Origin", "null"}}).status, 403);
    EXPECT_EQ(api.post("/generate/text", body, {{"Sec-Fetch-Site", "cross-site"}}).status, 403);
    EXPECT_EQ(api.get("/fast", {{"Sec-Fetch-Site", "cross-site"}}).status, 403)
        << "a GET that starts work";
    EXPECT_EQ(api.get("/healthz", {{"Sec-Fetch-Site", "cross-site"}}).status, 200);
    const std::string own = "http://127.0.0.1:" + std::to_string(api.port());
    EXPECT_EQ(api.post("/generate/text", body, {{"Origin", own}}).status, 200);
}

TEST(Demo, AnswersAllFiveWays) {
    ApiOptions options;
    options.demo = true;
    TestApi api({}, options);
    const json expected = "Hello \"wörld\"\n";
    for (const auto* path : {"/block", "/slow", "/fast?prompt=x"}) {
        EXPECT_EQ(json::parse(api.get(path).body), expected) << path;
    }
    for (const auto* path : {"/sync", "/async"}) {
        EXPECT_EQ(json::parse(api.post(path, "\"hi\"").body), expected) << path;
        EXPECT_EQ(json::parse(api.post(path, R"({"prompt":"hi"})").body), expected) << path;
        EXPECT_EQ(api.post(path, "1").status, 422) << path;
    }
    EXPECT_EQ(TestApi().get("/block").status, 404) << "only with --demo";
}

TEST(Operation, IsOpenToProbes) {
    TestApi api;
    EXPECT_EQ(api.get("/healthz").body, R"({"status":"ok"})");
    EXPECT_EQ(api.get("/readyz").status, 200);
    EXPECT_EQ(api.get("/metrics").body, "heddle:up 1\n");
    EXPECT_EQ(api.post("/v1/embeddings", R"({"input":"x"})").status, 503) << "no embedder";
}

}  // namespace
}  // namespace heddle::api
