#include "compute/tensor.h"

#include <cstdlib>
#include <new>

namespace heddle::compute {

Buffer allocate_host(std::size_t bytes) {
    // aligned_alloc wants whole multiples of the alignment; one more unit keeps reads of a full
    // vector at the end inside the buffer.
    std::size_t padded = 0;
    if (__builtin_add_overflow(bytes, 2 * kAlignment, &padded)) throw std::bad_alloc();
    padded -= padded % kAlignment;
    void* data = std::aligned_alloc(kAlignment, padded);
    if (data == nullptr) throw std::bad_alloc();
    return Buffer(data, bytes, &std::free);
}

}  // namespace heddle::compute
