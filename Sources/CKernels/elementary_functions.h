// exp and tanh of sixteen floats; not part of the interface.
#ifndef ELEMENTARY_FUNCTIONS_H
#define ELEMENTARY_FUNCTIONS_H

#include "lanes.h"

#define WIDTH 16

// `a` where the mask is set, else `b`.
#define SELECT(where, a, b) ((lanes)(((where) & (mask)(a)) | (~(where) & (mask)(b))))

// exp(x) = 2^n * exp(r) with n = round(x / ln 2) and r = x - n * ln 2, |r| <= 0.347. ln 2 is taken in two parts, the
// first of which has so few bits that n times it is exact; exp(r) is its Taylor polynomial of degree 7, whose first
// omitted term is below 6e-9. (Vectors go in and out through memory: passed by value they would have a calling
// convention that differs between the clones, which the compiler refuses even for functions it inlines.)
INLINE void exp_lanes(lanes *lane) {
    lanes x = *lane;
    const lanes low = (lanes){0} - 87.33f, high = (lanes){0} + 88.37f;
    x = SELECT(x < low, low, x);
    x = SELECT(x > high, high, x);
    // Adding 1.5 * 2^23 leaves the rounded quotient in the lowest bits, whence it is moved to the exponent.
    const lanes shifted = x * 1.44269504f + 12582912.0f;
    const lanes n = shifted - 12582912.0f;
    const lanes r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    lanes p = r * (1.0f / 5040) + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * (r * r) + r;
    const lanes power = (lanes)(((mask)shifted << 23) + 0x3f800000);
    *lane = p * power + power;
}

// tanh: below 0.625 by x + x * z * p(z) with z = x^2 (p fitted for the smallest relative error, 6e-9), from there on by
// 1 - 2 / (exp(2x) + 1), which would cancel near 0.
INLINE void tanh_lanes(lanes *lane) {
    const lanes x = *lane;
    const lanes magnitude = SELECT(x < 0, -x, x);
    const lanes z = x * x;
    lanes p = z * 2.266391418e-3f - 8.320053472e-3f;
    p = p * z + 2.176139553e-2f;
    p = p * z - 5.395830137e-2f;
    p = p * z + 1.333329933e-1f;
    p = p * z - 3.333333314e-1f;
    const lanes small = p * z * x + x;
    lanes e = magnitude + magnitude;
    exp_lanes(&e);
    const lanes large = 1.0f - 2.0f / (e + 1.0f);
    *lane = SELECT(magnitude < 0.625f, small, SELECT(x < 0, -large, large));
}

#endif
