// Rows of SQLite as bytes: of a statement, or of a table that is being changed.
//
// A row is its values, one after another: a byte for the type and then, for NULL (0) nothing, for INTEGER (1) the 64 bits
// of the number, for REAL (2) the 64 bits of the double, for TEXT (3) and BLOB (4) the number of bytes as 64 bits and the
// bytes. All 64 bits are little-endian. A whole number in a REAL column is a REAL, however the file stores it.

#ifndef RSAE_SQLITE_ROWS_H
#define RSAE_SQLITE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;

/// A growing array of bytes; begins as zeros.
struct rsae_bytes {
    uint8_t *start;
    size_t count;
    size_t capacity;
};

void rsae_bytes_free(struct rsae_bytes *bytes);

/// Appends bytes. False if memory runs out.
bool rsae_bytes_append(struct rsae_bytes *bytes, const void *start, size_t count);

/// Appends the current row of a statement. `is_real[i]` says whether column i is of a REAL column.
/// False if memory runs out.
bool rsae_append_statement_row(
    struct rsae_bytes *bytes, struct sqlite3_stmt *statement, const bool *is_real, int column_count);

/// Appends a row of a table that is about to change, from within the hook: as it was, or as it will be. Of the table's
/// columns those that are stored, `columns[i]`. False if memory runs out or there is no such row.
bool rsae_append_changed_row(
    struct rsae_bytes *bytes, struct sqlite3 *connection, bool is_new, const int *columns, const bool *is_real,
    int column_count);

/// An integer column of the same row; false if it holds something else.
bool rsae_changed_integer(struct sqlite3 *connection, bool is_new, int column, int64_t *value);

enum rsae_change { rsae_inserted = 0, rsae_deleted = 1, rsae_updated = 2 };

/// Called for every row about to change, of any table, also by triggers and foreign keys.
typedef void (*rsae_change_hook)(
    void *context, struct sqlite3 *connection, int change, const char *database, const char *table);

/// Sets the hook of a connection; NULL removes it. One hook per connection.
void rsae_set_change_hook(struct sqlite3 *connection, rsae_change_hook hook, void *context);

#endif
