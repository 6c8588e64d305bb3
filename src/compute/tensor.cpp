#include "compute/tensor.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace heddle::compute {

namespace {
constexpr std::size_t kHugePage = std::size_t{1} << 21;
}  // namespace

Buffer allocate_host(std::size_t bytes) {
    // One unit more than asked keeps reads of a full vector at the end inside the buffer.
    const std::size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
    std::size_t padded = 0;
    if (__builtin_add_overflow(bytes, 2 * kAlignment, &padded)) throw std::bad_alloc();
    padded -= padded % kAlignment;
    void* data = nullptr;
    if (posix_memalign(&data, alignment, padded) != 0) throw std::bad_alloc();
    // Weights are read from end to end: fewer pages are fewer faults and fewer walks. The part
    // behind the last whole huge page keeps small ones, so that nothing is wasted; a kernel without
    // huge pages refuses, which costs nothing but speed.
    if (alignment == kHugePage) (void)madvise(data, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
    return Buffer(data, bytes, &std::free);
}

}  // namespace heddle::compute
