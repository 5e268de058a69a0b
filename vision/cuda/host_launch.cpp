// The kernels on the host: built by g++, each launched by a function of its own that goes through blocks and threads in turn.
#include "kernels.cu"

template <typename... Arguments>
static void launched(int block_count, int thread_count, void (*kernel)(Arguments...), Arguments... arguments) {
    blockDim.x = thread_count;
    for (blockIdx.x = 0; blockIdx.x < block_count; ++blockIdx.x) {
        for (threadIdx.x = 0; threadIdx.x < thread_count; ++threadIdx.x) kernel(arguments...);
    }
}

#define FARZ_FIT_ARGUMENTS(NUMBER)                                                                                       \
    const byte *picture, const Tap *columns, const Tap *rows, NUMBER *input, int from_width, int width, int height,      \
        int left, int top, int inside_width, int inside_height, float scale
#define FARZ_HOST_FIT(NAME, NUMBER)                                                                                      \
    extern "C" void host_##NAME(int blocks, int threads, FARZ_FIT_ARGUMENTS(NUMBER)) {                                   \
        launched(blocks, threads, NAME, picture, columns, rows, input, from_width, width, height, left, top,             \
                 inside_width, inside_height, scale);                                                                    \
    }

FARZ_HOST_FIT(farz_fit_u8, byte)
FARZ_HOST_FIT(farz_fit_f32, float)
FARZ_HOST_FIT(farz_fit_f16, half_number)
FARZ_HOST_FIT(farz_fit_i8, signed char)

extern "C" void host_farz_lay_out(int blocks, int threads, Tap* columns, Tap* rows, int from_width, int from_height,
                                  int to_width, int to_height) {
    launched(blocks, threads, farz_lay_out, columns, rows, from_width, from_height, to_width, to_height);
}
extern "C" void host_farz_clear(int blocks, int threads, int* count) { launched(blocks, threads, farz_clear, count); }
extern "C" void host_farz_select(int blocks, int threads, const float* output, int anchor_count, int class_count,
                                 float threshold, int* count, float* scores, int* anchors) {
    launched(blocks, threads, farz_select, output, anchor_count, class_count, threshold, count, scores, anchors);
}
extern "C" void host_farz_select_rows(int blocks, int threads, const float* rows, int row_count, float threshold,
                                      int* count, float* scores, int* anchors) {
    launched(blocks, threads, farz_select_rows, rows, row_count, threshold, count, scores, anchors);
}
extern "C" void host_farz_rank(int blocks, int threads, const int* count, const float* scores, const int* anchors,
                               int* order) {
    launched(blocks, threads, farz_rank, count, scores, anchors, order);
}
extern "C" void host_farz_overlap(int blocks, int threads, const int* count, const float* output, int anchor_count,
                                  const int* order, float limit, int word_count, word* overlapping) {
    launched(blocks, threads, farz_overlap, count, output, anchor_count, order, limit, word_count, overlapping);
}
extern "C" void host_farz_sweep(int blocks, int threads, const int* count, const int* order, int limit, int word_count,
                                const word* overlapping, word* gone, int* kept_count, int* kept) {
    launched(blocks, threads, farz_sweep, count, order, limit, word_count, overlapping, gone, kept_count, kept);
}
extern "C" void host_farz_gather(int blocks, int threads, const int* kept_count, const int* kept, const float* output,
                                 int anchor_count, int class_count, float* boxes, float* class_probs) {
    launched(blocks, threads, farz_gather, kept_count, kept, output, anchor_count, class_count, boxes, class_probs);
}
extern "C" void host_farz_gather_rows(int blocks, int threads, const int* count, const int* order, const float* rows,
                                      int limit, int class_count, int* kept_count, float* boxes, float* class_probs) {
    launched(blocks, threads, farz_gather_rows, count, order, rows, limit, class_count, kept_count, boxes, class_probs);
}
extern "C" void host_farz_rgba_to_bgr(int blocks, int threads, const byte* rgba, byte* bgr, int width, int height,
                                      int pitch) {
    launched(blocks, threads, farz_rgba_to_bgr, rgba, bgr, width, height, pitch);
}
