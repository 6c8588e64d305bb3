// safetensors (github.com/huggingface/safetensors): eight bytes of little-endian header length,
// a JSON header {name: {dtype, shape, data_offsets}}, and one buffer that the tensors fill
// without a gap. All of it is checked before a tensor is handed out: header size, names, types,
// shapes against byte ranges, and that ranges neither overlap nor leave the file.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "model/mapped_file.h"
#include "model/stored_tensor.h"

namespace heddle::model {

// Adds the tensors of one file to `tensors`, which keeps the file mapped. kCorrupt with what is
// wrong; `tensors` is then of no use.
Result<> read_safetensors(std::shared_ptr<const MappedFile> file, StoredTensors& tensors);

// All weights of a Hugging Face folder: model.safetensors, or the shards that
// model.safetensors.index.json names. Shards must lie in the same folder.
Result<StoredTensors> load_safetensors_folder(const std::filesystem::path& folder);

}  // namespace heddle::model
