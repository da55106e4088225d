#include "kernel_choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <xmmintrin.h>

#include "product_check.h"

int rsae_choose_kernel(const rsae_kernel_choice *choice, int first) {
    int kernel = first;
    for (; kernel < choice->count - 1; kernel++) {
        if (!choice->is_available(kernel)) continue;
        if (choice->is_sound(kernel)) break;
        char line[200];
        snprintf(line, sizeof line, "the kernel %s computes wrong %s on this processor and is not used",
                 choice->name(kernel), choice->purpose);
        choice->report(line);
    }
    return kernel;
}

int rsae_wanted_kernel(const rsae_kernel_choice *choice) {
    const char *wanted = getenv("ROUTESAE_KERNELS");
    if (!wanted || !*wanted) return 0;
    for (int kernel = 0; kernel < choice->count; kernel++) {
        if (strcmp(wanted, choice->name(kernel)) == 0 && choice->is_available(kernel)) return kernel;
    }
    // The instructions for bf16 come with those for f32.
    if (strcmp(wanted, "avx512bf16") == 0 && rsae_bf16_kernel_is_available(RSAE_BF16_DOT)) return 0;
    static bool is_reported;
    if (!is_reported) {
        choice->report(
            "ROUTESAE_KERNELS names none of avx512bf16, avx512, avx2, baseline that this processor runs; it is ignored");
    }
    is_reported = true;
    return 0;
}

void rsae_report_kernel(const char *line) { fprintf(stderr, "%s\n", line); }

// Sides of the products that are compared, and how far apart rows lie.
enum { MOST_ROWS = 15, MOST_COLUMNS = 33, MOST_INNER = 530, GAP = 3 };
static const struct {
    int rows, columns, inner;
} sizes[] = {{1, 33, 66}, {2, 17, 66}, {15, 33, 9}, {3, 5, 525}, {1, 9, 525}};

// Numbers of either sign and of sizes that differ, the same at every run.
static float number(uint32_t *state) {
    *state = *state * 1664525 + 1013904223;
    const float exponents[] = {0x1p-3f, 0x1p-2f, 0x1p-1f, 1};
    return ((float)(*state >> 8) * 0x1p-23f - 1) * exponents[*state >> 6 & 3];
}

typedef struct {
    float a[MOST_ROWS * (MOST_INNER + GAP)], b[MOST_COLUMNS * (MOST_INNER + GAP)], c[MOST_ROWS * (MOST_COLUMNS + GAP)];
    float before[MOST_ROWS * (MOST_COLUMNS + GAP)];
    uint16_t half[MOST_COLUMNS * (MOST_INNER + GAP)];
} operands;

static operands *random_operands(void) {
    operands *o = malloc(sizeof *o);
    if (!o) return NULL;
    uint32_t state = 1;
    for (size_t i = 0; i < sizeof o->a / sizeof *o->a; i++) o->a[i] = number(&state);
    for (size_t i = 0; i < sizeof o->b / sizeof *o->b; i++) {
        o->half[i] = rsae_bf16(number(&state));
        o->b[i] = number(&state);
    }
    for (size_t i = 0; i < sizeof o->c / sizeof *o->c; i++) o->before[i] = number(&state);
    return o;
}

static bool are_equal(float x, float y) { return memcmp(&x, &y, sizeof x) == 0; }

bool rsae_is_sound(void (*multiply)(const rsae_product *), bool fuses) {
    operands *o = random_operands();
    bool is_sound = o != NULL;
    for (size_t i = 0; is_sound && i < sizeof sizes / sizeof *sizes; i++) {
        const int rows = sizes[i].rows, columns = sizes[i].columns, inner = sizes[i].inner, stride = inner + GAP;
        const bool adds = i % 2 == 0;
        memcpy(o->c, o->before, sizeof o->c);
        const rsae_product product = {
            .rows = rows, .columns = columns, .inner = inner, .alpha = 1, .accumulates = adds, .b_transposed = true,
            .a = o->a, .a_stride = stride, .b = o->b, .b_stride = stride, .c = o->c, .c_stride = columns + GAP};
        multiply(&product);
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns + GAP; column++) {
                const int place = row * (columns + GAP) + column;
                float sum = adds || column >= columns ? o->before[place] : 0;
                for (int k = 0; k < inner && column < columns; k += RSAE_PRODUCT_BLOCK) {
                    float block = 0;
                    for (int j = k; j < inner && j < k + RSAE_PRODUCT_BLOCK; j++) {
                        const float x = o->a[row * stride + j], y = o->b[column * stride + j];
                        block = fuses ? rsae_fused(x, y, block) : x * y + block;
                    }
                    sum = k == 0 && !adds ? block : block + sum;
                }
                is_sound = is_sound && are_equal(o->c[place], sum);
            }
        }
    }
    free(o);
    return is_sound;
}

bool rsae_is_sound_bf16(void (*multiply)(const rsae_bf16_product *)) {
    operands *o = random_operands();
    bool is_sound = o != NULL;
    for (size_t i = 0; is_sound && i < sizeof sizes / sizeof *sizes; i++) {
        const int rows = sizes[i].rows, columns = sizes[i].columns, inner = sizes[i].inner, stride = inner + GAP;
        const bool adds = i % 2 == 0;
        memcpy(o->c, o->before, sizeof o->c);
        const rsae_bf16_product product = {
            .rows = rows, .columns = columns, .inner = inner, .accumulates = adds, .a = o->a, .a_stride = stride,
            .b = o->half, .b_stride = stride, .c = o->c, .c_stride = columns + GAP};
        multiply(&product);
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns + GAP; column++) {
                const int place = row * (columns + GAP) + column;
                float sum = adds || column >= columns ? o->before[place] : 0;
                for (int k = 0; k < inner && column < columns; k += RSAE_BF16_BLOCK) {
                    float block = 0;
                    for (int j = k; j < inner && j < k + RSAE_BF16_BLOCK; j += 2) {
                        for (int term = j + 1; term >= j; term--) {
                            if (term >= inner) continue;
                            const float x = rsae_f32(rsae_bf16(o->a[row * stride + term]));
                            block = rsae_fused(x, rsae_f32(o->half[column * stride + term]), block);
                        }
                    }
                    sum = k == 0 && !adds ? block : block + sum;
                }
                is_sound = is_sound && are_equal(o->c[place], sum);
            }
        }
    }
    free(o);
    return is_sound;
}
