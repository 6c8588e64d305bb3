// A PostgreSQL server of Debian's package for the life of a test binary, in a folder of its own
// and reachable by its socket only.
#pragma once

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "base/check.h"
#include "storage/postgres_connection.h"
#include "storage/scratch_testing.h"

namespace heddle::storage {
inline std::string installed_programs() {
    std::error_code ec;
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", ec)) {
        const std::filesystem::path bin = version.path() / "bin";
        if (std::filesystem::exists(bin / "initdb", ec)) return bin.string();
    }
    return {};
}

class PostgresServer {
public:
    explicit PostgresServer(std::string bin) : bin_(std::move(bin)) {
        // The server refuses to run as root.
        if (geteuid() == 0) {
            const passwd* user = getpwnam("postgres");
            HEDDLE_CHECK(user != nullptr, "the package makes its user");
            HEDDLE_CHECK(chown(scratch_.path().c_str(), user->pw_uid, user->pw_gid) == 0,
                         "a folder for the server");
            as_user_ = "runuser -u postgres -- ";
        }
        command(bin_ + "/initdb -A trust -U heddle -E UTF8 --locale=C.UTF-8 -N -D " + data());
        command(bin_ + "/pg_ctl -w -t 120 -D " + data() + " -l " + scratch_.path() +
                "/log -o \"-c listen_addresses='' -k " + scratch_.path() + "\" start");
    }
    ~PostgresServer() { command(bin_ + "/pg_ctl -m immediate -D " + data() + " stop"); }
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;

    [[nodiscard]] std::string url() const {
        return "postgresql://heddle@/postgres?host=" + scratch_.path();
    }

private:
    [[nodiscard]] std::string data() const { return scratch_.path() + "/data"; }
    void command(const std::string& what) const {
        const std::string line = "cd / && " + as_user_ + what + " > /dev/null 2>&1";
        HEDDLE_CHECK(std::system(line.c_str()) == 0, "PostgreSQL for the test obeys");
    }

    Scratch scratch_;
    std::string bin_;
    std::string as_user_;
};

// The URL of a fresh, empty database schema, or an empty text where no server is installed. The
// server starts at the first call; $HEDDLE_POSTGRES_URL names another one.
inline std::string fresh_postgres_url() {
    static const std::string bin = installed_programs();
    static std::unique_ptr<PostgresServer> server;
    std::string base;
    if (const char* given = std::getenv("HEDDLE_POSTGRES_URL")) {
        base = given;
    } else if (bin.empty()) {
        return {};
    } else {
        if (!server) server = std::make_unique<PostgresServer>(bin);
        base = server->url();
    }
    static int count = 0;
    const std::string schema = "heddle_" + std::to_string(getpid()) + "_" + std::to_string(++count);
    auto connection = PostgresConnection::open(base);
    HEDDLE_CHECK(connection && (*connection)->script("CREATE SCHEMA " + schema),
                 "a schema for the test");
    const char joint = base.find('?') == std::string::npos ? '?' : '&';
    return base + joint + "options=-csearch_path%3D" + schema;
}

}  // namespace heddle::storage
