// The module's C interface: exceptions end here.
#include <cstdio>
#include <exception>
#include <memory>

#include "compute/cuda/device/decoder.h"
#include "compute/cuda/device_api.h"

struct HeddleCudaDecoder {
    heddle::compute::cuda::DeviceDecoder decoder;
};

namespace heddle::compute::cuda {
namespace {

// Runs `work`, on the decoder's device, and turns what it throws into a status and a message.
template <class Work>
int guarded(HeddleCudaError* error, Work&& work) {
    const auto report = [error](int status, const char* message) {
        if (error != nullptr) {
            std::snprintf(error->message, sizeof(error->message), "%s", message);
        }
        return status;
    };
    try {
        work();
        return kHeddleCudaOk;
    } catch (const DeviceFailure& failure) {
        return report(failure.status(), failure.what());
    } catch (const std::exception& failure) {
        return report(kHeddleCudaUnavailable, failure.what());
    }
}

void use_device_of(const HeddleCudaDecoder* decoder) {
    check(cudaSetDevice(decoder->decoder.device()), "device");
}

int open_decoder(const HeddleCudaModel* model, const HeddleCudaLimits* limits,
                 HeddleCudaDecoder** out, HeddleCudaMemory* memory, HeddleCudaError* error) {
    return guarded(error, [&] { *out = new HeddleCudaDecoder{{*model, *limits, *memory}}; });
}

int put_rows(HeddleCudaDecoder* decoder, HeddleCudaMatrix matrix, int32_t layer, int32_t first,
             int32_t count, const uint16_t* rows, HeddleCudaError* error) {
    return guarded(error, [&] {
        use_device_of(decoder);
        decoder->decoder.weights().put_rows(matrix, layer, first, count, rows);
    });
}

int put_vector(HeddleCudaDecoder* decoder, HeddleCudaVector vector, int32_t layer, int32_t count,
               const float* values, HeddleCudaError* error) {
    return guarded(error, [&] {
        use_device_of(decoder);
        decoder->decoder.weights().put_vector(vector, layer, count, values);
    });
}

int fill_random(HeddleCudaDecoder* decoder, uint64_t seed, HeddleCudaError* error) {
    return guarded(error, [&] {
        use_device_of(decoder);
        decoder->decoder.weights().fill_random(seed, decoder->decoder.stream());
    });
}

int begin_decoder(HeddleCudaDecoder* decoder, HeddleCudaBegin* report, HeddleCudaError* error) {
    return guarded(error, [&] {
        use_device_of(decoder);
        decoder->decoder.begin(*report);
    });
}

int submit(HeddleCudaDecoder* decoder, const HeddleCudaStep* step, HeddleCudaError* error) {
    return guarded(error, [&] {
        use_device_of(decoder);
        decoder->decoder.submit(*step);
    });
}

int wait_for(HeddleCudaDecoder* decoder, HeddleCudaStepResult* result, HeddleCudaError* error) {
    return guarded(error, [&] {
        use_device_of(decoder);
        decoder->decoder.wait(*result);
    });
}

void close_decoder(HeddleCudaDecoder* decoder) {
    delete decoder;
}

constexpr HeddleCudaApi kApi = {kHeddleCudaApiVersion, open_decoder,  put_rows, put_vector,
                                fill_random,           begin_decoder, submit,   wait_for,
                                close_decoder};

}  // namespace
}  // namespace heddle::compute::cuda

extern "C" __attribute__((visibility("default"))) const HeddleCudaApi* heddle_cuda_api(void) {
    return &heddle::compute::cuda::kApi;
}
