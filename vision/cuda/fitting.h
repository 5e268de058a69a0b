// A picture fitted into a network's input: OpenCV's own fixed-point bilinear resize of 8-bit pictures (11 bits a weight),
// so that a network sees the same bytes whoever resizes. Every function works on one pixel.
#pragma once
#include "arithmetic.h"

static const int WEIGHT_ONE = 2048;
static const byte PADDING_GREY = 114;

// Two neighbours along one axis and how much of each is taken, in 2048ths.
struct Tap {
    int first;
    int second;
    int first_weight;
    int second_weight;
};

// Half to even, as OpenCV rounds.
FARZ_BOTH int rounded(float value) {
    float low = floorf(value), rest = value - low;
    int whole = (int)low;
    return rest > 0.5f || (rest == 0.5f && (whole & 1)) ? whole + 1 : whole;
}

// Across, OpenCV moves both neighbours into the picture; along, it repeats the outer row.
FARZ_BOTH Tap tap_at(int place, int from_size, int to_size, int is_across) {
    double scale = 1.0 / ((double)to_size / (double)from_size);
    float centre = (float)((place + 0.5) * scale - 0.5);
    int first = (int)floorf(centre);
    float rest = centre - (float)first;
    if (is_across && first < 0) { first = 0; rest = 0.0f; }
    if (is_across && first >= from_size - 1) { first = from_size - 1; rest = 0.0f; }
    Tap tap;
    tap.first = clipped(first, 0, from_size - 1);
    tap.second = clipped(first + 1, 0, from_size - 1);
    tap.first_weight = rounded((1.0f - rest) * (float)WEIGHT_ONE);
    tap.second_weight = rounded(rest * (float)WEIGHT_ONE);
    return tap;
}

FARZ_BOTH int mixed_across(const byte* row, Tap tap, int channel) {
    return row[3 * tap.first + channel] * tap.first_weight + row[3 * tap.second + channel] * tap.second_weight;
}

// Grey level 0..255 of one channel (blue, green, red) between four pixels.
FARZ_BOTH byte grey_level(const byte* first_row, const byte* second_row, Tap column, Tap row, int channel) {
    int upper = mixed_across(first_row, column, channel), lower = mixed_across(second_row, column, channel);
    int sum = ((row.first_weight * (upper >> 4)) >> 16) + ((row.second_weight * (lower >> 4)) >> 16);
    return (byte)clipped((sum + 2) >> 2, 0, 255);
}

// 0..1 as the network learned it.
FARZ_BOTH float normalised(byte level) { return (float)level * (1.0f / 255.0f); }

// 8 bits around zero, scale as in the network's first Q node.
FARZ_BOTH signed char quantised(float value, float scale) {
    return (signed char)clipped(rounded(value / scale), -128, 127);
}
