// Counting what comes most often in a stream of latent indices, in bounded memory: the space-saving sketch (Metwally,
// Agrawal, El Abbadi 2005, "Efficient computation of frequent and top-k elements in data streams", ICDT) with randomised
// admission (Ben Basat, Einziger, Friedman, Kassner 2017, "Randomized admission policy for efficient top-k and frequency
// estimation", INFOCOM).
#ifndef COFIRING_KERNEL_H
#define COFIRING_KERNEL_H

#include <stdint.h>

// A sketch of `counters` counters, a multiple of 16. A free one holds the index -1 and the count 0. `inherited` is the
// part of a count that was taken over from whatever had the counter before.
typedef struct {
    int32_t *index;
    uint32_t *count;
    uint32_t *inherited;
    int64_t counters;
} rsae_cofiring;

// Offers index[i], i in 0..<n, in their order, but for `self` and, where `activation` is not NULL, for those whose
// activation is 0. The count of an index that is held goes up by 1. One that is not held takes the place of the counter
// with the least count c, the first of equal ones, with probability 1 / (c + 1), and its count is c + 1: in the mean it
// is credited with one. The draw is the upper half of
//   z = key + index * 0x9E3779B97F4A7C15, then twice z = (z ^ z >> 32) * 0xD6E8FEB86659FD93
// and admits if (upper half) * (c + 1) < 2^32.
void rsae_cofiring_offer(rsae_cofiring sketch, const int32_t *index, const float *activation, int64_t n, int32_t self,
                         uint64_t key);

#endif
