#include "weight_panels.h"

#include <string.h>

#include "bf16_product.h"
#include "lanes.h"

// Terms that are transposed at a time. f32 are moved as bits, which leaves NaNs as they are.
#define SQUARE 16

void rsae_pack_panels(const float *weights, int64_t stride, int64_t columns, int64_t inner, bool halved, void *panels) {
    if (halved) return rsae_pack_rounded_panels(weights, stride, columns, inner, panels);
    for (int64_t first = 0; first < columns; first += RSAE_PANEL_COLUMNS) {
        const int64_t count = columns - first < RSAE_PANEL_COLUMNS ? columns - first : RSAE_PANEL_COLUMNS;
        const float *rows = weights + first * stride;
        uint32_t *panel = (uint32_t *)panels + first * inner;
        // Squares, so that each piece of a row is read once: rows often are a power of two apart, and fall on the same few
        // places of the first-level cache.
        for (int64_t k = 0; k < inner; k += SQUARE) {
            uint32_t square[RSAE_PANEL_COLUMNS][SQUARE] = {{0}};
            const int64_t length = inner - k < SQUARE ? inner - k : SQUARE;
            for (int64_t i = 0; i < count; i++) memcpy(square[i], rows + i * stride + k, (size_t)length * sizeof(float));
            uint32_t *to = panel + k * RSAE_PANEL_COLUMNS;
            for (int64_t j = 0; j < length; j++) {
                for (int64_t i = 0; i < RSAE_PANEL_COLUMNS; i++) to[j * RSAE_PANEL_COLUMNS + i] = square[i][j];
            }
        }
    }
}

void rsae_unpack_column(const void *panels, bool halved, int64_t column, int64_t inner, float *target) {
    const int64_t length = halved ? (inner + 1) / 2 : inner;
    const uint32_t *panel =
        (const uint32_t *)panels + column / RSAE_PANEL_COLUMNS * RSAE_PANEL_COLUMNS * length
        + column % RSAE_PANEL_COLUMNS;
    for (int64_t k = 0; k < inner; k++) {
        uint32_t element = panel[(halved ? k / 2 : k) * RSAE_PANEL_COLUMNS];
        if (halved) element = k % 2 ? element & 0xFFFF0000 : element << 16;
        memcpy(target + k, &element, sizeof element);
    }
}

void rsae_pack_column(const float *weights, int64_t column, int64_t inner, bool halved, void *panels) {
    const int64_t length = halved ? (inner + 1) / 2 : inner;
    uint32_t *panel =
        (uint32_t *)panels + column / RSAE_PANEL_COLUMNS * RSAE_PANEL_COLUMNS * length + column % RSAE_PANEL_COLUMNS;
    for (int64_t k = 0; k < length; k++) {
        uint32_t element;
        if (halved) {
            const uint32_t odd = 2 * k + 1 < inner ? rsae_bf16(weights[2 * k + 1]) : 0;
            element = odd << 16 | rsae_bf16(weights[2 * k]);
        } else {
            memcpy(&element, weights + k, sizeof element);
        }
        panel[k * RSAE_PANEL_COLUMNS] = element;
    }
}

CLONES void rsae_pack_term(const float *weights, int64_t columns, int64_t term, int64_t inner, bool halved,
                           void *panels) {
    const int64_t length = halved ? (inner + 1) / 2 : inner;
    for (int64_t first = 0; first < columns; first += RSAE_PANEL_COLUMNS) {
        const int64_t count = columns - first < RSAE_PANEL_COLUMNS ? columns - first : RSAE_PANEL_COLUMNS;
        uint32_t *row = (uint32_t *)panels + first * length + (halved ? term / 2 : term) * RSAE_PANEL_COLUMNS;
        if (!halved) {
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
