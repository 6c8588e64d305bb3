// Makes model files for tests: whole ones, and ones damaged in exactly one place.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/gguf.h"
#include "model/mapped_file.h"

namespace heddle::model {

// A folder under the system's temporary one, removed at the end.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    std::filesystem::path write(std::string_view name, std::string_view content) const;
    [[nodiscard]] std::shared_ptr<const MappedFile> map(std::string_view name,
                                                        std::string_view content) const;

private:
    std::filesystem::path path_;
};

// Little-endian bytes, one after another.
class ByteWriter {
public:
    template <class T>
    ByteWriter& number(T value) {
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
        return *this;
    }
    ByteWriter& raw(std::string_view text) {
        bytes_ += text;
        return *this;
    }
    // A length of eight bytes and the text: GGUF's string.
    ByteWriter& text(std::string_view value) {
        return number<std::uint64_t>(value.size()).raw(value);
    }
    ByteWriter& pad_to(std::size_t alignment) {
        while (bytes_.size() % alignment != 0) bytes_ += '\0';
        return *this;
    }
    [[nodiscard]] const std::string& bytes() const { return bytes_; }

private:
    std::string bytes_;
};

// header: the JSON text; the length field is made to fit.
[[nodiscard]] std::string safetensors_bytes(std::string_view header, std::string_view data);

class GgufBuilder {
public:
    GgufBuilder& text(std::string_view key, std::string_view value);
    GgufBuilder& u32(std::string_view key, std::uint32_t value);
    GgufBuilder& f32(std::string_view key, float value);
    GgufBuilder& texts(std::string_view key, const std::vector<std::string>& values);
    // shape: outermost first, as in StoredTensor; code: ggml's type.
    GgufBuilder& tensor(std::string_view name, std::vector<std::uint64_t> shape, std::uint32_t code,
                        std::string_view data);
    [[nodiscard]] std::string build() const;

private:
    ByteWriter metadata_;
    std::uint64_t metadata_count_ = 0;
    ByteWriter infos_;
    std::uint64_t tensor_count_ = 0;
    ByteWriter data_;
};

}  // namespace heddle::model
