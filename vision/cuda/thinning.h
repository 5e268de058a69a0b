// From a network's raw output to the few boxes that are kept: the arithmetic of vision/detectors/heads.py and of OpenCV's
// NMSBoxes, which reckons overlaps in 64-bit floats. Output: (4 + C, A) floats, centre x, centre y, width, height, scores.
#pragma once
#include "arithmetic.h"

static const int WORD_BITS = 64;

// Left, top, width, height as 32-bit floats hold them.
struct Rectangle {
    float left;
    float top;
    float width;
    float height;
};

FARZ_BOTH Rectangle rectangle_at(const float* output, int anchor_count, int anchor) {
    Rectangle box;
    box.width = output[2 * anchor_count + anchor];
    box.height = output[3 * anchor_count + anchor];
    box.left = output[anchor] - box.width / 2.0f;
    box.top = output[anchor_count + anchor] - box.height / 2.0f;
    return box;
}

FARZ_BOTH float best_score(const float* output, int anchor_count, int class_count, int anchor) {
    float best = output[4 * anchor_count + anchor];
    for (int one = 1; one < class_count; ++one) {
        float score = output[(4 + one) * anchor_count + anchor];
        best = score > best ? score : best;
    }
    return best;
}

FARZ_BOTH double overlap_along(double low, double size, double other_low, double other_size) {
    double near = low < other_low ? low : other_low, far = low < other_low ? other_low : low;
    double near_size = low < other_low ? size : other_size, far_size = low < other_low ? other_size : size;
    double shared = near_size - (far - near);
    return shared < far_size ? shared : far_size;
}

// Intersection over union.
FARZ_BOTH float overlap_ratio(Rectangle one, Rectangle other) {
    double area = (double)one.width * (double)one.height, other_area = (double)other.width * (double)other.height;
    if (area + other_area <= 2.2204460492503131e-16) return 1.0f;
    double width = overlap_along(one.left, one.width, other.left, other.width);
    double height = overlap_along(one.top, one.height, other.top, other.height);
    int is_empty = one.width <= 0 || one.height <= 0 || other.width <= 0 || other.height <= 0 || width <= 0 || height <= 0;
    double shared = is_empty ? 0.0 : width * height;
    return 1.0f - (float)(1.0 - shared / (area + other_area - shared));
}

// Whether the candidate at one place goes before the one at another: by score, ties in the order of the output.
FARZ_BOTH int goes_before(float score, int anchor, float other_score, int other_anchor) {
    return score > other_score || (score == other_score && anchor < other_anchor);
}
