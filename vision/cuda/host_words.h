// CUDA's words for a host compiler: a launch is two loops, and a thread's place is two variables.
#pragma once
#include <cmath>
#include <cstddef>

#define __global__
#define __device__ static inline
#define __launch_bounds__(threads)

struct Index {
    int x;
};
static thread_local Index blockIdx, blockDim, threadIdx;

static inline int atomicAdd(int* place, int value) {
    int before = *place;
    *place += value;
    return before;
}
