#include "weight_panels.h"

#include <string.h>

// Elements are moved as bits, which leaves NaNs as they are.

static uint32_t bits(const float *element) {
    uint32_t result;
    memcpy(&result, element, sizeof result);
    return result;
}

void rsae_pack_panels(const float *weights, int64_t stride, int64_t columns, int64_t inner, bool halved, void *panels) {
    for (int64_t first = 0; first < columns; first += RSAE_PANEL_COLUMNS) {
        const int64_t count = columns - first < RSAE_PANEL_COLUMNS ? columns - first : RSAE_PANEL_COLUMNS;
        const float *rows = weights + first * stride;
        uint32_t *whole = (uint32_t *)panels + first * inner;
        uint16_t *half = (uint16_t *)panels + first * inner;
        for (int64_t k = 0; k < inner; k++) {
            for (int64_t i = 0; i < RSAE_PANEL_COLUMNS; i++) {
                const uint32_t element = i < count ? bits(rows + i * stride + k) : 0;
                if (halved) {
                    half[k * RSAE_PANEL_COLUMNS + i] = (uint16_t)(element >> 16);
                } else {
                    whole[k * RSAE_PANEL_COLUMNS + i] = element;
                }
            }
        }
    }
}

void rsae_unpack_column(const void *panels, bool halved, int64_t column, int64_t inner, float *target) {
    const int64_t first = column / RSAE_PANEL_COLUMNS * RSAE_PANEL_COLUMNS * inner + column % RSAE_PANEL_COLUMNS;
    for (int64_t k = 0; k < inner; k++) {
        const int64_t place = first + k * RSAE_PANEL_COLUMNS;
        const uint32_t element =
            halved ? (uint32_t)((const uint16_t *)panels)[place] << 16 : ((const uint32_t *)panels)[place];
        memcpy(target + k, &element, sizeof element);
    }
}
