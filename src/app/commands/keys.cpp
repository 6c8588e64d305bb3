// heddle keys create|list|revoke: works beside a running server, which notices within seconds.
#include "service/keys.h"

#include <fmt/format.h>

#include <cstdio>
#include <ctime>

#include "app/commands/commands.h"
#include "app/house.h"
#include "async/runtime.h"
#include "storage/database.h"

namespace heddle::app {
namespace {

struct KeysHouse {
    std::unique_ptr<async::Runtime> runtime;
    std::unique_ptr<storage::Database> database;
    std::unique_ptr<service::Keys> keys;
};

// Only the tables that keys live in: the data folder's lock belongs to the server.
Result<KeysHouse> open_house(const SettingFlags& flags) {
    HEDDLE_TRY(const Config config, flags.load());
    KeysHouse house;
    HEDDLE_TRY_VOID(create_data_folder(config));
    HEDDLE_TRY(house.database, storage::Database::open({.location = database_location(config)}));
    HEDDLE_TRY(house.keys, service::Keys::open(*house.database, {}, {}));
    house.runtime = std::make_unique<async::Runtime>(async::RuntimeOptions{1, 1});
    return house;
}

std::string date_of(std::int64_t ms) {
    const std::time_t seconds = ms / 1000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min);
}

int create(const SettingFlags& flags, const std::string& owner, const std::string& label,
           bool admin) {
    auto house = open_house(flags);
    if (!house) return report(house.error());
    const auto role = admin ? service::KeyRole::kAdmin : service::KeyRole::kUser;
    const auto key = house->runtime->run(house->keys->create(owner, label, role));
    if (!key) return report(key.error());
    std::printf("%s\n", key->c_str());
    std::fprintf(stderr, "This key is shown once. It opens what belongs to \"%s\".\n",
                 owner.c_str());
    return kExitOk;
}

int list(const SettingFlags& flags) {
    auto house = open_house(flags);
    if (!house) return report(house.error());
    const auto keys = house->runtime->run(house->keys->list());
    if (!keys) return report(keys.error());
    for (const service::KeyInfo& key : *keys) {
        std::printf("%s  %-5s  %s  %s  %s%s\n", key.id.c_str(),
                    std::string(to_string(key.role)).c_str(), date_of(key.created_ms).c_str(),
                    key.owner.c_str(), key.label.c_str(), key.revoked_ms ? "  (revoked)" : "");
    }
    if (keys->empty()) std::fprintf(stderr, "No keys yet: `heddle keys create OWNER`.\n");
    return kExitOk;
}

int revoke(const SettingFlags& flags, const std::string& id) {
    auto house = open_house(flags);
    if (!house) return report(house.error());
    const auto done = house->runtime->run(house->keys->revoke(id));
    return done ? kExitOk : report(done.error());
}

std::function<int()> set_up(CLI::App& command) {
    struct Arguments {
        std::string owner;
        std::string label = "key";
        std::string id;
        bool admin = false;
        int status = kExitOk;
    };
    command.require_subcommand(1);
    const auto given = std::make_shared<Arguments>();
    CLI::App* creating = command.add_subcommand("create", "make a key and print it once");
    creating->add_option("owner", given->owner, "whose documents it opens")->required();
    creating->add_option("--label", given->label, "a note to tell keys apart");
    creating->add_flag("--admin", given->admin, "may also manage models and keys");
    const SettingFlags create_flags(*creating);
    creating->callback(
        [=] { given->status = create(create_flags, given->owner, given->label, given->admin); });

    CLI::App* listing = command.add_subcommand("list", "show all keys");
    const SettingFlags list_flags(*listing);
    listing->callback([=] { given->status = list(list_flags); });

    CLI::App* revoking = command.add_subcommand("revoke", "a key and its sessions open no more");
    revoking->add_option("id", given->id, "the id that `list` shows")->required();
    const SettingFlags revoke_flags(*revoking);
    revoking->callback([=] { given->status = revoke(revoke_flags, given->id); });
    return [given] { return given->status; };
}

}  // namespace

Command keys_command() {
    return {"keys", "create, list and revoke API keys", set_up};
}

}  // namespace heddle::app
