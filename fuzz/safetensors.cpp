// A safetensors file of any bytes: an error, or tensors that lie inside it.
#include "model/safetensors.h"

#include "input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = heddle::fuzz::map_input(data, size);
    heddle::model::StoredTensors tensors;
    if (!heddle::model::read_safetensors(file, tensors)) return 0;
    for (const auto& [name, tensor] : tensors.tensors()) {
        if (tensor.bytes.empty()) continue;
        const std::byte* begin = file->bytes().data();
        if (tensor.bytes.data() < begin ||
            tensor.bytes.data() + tensor.bytes.size() > begin + file->size()) {
            std::abort();
        }
    }
    return 0;
}
