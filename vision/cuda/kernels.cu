// The kernels: each thread does one pixel, box or pair, none waits for another, and all arithmetic is in the headers.
#include "fitting.h"
#include "thinning.h"

#define FARZ_KERNEL extern "C" __global__ void __launch_bounds__(128)

__device__ int own_number() { return blockIdx.x * blockDim.x + threadIdx.x; }

// Once for each size of picture: which pixels every row and column of the fitted picture is made of.
FARZ_KERNEL farz_lay_out(Tap* columns, Tap* rows, int from_width, int from_height, int to_width, int to_height) {
    int number = own_number();
    if (number < to_width) {
        columns[number] = tap_at(number, from_width, to_width, 1);
    } else if (number < to_width + to_height) {
        rows[number - to_width] = tap_at(number - to_width, from_height, to_height, 0);
    }
}

// Where the fitted picture lies in the input, and how both are measured.
struct Place {
    int from_width;
    int width;
    int height;
    int left;
    int top;
    int inside_width;
    int inside_height;
};

__device__ byte level_at(const byte* picture, const Tap* columns, const Tap* rows, Place place, int number, int channel) {
    int x = number % place.width - place.left, y = number / place.width - place.top;
    if (x < 0 || y < 0 || x >= place.inside_width || y >= place.inside_height) return PADDING_GREY;
    Tap row = rows[y];
    size_t stride = (size_t)place.from_width * 3;
    return grey_level(picture + row.first * stride, picture + row.second * stride, columns[x], row, channel);
}

// Bytes as they are, pixel by pixel, blue first: for networks that do the rest themselves.
FARZ_KERNEL farz_fit_u8(const byte* picture, const Tap* columns, const Tap* rows, byte* input, int from_width, int width,
                        int height, int left, int top, int inside_width, int inside_height, float) {
    Place place = {from_width, width, height, left, top, inside_width, inside_height};
    int number = own_number();
    if (number >= width * height) return;
    for (int channel = 0; channel < 3; ++channel) {
        input[3 * number + channel] = level_at(picture, columns, rows, place, number, channel);
    }
}

// Resize, grey beside it, red first, 0..1, plane by plane, in the network's own numbers: all in one pass.
#define FARZ_FIT_PLANES(NAME, NUMBER, MADE)                                                                            \
    FARZ_KERNEL NAME(const byte* picture, const Tap* columns, const Tap* rows, NUMBER* input, int from_width, int width, \
                     int height, int left, int top, int inside_width, int inside_height, float scale) {                \
        Place place = {from_width, width, height, left, top, inside_width, inside_height};                             \
        int number = own_number();                                                                                     \
        if (number >= width * height) return;                                                                          \
        for (int plane = 0; plane < 3; ++plane) {                                                                      \
            float value = normalised(level_at(picture, columns, rows, place, number, 2 - plane));                      \
            input[(size_t)plane * width * height + number] = MADE;                                                     \
        }                                                                                                              \
        (void)scale;                                                                                                   \
    }

FARZ_FIT_PLANES(farz_fit_f32, float, value)
FARZ_FIT_PLANES(farz_fit_f16, half_number, to_half(value))
FARZ_FIT_PLANES(farz_fit_i8, signed char, quantised(value, scale))

// A picture of a Jetson's own memory, red first and in rows of some pitch, into a slot of the ring.
FARZ_KERNEL farz_rgba_to_bgr(const byte* rgba, byte* bgr, int width, int height, int pitch) {
    int number = own_number();
    if (number >= width * height) return;
    const byte* pixel = rgba + (size_t)(number / width) * pitch + 4 * (number % width);
    for (int channel = 0; channel < 3; ++channel) bgr[3 * number + channel] = pixel[2 - channel];
}

// Anchors whose best score is above the threshold, in any order; their number first.
FARZ_KERNEL farz_select(const float* output, int anchor_count, int class_count, float threshold, int* count,
                        float* scores, int* anchors) {
    int anchor = own_number();
    if (anchor >= anchor_count) return;
    float best = best_score(output, anchor_count, class_count, anchor);
    if (!(best > threshold)) return;
    int place = atomicAdd(count, 1);
    scores[place] = best;
    anchors[place] = anchor;
}

// The same for a head that thins its boxes itself: (K, 6) rows of x0, y0, x1, y1, score, class.
FARZ_KERNEL farz_select_rows(const float* rows, int row_count, float threshold, int* count, float* scores, int* anchors) {
    int row = own_number();
    if (row >= row_count || !(rows[6 * row + 4] >= threshold)) return;
    int place = atomicAdd(count, 1);
    scores[place] = rows[6 * row + 4];
    anchors[place] = row;
}

// Each candidate counts who goes before it: an order that does not depend on which thread came first.
FARZ_KERNEL farz_rank(const int* count, const float* scores, const int* anchors, int* order) {
    int number = own_number();
    if (number >= *count) return;
    int place = 0;
    for (int other = 0; other < *count; ++other) {
        place += goes_before(scores[other], anchors[other], scores[number], anchors[number]);
    }
    order[place] = anchors[number];
}

// For each candidate, in order, 64 bits at a time: which of those behind it overlap it too much.
FARZ_KERNEL farz_overlap(const int* count, const float* output, int anchor_count, const int* order, float limit,
                         int word_count, word* overlapping) {
    int number = own_number(), row = number / word_count, column = number % word_count;
    if (row >= *count || (column + 1) * WORD_BITS <= row) return;
    Rectangle box = rectangle_at(output, anchor_count, order[row]);
    word bits = 0;
    for (int bit = 0; bit < WORD_BITS; ++bit) {
        int other = column * WORD_BITS + bit;
        if (other <= row || other >= *count) continue;
        float overlap = overlap_ratio(rectangle_at(output, anchor_count, order[other]), box);
        bits |= (word)(overlap > limit) << bit;
    }
    overlapping[(size_t)row * word_count + column] = bits;
}

// One thread goes through the candidates, best first, and keeps those that no kept one overlaps.
FARZ_KERNEL farz_sweep(const int* count, const int* order, int limit, int word_count, const word* overlapping,
                       word* gone, int* kept_count, int* kept) {
    if (own_number() != 0) return;
    int found = 0;
    for (int column = 0; column < word_count; ++column) gone[column] = 0;
    for (int row = 0; row < *count && found < limit; ++row) {
        int first = row / WORD_BITS;
        if (gone[first] >> (row % WORD_BITS) & 1) continue;
        kept[found++] = order[row];
        for (int column = first; column < word_count; ++column) {
            gone[column] |= overlapping[(size_t)row * word_count + column];
        }
    }
    *kept_count = found;
}

// Boxes (x0, y0, x1, y1) and class scores of what was kept, into memory that the host reads in place.
FARZ_KERNEL farz_gather(const int* kept_count, const int* kept, const float* output, int anchor_count, int class_count,
                        float* boxes, float* class_probs) {
    int number = own_number();
    if (number >= *kept_count) return;
    Rectangle box = rectangle_at(output, anchor_count, kept[number]);
    boxes[4 * number] = box.left;
    boxes[4 * number + 1] = box.top;
    boxes[4 * number + 2] = box.left + box.width;
    boxes[4 * number + 3] = box.top + box.height;
    for (int one = 0; one < class_count; ++one) {
        class_probs[number * class_count + one] = output[(4 + one) * anchor_count + kept[number]];
    }
}

FARZ_KERNEL farz_gather_rows(const int* count, const int* order, const float* rows, int limit, int class_count,
                             int* kept_count, float* boxes, float* class_probs) {
    int number = own_number(), found = *count < limit ? *count : limit;
    if (number == 0) *kept_count = found;
    if (number >= found) return;
    const float* row = rows + 6 * order[number];
    for (int side = 0; side < 4; ++side) boxes[4 * number + side] = row[side];
    for (int one = 0; one < class_count; ++one) {
        class_probs[number * class_count + one] = one == (int)row[5] ? row[4] : 0.0f;
    }
}

FARZ_KERNEL farz_clear(int* count) {
    if (own_number() == 0) *count = 0;
}
