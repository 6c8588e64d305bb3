#include "model/model_files.h"

#include <utility>

#include "model/mapped_file.h"
#include "model/safetensors.h"

namespace heddle::model {

Result<std::shared_ptr<const ModelFiles>> ModelFiles::open(const std::filesystem::path& path) {
    std::shared_ptr<ModelFiles> files(new ModelFiles());
    files->path_ = path;
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) {
        HEDDLE_TRY(files->config_, load_folder_config(path));
        HEDDLE_TRY(files->tensors_, load_safetensors_folder(path));
        return files;
    }
    HEDDLE_TRY(auto file, MappedFile::open(path));
    HEDDLE_TRY(files->gguf_, GgufFile::read(std::move(file)));
    HEDDLE_TRY(files->config_, parse_gguf_config(*files->gguf_));
    return files;
}

}  // namespace heddle::model
