// Which of several kernels that compute the same is used.
#ifndef KERNEL_CHOICE_H
#define KERNEL_CHOICE_H

#include <stdbool.h>

#include "bf16_product.h"
#include "product_kernel.h"

// Kernels of one purpose, the best first; the last is always available and used without a check.
typedef struct {
    // "products", for messages.
    const char *purpose;
    int count;
    const char *(*name)(int kernel);
    bool (*is_available)(int kernel);
    // Whether it computes what it should.
    bool (*is_sound)(int kernel);
    // Writes a line where a kernel is refused.
    void (*report)(const char *line);
} rsae_kernel_choice;

// The first kernel that is available and sound, from `first` on. A kernel that is not sound is reported.
int rsae_choose_kernel(const rsae_kernel_choice *choice, int first);

// The kernel that the environment variable ROUTESAE_KERNELS names, if it is available; else 0.
int rsae_wanted_kernel(const rsae_kernel_choice *choice);

// Writes a line to standard error.
void rsae_report_kernel(const char *line);

// Compares a kernel with sums term by term, bit for bit: odd sizes, more than one block, with and without what was there.
// `fuses`: whether it multiplies and adds with one rounding.
bool rsae_is_sound(void (*multiply)(const rsae_product *), bool fuses);
bool rsae_is_sound_bf16(void (*multiply)(const rsae_bf16_product *));

#endif
