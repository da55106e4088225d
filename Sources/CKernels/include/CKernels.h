// The vector kernels of the project: dense products, and loops that baseline Swift does not run at the machine's speed.
// Each is compiled for AVX-512, AVX2 and baseline x86-64; which is used is decided when the program runs.
#ifndef CKERNELS_H
#define CKERNELS_H

#include "autoencoder_kernels.h"
#include "bf16_product.h"
#include "cofiring_kernel.h"
#include "kernel_choice.h"
#include "prefetch.h"
#include "product_kernel.h"
#include "ranking_kernels.h"
#include "thread_pause.h"
#include "transformer_kernels.h"
#include "weight_panels.h"

#endif
