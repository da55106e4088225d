// The vector kernels of the project: loops that neither OpenBLAS nor baseline Swift runs at the machine's speed.
// Each is compiled for AVX-512, AVX2 and baseline x86-64, and the loader picks one when the program starts.
#ifndef CKERNELS_H
#define CKERNELS_H

#include "autoencoder_kernels.h"
#include "cofiring_kernel.h"
#include "ranking_kernels.h"
#include "transformer_kernels.h"

#endif
