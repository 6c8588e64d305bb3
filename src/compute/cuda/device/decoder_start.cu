// What happens between the last weight and the first step: matrix kernels are chosen by timing,
// and the decode steps of a ladder of batch sizes are captured as graphs.
#include <algorithm>
#include <chrono>

#include "compute/cuda/device/decoder.h"

namespace heddle::compute::cuda {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

// Batch sizes so near each other that padding costs little: by powers of two to 8, by eighths of
// the size above.
std::vector<int> DeviceDecoder::ladder() const {
    std::vector<int> sizes;
    for (int size = 1; size < limits_.sequences_max;) {
        sizes.push_back(size);
        size += size < 8 ? size : std::max(8, size / 64 * 8);
    }
    sizes.push_back(limits_.sequences_max);
    return sizes;
}

void DeviceDecoder::tune_shape(int rows) {
    const HeddleCudaModel& m = model_;
    std::vector<const bf16*> qkv, output, gate_up, down;
    for (const DeviceLayer& layer : weights_->layers) {
        qkv.push_back(layer.qkv);
        output.push_back(layer.attention_output);
        gate_up.push_back(layer.gate_up);
        down.push_back(layer.down);
    }
    const int query_width = m.heads * m.head_dim;
    const int width = query_width + 2 * m.kv_heads * m.head_dim;
    products_->tune(work_.qkv, work_.normed, qkv, {rows, width, m.hidden}, stream_);
    products_->tune(work_.update, work_.attended, output, {rows, m.hidden, query_width}, stream_);
    products_->tune(work_.both, work_.normed, gate_up, {rows, 2 * m.intermediate, m.hidden},
                    stream_);
    products_->tune(work_.update, work_.inner, down, {rows, m.hidden, m.intermediate}, stream_);
    if (rows > limits_.sequences_max) return;
    const bf16* const table[] = {weights_->output};
    products_->tune(work_.logits, work_.last, table, {rows, m.vocabulary, m.hidden, true}, stream_);
}

// Random activations: products of zeros run faster than those of data.
void DeviceDecoder::tune(const std::vector<int>& batches) {
    const HeddleCudaModel& m = model_;
    const std::int64_t rows = limits_.rows_max;
    fill_normal(work_.normed, rows * m.hidden, 1, 1, stream_);
    fill_normal(work_.attended, rows * m.heads * m.head_dim, 2, 1, stream_);
    fill_normal(work_.inner, rows * m.intermediate, 3, 1, stream_);
    fill_normal(work_.last, static_cast<std::int64_t>(limits_.sequences_max) * m.hidden, 4, 1,
                stream_);
    for (const int batch : batches) {
        if (batch > kSkinnyRowsMax) tune_shape(batch);
    }
    if (limits_.rows_max > limits_.sequences_max) tune_shape(limits_.rows_max);
}

void DeviceDecoder::capture(int batch) {
    const StepShape shape = StepShape::of_decodes(batch);
    const InputPlaces at(shape);
    // An empty batch, run once outside: kernels are loaded before they are captured.
    std::vector<std::int32_t> words(at.tables, 0);
    std::fill_n(words.begin() + static_cast<std::ptrdiff_t>(at.slots), batch, -1);
    auto* choices = reinterpret_cast<ChoiceRow*>(words.data() + at.choices);
    std::fill_n(choices, batch, ChoiceRow{-1, 0, 0, 1, 0, 0});
    check(cudaMemcpyAsync(work_.inputs, words.data(), words.size() * sizeof(std::int32_t),
                          cudaMemcpyHostToDevice, stream_),
          "inputs");
    forward(shape);
    check(cudaStreamSynchronize(stream_), "the first step");
    cudaGraph_t graph = nullptr;
    check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "capture");
    forward(shape);
    check(cudaStreamEndCapture(stream_, &graph), "capture");
    cudaGraphExec_t executable = nullptr;
    const cudaError_t code = cudaGraphInstantiate(&executable, graph, 0);
    cudaGraphDestroy(graph);
    check(code, "capture");
    graphs_.emplace(batch, executable);
}

void DeviceDecoder::begin(HeddleCudaBegin& report) {
    weights_->finish(stream_);
    const std::vector<int> batches = ladder();
    auto start = std::chrono::steady_clock::now();
    if (limits_.tune != 0) tune(batches);
    check(cudaStreamSynchronize(stream_), "starting");
    report.tune_s = seconds_since(start);
    start = std::chrono::steady_clock::now();
    if (limits_.graphs != 0) {
        for (const int batch : batches) capture(batch);
    }
    report.capture_s = seconds_since(start);
    report.graphs = static_cast<std::int32_t>(graphs_.size());
}

}  // namespace heddle::compute::cuda
