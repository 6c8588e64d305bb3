#include "upstream/model_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

#include <nlohmann/json.hpp>
#include <simdjson.h>

#include "storage/local_folder.h"
#include "upstream/partial_file.h"

namespace heddle::upstream {
namespace {

namespace dom = simdjson::dom;
namespace fs = std::filesystem;

constexpr const char* kManifest = "heddle-model.json";
constexpr std::uint64_t kManifestBytesMax = std::uint64_t{16} << 20;

tl::unexpected<Error> damaged(const std::string& repository) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("the manifest of {} is damaged; remove the model and pull it again",
                            repository));
}

tl::unexpected<Error> disk_error(const std::string& what, const std::error_code& ec) {
    return fail(ErrorCode::kIo, fmt::format("{}: {}", what, ec.message()));
}

std::string text_at(const dom::element& object, std::string_view key) {
    std::string_view value;
    return object[key].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
}

Result<StoredModel> decode_manifest(std::string_view body, const std::string& repository) {
    dom::parser parser;
    dom::element root;
    std::uint64_t format = 0;
    dom::array files;
    if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS ||
        root["format"].get(format) != simdjson::SUCCESS || format != 1 ||
        text_at(root, "repository") != repository || root["files"].get(files) != simdjson::SUCCESS)
        return damaged(repository);
    StoredModel model;
    model.repository = repository;
    model.hub = text_at(root, "hub");
    for (const dom::element entry : files) {
        StoredFile stored;
        stored.file.path = text_at(entry, "path");
        stored.file.sha256 = text_at(entry, "sha256");
        stored.file.git_sha1 = text_at(entry, "git_sha1");
        stored.revision = text_at(entry, "revision");
        if (!is_safe_path(stored.file.path) ||
            entry["bytes"].get(stored.file.bytes) != simdjson::SUCCESS ||
            stored.file.sha256.empty() == stored.file.git_sha1.empty())
            return damaged(repository);
        model.files.push_back(std::move(stored));
    }
    return model;
}

std::string encode_manifest(const StoredModel& model) {
    nlohmann::ordered_json files = nlohmann::ordered_json::array();
    for (const auto& [file, revision] : model.files) {
        const bool large = !file.sha256.empty();
        files.push_back({{"path", file.path},
                         {"bytes", file.bytes},
                         {large ? "sha256" : "git_sha1", large ? file.sha256 : file.git_sha1},
                         {"revision", revision}});
    }
    const nlohmann::ordered_json manifest = {{"format", 1},
                                             {"repository", model.repository},
                                             {"hub", model.hub},
                                             {"files", std::move(files)}};
    return manifest.dump(1) + "\n";
}

std::vector<std::string> paths_of(const StoredModel& model) {
    std::vector<std::string> paths;
    for (const StoredFile& stored : model.files) paths.push_back(stored.file.path);
    return paths;
}

}  // namespace

std::uint64_t StoredModel::bytes() const {
    std::uint64_t sum = 0;
    for (const StoredFile& stored : files) sum += stored.file.bytes;
    return sum;
}

Result<std::vector<StoredModel>> ModelStore::list() const {
    std::vector<StoredModel> models;
    std::error_code ec;
    for (fs::directory_iterator owner(root_, ec), end; !ec && owner != end; owner.increment(ec)) {
        std::error_code inner;
        for (fs::directory_iterator model(owner->path(), inner); !inner && model != end;
             model.increment(inner)) {
            auto opened =
                open(owner->path().filename().string() + "/" + model->path().filename().string());
            if (opened) models.push_back(std::move(*opened));
        }
    }
    if (ec && ec != std::errc::no_such_file_or_directory)
        return disk_error("the models cannot be listed", ec);
    std::ranges::sort(models, {}, &StoredModel::repository);
    return models;
}

Result<StoredModel> ModelStore::open(const std::string& repository) const {
    HEDDLE_TRY(const HubName name, parse_hub_name(repository));
    const fs::path path = folder_of(name.repository);
    std::error_code ec;
    if (!fs::exists(path / kManifest, ec))
        return fail(ErrorCode::kNotFound,
                    fmt::format("no model {} was pulled; `heddle models` lists them", repository));
    HEDDLE_TRY(const auto folder, storage::open_local_folder(path.string()));
    HEDDLE_TRY(const auto bytes, storage::read_file(*folder, kManifest, kManifestBytesMax));
    HEDDLE_TRY(StoredModel model,
               decode_manifest({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                               name.repository));
    model.folder = path;
    return model;
}

Result<fs::path> ModelStore::find(std::string_view text) const {
    HEDDLE_TRY(const HubName name, parse_hub_name(text));
    HEDDLE_TRY(const StoredModel model, open(name.repository));
    const std::vector<std::string> paths = paths_of(model);
    if (name.file.empty() && std::ranges::find(paths, "config.json") != paths.end())
        return model.folder;
    if (const std::string* file = match_gguf(paths, name.file)) return model.folder / *file;
    return fail(ErrorCode::kNotFound, fmt::format("{} holds {}; name one after a colon",
                                                  name.repository, fmt::join(paths, ", ")));
}

Result<std::vector<std::string>> ModelStore::verify(const StoredModel& model,
                                                    const HashProgress& progress) const {
    std::vector<std::string> wrong;
    for (const auto& [file, revision] : model.files) {
        const fs::path parent = (model.folder / file.path).parent_path();
        std::error_code ec;
        if (!fs::is_directory(parent, ec)) {
            wrong.push_back(file.path + " is missing");
            continue;
        }
        HEDDLE_TRY(const auto folder, storage::open_local_folder(parent.string()));
        const Result<bool> intact = is_intact(*folder, file, progress);
        if (!intact && intact.error().code() == ErrorCode::kCancelled) return fail(intact.error());
        if (intact && *intact) continue;
        const bool missing = !intact && intact.error().code() == ErrorCode::kNotFound;
        wrong.push_back(file.path + (missing ? " is missing" : " is damaged"));
    }
    return wrong;
}

Result<> ModelStore::remove(const HubName& name) {
    HEDDLE_TRY(const Lock held, lock(name.repository));
    std::error_code ec;
    if (name.file.empty()) {
        fs::remove_all(held.folder, ec);
        if (ec) return disk_error("the model cannot be removed", ec);
        fs::remove(held.folder.parent_path(), ec);  // stays while the owner has others
        return {};
    }
    HEDDLE_TRY(StoredModel model, open(name.repository));
    const std::vector<std::string> paths = paths_of(model);
    const std::string* path = match_gguf(paths, name.file);
    if (path == nullptr)
        return fail(ErrorCode::kNotFound, fmt::format("{} has no such file: {}", name.repository,
                                                      fmt::join(paths, ", ")));
    std::erase_if(model.files, [&](const StoredFile& s) { return s.file.path == *path; });
    HEDDLE_TRY_VOID(write(model));
    fs::remove(model.folder / *path, ec);
    return ec ? Result<>(disk_error("the file cannot be removed", ec)) : Result<>();
}

Result<ModelStore::Lock> ModelStore::lock(const std::string& repository) {
    HEDDLE_TRY(const HubName name, parse_hub_name(repository));
    Lock lock{folder_of(name.repository), {}};
    std::error_code ec;
    fs::create_directories(lock.folder, ec);
    if (ec) return disk_error("the folder for the model cannot be made", ec);
    const std::string path = (lock.folder / "pull.lock").string();
    lock.fd =
        storage::UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (lock.fd.get() < 0)
        return disk_error("the model cannot be locked", {errno, std::generic_category()});
    if (::flock(lock.fd.get(), LOCK_EX | LOCK_NB) != 0)
        return fail(ErrorCode::kConflict, "another process pulls or removes this model");
    return lock;
}

Result<> ModelStore::add(const std::string& repository, const std::string& hub,
                         const std::vector<StoredFile>& files) {
    StoredModel model;
    auto known = open(repository);
    if (known) model = std::move(*known);
    if (!known && known.error().code() != ErrorCode::kNotFound &&
        known.error().code() != ErrorCode::kCorrupt)
        return fail(std::move(known).error());
    model.repository = repository;
    model.hub = hub;
    model.folder = folder_of(repository);
    for (const StoredFile& added : files) {
        std::erase_if(model.files,
                      [&](const StoredFile& s) { return s.file.path == added.file.path; });
        model.files.push_back(added);
    }
    std::ranges::sort(model.files, {}, [](const StoredFile& s) { return s.file.path; });
    return write(model);
}

Result<> ModelStore::write(const StoredModel& model) {
    HEDDLE_TRY(const auto folder, storage::open_local_folder(model.folder.string()));
    const std::string text = encode_manifest(model);
    return storage::replace_file(*folder, kManifest,
                                 std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace heddle::upstream
