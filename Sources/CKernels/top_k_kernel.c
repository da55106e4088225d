#include "autoencoder_kernels.h"
#include "lanes.h"
#include "positions.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

// The value at place `n` (0 = largest) of `v`, which is reordered (Hoare's selection, middle pivot).
INLINE float select_largest(float *v, int64_t count, int64_t n) {
    int64_t low = 0, high = count - 1;
    while (low < high) {
        const float a = v[low], b = v[low + (high - low) / 2], c = v[high];
        const float pivot = a > b ? (b > c ? b : (a > c ? c : a)) : (a > c ? a : (b > c ? c : b));
        int64_t i = low, j = high;
        while (i <= j) {
            while (v[i] > pivot) i++;
            while (v[j] < pivot) j--;
            if (i <= j) {
                const float t = v[i];
                v[i++] = v[j];
                v[j--] = t;
            }
        }
        if (n <= j) high = j;
        else if (n >= i) low = i;
        else return v[n];
    }
    return v[n];
}

// Writes one maximum of value + bias for every group of up to 16 elements: lane-wise over 16 vectors, so that no vector
// is ever reduced across its lanes. Returns the number of maxima.
INLINE int64_t group_maxima(const float *values, const float *bias, int64_t m, float *maxima) {
    int64_t groups = 0, start = 0;
    for (; start + 16 <= m; start += 256) {
        const int64_t end = start + 256 <= m ? start + 256 : m / 16 * 16;
        lanes best = LOAD(values + start) + LOAD(bias + start);
        for (int64_t i = start; i < end; i += 16)
            best = __builtin_elementwise_max(best, LOAD(values + i) + LOAD(bias + i));
        STORE(maxima + groups, best);
        groups += 16;
    }
    for (int64_t i = m / 16 * 16; i < m; i++) maxima[groups++] = values[i] + bias[i];
    return groups;
}

// Writes down all elements whose value + bias is at least `bound`, and where they are. Returns how many there are, or -1
// if a sum is NaN.
INLINE int64_t candidates_above(const float *values, const float *bias, int64_t m, float bound, float *candidate,
                                int32_t *position) {
    const int64_t count = positions(values, bias, &bound, 0, 0, m, position);
    int nan = 0;
    for (int64_t c = 0; c < count; c++) {
        const float v = values[position[c]] + bias[position[c]];
        nan |= v != v;
        candidate[c] = v;
    }
    return nan ? -1 : count;
}

// How many of `count` keys, padded to a multiple of 16 with INT32_MIN, are at least `least`.
INLINE int64_t count_at_least(const int32_t *key, int64_t count, int32_t least) {
    int64_t hits = 0;
    for (int64_t c = 0; c < count; c += 16) {
        mask v;
        memcpy(&v, key + c, sizeof v);
        hits += __builtin_popcount(BITS(v >= least));
    }
    return hits;
}

// `x` where the mask is set, `otherwise` elsewhere. A macro, since a function would return a vector.
#define ONLY(set, x, otherwise) (((x) & (set)) | (~(set) & (otherwise)))

// The k-th largest of `count` numbers, by halving the range of their bits: no branch depends on a single number. `key`
// has room for count + 16; behind the candidates there are 16 more numbers, any.
INLINE float kth_largest(const float *candidate, int64_t count, int64_t k, int32_t *key) {
    const mask lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    mask least = (mask){0} + INT32_MAX, most = (mask){0} + INT32_MIN;
    for (int64_t c = 0; c < count; c += 16) {
        const lanes v = LOAD(candidate + c) + 0.0f; // -0 becomes 0, which it equals
        mask bits = (mask)v;
        bits ^= (bits >> 31) & INT32_MAX; // ordered as the numbers are
        const mask exists = lane < (int32_t)(count - c);
        const mask padded = ONLY(exists, bits, INT32_MIN);
        most = __builtin_elementwise_max(most, padded);
        least = __builtin_elementwise_min(least, ONLY(exists, bits, INT32_MAX));
        memcpy(key + c, &padded, sizeof padded);
    }
    int32_t low = __builtin_reduce_min(least), high = __builtin_reduce_max(most);
    while (low < high) {
        const int32_t middle = (int32_t)((uint32_t)low + ((uint32_t)high - (uint32_t)low) / 2 + 1);
        const int64_t above = count_at_least(key, count, middle);
        if (above == k) {
            // The k largest are found; the least of them is the answer.
            mask smallest = (mask){0} + INT32_MAX;
            for (int64_t c = 0; c < count; c += 16) {
                mask v;
                memcpy(&v, key + c, sizeof v);
                smallest = __builtin_elementwise_min(smallest, ONLY(v >= middle, v, INT32_MAX));
            }
            low = __builtin_reduce_min(smallest);
            break;
        }
        // Without a branch, since either is as likely.
        const int32_t enough = -(int32_t)(above > k);
        low = (middle & enough) | (low & ~enough);
        high = (high & enough) | ((middle - 1) & ~enough);
    }
    const int32_t bits = low ^ ((low >> 31) & INT32_MAX);
    float result;
    memcpy(&result, &bits, 4);
    return result;
}

// Writes down the candidates at or above the k-th largest, ascending. Returns whether these are k: there are more if
// several equal it. Behind the candidates there are 16 more numbers, any.
INLINE bool are_at_least(float threshold, const float *candidate, const int32_t *position, int64_t count, int64_t k,
                         int32_t *index, float *activation) {
    int64_t n = 0;
    for (int64_t c = 0; c < count; c += 64) {
        uint64_t hits = 0;
        _Pragma("clang loop unroll(full)") for (int part = 0; part < 4; part++) {
            if (c + 16 * part >= count) break;
            hits |= (uint64_t)BITS(LOAD(candidate + c + 16 * part) >= threshold) << (16 * part);
        }
        if (count - c < 64) hits &= ((uint64_t)1 << (count - c)) - 1;
        for (; hits; hits &= hits - 1) {
            const int64_t at = c + __builtin_ctzll(hits);
            if (n == k) return false;
            index[n] = position[at];
            activation[n++] = candidate[at];
        }
    }
    return true;
}

CLONES float rsae_top_k(const float *values, const float *bias, int64_t m, int64_t k, float guess, int32_t *index,
                        float *activation, float *scratch) {
    float *candidate = scratch;
    int32_t *key = (int32_t *)(scratch + m + 16);
    int32_t *position = (int32_t *)(scratch + 2 * (m + 16));

    int64_t count = guess > -INFINITY ? candidates_above(values, bias, m, guess, candidate, position) : 0;
    if (count >= 0 && count < k) {
        const int64_t groups = group_maxima(values, bias, m, candidate);
        // The k-th largest of the maxima is a lower bound of the k-th largest value.
        const float bound = groups >= k ? select_largest(candidate, groups, k - 1) : -INFINITY;
        count = candidates_above(values, bias, m, bound, candidate, position);
    }
    if (count < 0) {
        for (int64_t i = 0; i < k; i++) {
            index[i] = 0;
            activation[i] = NAN;
        }
        return -INFINITY;
    }
    const float threshold = kth_largest(candidate, count, k, key);
    if (are_at_least(threshold, candidate, position, count, k, index, activation)) return threshold;
    // Of those that equal it the first.
    int64_t above = 0, n = 0;
    for (int64_t c = 0; c < count; c++) above += candidate[c] > threshold;
    int64_t equal = k - above;
    for (int64_t c = 0; c < count && n < k; c++) {
        const int chosen = candidate[c] > threshold || (candidate[c] == threshold && equal > 0);
        equal -= candidate[c] == threshold;
        index[n] = position[c];
        activation[n] = candidate[c];
        n += chosen;
    }
    return threshold;
}
