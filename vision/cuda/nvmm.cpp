// A Jetson's own picture memory (NVMM) as the GPU sees it: a buffer's EGLImage is registered with CUDA once and kept.
// Built on the device against its own headers, see vision/cuda/nvmm.py; not yet run on one.
#include <cuda.h>
#include <cudaEGL.h>
#include <nvbufsurface.h>

struct Mapped {
    CUgraphicsResource resource;
    NvBufSurface surface;
};

// Maps the first picture of a surface. Returns 0, or the number of the step that failed.
extern "C" int farz_nvmm_map(const void* surface_bytes, Mapped** mapped, unsigned long long* pointer, int* pitch) {
    Mapped* made = new Mapped();
    made->surface = *static_cast<const NvBufSurface*>(surface_bytes);
    if (NvBufSurfaceMapEglImage(&made->surface, 0) != 0) { delete made; return 1; }
    EGLImageKHR image = made->surface.surfaceList[0].mappedAddr.eglImage;
    if (cuGraphicsEGLRegisterImage(&made->resource, image, CU_GRAPHICS_MAP_RESOURCE_FLAGS_READ_ONLY) != CUDA_SUCCESS) {
        NvBufSurfaceUnMapEglImage(&made->surface, 0);
        delete made;
        return 2;
    }
    CUeglFrame frame;
    if (cuGraphicsResourceGetMappedEglFrame(&frame, made->resource, 0, 0) != CUDA_SUCCESS) return 3;
    if (frame.frameType != CU_EGL_FRAME_TYPE_PITCH) return 4;
    *mapped = made;
    *pointer = reinterpret_cast<unsigned long long>(frame.frame.pPitch[0]);
    *pitch = static_cast<int>(frame.pitch);
    return 0;
}

extern "C" void farz_nvmm_unmap(Mapped* mapped) {
    cuGraphicsUnregisterResource(mapped->resource);
    NvBufSurfaceUnMapEglImage(&mapped->surface, 0);
    delete mapped;
}

// Which buffer this is: pools hand the same few out again and again.
extern "C" long long farz_nvmm_buffer_id(const void* surface_bytes) {
    return static_cast<const NvBufSurface*>(surface_bytes)->surfaceList[0].bufferDesc;
}
