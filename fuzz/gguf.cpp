// A GGUF file of any bytes: an error, or tensors inside it and metadata that can be read through;
// then its configuration and its tokenizer, which trust nothing of it either.
#include "model/gguf.h"

#include "input_file.h"
#include "model/config.h"
#include "model/model_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = heddle::fuzz::map_input(data, size);
    const auto gguf = heddle::model::GgufFile::read(file);
    if (!gguf) return 0;
    for (const auto& [name, tensor] : gguf->tensors().tensors()) {
        const std::byte* begin = file->bytes().data();
        if (tensor.bytes.data() < begin ||
            tensor.bytes.data() + tensor.bytes.size() > begin + file->size()) {
            std::abort();
        }
    }
    (void)heddle::model::parse_gguf_config(*gguf);
    if (auto vocabulary = heddle::model::read_vocabulary(*gguf)) {
        (void)heddle::text::tokenizer_from_vocabulary(std::move(*vocabulary));
    }
    return 0;
}
