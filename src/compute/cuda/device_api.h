// The interface between the program and the CUDA module (libheddle_cuda.so): plain C, one table
// of functions, so that the module is built by another compiler and loaded only where it is.
//
// A decoder lives on one GPU: weights, keys and values, and what its steps need. The order of
// calls is open, put_rows and put_vector for everything of the model, begin, then pairs of submit
// and wait; close at any time. put_* may come from several threads at once; every other call
// from one thread at a time.
//
// Functions return 0, or a HeddleCudaStatus with a message in `error`. After kHeddleCudaBroken the
// device context is lost: the only call left is close.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { kHeddleCudaApiVersion = 1 };

typedef struct HeddleCudaDecoder HeddleCudaDecoder;

enum HeddleCudaStatus {
    kHeddleCudaOk = 0,
    kHeddleCudaInvalid = 1,      // the caller's arguments; nothing happened
    kHeddleCudaUnavailable = 2,  // no device, no library, or not enough memory
    kHeddleCudaBroken = 3,       // the device failed
};

typedef struct {
    char message[512];
} HeddleCudaError;

typedef struct {
    int32_t layers, hidden, intermediate, heads, kv_heads, head_dim, rotary_dim, vocabulary;
    int32_t tokens;          // that may be chosen; rows of logits may be padded beyond
    int32_t context_max;     // longest sequence that will come
    int32_t activation;      // compute::Activation of the gated MLP
    int32_t rope_pairs;      // elements 2i and 2i+1 turn together, else i and i + rotary_dim/2
    int32_t head_norms;      // queries and keys are normed head by head
    int32_t sandwich_norms;  // attention and MLP are normed before they are added
    int32_t tied_output;     // the embeddings are the output matrix too
    float norm_epsilon, embedding_scale, attention_scale;
    float attention_softcap, logit_softcap;  // 0: none
    const int32_t* windows;                  // [layers]; 0: all tokens
} HeddleCudaModel;

typedef struct {
    int32_t device;
    int32_t rows_max, sequences_max;  // of one step
    int32_t block_tokens;             // a power of two, 16 to 256
    int64_t block_count;              // 0: as many as fit
    double memory_fraction;           // of the device's memory, for everything of this decoder
    int32_t graphs;                   // 0: launch every kernel by itself
    int32_t tune;                     // 0: take the library's first matrix kernel unmeasured
} HeddleCudaLimits;

enum HeddleCudaMatrix {
    kHeddleCudaEmbeddings,  // [vocabulary, hidden]
    kHeddleCudaQkv,         // [(heads + 2 kv_heads) head_dim, hidden]: queries, keys, values
    kHeddleCudaAttentionOutput,
    kHeddleCudaGate,
    kHeddleCudaUp,
    kHeddleCudaDown,
    kHeddleCudaOutput,  // [vocabulary, hidden]
};

enum HeddleCudaVector {
    kHeddleCudaAttentionNorm,
    kHeddleCudaAttentionPostNorm,
    kHeddleCudaMlpNorm,
    kHeddleCudaMlpPostNorm,
    kHeddleCudaFinalNorm,
    kHeddleCudaQueryNorm,
    kHeddleCudaKeyNorm,
    kHeddleCudaQkvBias,           // optional
    kHeddleCudaFrequencies,       // [rotary_dim / 2], radians a position
    kHeddleCudaLocalFrequencies,  // of layers with a window; optional
    kHeddleCudaAttentionFactor,   // [1], multiplies cosine and sine; optional, else 1
};

// What open() took and found.
typedef struct {
    char device_name[128];
    uint64_t device_bytes, free_bytes;  // before anything was taken
    uint64_t weight_bytes, work_bytes, kv_bytes;
    int64_t block_count;
} HeddleCudaMemory;

// What begin() did, seconds.
typedef struct {
    double tune_s, capture_s;
    int32_t graphs;
} HeddleCudaBegin;

// How the token of one sampled row is chosen; engine/sampling_params.h has the meanings.
typedef struct {
    int32_t slot;       // keeps the chosen token for later steps; 0 … 2 sequences_max - 1
    int32_t on_host;    // no choice is made; the row's logits come back
    float temperature;  // 0: the likeliest token
    int32_t top_k;
    float top_p, min_p;
    double chance;  // in [0, 1)
} HeddleCudaChoice;

// One step, on the host; the arrays are read before submit() returns.
typedef struct {
    int32_t rows, sequences, samples, table_width;
    const int32_t* tokens;            // [rows]; -1 - slot: the token that this slot keeps
    const int32_t* query_starts;      // [sequences + 1], the first row of each
    const int32_t* contexts;          // [sequences], tokens with those of this step
    const int32_t* tables;            // [sequences, table_width], block ids
    const int32_t* sample_rows;       // [samples], ascending
    const HeddleCudaChoice* choices;  // [samples]
} HeddleCudaStep;

typedef struct {
    int32_t samples;
    const int32_t* tokens;  // [samples]; -1: no logit was finite. Good until the next submit
    const float* logits;    // [rows with on_host, vocabulary], in their order
    double device_ms;       // from the first kernel to the last, 0 where not measured
} HeddleCudaStepResult;

typedef struct {
    uint32_t version;
    int (*open)(const HeddleCudaModel*, const HeddleCudaLimits*, HeddleCudaDecoder**,
                HeddleCudaMemory*, HeddleCudaError*);
    // Rows [first, first + count) of a matrix in bf16, contiguous.
    int (*put_rows)(HeddleCudaDecoder*, enum HeddleCudaMatrix, int32_t layer, int32_t first,
                    int32_t count, const uint16_t* rows, HeddleCudaError*);
    int (*put_vector)(HeddleCudaDecoder*, enum HeddleCudaVector, int32_t layer, int32_t count,
                      const float* values, HeddleCudaError*);
    // Random weights in place of put_*, for benchmarks: normal, deviation 0.02, norms 1.
    int (*fill_random)(HeddleCudaDecoder*, uint64_t seed, HeddleCudaError*);
    int (*begin)(HeddleCudaDecoder*, HeddleCudaBegin*, HeddleCudaError*);
    // At most two steps are in flight. Does not wait for the device.
    int (*submit)(HeddleCudaDecoder*, const HeddleCudaStep*, HeddleCudaError*);
    // Waits for the oldest step in flight.
    int (*wait)(HeddleCudaDecoder*, HeddleCudaStepResult*, HeddleCudaError*);
    void (*close)(HeddleCudaDecoder*);
} HeddleCudaApi;

// The module's only symbol.
const HeddleCudaApi* heddle_cuda_api(void);

#ifdef __cplusplus
}
#endif
