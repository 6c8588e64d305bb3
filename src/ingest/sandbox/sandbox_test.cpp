// The walls hold: a reader that tries to get out is ended or refused, its document fails with a
// clear reason, and the next document works.
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <string>

#include <gtest/gtest.h>

#include "async/deadline.h"
#include "async/runtime.h"
#include "ingest/parser_testing.h"
#include "ingest/sandbox/walls.h"

namespace heddle::ingest {
namespace {

using namespace std::chrono_literals;

class SandboxTest : public testing::Test {
protected:
    Result<ParsedDocument> attempt(const std::string& escape) {
        return runtime_.run(parser_.parse_bytes("EVIL " + escape, "evil"));
    }

    static ParserConfig config() {
        ParserConfig config = testing_parser_config();
        config.limits.wall_time = 3s;
        config.limits.cpu_seconds = 1;
        return config;
    }

    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 2}};
    Parser parser_{config(), runtime_.workers()};
};

TEST_F(SandboxTest, AHarmlessReaderWorksAndItsWallsStand) {
    const Result<ParsedDocument> document = attempt("nothing");
    ASSERT_TRUE(document) << document.error().message();
    EXPECT_TRUE(sandbox::has(document->walls, sandbox::Wall::kDescriptors));
    EXPECT_TRUE(sandbox::has(document->walls, sandbox::Wall::kLimits));
#ifndef HEDDLE_SANITIZED
    EXPECT_TRUE(sandbox::has(document->walls, sandbox::Wall::kNoNewPrivileges));
    EXPECT_TRUE(sandbox::has(document->walls, sandbox::Wall::kSeccomp));
#endif
    RecordProperty("walls", sandbox::describe_walls(document->walls));
}

TEST_F(SandboxTest, WritingToOtherDescriptorsFindsNone) {
    const Result<ParsedDocument> document = attempt("write-fd");
    ASSERT_TRUE(document) << document.error().message();
    EXPECT_EQ(document->title, "survived with errno " + std::to_string(EBADF));
}

#ifndef HEDDLE_SANITIZED

TEST_F(SandboxTest, OpeningIsRefused) {
    for (const char* escape : {"open", "create"}) {
        const Result<ParsedDocument> document = attempt(escape);
        ASSERT_TRUE(document) << escape << ": " << document.error().message();
        EXPECT_EQ(document->title, "survived with errno " + std::to_string(EPERM)) << escape;
    }
    EXPECT_NE(access("/tmp/heddle-escape", F_OK), 0);
}

TEST_F(SandboxTest, EveryWayOutEndsTheProcess) {
    for (const char* escape : {"socket", "fork", "exec", "ptrace", "kill", "mprotect-exec",
                               "mmap-exec", "x32", "write-input"}) {
        const Result<ParsedDocument> document = attempt(escape);
        ASSERT_FALSE(document) << escape << " gave " << document->title;
        EXPECT_EQ(document.error().reason(), "forbidden") << escape;
        EXPECT_EQ(document.error().code(), ErrorCode::kCorrupt) << escape;
    }
}

TEST_F(SandboxTest, MemoryIsBounded) {
    // On a busy machine touching the memory takes longer than the other tests' second.
    ParserConfig patient = config();
    patient.limits.wall_time = 30s;
    patient.limits.cpu_seconds = 20;
    Parser parser(patient, runtime_.workers());
    const Result<ParsedDocument> document =
        runtime_.run(parser.parse_bytes("EVIL allocate", "evil"));
    ASSERT_FALSE(document);
    EXPECT_EQ(document.error().reason(), "out_of_memory");
}

#endif

TEST_F(SandboxTest, TimeAndOutputAreBounded) {
    for (const auto& [escape, reason] :
         {std::pair("spin", "too_slow"), std::pair("flood", "unreadable"),
          std::pair("hang-up", "too_slow")}) {
        const Result<ParsedDocument> document = attempt(escape);
        ASSERT_FALSE(document) << escape;
        EXPECT_EQ(document.error().reason(), reason) << escape;
    }
}

TEST_F(SandboxTest, CrashesAndLiesFailTheDocumentOnly) {
    for (const auto& [escape, reason] :
         {std::pair("crash", "crashed"), std::pair("abort", "crashed"),
          std::pair("lie", "unreadable")}) {
        const Result<ParsedDocument> document = attempt(escape);
        ASSERT_FALSE(document) << escape;
        EXPECT_EQ(document.error().reason(), reason) << escape;
    }
    EXPECT_TRUE(attempt("nothing"));
}

TEST_F(SandboxTest, ACancelledCallLeavesNoProcess) {
    const auto started = std::chrono::steady_clock::now();
    ParserConfig slow = testing_parser_config();
    Parser parser(slow, runtime_.workers());
    auto task = async::with_deadline(async::Deadline::after(100ms),
                                     parser.parse_bytes("EVIL spin", "evil"));
    const Result<ParsedDocument> document = runtime_.run(std::move(task));
    ASSERT_FALSE(document);
    EXPECT_EQ(document.error().code(), ErrorCode::kDeadlineExceeded);
    EXPECT_LT(std::chrono::steady_clock::now() - started, 10s);
}

TEST_F(SandboxTest, AFormatWithoutItsLibraryIsRefused) {
    ParserConfig config = testing_parser_config();
    config.pdfium_library = "/nonexistent/libpdfium.so";
    Parser parser(config, runtime_.workers());
    const auto document = runtime_.run(parser.parse_bytes("%PDF-1.4", "pdf"));
    ASSERT_FALSE(document);
    EXPECT_EQ(document.error().code(), ErrorCode::kUnavailable);
    EXPECT_EQ(document.error().reason(), "no_reader");
}

TEST_F(SandboxTest, TooLargeAFileIsNotRead) {
    ParserConfig config = testing_parser_config();
    config.limits.file_bytes = 8;
    Parser parser(config, runtime_.workers());
    const auto document = runtime_.run(parser.parse_bytes("EVIL nothing", "evil"));
    ASSERT_FALSE(document);
    EXPECT_EQ(document.error().code(), ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace heddle::ingest
