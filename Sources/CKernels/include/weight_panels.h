// A matrix of weights [columns × inner] laid out for products with its transpose, once, instead of at every product.
//
// Some columns of the product make a panel: for each k one after another their elements of term k, which are f32. Or they
// are bf16, "halved": then two terms stand together, so that a panel has for each pair of terms one after another the two
// elements of each of its columns, and an odd last term is paired with zero. Panel follows panel; the last is filled up
// with zeros. So whatever a product takes, one row or many, reads memory from one end to the other. Products in f32 widen
// bf16 on the way, which changes no bit; products of bf16 (`bf16_product.h`) take the pairs as they are.
//
// A panel has RSAE_PANEL_COLUMNS columns, or RSAE_WIDE_PANEL_COLUMNS: a product of one row needs as many sums side by side
// to keep the processor busy, and of narrow panels, as many streams of memory.
#ifndef WEIGHT_PANELS_H
#define WEIGHT_PANELS_H

#include <stdbool.h>
#include <stdint.h>

#define RSAE_PANEL_COLUMNS 16
#define RSAE_WIDE_PANEL_COLUMNS 64

// Panels of `width` columns, either of the two, and `inner` terms; their elements are bf16 if `halved`.
typedef struct {
    void *start;
    int64_t width, inner;
    bool halved;
} rsae_panels;

// Packs `columns` rows of the weights, from the first panel on; columns may end within a panel. If halved, weights are
// rounded to bf16 (`bf16.h`), which changes none that is bf16.
void rsae_pack_panels(const float *weights, int64_t stride, int64_t columns, rsae_panels panels);

// Writes the weights of one column, [inner], to `target`.
void rsae_unpack_column(rsae_panels panels, int64_t column, float *target);

// Sets the weights of one column, [inner], rounded to bf16 if the panels are halved.
void rsae_pack_column(const float *weights, int64_t column, rsae_panels panels);

// Sets term `term` of `columns` columns, rounded to bf16 if the panels are halved. There an even term also sets the odd one
// that it is paired with to zero.
void rsae_pack_term(const float *weights, int64_t columns, int64_t term, rsae_panels panels);

#endif
