// heddle models: what was pulled; whether it is still what the hub promised; away with it.
#include <fmt/format.h>

#include <cstdio>

#include "app/commands/commands.h"
#include "app/file_ingestion.h"
#include "app/hub_settings.h"
#include "app/pull_bars.h"

namespace heddle::app {
namespace {

int list(const SettingFlags& flags) {
    const auto config = flags.load();
    if (!config) return report(config.error());
    const auto models = model_store(*config).list();
    if (!models) return report(models.error());
    for (const upstream::StoredModel& model : *models) {
        std::printf("%s  %s\n", model.repository.c_str(), show_bytes(model.bytes()).c_str());
        for (const auto& [file, revision] : model.files) {
            std::printf("    %-40s %10s  %.12s\n", file.path.c_str(),
                        show_bytes(file.bytes).c_str(), revision.c_str());
        }
    }
    if (models->empty()) std::fprintf(stderr, "No models yet: `heddle pull owner/model`.\n");
    return kExitOk;
}

// All models when none is named.
Result<std::vector<upstream::StoredModel>> chosen(const upstream::ModelStore& store,
                                                  const std::string& name) {
    if (name.empty()) return store.list();
    HEDDLE_TRY(const upstream::HubName parsed, upstream::parse_hub_name(name));
    HEDDLE_TRY(upstream::StoredModel model, store.open(parsed.repository));
    return std::vector<upstream::StoredModel>{std::move(model)};
}

int verify(const SettingFlags& flags, const std::string& name) {
    const auto config = flags.load();
    if (!config) return report(config.error());
    const upstream::ModelStore store = model_store(*config);
    const auto models = chosen(store, name);
    if (!models) return report(models.error());
    bool sound = true;
    for (const upstream::StoredModel& model : *models) {
        ProgressLine progress;
        std::uint64_t read = 0;
        const auto wrong = store.verify(model, [&](std::uint64_t bytes) {
            read += bytes;
            progress.show(fmt::format("{}: {} of {}", model.repository, show_bytes(read),
                                      show_bytes(model.bytes())));
            return true;
        });
        if (!wrong) return report(wrong.error());
        progress.show("");
        for (const std::string& line : *wrong)
            std::printf("!!  %s: %s\n", model.repository.c_str(), line.c_str());
        if (wrong->empty()) std::printf("ok  %s\n", model.repository.c_str());
        sound = sound && wrong->empty();
    }
    return sound ? kExitOk : kExitFailed;
}

int remove(const SettingFlags& flags, const std::string& name) {
    const auto config = flags.load();
    if (!config) return report(config.error());
    upstream::ModelStore store = model_store(*config);
    const auto parsed = upstream::parse_hub_name(name);
    if (!parsed) return report(parsed.error());
    if (const auto known = store.open(parsed->repository); !known) return report(known.error());
    const auto removed = store.remove(*parsed);
    return removed ? kExitOk : report(removed.error());
}

std::function<int()> set_up(CLI::App& command) {
    struct Arguments {
        std::string name;
        int status = kExitOk;
    };
    command.require_subcommand(1);
    const auto given = std::make_shared<Arguments>();
    CLI::App* listing = command.add_subcommand("list", "show what was pulled");
    const SettingFlags list_flags(*listing);
    listing->callback([=] { given->status = list(list_flags); });

    CLI::App* verifying = command.add_subcommand("verify", "compare files with the hub's hashes");
    verifying->add_option("model", given->name, "owner/model; all when left out");
    const SettingFlags verify_flags(*verifying);
    verifying->callback([=] { given->status = verify(verify_flags, given->name); });

    CLI::App* removing = command.add_subcommand("remove", "delete a model, or one of its files");
    removing->add_option("model", given->name, "owner/model or owner/model:file")->required();
    const SettingFlags remove_flags(*removing);
    removing->callback([=] { given->status = remove(remove_flags, given->name); });
    return [given] { return given->status; };
}

}  // namespace

Command models_command() {
    return {"models", "list, verify and remove pulled models", set_up};
}

}  // namespace heddle::app
