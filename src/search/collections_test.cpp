// Collections as services use them: whole documents in and out, found by words and by meaning,
// after restarts, while they change, and after a kill at any moment.
#include "search/collections.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "async/runtime.h"
#include "base/random.h"
#include "search/searcher.h"
#include "search/word_embedder_testing.h"
#include "storage/postgres_testing.h"
#include "storage/scratch_testing.h"

namespace heddle::search {
namespace {

class CollectionsTest : public testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        location_ = scratch_.path() + "/heddle.db";
        if (std::string_view(GetParam()) == "postgres") location_ = storage::fresh_postgres_url();
        if (location_.empty()) GTEST_SKIP() << "no PostgreSQL server is installed";
        open();
        ASSERT_TRUE(runtime_.run(collections_->ensure("anna", "kb", embedder_.info())));
    }
    void open() {
        collections_.reset();
        db_.reset();
        auto db = storage::Database::open({.location = location_});
        ASSERT_TRUE(db) << db.error().message();
        db_ = std::move(*db);
        auto collections = Collections::open(*db_);
        ASSERT_TRUE(collections) << collections.error().message();
        collections_ = std::move(*collections);
    }
    NewDocument document(std::string id, const std::vector<std::string>& texts,
                         std::string owner = "anna") const {
        NewDocument out;
        out.owner = std::move(owner);
        out.collection = "kb";
        out.title = "Title of " + id;
        out.source = id + ".pdf";
        out.document = std::move(id);
        for (const std::string& text : texts) {
            NewChunk chunk;
            chunk.text = text;
            chunk.page_start = static_cast<std::uint32_t>(out.chunks.size() + 1);
            chunk.page_end = chunk.page_start;
            chunk.vector = embedder_.vector(text);
            out.chunks.push_back(std::move(chunk));
        }
        return out;
    }
    void put(const NewDocument& what) {
        const auto stored = runtime_.run(collections_->upsert_document(what));
        ASSERT_TRUE(stored) << stored.error().message();
    }
    std::vector<Passage> ask(SearchRequest request) {
        if (request.owner.empty()) request.owner = "anna";
        request.collection = "kb";
        Searcher searcher(*collections_, embedder_);
        auto found = runtime_.run(searcher.search(std::move(request)));
        EXPECT_TRUE(found) << found.error().message();
        return found ? std::move(*found) : std::vector<Passage>();
    }
    std::vector<std::string> ids(SearchRequest request) {
        std::vector<std::string> out;
        for (const Passage& passage : ask(std::move(request))) out.push_back(passage.chunk.id);
        return out;
    }

    storage::Scratch scratch_;
    std::string location_;
    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 1}};
    WordEmbedder embedder_;
    std::unique_ptr<storage::Database> db_;
    std::unique_ptr<Collections> collections_;
};

INSTANTIATE_TEST_SUITE_P(Stores, CollectionsTest, testing::Values("sqlite", "postgres"));

using Ids = std::vector<std::string>;

TEST_P(CollectionsTest, FindsPassagesAndShowsWhereTheyStand) {
    put(document("doc", {"the heddle lifts each thread", "a shuttle carries the weft"}));
    const auto found = ask({.query = "heddle lifts thread"});
    ASSERT_EQ(found.size(), 1u) << "the other passage is under the threshold";
    EXPECT_EQ(found[0].chunk.id, "doc.0");
    EXPECT_EQ(found[0].chunk.document, "doc");
    EXPECT_EQ(found[0].chunk.text, "the heddle lifts each thread");
    EXPECT_EQ(found[0].chunk.page_start, 1u);
    EXPECT_EQ(found[0].title, "Title of doc");
    EXPECT_EQ(found[0].source, "doc.pdf");
    const auto exact = ask({.query = "the heddle lifts each thread"});
    EXPECT_NEAR(exact.at(0).score, 1, 1e-4);
}

TEST_P(CollectionsTest, TheThresholdIsAboutMeaningAndLimitsAlsoKeywordHits) {
    put(document("doc", {"alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu"}));
    EXPECT_TRUE(ask({.query = "alpha nothing else of this is in there"}).empty());
    EXPECT_EQ(
        ask({.query = "alpha nothing else of this is in there", .score_threshold = -1.0F}).size(),
        1u);
}

TEST_P(CollectionsTest, EachSideCanBeSwitchedOff) {
    put(document("doc", {"weaving looms", "spinning wheels"}));
    SearchRequest words{.query = "loom"};
    words.score_threshold = -1;
    words.settings.dense = false;
    EXPECT_EQ(ids(words), Ids{"doc.0"}) << "stemmed: loom finds looms";
    SearchRequest meaning{.query = "wheels"};
    meaning.settings.keyword = false;
    EXPECT_EQ(ids(meaning), Ids{"doc.1"});
}

TEST_P(CollectionsTest, SurvivesAReopen) {
    put(document("doc", {"warp and weft", "reed and batten"}));
    put(document("gone", {"warp and weft"}));
    ASSERT_TRUE(runtime_.run(collections_->delete_document("anna", "kb", "gone")).value());
    const Ids before = ids({.query = "warp weft"});
    open();
    EXPECT_EQ(ids({.query = "warp weft"}), before);
    EXPECT_EQ(before, Ids{"doc.0"});
    put(document("new", {"warp and weft"}));
    EXPECT_EQ(ids({.query = "warp weft", .settings = {.mmr_lambda = 1}}), (Ids{"doc.0", "new.0"}));
}

TEST_P(CollectionsTest, ReplacesAndDeletesWholeDocuments) {
    put(document("doc", {"red apple", "green pear", "blue plum"}));
    put(document("doc", {"red cherry"}));
    EXPECT_TRUE(ids({.query = "green pear"}).empty());
    EXPECT_EQ(ids({.query = "red cherry"}), Ids{"doc.0"});
    auto info = runtime_.run(collections_->get("anna", "kb")).value();
    EXPECT_EQ(info.documents, 1);
    EXPECT_EQ(info.chunks, 1);
    EXPECT_TRUE(runtime_.run(collections_->delete_document("anna", "kb", "doc")).value());
    EXPECT_FALSE(runtime_.run(collections_->delete_document("anna", "kb", "doc")).value());
    EXPECT_TRUE(ids({.query = "red cherry", .score_threshold = -1.0F}).empty());
    const auto left = [](storage::Session& session) {
        return session.number(
            "SELECT (SELECT count(*) FROM search_chunks) + "
            "(SELECT count(*) FROM search_vectors)");
    };
    EXPECT_EQ(db_->read_blocking(left).value(), 0) << "nothing is left of the deleted";
}

TEST_P(CollectionsTest, ARolledBackChangeIsInvisible) {
    const auto undone = [&](storage::Transaction& tx) -> Result<> {
        HEDDLE_TRY_VOID(collections_->upsert_document(tx, document("doc", {"never there"})));
        return fail(ErrorCode::kConflict, "the document's row is refused");
    };
    EXPECT_FALSE(db_->write_blocking(undone));
    EXPECT_TRUE(ids({.query = "never there", .score_threshold = -1.0F}).empty());
}

TEST_P(CollectionsTest, FiltersByDocumentAndMetadata) {
    for (const char* id : {"one", "two", "three"}) {
        NewDocument next = document(id, {"the same words"});
        next.metadata = std::string(R"({"year": )") + (id[0] == 'o' ? "2025" : "2026") +
                        R"(, "kind.of": "report"})";
        put(next);
    }
    SearchRequest request{.query = "the same words", .limit = 10};
    EXPECT_EQ(ids(request).size(), 3u);
    request.filter.documents = {"two", "absent"};
    EXPECT_EQ(ids(request), Ids{"two.0"});
    request.filter = {.metadata = {{"year", "2025"}}};
    EXPECT_EQ(ids(request), Ids{"one.0"});
    request.filter = {.documents = {"two"}, .metadata = {{"year", "2025"}}};
    EXPECT_TRUE(ids(request).empty());
    request.filter = {.metadata = {{"kind.of", "report"}, {"year", "2026"}}};
    EXPECT_EQ(ids(request).size(), 2u);
    request.filter = {.metadata = {{"') OR 1=1 --", "x"}}};
    EXPECT_TRUE(ids(request).empty());
}

TEST_P(CollectionsTest, BringsNeighboursAlong) {
    put(document("doc", {"first", "second", "third", "fourth"}));
    SearchRequest request{.query = "second"};
    request.settings.neighbours = 1;
    const auto found = ask(request);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].before, "first");
    EXPECT_EQ(found[0].after, "third");
}

TEST_P(CollectionsTest, FindsWordsOfLanguagesWithoutSpaces) {
    put(document("ja", {"東京都は日本の首都です"}));
    put(document("zh", {"北京是中国的首都"}));
    SearchRequest request{.query = "日本の首都は", .score_threshold = -1.0F};
    request.settings.dense = false;
    EXPECT_EQ(ids(request).at(0), "ja.0");
    request.query = "中国";
    EXPECT_EQ(ids(request), Ids{"zh.0"});
}

TEST_P(CollectionsTest, OwnersDoNotSeeEachOther) {
    put(document("doc", {"a secret"}));
    Searcher searcher(*collections_, embedder_);
    SearchRequest request{.owner = "bert", .collection = "kb", .query = "a secret"};
    EXPECT_EQ(runtime_.run(searcher.search(request)).error().code(), ErrorCode::kNotFound);
    EXPECT_EQ(
        runtime_.run(collections_->upsert_document(document("x", {"y"}, "bert"))).error().code(),
        ErrorCode::kNotFound);
    ASSERT_TRUE(runtime_.run(collections_->ensure("bert", "kb", embedder_.info())));
    request.score_threshold = -1;
    EXPECT_TRUE(runtime_.run(searcher.search(request)).value().empty());
    EXPECT_FALSE(runtime_.run(collections_->delete_document("bert", "kb", "doc")).value());
    EXPECT_TRUE(runtime_.run(collections_->chunks("bert", "kb", "doc", 0, 10)).value().empty());
    EXPECT_TRUE(runtime_.run(collections_->list("carl")).value().empty());
    ASSERT_TRUE(runtime_.run(collections_->remove("bert", "kb")));
    EXPECT_EQ(ids({.query = "a secret"}), Ids{"doc.0"});
}

TEST_P(CollectionsTest, RefusesWhatDoesNotFit) {
    NewDocument wrong = document("doc", {"text"});
    wrong.chunks[0].vector.pop_back();
    EXPECT_EQ(runtime_.run(collections_->upsert_document(wrong)).error().code(),
              ErrorCode::kInvalidArgument);
    wrong.chunks[0].vector.assign(64, std::nanf(""));
    EXPECT_EQ(runtime_.run(collections_->upsert_document(wrong)).error().code(),
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(runtime_.run(collections_->ensure("anna", "", embedder_.info())).error().param(),
              "collection");
    WordEmbedder other("other/f32");
    EXPECT_EQ(runtime_.run(collections_->ensure("anna", "kb", other.info())).error().reason(),
              "embedder_changed");
    Searcher searcher(*collections_, other);
    const SearchRequest request{.owner = "anna", .collection = "kb", .query = "x"};
    EXPECT_EQ(runtime_.run(searcher.search(request)).error().reason(), "embedder_changed");
}

TEST_P(CollectionsTest, ALongQuestionIsSearchedByItsEnd) {
    put(document("doc", {"silk moth"}));
    std::string question;
    for (int i = 0; i < 500; ++i) question += "filler ";
    EXPECT_NO_THROW((void)ask({.query = question + "silk moth", .score_threshold = -1.0F}));
}

// One document changes its colour again and again; every search finds one whole colour, always.
TEST_P(CollectionsTest, ASearchSeesOneMoment) {
    std::atomic<bool> over{false};
    put(document("doc", {"thread red one", "thread red two", "thread red three"}));
    async::Runtime writing({.io_threads = 1, .worker_threads = 1});
    std::thread writer([&] {
        for (int i = 0; i < 60; ++i) {
            const std::string colour = i % 2 == 0 ? "blue" : "red";
            const std::string base = "thread " + colour;
            const auto next = document("doc", {base + " one", base + " two", base + " three"});
            EXPECT_TRUE(writing.run(collections_->upsert_document(next)));
        }
        over = true;
    });
    int searches = 0;
    while (!over) {
        SearchRequest request{.query = "thread", .limit = 10, .score_threshold = -1.0F};
        const auto found = ask(request);
        ASSERT_EQ(found.size(), 3u);
        const bool red = found[0].chunk.text.find("red") != std::string::npos;
        for (const Passage& passage : found) {
            ASSERT_EQ(passage.chunk.text.find("red") != std::string::npos, red);
        }
        ++searches;
    }
    writer.join();
    EXPECT_GT(searches, 0);
}

// Another process has changed the rows: the index here has missed it and is read again.
TEST_P(CollectionsTest, FollowsChangesOfOtherProcesses) {
    auto db = storage::Database::open({.location = location_}).value();
    auto others = Collections::open(*db).value();
    ASSERT_TRUE(runtime_.run(others->upsert_document(document("theirs", {"foreign thread"}))));
    EXPECT_EQ(ids({.query = "foreign thread"}), Ids{"theirs.0"});
    put(document("ours", {"own thread"}));
    ASSERT_TRUE(runtime_.run(others->delete_document("anna", "kb", "theirs")).value());
    put(document("more", {"extra thread"}));
    EXPECT_EQ(ids({.query = "own thread"}).at(0), "ours.0");
    EXPECT_EQ(ids({.query = "extra thread"}).at(0), "more.0");
    EXPECT_TRUE(ids({.query = "foreign thread", .score_threshold = 0.9F}).empty());
}

// A child replaces and deletes documents until it is killed. Afterwards each document is there
// whole, in words and vectors, or not at all.
[[noreturn]] void change_until_killed(const std::string& path, std::uint64_t seed) {
    auto db = storage::Database::open({.location = path}).value();
    auto collections = Collections::open(*db).value();
    const WordEmbedder embedder;
    Rng rng(seed);
    for (;;) {
        NewDocument next{
            .owner = "anna", .collection = "kb", .document = "doc" + std::to_string(rng.below(5))};
        const std::string mark = "mark" + std::to_string(rng.below(1000));
        for (std::uint64_t i = 1 + rng.below(20); i > 0; --i) {
            NewChunk chunk{.text = mark + " chunk" + std::to_string(i)};
            chunk.vector = embedder.vector(chunk.text);
            next.chunks.push_back(std::move(chunk));
        }
        const bool remove = rng.below(4) == 0;
        const auto change = [&](storage::Transaction& tx) -> Result<> {
            if (!remove) return collections->upsert_document(tx, next);
            HEDDLE_TRY_VOID(collections->delete_document(tx, "anna", "kb", next.document));
            return {};
        };
        if (!db->write_blocking(change)) _exit(1);
    }
}

TEST_P(CollectionsTest, AKillLeavesWholeDocuments) {
    const char* scale = std::getenv("HEDDLE_TEST_SCALE");
    const int kills = scale != nullptr && std::string_view(scale) == "full" ? 200 : 5;
    collections_.reset();
    db_.reset();
    Rng rng(31);
    for (int kill_count = 0; kill_count < kills; ++kill_count) {
        const pid_t child = fork();
        if (child == 0) change_until_killed(location_, rng.next());
        usleep(static_cast<useconds_t>(20'000 + rng.below(60'000)));
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
        open();
        for (int i = 0; i < 5; ++i) {
            const std::string id = "doc" + std::to_string(i);
            const auto chunks =
                runtime_.run(collections_->chunks("anna", "kb", id, 0, 100)).value();
            for (const StoredChunk& chunk : chunks) {
                const std::string mark = chunk.text.substr(0, chunk.text.find(' '));
                ASSERT_EQ(mark, chunks[0].text.substr(0, chunks[0].text.find(' ')));
                SearchRequest request{.query = chunk.text, .limit = 1};
                request.filter.documents = {id};
                for (const bool dense : {true, false}) {
                    request.settings.dense = dense;
                    request.settings.keyword = !dense;
                    const auto found = ask(request);
                    ASSERT_EQ(found.size(), 1u) << (dense ? "vector" : "words");
                    EXPECT_EQ(found[0].chunk.id, chunk.id) << (dense ? "vector" : "words");
                }
            }
        }
        const auto consistent = [](storage::Session& session) {
            return session.number(
                "SELECT (SELECT COALESCE(SUM(chunks), 0) FROM search_documents) "
                "- (SELECT count(*) FROM search_chunks) + "
                "1000 * ((SELECT count(*) FROM search_chunks) "
                "- (SELECT count(*) FROM search_vectors))");
        };
        EXPECT_EQ(db_->read_blocking(consistent).value(), 0);
        EXPECT_TRUE(db_->check_blocking());
        collections_.reset();
        db_.reset();
    }
}

}  // namespace
}  // namespace heddle::search
