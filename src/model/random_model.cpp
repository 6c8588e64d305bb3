#include "model/random_model.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <fstream>
#include <vector>

#include "base/random.h"
#include "compute/half.h"
#include "compute/quant_blocks.h"
#include "model/gguf.h"

namespace heddle::model {
namespace {

using compute::DType;

constexpr std::array kShapes = {
    ModelShape{"tiny", 64, 128, 2, 4, 2, 512, 2'048},
    ModelShape{"llama-30m", 512, 1'536, 8, 8, 4, 8'192, 4'096},
    ModelShape{"tinyllama-1.1b", 2'048, 5'632, 22, 32, 4, 32'000, 4'096},
    ModelShape{"llama-3.2-3b", 3'072, 8'192, 28, 24, 8, 128'256, 8'192},
    ModelShape{"llama-3.1-8b", 4'096, 14'336, 32, 32, 8, 128'256, 8'192},
};

constexpr std::uint64_t kAlignment = 32;

// Codes of the format (ggml_type).
std::uint32_t code_of(DType dtype) {
    switch (dtype) {
        case DType::kF16:
            return 1;
        case DType::kQ8_0:
            return 8;
        case DType::kQ4_K:
            return 12;
        case DType::kQ6_K:
            return 14;
        case DType::kBF16:
            return 30;
        default:
            return 0;
    }
}

struct PlannedTensor {
    std::string name;
    DType dtype = DType::kF32;
    std::int64_t rows = 0;  // 0: a vector of ones
    std::int64_t cols = 0;

    [[nodiscard]] std::uint64_t bytes() const {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(rows, 1) *
                                          compute::row_bytes(dtype, cols));
    }
};

std::vector<PlannedTensor> tensors_of(const ModelShape& s, DType dtype) {
    std::vector<PlannedTensor> all;
    const auto matrix = [&](std::string name, std::int64_t rows, std::int64_t cols) {
        all.push_back({std::move(name), dtype, rows, cols});
    };
    const auto norm = [&](std::string name) {
        all.push_back({std::move(name), DType::kF32, 0, s.hidden});
    };
    matrix("token_embd.weight", s.vocabulary, s.hidden);
    for (std::int64_t i = 0; i < s.layers; ++i) {
        const std::string layer = fmt::format("blk.{}.", i);
        const std::int64_t keys = s.hidden / s.heads * s.kv_heads;
        norm(layer + "attn_norm.weight");
        matrix(layer + "attn_q.weight", s.hidden, s.hidden);
        matrix(layer + "attn_k.weight", keys, s.hidden);
        matrix(layer + "attn_v.weight", keys, s.hidden);
        matrix(layer + "attn_output.weight", s.hidden, s.hidden);
        norm(layer + "ffn_norm.weight");
        matrix(layer + "ffn_gate.weight", s.intermediate, s.hidden);
        matrix(layer + "ffn_up.weight", s.intermediate, s.hidden);
        matrix(layer + "ffn_down.weight", s.hidden, s.intermediate);
    }
    norm("output_norm.weight");
    matrix("output.weight", s.vocabulary, s.hidden);
    if (dtype == DType::kQ4_K) all.back().dtype = DType::kQ6_K;
    return all;
}

// Numbers are little-endian in the file, as on the machines that this runs on.
class GgufText {
public:
    template <class T>
    GgufText& number(T value) {
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
        return *this;
    }
    GgufText& text(std::string_view value) {
        number<std::uint64_t>(value.size());
        bytes_ += value;
        return *this;
    }
    GgufText& key(std::string_view name, GgufType type) {
        ++keys_;
        return text(name).number(static_cast<std::uint32_t>(type));
    }
    GgufText& pad() {
        bytes_.resize((bytes_.size() + kAlignment - 1) / kAlignment * kAlignment);
        return *this;
    }
    [[nodiscard]] const std::string& bytes() const { return bytes_; }
    [[nodiscard]] std::uint64_t keys() const { return keys_; }

private:
    std::string bytes_;
    std::uint64_t keys_ = 0;
};

// Piece `index`: all words of one letter, then of two …, each with and without a space before.
std::string piece_of(std::int64_t index) {
    std::string letters;
    std::int64_t word = index / 2;
    std::int64_t count = 26;
    std::int64_t length = 1;
    for (; word >= count; count *= 26, ++length) word -= count;
    for (; length > 0; --length, word /= 26) letters += static_cast<char>('a' + word % 26);
    return (index % 2 == 0 ? "\xE2\x96\x81" : "") + letters;
}

void add_vocabulary(GgufText& out, std::int64_t size) {
    constexpr std::int64_t kPiecesFrom = 3 + 256;
    constexpr std::int32_t kNormal = 1, kUnknown = 2, kControl = 3, kByte = 6;
    const auto array = [&](std::string_view name, GgufType type) {
        out.key(name, GgufType::kArray).number(static_cast<std::uint32_t>(type));
        out.number(static_cast<std::uint64_t>(size));
    };
    out.key("tokenizer.ggml.model", GgufType::kString).text("llama");
    array("tokenizer.ggml.tokens", GgufType::kString);
    for (std::int64_t i = 0; i < size; ++i) {
        if (i < 3) {
            out.text(i == 0 ? "<unk>" : i == 1 ? "<s>" : "</s>");
        } else {
            out.text(i < kPiecesFrom ? fmt::format("<0x{:02X}>", i - 3)
                                     : piece_of(i - kPiecesFrom));
        }
    }
    array("tokenizer.ggml.scores", GgufType::kF32);
    for (std::int64_t i = 0; i < size; ++i) out.number(-static_cast<float>(i));
    array("tokenizer.ggml.token_type", GgufType::kI32);
    for (std::int64_t i = 0; i < size; ++i) {
        out.number(i == 0 ? kUnknown : i < 3 ? kControl : i < kPiecesFrom ? kByte : kNormal);
    }
    out.key("tokenizer.ggml.bos_token_id", GgufType::kU32).number(std::uint32_t{1});
    out.key("tokenizer.ggml.eos_token_id", GgufType::kU32).number(std::uint32_t{2});
}

std::string header_of(const ModelShape& s, const std::vector<PlannedTensor>& tensors) {
    GgufText metadata;
    const auto number = [&](std::string_view name, std::int64_t value) {
        metadata.key(name, GgufType::kU32).number(static_cast<std::uint32_t>(value));
    };
    metadata.key("general.architecture", GgufType::kString).text("llama");
    metadata.key("general.name", GgufType::kString).text(fmt::format("random {}", s.name));
    number("llama.context_length", s.context);
    number("llama.embedding_length", s.hidden);
    number("llama.block_count", s.layers);
    number("llama.feed_forward_length", s.intermediate);
    number("llama.attention.head_count", s.heads);
    number("llama.attention.head_count_kv", s.kv_heads);
    number("llama.rope.dimension_count", s.hidden / s.heads);
    number("llama.vocab_size", s.vocabulary);
    metadata.key("llama.attention.layer_norm_rms_epsilon", GgufType::kF32).number(1e-5F);
    add_vocabulary(metadata, s.vocabulary);

    GgufText infos;
    std::uint64_t offset = 0;
    for (const PlannedTensor& tensor : tensors) {
        infos.text(tensor.name).number<std::uint32_t>(tensor.rows == 0 ? 1 : 2);
        infos.number(static_cast<std::uint64_t>(tensor.cols));
        if (tensor.rows != 0) infos.number(static_cast<std::uint64_t>(tensor.rows));
        infos.number(code_of(tensor.dtype)).number(offset);
        offset += (tensor.bytes() + kAlignment - 1) / kAlignment * kAlignment;
    }
    GgufText file;
    file.number<std::uint32_t>(0x46554747).number<std::uint32_t>(3);
    file.number<std::uint64_t>(tensors.size()).number(metadata.keys());
    std::string bytes = file.bytes() + metadata.bytes() + infos.bytes();
    bytes.resize((bytes.size() + kAlignment - 1) / kAlignment * kAlignment);
    return bytes;
}

// Random numbers as one row of a matrix; all types have a deviation of about 0.02.
class RandomRows {
public:
    explicit RandomRows(std::uint64_t seed) : rng_(seed) {}

    void fill(DType dtype, std::span<char> row) {
        for (std::size_t at = 0; at < row.size(); at += 8) {
            const std::uint64_t bits = rng_.next();
            std::memcpy(row.data() + at, &bits, std::min<std::size_t>(8, row.size() - at));
        }
        switch (dtype) {
            case DType::kF32:
                return each<std::uint32_t>(row, [](auto& v) { v = (v & 0x807FFFFF) | 0x3C800000; });
            case DType::kF16:
                return each<std::uint16_t>(
                    row, [](auto& v) { v = static_cast<std::uint16_t>((v & 0x83FF) | 0x2400); });
            case DType::kBF16:
                return each<std::uint16_t>(
                    row, [](auto& v) { v = static_cast<std::uint16_t>((v & 0x807F) | 0x3C80); });
            case DType::kQ8_0:
                return each<compute::BlockQ8_0>(
                    row, [](auto& b) { b.d = compute::f32_to_f16(0.02F / 73); });
            case DType::kQ4_K:
                return each<compute::BlockQ4K>(row, [](auto& b) {
                    // All scales and all minima are 32, so that the values lie around zero.
                    b.d = compute::f32_to_f16(0.02F / (32 * 4.6F));
                    b.dmin = compute::f32_to_f16(0.02F / (32 * 4.6F) * 7.5F);
                    std::memset(b.scales, 0xA0, 8);
                    std::memset(b.scales + 8, 0, 4);
                });
            case DType::kQ6_K:
                return each<compute::BlockQ6K>(row, [](auto& b) {
                    b.d = compute::f32_to_f16(0.02F / (8 * 18.5F));
                    std::memset(b.scales, 8, sizeof b.scales);
                });
            default:
                return;
        }
    }

private:
    template <class T, class Fn>
    static void each(std::span<char> row, Fn mend) {
        for (std::size_t at = 0; at + sizeof(T) <= row.size(); at += sizeof(T)) {
            T value;
            std::memcpy(&value, row.data() + at, sizeof value);
            mend(value);
            std::memcpy(row.data() + at, &value, sizeof value);
        }
    }

    Rng rng_;
};

}  // namespace

std::span<const ModelShape> model_shapes() {
    return kShapes;
}

Result<ModelShape> find_shape(std::string_view name) {
    std::string known;
    for (const ModelShape& shape : kShapes) {
        if (shape.name == name) return shape;
        known += fmt::format("{}{}", known.empty() ? "" : ", ", shape.name);
    }
    return fail(ErrorCode::kNotFound, fmt::format("{} is none of the shapes {}", name, known));
}

Result<> write_random_model(const std::filesystem::path& path, const ModelShape& shape,
                            compute::DType dtype, std::uint64_t seed) {
    if (code_of(dtype) == 0 && dtype != DType::kF32) {
        return fail(ErrorCode::kInvalidArgument, "random weights are f32, f16, bf16, q8_0 or q4_K");
    }
    if (dtype == DType::kQ4_K && shape.hidden % 256 != 0) {
        return fail(ErrorCode::kInvalidArgument, "q4_K needs rows of whole blocks of 256");
    }
    const std::vector<PlannedTensor> tensors = tensors_of(shape, dtype);
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << header_of(shape, tensors);
    RandomRows random(seed);
    std::vector<char> row;
    for (const PlannedTensor& tensor : tensors) {
        row.resize(static_cast<std::size_t>(compute::row_bytes(tensor.dtype, tensor.cols)));
        if (tensor.rows == 0) {
            for (std::int64_t i = 0; i < tensor.cols; ++i) {
                const float one = 1.0F;
                std::memcpy(row.data() + i * 4, &one, sizeof one);
            }
            out.write(row.data(), static_cast<std::streamsize>(row.size()));
        }
        for (std::int64_t r = 0; r < tensor.rows; ++r) {
            random.fill(tensor.dtype, row);
            out.write(row.data(), static_cast<std::streamsize>(row.size()));
        }
        const std::string padding((kAlignment - tensor.bytes() % kAlignment) % kAlignment, '\0');
        out << padding;
    }
    if (out.flush()) return {};
    return fail(ErrorCode::kIo, "the model could not be written");
}

}  // namespace heddle::model
