#include "weight_panels.h"

#include <string.h>

#include "bf16_product.h"
#include "lanes.h"

// Rows and terms that are transposed at a time. f32 are moved as bits, which leaves NaNs as they are.
#define SQUARE 16

// Elements of one column.
static int64_t length_of(rsae_panels p) { return p.halved ? (p.inner + 1) / 2 : p.inner; }

// The first element of a column; the next is `width` further on.
static uint32_t *elements_of(rsae_panels p, int64_t column) {
    return (uint32_t *)p.start + column / p.width * p.width * length_of(p) + column % p.width;
}

void rsae_pack_panels(const float *weights, int64_t stride, int64_t columns, rsae_panels panels) {
    if (panels.halved) return rsae_pack_rounded_panels(weights, stride, columns, panels);
    // Squares, so that each piece of a row is read once: rows often are a power of two apart, and fall on the same few places
    // of the first-level cache.
    const int64_t width = panels.width, inner = panels.inner, end = (columns + width - 1) / width * width;
    for (int64_t first = 0; first < end; first += SQUARE) {
        const int64_t count = columns - first < SQUARE ? columns - first : SQUARE;
        const float *rows = weights + first * stride;
        uint32_t *const target = elements_of(panels, first);
        for (int64_t k = 0; k < inner; k += SQUARE) {
            uint32_t square[SQUARE][SQUARE] = {{0}};
            const int64_t length = inner - k < SQUARE ? inner - k : SQUARE;
            for (int64_t i = 0; i < count; i++) memcpy(square[i], rows + i * stride + k, (size_t)length * sizeof(float));
            uint32_t *to = target + k * width;
            for (int64_t j = 0; j < length; j++) {
                for (int64_t i = 0; i < SQUARE; i++) to[j * width + i] = square[i][j];
            }
        }
    }
}

void rsae_unpack_column(rsae_panels panels, int64_t column, float *target) {
    const uint32_t *elements = elements_of(panels, column);
    for (int64_t k = 0; k < panels.inner; k++) {
        uint32_t element = elements[(panels.halved ? k / 2 : k) * panels.width];
        if (panels.halved) element = k % 2 ? element & 0xFFFF0000 : element << 16;
        memcpy(target + k, &element, sizeof element);
    }
}

void rsae_pack_column(const float *weights, int64_t column, rsae_panels panels) {
    const int64_t length = length_of(panels);
    uint32_t *elements = elements_of(panels, column);
    for (int64_t k = 0; k < length; k++) {
        uint32_t element;
        if (panels.halved) {
            const uint32_t odd = 2 * k + 1 < panels.inner ? rsae_bf16(weights[2 * k + 1]) : 0;
            element = odd << 16 | rsae_bf16(weights[2 * k]);
        } else {
            memcpy(&element, weights + k, sizeof element);
        }
        elements[k * panels.width] = element;
    }
}

CLONES void rsae_pack_term(const float *weights, int64_t columns, int64_t term, rsae_panels panels) {
    const int64_t width = panels.width, length = length_of(panels);
    for (int64_t first = 0; first < columns; first += width) {
        const int64_t count = columns - first < width ? columns - first : width;
        uint32_t *row = (uint32_t *)panels.start + first * length + (panels.halved ? term / 2 : term) * width;
        if (!panels.halved) {
            memcpy(row, weights + first, (size_t)count * sizeof *weights);
            continue;
        }
        if (term % 2) {
            for (int64_t i = 0; i < count; i++) {
                row[i] = (uint32_t)rsae_bf16(weights[first + i]) << 16 | (row[i] & 0xFFFF);
            }
        } else {
            for (int64_t i = 0; i < count; i++) row[i] = rsae_bf16(weights[first + i]);
        }
    }
}
