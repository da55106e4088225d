// What is done to the logits, and looking for infinities.
#include "elementary_functions.h"
#include "transformer_kernels.h"

#include <math.h>
#include <string.h>

CLONES void rsae_exp(const float *x, float *out, int64_t n) {
    int64_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        lanes e = LOAD(x + i);
        exp_lanes(&e);
        STORE(out + i, e);
    }
    if (i < n) {
        lanes e = {0};
        memcpy(&e, x + i, (size_t)(n - i) * sizeof(float));
        exp_lanes(&e);
        memcpy(out + i, &e, (size_t)(n - i) * sizeof(float));
    }
}

CLONES int64_t rsae_first_non_finite(const float *x, int64_t n) {
    // Exponent bits all set means infinity or NaN; compared as integers, which no option for the arithmetic undoes.
    for (int64_t block = 0; block < n; block += 4096) {
        const int64_t end = n - block < 4096 ? n : block + 4096;
        uint32_t bad = 0;
        for (int64_t i = block; i < end; i++) {
            uint32_t bits;
            memcpy(&bits, x + i, sizeof bits);
            bad |= (uint32_t)((bits & 0x7f800000u) == 0x7f800000u);
        }
        for (int64_t i = block; bad && i < end; i++) {
            uint32_t bits;
            memcpy(&bits, x + i, sizeof bits);
            if ((bits & 0x7f800000u) == 0x7f800000u) return i;
        }
    }
    return -1;
}

// Floats are added in lanes for this many vectors at most, then in double, so that a large vocabulary costs no digits.
#define RUN 64

// Missing lanes of the last vector are filled with what adds nothing.
INLINE void load_part(const float *x, int64_t n, int64_t i, float missing, lanes *out) {
    if (i + WIDTH <= n) {
        *out = LOAD(x + i);
        return;
    }
    *out = (lanes){0} + missing;
    memcpy(out, x + i, (size_t)(n - i) * sizeof(float));
}

CLONES double rsae_log_sum_exp(const float *x, int64_t n) {
    lanes tops = (lanes){0} + x[0];
    for (int64_t i = 0; i < n; i += WIDTH) {
        lanes next;
        load_part(x, n, i, x[0], &next);
        tops = SELECT(next > tops, next, tops);
    }
    float top = tops[0];
    for (int i = 1; i < WIDTH; i++) top = tops[i] > top ? tops[i] : top;
    double total = 0;
    for (int64_t start = 0; start < n; start += RUN * WIDTH) {
        const int64_t end = start + RUN * WIDTH < n ? start + RUN * WIDTH : n;
        lanes sum = {0};
        for (int64_t i = start; i < end; i += WIDTH) {
            lanes e;
            // exp of the lowest argument, 1e-38, is nothing beside the largest's 1.
            load_part(x, n, i, top - 100, &e);
            e -= top;
            exp_lanes(&e);
            sum += e;
        }
        total += SUM(sum);
    }
    return top + log(total);
}

CLONES double rsae_divergence(const float *a, const float *b, int64_t n, double log_a, double log_b) {
    const float shift = (float)log_a;
    double total = 0;
    for (int64_t start = 0; start < n; start += RUN * WIDTH) {
        const int64_t end = start + RUN * WIDTH < n ? start + RUN * WIDTH : n;
        lanes sum = {0};
        for (int64_t i = start; i < end; i += WIDTH) {
            lanes p, q;
            load_part(a, n, i, 0, &p);
            load_part(b, n, i, 0, &q);
            const lanes difference = p - q;
            p -= shift;
            exp_lanes(&p);
            sum += p * difference;
        }
        total += SUM(sum);
    }
    return total - log_a + log_b;
}
