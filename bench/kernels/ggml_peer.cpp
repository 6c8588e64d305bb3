// The same linears as main.cpp in ggml, llama.cpp's library, measured the same way (one thread, its
// processor time, weights that no cache holds, repacked where ggml repacks them). Built by hand
// against llama.cpp's own build; bench/results/kernels.md says how.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml-cpu.h"
#include "ggml.h"

namespace {

constexpr int kRows = 5632;
constexpr int kCols = 2048;

double work_time() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

ggml_context* descriptors(size_t tensors) {
    return ggml_init({ggml_tensor_overhead() * tensors + ggml_graph_overhead_custom(tensors, false),
                      nullptr, true});
}

// The buffer types into which ggml repacks weights.
std::vector<ggml_backend_buffer_type_t> repacking_types(ggml_backend_dev_t device) {
    const auto get =
        reinterpret_cast<ggml_backend_dev_get_extra_bufts_t>(ggml_backend_reg_get_proc_address(
            ggml_backend_dev_backend_reg(device), "ggml_backend_dev_get_extra_bufts"));
    std::vector<ggml_backend_buffer_type_t> types;
    if (get == nullptr) return types;
    for (ggml_backend_buffer_type_t* type = get(device); type != nullptr && *type != nullptr;
         ++type) {
        types.push_back(*type);
    }
    return types;
}

ggml_backend_buffer_type_t best_type(ggml_backend_dev_t device, ggml_type type) {
    for (ggml_backend_buffer_type_t candidate : repacking_types(device)) {
        ggml_context* context = descriptors(4);
        ggml_tensor* w = ggml_new_tensor_2d(context, type, kCols, kRows);
        ggml_tensor* x = ggml_new_tensor_2d(context, GGML_TYPE_F32, kCols, 512);
        ggml_tensor* y = ggml_mul_mat(context, w, x);
        w->buffer = ggml_backend_buft_alloc_buffer(candidate, 0);
        const bool fits = ggml_backend_dev_supports_op(device, y);
        ggml_backend_buffer_free(w->buffer);
        ggml_free(context);
        if (fits) return candidate;
    }
    return ggml_backend_cpu_buffer_type();
}

void measure(ggml_backend_t backend, const std::vector<ggml_tensor*>& weights, int m,
             size_t weight_bytes) {
    const int repeats = m <= 4 ? static_cast<int>(weights.size()) : 1;
    ggml_context* context = descriptors(weights.size() * 2 + 8);
    ggml_tensor* x = ggml_new_tensor_2d(context, GGML_TYPE_F32, kCols, m);
    ggml_cgraph* graph = ggml_new_graph_custom(context, weights.size() * 2 + 8, false);
    for (int i = 0; i < repeats; ++i) {
        ggml_build_forward_expand(graph, ggml_mul_mat(context, weights[static_cast<size_t>(i)], x));
    }
    ggml_backend_buffer_t buffer = ggml_backend_alloc_ctx_tensors(context, backend);
    const std::vector<float> values(static_cast<size_t>(m) * kCols, 0.5F);
    ggml_backend_tensor_set(x, values.data(), 0, values.size() * sizeof(float));
    ggml_backend_graph_compute(backend, graph);
    std::vector<double> seconds;
    double total = 0.0;
    while (seconds.size() < 5 || (total < 0.5 && seconds.size() < 200)) {
        const double start = work_time();
        ggml_backend_graph_compute(backend, graph);
        const double spent = work_time() - start;
        total += spent;
        seconds.push_back(spent / repeats);
    }
    const double best = *std::min_element(seconds.begin(), seconds.end());
    std::printf("%-6s %4d %9.3f ms %9.2f GB/s %9.1f Gop/s\n", ggml_type_name(weights[0]->type), m,
                1e3 * best, static_cast<double>(weight_bytes) / best / 1e9,
                2.0 * m * kCols * kRows / best / 1e9);
    std::fflush(stdout);
    ggml_backend_buffer_free(buffer);
    ggml_free(context);
}

void measure_type(ggml_backend_t backend, ggml_type type) {
    const size_t bytes = ggml_row_size(type, kCols) * kRows;
    const size_t copies = 1 + (size_t{128} << 20) / bytes;
    std::vector<float> values(static_cast<size_t>(kRows) * kCols);
    for (float& value : values) value = static_cast<float>(std::rand() % 2000 - 1000) / 20000.0F;
    std::vector<char> stored(bytes);
    ggml_quantize_chunk(type, values.data(), stored.data(), 0, kRows, kCols, nullptr);

    ggml_context* context = descriptors(copies + 1);
    std::vector<ggml_tensor*> weights;
    for (size_t i = 0; i < copies; ++i) {
        weights.push_back(ggml_new_tensor_2d(context, type, kCols, kRows));
    }
    ggml_backend_buffer_t buffer = ggml_backend_alloc_ctx_tensors_from_buft(
        context, best_type(ggml_backend_get_device(backend), type));
    for (ggml_tensor* weight : weights) {
        ggml_backend_tensor_set(weight, stored.data(), 0, bytes);
    }
    for (const int m : {1, 4, 16, 64, 512}) measure(backend, weights, m, bytes);
    ggml_backend_buffer_free(buffer);
    ggml_free(context);
}

}  // namespace

int main(int argc, char** argv) {
    ggml_backend_t backend = ggml_backend_cpu_init();
    ggml_backend_cpu_set_n_threads(backend, 1);
    for (const ggml_type type : {GGML_TYPE_F32, GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_Q8_0,
                                 GGML_TYPE_Q4_0, GGML_TYPE_Q4_K, GGML_TYPE_Q5_K, GGML_TYPE_Q6_K}) {
        if (argc > 1 && std::strcmp(argv[1], ggml_type_name(type)) != 0) continue;
        measure_type(backend, type);
    }
}
