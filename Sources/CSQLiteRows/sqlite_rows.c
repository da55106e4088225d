// The declarations of the hook are there only with this; the library that Debian ships has it.
#define SQLITE_ENABLE_PREUPDATE_HOOK 1

#include "sqlite_rows.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are written as they lie in memory");

void rsae_bytes_free(struct rsae_bytes *bytes) {
    free(bytes->start);
    *bytes = (struct rsae_bytes){0};
}

static bool reserve(struct rsae_bytes *bytes, size_t more) {
    if (bytes->capacity - bytes->count >= more) return true;
    if (more > SIZE_MAX / 4 || bytes->count > SIZE_MAX / 4) return false;
    size_t capacity = (bytes->count + more) * 2;
    uint8_t *start = realloc(bytes->start, capacity);
    if (start == NULL) return false;
    bytes->start = start;
    bytes->capacity = capacity;
    return true;
}

bool rsae_bytes_append(struct rsae_bytes *bytes, const void *start, size_t count) {
    if (!reserve(bytes, count)) return false;
    if (count > 0) memcpy(bytes->start + bytes->count, start, count);
    bytes->count += count;
    return true;
}

static void put(struct rsae_bytes *bytes, uint8_t type, const void *bits) {
    bytes->start[bytes->count] = type;
    memcpy(bytes->start + bytes->count + 1, bits, 8);
    bytes->count += 9;
}

static bool append(struct rsae_bytes *bytes, sqlite3_value *value, bool is_real) {
    if (!reserve(bytes, 16)) return false;
    switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER: {
        sqlite3_int64 number = sqlite3_value_int64(value);
        double real = (double)number;
        put(bytes, is_real ? 2 : 1, is_real ? (const void *)&real : (const void *)&number);
        return true;
    }
    case SQLITE_FLOAT: {
        double number = sqlite3_value_double(value);
        put(bytes, 2, &number);
        return true;
    }
    case SQLITE_TEXT: {
        const void *start = sqlite3_value_text(value);
        uint64_t count = (uint64_t)sqlite3_value_bytes(value);
        put(bytes, 3, &count);
        return start != NULL && rsae_bytes_append(bytes, start, count);
    }
    case SQLITE_BLOB: {
        const void *start = sqlite3_value_blob(value);
        uint64_t count = (uint64_t)sqlite3_value_bytes(value);
        put(bytes, 4, &count);
        return (start != NULL || count == 0) && rsae_bytes_append(bytes, start, count);
    }
    default: bytes->start[bytes->count++] = 0; return true;
    }
}

bool rsae_append_statement_row(
    struct rsae_bytes *bytes, struct sqlite3_stmt *statement, const bool *is_real, int column_count) {
    for (int column = 0; column < column_count; column++) {
        if (!append(bytes, sqlite3_column_value(statement, column), is_real[column])) return false;
    }
    return true;
}

static sqlite3_value *changed(sqlite3 *connection, bool is_new, int column) {
    sqlite3_value *value = NULL;
    int code = is_new ? sqlite3_preupdate_new(connection, column, &value)
                      : sqlite3_preupdate_old(connection, column, &value);
    return code == SQLITE_OK ? value : NULL;
}

bool rsae_append_changed_row(
    struct rsae_bytes *bytes, struct sqlite3 *connection, bool is_new, const int *columns, const bool *is_real,
    int column_count) {
    for (int i = 0; i < column_count; i++) {
        sqlite3_value *value = changed(connection, is_new, columns[i]);
        if (value == NULL || !append(bytes, value, is_real[i])) return false;
    }
    return true;
}

bool rsae_changed_integer(struct sqlite3 *connection, bool is_new, int column, int64_t *number) {
    sqlite3_value *value = changed(connection, is_new, column);
    if (value == NULL || sqlite3_value_type(value) != SQLITE_INTEGER) return false;
    *number = sqlite3_value_int64(value);
    return true;
}

struct hook {
    rsae_change_hook call;
    void *context;
};

static void change(
    void *context, sqlite3 *connection, int operation, const char *database, const char *table, sqlite3_int64 from,
    sqlite3_int64 to) {
    (void)from, (void)to;
    struct hook *hook = context;
    int change = operation == SQLITE_INSERT ? rsae_inserted : operation == SQLITE_DELETE ? rsae_deleted : rsae_updated;
    hook->call(hook->context, connection, change, database, table);
}

void rsae_set_change_hook(struct sqlite3 *connection, rsae_change_hook call, void *context) {
    struct hook *hook = NULL;
    if (call != NULL && (hook = malloc(sizeof *hook)) != NULL) *hook = (struct hook){call, context};
    free(sqlite3_preupdate_hook(connection, hook == NULL ? NULL : change, hook));
}
