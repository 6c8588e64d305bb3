// The activations of gated MLPs, in the numbering of compute::Activation.
#pragma once

namespace heddle::compute::cuda {

__device__ inline float activate(float x, int kind) {
    switch (kind) {
        case 0:
            return 0.5F * x * (1.0F + erff(x * 0.70710678F));
        case 1:
            return 0.5F * x * (1.0F + tanhf(0.79788456F * (x + 0.044715F * x * x * x)));
        case 3:
            return fmaxf(x, 0.0F);
        case 4:
            return tanhf(x);
        case 5:
            return 1.0F / (1.0F + __expf(-x));
        default:
            return x / (1.0F + __expf(-x));
    }
}

}  // namespace heddle::compute::cuda
