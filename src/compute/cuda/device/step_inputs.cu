#include <algorithm>
#include <cstring>

#include "compute/cuda/device/step_inputs.h"

namespace heddle::compute::cuda {
namespace {

int rows_of(const HeddleCudaStep& step, int s) {
    return step.query_starts[s + 1] - step.query_starts[s];
}

void require(bool holds, const char* rule) {
    if (!holds) throw DeviceFailure(kHeddleCudaInvalid, rule);
}

// Whole tiles, a tile's remainder counted.
int tiles_of(int rows, int tile_tokens) {
    return (rows + tile_tokens - 1) / tile_tokens;
}

}  // namespace

InputPlaces::InputPlaces(const StepShape& shape) {
    std::size_t at = 4;
    const auto place = [&at](std::size_t words) {
        const std::size_t here = at;
        at += (words + 3) / 4 * 4;
        return here;
    };
    const auto rows = static_cast<std::size_t>(shape.rows);
    const auto sequences = static_cast<std::size_t>(shape.sequences);
    tokens = place(rows);
    positions = place(rows);
    slots = place(rows);
    starts = place(sequences + 1);
    contexts = place(sequences);
    decodes = place(static_cast<std::size_t>(shape.decodes));
    tiles = place(2 * static_cast<std::size_t>(shape.tiles));
    sample_rows = place(static_cast<std::size_t>(shape.samples));
    choices = place(static_cast<std::size_t>(shape.samples) * kChoiceWords);
    tables = place(0);
}

StepOutline outline(const HeddleCudaStep& step, const HeddleCudaModel& model,
                    const HeddleCudaLimits& limits, std::int64_t block_count) {
    require(step.rows >= 1 && step.rows <= limits.rows_max, "a step's rows are out of range");
    require(step.sequences >= 1 && step.sequences <= limits.sequences_max && step.samples >= 0 &&
                step.samples <= limits.sequences_max,
            "a step's sequences are out of range");
    StepOutline result;
    result.shape = {step.rows, step.sequences, step.samples, 0, 0};
    const int tile_tokens = prefill_tile_tokens(model.heads, model.kv_heads);
    require(step.query_starts[0] == 0 && step.query_starts[step.sequences] == step.rows,
            "a step's rows do not add up");
    for (int s = 0; s < step.sequences; ++s) {
        const int rows = rows_of(step, s);
        const int context = step.contexts[s];
        require(rows >= 1 && context >= rows && context <= model.context_max,
                "a sequence's rows are out of range");
        const int blocks = (context + limits.block_tokens - 1) / limits.block_tokens;
        require(blocks <= step.table_width, "a block table is too short");
        for (int b = 0; b < blocks; ++b) {
            const std::int32_t block = step.tables[s * step.table_width + b];
            require(block >= 0 && block < block_count, "a block is out of range");
        }
        if (rows == 1) {
            ++result.shape.decodes;
        } else {
            result.all_decode = false;
            result.shape.tiles += tiles_of(rows, tile_tokens);
        }
    }
    for (int i = 0; i < step.rows; ++i) {
        require(step.tokens[i] < model.vocabulary && step.tokens[i] >= -2 * limits.sequences_max,
                "a token is out of range");
    }
    for (int i = 0; i < step.samples; ++i) {
        require(step.sample_rows[i] >= 0 && step.sample_rows[i] < step.rows &&
                    step.choices[i].slot >= 0 && step.choices[i].slot < 2 * limits.sequences_max,
                "a sampled row is out of range");
    }
    return result;
}

std::size_t pack(const HeddleCudaStep& step, const StepShape& shape, const HeddleCudaModel& model,
                 int block_tokens, std::int32_t* words) {
    const InputPlaces at(shape);
    const int tile_tokens = prefill_tile_tokens(model.heads, model.kv_heads);
    const std::size_t table_words =
        static_cast<std::size_t>(shape.sequences) * static_cast<std::size_t>(step.table_width);
    std::memset(words, 0, at.tables * sizeof(std::int32_t));
    words[at.width] = step.table_width;
    std::copy_n(step.tokens, step.rows, words + at.tokens);
    std::fill_n(words + at.slots, shape.rows, -1);
    int decodes = 0;
    int tiles = 0;
    for (int s = 0; s < step.sequences; ++s) {
        const int first = step.query_starts[s];
        const int rows = rows_of(step, s);
        const std::int32_t* table = step.tables + static_cast<std::size_t>(s) * step.table_width;
        for (int i = 0; i < rows; ++i) {
            const int position = step.contexts[s] - rows + i;
            words[at.positions + first + i] = position;
            words[at.slots + first + i] =
                table[position / block_tokens] * block_tokens + position % block_tokens;
        }
        if (rows == 1) {
            words[at.decodes + decodes++] = s;
            continue;
        }
        for (int i = 0; i < rows; i += tile_tokens, ++tiles) {
            words[at.tiles + 2 * tiles] = s;
            words[at.tiles + 2 * tiles + 1] = i;
        }
    }
    // Places beyond the batch are sequences of one row without a context: nothing is attended.
    for (int s = 0; s <= shape.sequences; ++s) {
        words[at.starts + s] =
            s <= step.sequences ? step.query_starts[s] : step.rows + s - step.sequences;
    }
    for (; decodes < shape.decodes; ++decodes) words[at.decodes + decodes] = decodes;
    std::copy_n(step.contexts, step.sequences, words + at.contexts);
    auto* choices = reinterpret_cast<ChoiceRow*>(words + at.choices);
    for (int i = 0; i < shape.samples; ++i) {
        if (i >= step.samples) {
            choices[i] = {-1, 0, 0, 1, 0, 0};
            continue;
        }
        const HeddleCudaChoice& choice = step.choices[i];
        words[at.sample_rows + i] = step.sample_rows[i];
        choices[i] = {choice.on_host != 0 ? -1 : choice.slot,
                      choice.top_k,
                      choice.on_host != 0 ? 0 : choice.temperature,
                      choice.top_p,
                      choice.min_p,
                      static_cast<float>(choice.chance)};
    }
    std::copy_n(
        step.tables,
        static_cast<std::size_t>(step.sequences) * static_cast<std::size_t>(step.table_width),
        words + at.tables);
    return at.tables + table_words;
}

std::size_t packed_words_max(const HeddleCudaModel& model, const HeddleCudaLimits& limits) {
    const int tile_tokens = prefill_tile_tokens(model.heads, model.kv_heads);
    StepShape shape;
    shape.rows = limits.rows_max;
    shape.sequences = shape.samples = shape.decodes = limits.sequences_max;
    shape.tiles = tiles_of(limits.rows_max, tile_tokens) + limits.sequences_max;
    const auto width = static_cast<std::size_t>((model.context_max + limits.block_tokens - 1) /
                                                limits.block_tokens);
    return InputPlaces(shape).tables + width * static_cast<std::size_t>(limits.sequences_max);
}

}  // namespace heddle::compute::cuda
