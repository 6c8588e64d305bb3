// What a model hub says of a repository, decoded and checked: its files, their sizes and hashes,
// and which of them a model needs. Pure functions of bytes. The format is the Hugging Face hub's:
// GET /api/models/NAME/revision/REVISION and /api/models/NAME/tree/COMMIT?recursive=true.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace heddle::upstream {

// "owner/model" or "owner/model:FILE", FILE being a file of the repository or a part of the name
// of one GGUF file ("q4_k_m").
struct HubName {
    std::string repository;
    std::string file;  // empty: what the model needs
};
[[nodiscard]] Result<HubName> parse_hub_name(std::string_view text);

struct HubFile {
    std::string path;  // of plain names (storage::is_plain_name) between slashes
    std::uint64_t bytes = 0;
    // One of the two, in lower-case hexadecimal: of files in large storage the SHA-256, of the rest
    // git's SHA-1 of "blob BYTES\0" and the content.
    std::string sha256;
    std::string git_sha1;
};

// A relative path of plain names, at most 8 deep: what may be written below a folder of ours.
[[nodiscard]] bool is_safe_path(std::string_view path);

// The commit, 40 hexadecimal digits.
[[nodiscard]] Result<std::string> decode_revision(std::string_view body);
// Appends the files of one page of the tree. What no name of ours can hold (a hidden file, a space)
// is passed over; kUpstream for what a hub would never say, a path that climbs out among it.
[[nodiscard]] Result<> decode_tree(std::string_view body, std::vector<HubFile>& files);

// The files to pull: one GGUF file, or configuration, tokenizer and safetensors. kNotFound and
// kInvalidArgument name the choices.
[[nodiscard]] Result<std::vector<HubFile>> choose_files(const std::vector<HubFile>& all,
                                                        std::string_view wanted);

// The one GGUF file that is called so or has the text in its name, without regard to case; the
// default quantisation when the text is empty. Null when none or several.
[[nodiscard]] const std::string* match_gguf(const std::vector<std::string>& paths,
                                            std::string_view wanted);

}  // namespace heddle::upstream
