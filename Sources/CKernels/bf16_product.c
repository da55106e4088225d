#include "bf16_product.h"

#include <immintrin.h>
#include <pthread.h>
#include <string.h>

#include "kernel_choice.h"
#include "product_check.h"

// Rows of A that are packed at a time: with their block of the inner dimension half a mebibyte, which stays in the
// second-level cache while the columns of B pass by.
#define ROWS 512
// Pairs of a block.
#define BLOCK (RSAE_BF16_BLOCK / 2)
// The most columns of a tile of any of the kernels.
#define MOST_COLUMNS 32
// With fewer rows than this packing B costs more than it saves.
#define THIN 3
// Sums of a product of very few rows that stay in registers.
#define THIN_VECTORS 8
// Prefetch distance in rows of B for a product of few rows.
#define PREFETCHED_ROWS 16

// See `product_kernel.c`.
#define BROADCAST_FROM_MEMORY(v, x) __asm__("vbroadcastss %1, %0" : "=v"(v) : "m"(x))

// The odd and the even elements of pairs, widened.
#define WIDENED(name, lanes)                                                                                          \
    typedef float name##_vector __attribute__((vector_size(4 * (lanes)), aligned(4), may_alias));                     \
    typedef uint32_t name##_bits __attribute__((vector_size(4 * (lanes)), aligned(2), may_alias));                    \
    typedef struct {                                                                                                  \
        name##_vector odd, even;                                                                                      \
    } name##_factors;
WIDENED(dot, 16)
WIDENED(avx512, 16)
WIDENED(avx2, 8)
WIDENED(baseline, 4)

// The instruction that does it all. 14 × 2 sums, 2 vectors of B and a pair of A.
#define TARGET __attribute__((target("avx512f,avx512bf16")))
#define NAME(x) dot_##x
#define LANES 16
#define MR 14
#define FACTORS __m512bh
#define SPLIT(x) ((__m512bh)(x))
#define DOT(s, y, x) ((dot_vector)_mm512_dpbf16_ps((__m512)(s), y, x))
#define BROADCAST BROADCAST_FROM_MEMORY
#include "bf16_product_body.h"

// The same by two fused multiply-adds: a product of two bf16 is exact before it is added.
#define SPLIT_PAIRS(name, x) ((name##_factors){(name##_vector)((x) & 0xFFFF0000), (name##_vector)((x) << 16)})
#define TWO_STEPS(s, y, x) \
    __builtin_elementwise_fma((y).even, (x).even, __builtin_elementwise_fma((y).odd, (x).odd, s))

// 12 × 2 sums, 4 vectors of B, 2 of A and a mask.
#define TARGET __attribute__((target("avx512f")))
#define NAME(x) avx512_##x
#define LANES 16
#define MR 12
#define FACTORS avx512_factors
#define SPLIT(x) SPLIT_PAIRS(avx512, x)
#define DOT TWO_STEPS
#define BROADCAST BROADCAST_FROM_MEMORY
#include "bf16_product_body.h"

// 4 × 2 sums, 4 vectors of B, 2 of A and a mask.
#define TARGET __attribute__((target("avx2,fma")))
#define NAME(x) avx2_##x
#define LANES 8
#define MR 4
#define FACTORS avx2_factors
#define SPLIT(x) SPLIT_PAIRS(avx2, x)
#define DOT TWO_STEPS
#define BROADCAST BROADCAST_FROM_MEMORY
#include "bf16_product_body.h"

// Without fused multiply-adds: one element at a time in f64 (`product_check.h`), slowly.
static baseline_vector fused(baseline_vector x, baseline_vector y, baseline_vector sum) {
    for (int i = 0; i < 4; i++) sum[i] = rsae_fused(x[i], y[i], sum[i]);
    return sum;
}

#define TARGET
#define NAME(x) baseline_##x
#define LANES 4
#define MR 2
#define FACTORS baseline_factors
#define SPLIT(x) SPLIT_PAIRS(baseline, x)
#define DOT(s, y, x) fused((y).even, (x).even, fused((y).odd, (x).odd, s))
#define BROADCAST(v, x) ((v) = (baseline_bits){0} + (x))
#include "bf16_product_body.h"

static const struct {
    const char *name;
    void (*multiply)(const rsae_bf16_product *, rsae_element *scratch);
    void (*pack)(const float *, int64_t, int64_t, rsae_panels, rsae_element *);
} kernels[] = {
    [RSAE_BF16_DOT] = {"avx512bf16", dot_multiply, dot_pack_panels},
    [RSAE_BF16_AVX512] = {"avx512", avx512_multiply, avx512_pack_panels},
    [RSAE_BF16_AVX2] = {"avx2", avx2_multiply, avx2_pack_panels},
    [RSAE_BF16_BASELINE] = {"baseline", baseline_multiply, baseline_pack_panels},
};

static int chosen;
static pthread_once_t once = PTHREAD_ONCE_INIT;

bool rsae_bf16_kernel_is_available(rsae_bf16_kernel kernel) {
    __builtin_cpu_init();
    if (kernel == RSAE_BF16_DOT) return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bf16");
    if (kernel == RSAE_BF16_AVX512) return __builtin_cpu_supports("avx512f");
    if (kernel == RSAE_BF16_AVX2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return true;
}

// The exceptions that are masked, and denormals as zero: the instruction for bf16 does so whatever this register says.
#define FLUSHING 0x9FC0

void rsae_multiply_bf16_with(rsae_bf16_kernel kernel, const rsae_bf16_product *product) {
    if (product->rows <= 0 || product->columns <= 0) return;
    if (product->inner <= 0) {
        for (int64_t row = 0; row < product->rows && !product->accumulates; row++) {
            memset(product->c + row * product->c_stride, 0, (size_t)product->columns * sizeof(float));
        }
        return;
    }
    const unsigned before = _mm_getcsr();
    _mm_setcsr(FLUSHING);
    kernels[kernel].multiply(product, rsae_product_scratch());
    _mm_setcsr(before);
}

static const char *name_of(int kernel) { return kernels[kernel].name; }
static bool is_available(int kernel) { return rsae_bf16_kernel_is_available((rsae_bf16_kernel)kernel); }
static void multiply_dot(const rsae_bf16_product *p) { rsae_multiply_bf16_with(RSAE_BF16_DOT, p); }
static void multiply_avx512(const rsae_bf16_product *p) { rsae_multiply_bf16_with(RSAE_BF16_AVX512, p); }
static void multiply_avx2(const rsae_bf16_product *p) { rsae_multiply_bf16_with(RSAE_BF16_AVX2, p); }
static bool is_sound(int kernel) {
    void (*const multiply[])(const rsae_bf16_product *) = {multiply_dot, multiply_avx512, multiply_avx2};
    return rsae_is_sound_bf16(multiply[kernel]);
}

static void prepare(void) {
    const rsae_kernel_choice choice = {
        "products of bf16", sizeof kernels / sizeof *kernels, name_of, is_available, is_sound, rsae_report_kernel};
    chosen = rsae_choose_kernel(&choice, rsae_wanted_kernel(&choice));
}

rsae_bf16_kernel rsae_bf16_product_kernel(void) {
    pthread_once(&once, prepare);
    return (rsae_bf16_kernel)chosen;
}

void rsae_multiply_bf16(const rsae_bf16_product *product) {
    rsae_multiply_bf16_with(rsae_bf16_product_kernel(), product);
}

void rsae_pack_rounded_panels(const float *weights, int64_t stride, int64_t columns, rsae_panels panels) {
    kernels[rsae_bf16_product_kernel()].pack(weights, stride, columns, panels, rsae_product_scratch());
}

__attribute__((target_clones("avx512f", "avx2", "default")))
void rsae_round_to_bf16(const float *source, int64_t count, uint16_t *target) {
    for (int64_t i = 0; i < count; i++) target[i] = rsae_bf16(source[i]);
}

int64_t rsae_first_non_finite_bf16(const uint16_t *x, int64_t n) {
    typedef uint16_t stored __attribute__((aligned(1)));
    const stored *elements = (const stored *)x;
    for (int64_t block = 0; block < n; block += 4096) {
        const int64_t end = n - block < 4096 ? n : block + 4096;
        uint16_t bad = 0;
        for (int64_t i = block; i < end; i++) bad |= (elements[i] & 0x7F80) == 0x7F80;
        for (int64_t i = block; bad && i < end; i++) {
            if ((elements[i] & 0x7F80) == 0x7F80) return i;
        }
    }
    return -1;
}
