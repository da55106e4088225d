#include "product_kernel.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_choice.h"
#include "product_check.h"

// Rows of A that are packed at a time: with their block of the inner dimension half a mebibyte, which stays in the
// second-level cache while the columns of B pass by.
#define ROWS 512
// The most columns of a tile of any of the kernels.
#define MOST_COLUMNS 32
// With fewer rows than this packing B costs more than it saves; and packing A, where B is packed.
#define THIN 3
#define THIN_PACKED 5

// Prefetch distance in rows of B for a product of few rows.
#define PREFETCHED_ROWS 16

// A broadcast from memory as one instruction. Left to itself the compiler loads neighbouring elements together and then
// shuffles them apart, which takes half of the arithmetic's time with AVX2.
#define BROADCAST_FROM_MEMORY(v, x) __asm__("vbroadcastss %1, %0" : "=v"(v) : "m"(x))

// 32 vector registers: 14 × 2 sums, 2 vectors of B and one element of A.
#define TARGET __attribute__((target("avx512f")))
#define NAME(x) avx512_##x
#define LANES 16
#define MR 14
#define THIN_VECTORS 8
#define FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
#define BROADCAST BROADCAST_FROM_MEMORY
#include "product_kernel_body.h"

// 16 vector registers: 6 × 2 sums, 2 vectors of B and one element of A.
#define TARGET __attribute__((target("avx2,fma")))
#define NAME(x) avx2_##x
#define LANES 8
#define MR 6
#define THIN_VECTORS 8
#define FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
#define BROADCAST BROADCAST_FROM_MEMORY
#include "product_kernel_body.h"

// No fused multiply-add.
#define TARGET
#define NAME(x) baseline_##x
#define LANES 4
#define MR 4
#define THIN_VECTORS 8
#define FMA(a, b, c) ((a) * (b) + (c))
#define BROADCAST(v, x) ((v) = (VECTOR){0} + (x))
#include "product_kernel_body.h"

static const struct {
    const char *name;
    void (*multiply)(const rsae_product *, float *scratch);
} kernels[] = {
    [RSAE_AVX512] = {"avx512", avx512_multiply},
    [RSAE_AVX2] = {"avx2", avx2_multiply},
    [RSAE_BASELINE] = {"baseline", baseline_multiply},
};

static int chosen;
static pthread_key_t scratch_key;
static pthread_once_t once = PTHREAD_ONCE_INIT, scratch_once = PTHREAD_ONCE_INIT;

bool rsae_kernel_is_available(rsae_kernel kernel) {
    __builtin_cpu_init();
    if (kernel == RSAE_AVX512) return __builtin_cpu_supports("avx512f");
    if (kernel == RSAE_AVX2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return true;
}

static void make_key(void) {
    if (pthread_key_create(&scratch_key, free) != 0) abort();
}

void *rsae_product_scratch(void) {
    pthread_once(&scratch_once, make_key);
    void *room = pthread_getspecific(scratch_key);
    if (room) return room;
    room = aligned_alloc(64, RSAE_SCRATCH_BYTES);
    if (!room || pthread_setspecific(scratch_key, room) != 0) {
        fputs("no memory is left for the operands of a product\n", stderr);
        _Exit(70);
    }
    return room;
}

void rsae_multiply_with(rsae_kernel kernel, const rsae_product *product) {
    if (product->rows <= 0 || product->columns <= 0) return;
    if (product->inner <= 0) {
        for (int64_t row = 0; row < product->rows && !product->accumulates; row++) {
            memset(product->c + row * product->c_stride, 0, (size_t)product->columns * sizeof(float));
        }
        return;
    }
    kernels[kernel].multiply(product, rsae_product_scratch());
}

static const char *name_of(int kernel) { return kernels[kernel].name; }
static bool is_available(int kernel) { return rsae_kernel_is_available((rsae_kernel)kernel); }
static void multiply_avx512(const rsae_product *p) { rsae_multiply_with(RSAE_AVX512, p); }
static void multiply_avx2(const rsae_product *p) { rsae_multiply_with(RSAE_AVX2, p); }
static bool is_sound(int kernel) { return rsae_is_sound(kernel == RSAE_AVX512 ? multiply_avx512 : multiply_avx2, true); }

static void prepare(void) {
    const rsae_kernel_choice choice = {
        "products", sizeof kernels / sizeof *kernels, name_of, is_available, is_sound, rsae_report_kernel};
    chosen = rsae_choose_kernel(&choice, rsae_wanted_kernel(&choice));
}

rsae_kernel rsae_product_kernel(void) {
    pthread_once(&once, prepare);
    return (rsae_kernel)chosen;
}

void rsae_multiply(const rsae_product *product) { rsae_multiply_with(rsae_product_kernel(), product); }
