/* The few names of NVIDIA's nvbufsurface.h that vision/cuda/nvmm.cpp uses, as documented: enough to compile against. */
#pragma once
#include <cstdint>

typedef struct { void* eglImage; } NvBufSurfaceMappedAddr;
typedef struct { uint64_t bufferDesc; NvBufSurfaceMappedAddr mappedAddr; } NvBufSurfaceParams;
typedef struct { uint32_t batchSize; uint32_t numFilled; NvBufSurfaceParams* surfaceList; } NvBufSurface;

extern "C" int NvBufSurfaceMapEglImage(NvBufSurface* surface, int index);
extern "C" int NvBufSurfaceUnMapEglImage(NvBufSurface* surface, int index);
