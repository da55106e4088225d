// A matrix of weights [columns × inner] laid out for products with its transpose, once, instead of at every product.
//
// RSAE_PANEL_COLUMNS columns of the product make a panel: for each k one after another their elements of term k, which are
// f32. Or they are bf16, "halved": then two terms stand together, so that a panel has for each pair of terms one after
// another the two elements of each of its columns, and an odd last term is paired with zero. Panel follows panel; the last
// is filled up with zeros. So whatever a product takes, one row or many, reads memory from one end to the other. Products
// in f32 widen bf16 on the way, which changes no bit; products of bf16 (`bf16_product.h`) take the pairs as they are.
#ifndef WEIGHT_PANELS_H
#define WEIGHT_PANELS_H

#include <stdbool.h>
#include <stdint.h>

#define RSAE_PANEL_COLUMNS 16

// Packs `columns` rows of the weights into panels that begin at `panels`; columns may end within a panel. If `halved`,
// weights are rounded to bf16 (`bf16.h`), which changes none that is bf16.
void rsae_pack_panels(const float *weights, int64_t stride, int64_t columns, int64_t inner, bool halved, void *panels);

// Packs rows of bf16, which need not be aligned, into halved panels.
void rsae_pack_bf16_panels(const uint16_t *weights, int64_t stride, int64_t columns, int64_t inner, void *panels);

// Writes the weights of one column, [inner], to `target`.
void rsae_unpack_column(const void *panels, bool halved, int64_t column, int64_t inner, float *target);

// Sets the weights of one column, [inner], rounded to bf16 if the panels are halved.
void rsae_pack_column(const float *weights, int64_t column, int64_t inner, bool halved, void *panels);

// Sets term `term` of all columns of panels that are `inner` long, [columns], rounded to bf16 if they are halved. There an
// even term also sets the odd one that it is paired with to zero.
void rsae_pack_term(const float *weights, int64_t columns, int64_t term, int64_t inner, bool halved, void *panels);

#endif
