#include "model/model_file_testing.h"

#include <fstream>

#include "base/check.h"
#include "base/ids.h"

namespace heddle::model {

TemporaryFolder::TemporaryFolder()
    : path_(std::filesystem::temp_directory_path() / ("heddle-model-" + new_id())) {
    std::filesystem::create_directories(path_);
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path TemporaryFolder::write(std::string_view name,
                                             std::string_view content) const {
    const auto path = path_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary)
        .write(content.data(), static_cast<std::streamsize>(content.size()));
    return path;
}

std::shared_ptr<const MappedFile> TemporaryFolder::map(std::string_view name,
                                                       std::string_view content) const {
    auto file = MappedFile::open(write(name, content));
    HEDDLE_CHECK(file.has_value(), "a file just written can be mapped");
    return *file;
}

std::string safetensors_bytes(std::string_view header, std::string_view data) {
    return ByteWriter().number<std::uint64_t>(header.size()).raw(header).raw(data).bytes();
}

GgufBuilder& GgufBuilder::text(std::string_view key, std::string_view value) {
    metadata_.text(key).number<std::uint32_t>(8).text(value);
    ++metadata_count_;
    return *this;
}

GgufBuilder& GgufBuilder::u32(std::string_view key, std::uint32_t value) {
    metadata_.text(key).number<std::uint32_t>(4).number(value);
    ++metadata_count_;
    return *this;
}

GgufBuilder& GgufBuilder::f32(std::string_view key, float value) {
    metadata_.text(key).number<std::uint32_t>(6).number(value);
    ++metadata_count_;
    return *this;
}

GgufBuilder& GgufBuilder::texts(std::string_view key, const std::vector<std::string>& values) {
    metadata_.text(key).number<std::uint32_t>(9).number<std::uint32_t>(8);
    metadata_.number<std::uint64_t>(values.size());
    for (const std::string& value : values) metadata_.text(value);
    ++metadata_count_;
    return *this;
}

GgufBuilder& GgufBuilder::tensor(std::string_view name, std::vector<std::uint64_t> shape,
                                 std::uint32_t code, std::string_view data) {
    infos_.text(name).number<std::uint32_t>(static_cast<std::uint32_t>(shape.size()));
    for (auto extent = shape.rbegin(); extent != shape.rend(); ++extent) infos_.number(*extent);
    data_.pad_to(32);
    infos_.number(code).number<std::uint64_t>(data_.bytes().size());
    data_.raw(data);
    ++tensor_count_;
    return *this;
}

std::string GgufBuilder::build() const {
    ByteWriter out;
    out.raw("GGUF").number<std::uint32_t>(3).number(tensor_count_).number(metadata_count_);
    out.raw(metadata_.bytes()).raw(infos_.bytes()).pad_to(32).raw(data_.bytes());
    return out.bytes();
}

}  // namespace heddle::model
