// A matrix of weights [columns × inner] laid out for products with its transpose, once, instead of at every product.
//
// RSAE_PANEL_COLUMNS columns of the product make a panel: for each k one after another their elements of term k. Panel
// follows panel, each inner · RSAE_PANEL_COLUMNS elements long; the last is filled up with zeros. So whatever a product
// takes, one row or many, reads memory from one end to the other. Elements are f32, or bf16 where all weights are, which
// is widened on the way and changes no bit.
#ifndef WEIGHT_PANELS_H
#define WEIGHT_PANELS_H

#include <stdbool.h>
#include <stdint.h>

#define RSAE_PANEL_COLUMNS 16

// Packs `columns` rows of the weights into panels that begin at `panels`; columns may end within a panel. If `halved`
// elements are bf16, and lower bits of a weight are truncated.
void rsae_pack_panels(const float *weights, int64_t stride, int64_t columns, int64_t inner, bool halved, void *panels);

// Writes the weights of one column, [inner], to `target`.
void rsae_unpack_column(const void *panels, bool halved, int64_t column, int64_t inner, float *target);

#endif
