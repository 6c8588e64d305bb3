#include "upstream/hub_repository.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <simdjson.h>

#include "storage/file.h"

namespace heddle::upstream {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kNameMax = 96;
constexpr std::size_t kDepthMax = 8;
constexpr std::size_t kFilesMax = 10'000;
constexpr std::uint64_t kFileBytesMax = std::uint64_t{1} << 42;

tl::unexpected<Error> malformed(std::string_view what) {
    return fail(
        Error(ErrorCode::kUpstream, fmt::format("the hub sent a malformed answer: {}", what))
            .with_reason("hub_malformed"));
}

bool is_hex(std::string_view text, std::size_t digits) {
    return text.size() == digits && std::ranges::all_of(text, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

bool is_repository_part(std::string_view text) {
    return storage::is_plain_name(text) && text.size() <= kNameMax &&
           text.find("..") == std::string_view::npos;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

std::string_view name_of(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

// Whether a path would leave its folder or means something else to another reader: no hub has
// such files, so the rest of its answer is not believed either.
bool is_hostile(std::string_view path) {
    if (path.empty() || path.size() > 1024 || path.front() == '/' ||
        path.find_first_of(std::string_view("\\\0", 2)) != std::string_view::npos)
        return true;
    for (std::size_t at = 0; at <= path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        const std::string_view part = path.substr(at, end - at);
        if (part.empty() || part == "." || part == "..") return true;
        at = end + 1;
    }
    return false;
}

Result<HubFile> decode_file(const dom::element& entry, std::string_view path) {
    HubFile file;
    file.path = path;
    std::string_view oid;
    dom::object large;
    if (entry["lfs"].get(large) == simdjson::SUCCESS) {
        if (large["oid"].get(oid) != simdjson::SUCCESS ||
            large["size"].get(file.bytes) != simdjson::SUCCESS)
            return malformed("a large file without hash or size");
        if (oid.starts_with("sha256:")) oid.remove_prefix(7);
        file.sha256 = lower(oid);
        if (!is_hex(file.sha256, 64)) return malformed("a hash that is none");
    } else {
        if (entry["oid"].get(oid) != simdjson::SUCCESS ||
            entry["size"].get(file.bytes) != simdjson::SUCCESS)
            return malformed("a file without hash or size");
        file.git_sha1 = lower(oid);
        if (!is_hex(file.git_sha1, 40)) return malformed("a hash that is none");
    }
    if (file.bytes > kFileBytesMax) return malformed("a file of more than 4 TiB");
    return file;
}

// Beside a model's safetensors: what tells its shape, its text and its pooling.
constexpr std::array<std::string_view, 13> kSideFiles = {
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "vocab.txt",
    "tokenizer.model",
    "model.safetensors.index.json",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
};

bool belongs_to_folder_model(std::string_view path) {
    if (std::ranges::find(kSideFiles, path) != kSideFiles.end()) return true;
    if (path.starts_with("2_Dense/") || path.starts_with("2_Normalize/")) return true;
    return path.starts_with("model") && path.ends_with(".safetensors") &&
           path.find('/') == std::string_view::npos;
}

std::string listed(const std::vector<std::string>& names) {
    constexpr std::size_t kShown = 12;
    std::string out;
    for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i)
        out += (i == 0 ? "" : ", ") + names[i];
    return names.size() > kShown ? out + ", …" : out;
}

}  // namespace

Result<HubName> parse_hub_name(std::string_view text) {
    HubName name;
    const std::size_t colon = text.find(':');
    const std::string_view repository = text.substr(0, colon);
    const std::size_t slash = repository.find('/');
    const bool named = slash != std::string_view::npos &&
                       is_repository_part(repository.substr(0, slash)) &&
                       is_repository_part(repository.substr(slash + 1));
    if (!named) {
        return fail(ErrorCode::kInvalidArgument,
                    "a model is named owner/model or owner/model:file, of letters, digits, '.', "
                    "'-' and '_'");
    }
    name.repository = repository;
    if (colon == std::string_view::npos) return name;
    name.file = text.substr(colon + 1);
    if (!is_safe_path(name.file))
        return fail(ErrorCode::kInvalidArgument, "the file after ':' is not a name of a file");
    return name;
}

bool is_safe_path(std::string_view path) {
    std::size_t depth = 0;
    for (std::size_t at = 0; at <= path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        if (!storage::is_plain_name(path.substr(at, end - at)) || ++depth > kDepthMax) return false;
        at = end + 1;
    }
    return true;
}

Result<std::string> decode_revision(std::string_view body) {
    dom::parser parser;
    dom::element root;
    std::string_view sha;
    if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS ||
        root["sha"].get(sha) != simdjson::SUCCESS)
        return malformed("no commit");
    if (!is_hex(sha, 40)) return malformed("a commit that is none");
    return std::string(sha);
}

Result<> decode_tree(std::string_view body, std::vector<HubFile>& files) {
    dom::parser parser;
    dom::array entries;
    if (parser.parse(body.data(), body.size()).get_array().get(entries) != simdjson::SUCCESS)
        return malformed("no list of files");
    for (const dom::element entry : entries) {
        std::string_view type;
        std::string_view path;
        if (entry["type"].get(type) != simdjson::SUCCESS ||
            entry["path"].get(path) != simdjson::SUCCESS)
            return malformed("a file without a path");
        if (is_hostile(path)) return malformed("a path outside the repository");
        if (type != "file" || !is_safe_path(path)) continue;
        if (files.size() >= kFilesMax) return malformed("more than 10,000 files");
        const bool twice =
            std::ranges::any_of(files, [&](const auto& f) { return f.path == path; });
        if (twice) return malformed("a file named twice");
        HEDDLE_TRY(HubFile file, decode_file(entry, path));
        files.push_back(std::move(file));
    }
    return {};
}

const std::string* match_gguf(const std::vector<std::string>& paths, std::string_view wanted) {
    std::vector<const std::string*> matching;
    std::vector<const std::string*> ggufs;
    const std::string part = lower(wanted.empty() ? "q4_k_m" : wanted);
    for (const std::string& path : paths) {
        const std::string name = lower(path);
        if (!name.ends_with(".gguf")) continue;
        if (path == wanted || name_of(path) == wanted) return &path;
        ggufs.push_back(&path);
        if (name.find(part) != std::string::npos) matching.push_back(&path);
    }
    if (wanted.empty() && ggufs.size() == 1) return ggufs.front();
    return matching.size() == 1 ? matching.front() : nullptr;
}

Result<std::vector<HubFile>> choose_files(const std::vector<HubFile>& all,
                                          std::string_view wanted) {
    std::vector<HubFile> chosen;
    std::vector<std::string> paths;
    std::vector<std::string> ggufs;
    for (const HubFile& file : all) {
        paths.push_back(file.path);
        if (lower(file.path).ends_with(".gguf")) ggufs.push_back(file.path);
        if (wanted.empty() && belongs_to_folder_model(file.path)) chosen.push_back(file);
    }
    const auto is_weights = [](const HubFile& f) { return f.path.ends_with(".safetensors"); };
    const bool configured = std::ranges::find(paths, "config.json") != paths.end();
    if (wanted.empty() && configured && std::ranges::any_of(chosen, is_weights)) return chosen;

    const std::string* gguf = match_gguf(paths, wanted);
    const auto exact = std::ranges::find(paths, wanted);
    if (gguf == nullptr && exact != paths.end()) gguf = &*exact;
    if (gguf == nullptr && ggufs.empty()) {
        return fail(ErrorCode::kNotFound,
                    "the repository has neither safetensors with a config.json nor such a file");
    }
    if (gguf == nullptr) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("name one of its files after a colon: {}", listed(ggufs)));
    }
    if (lower(*gguf).find("-of-0") != std::string::npos) {
        return fail(ErrorCode::kUnimplemented,
                    "this GGUF file is one of several parts, which are not read; choose another");
    }
    const auto file = std::ranges::find_if(all, [&](const auto& f) { return f.path == *gguf; });
    return std::vector<HubFile>{*file};
}

}  // namespace heddle::upstream
