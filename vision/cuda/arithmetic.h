// What both compilers must be told: which functions run on the host as well, so that what is tested here is what runs there.
// No contraction into fused multiply-adds anywhere (nvcc -fmad=false, g++ -ffp-contract=off): results are the same bits.
#pragma once

#ifdef __CUDACC__
#include <cuda_fp16.h>
#define FARZ_BOTH __host__ __device__ __forceinline__
typedef __half half_number;
FARZ_BOTH half_number to_half(float value) { return __float2half_rn(value); }
#else
#include "host_words.h"
#define FARZ_BOTH static inline
typedef _Float16 half_number;
FARZ_BOTH half_number to_half(float value) { return (half_number)value; }
#endif

typedef unsigned char byte;
typedef unsigned long long word;

FARZ_BOTH int clipped(int value, int low, int high) { return value < low ? low : value > high ? high : value; }
