/* The insertions of a catalog's index in bare C: what `routesae` does is compared with this.
 *
 *   catalog_inserts dump CATALOG ROWS      writes the rows of an index, feature by feature, to a flat file
 *   catalog_inserts insert CATALOG ROWS    inserts them in one transaction and prints a JSON object
 *
 * CATALOG of the second is the catalog as it was before the index: the same schema with its triggers, keys and indexes,
 * the same settings of the connection, the same statements in the same order. Built with: cc -O2 ... -lsqlite3
 */
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The tables of an index, in the order in which a feature's rows are written; the first three columns of all but the
 * first table are dictionary, feature and corpus. */
static const struct {
    const char *name, *columns, *order;
    int count;
} tables[] = {
    {"indexing", "dictionary_id, corpus_id, run_id, n_tokens, n_documents, window, histogram_edges", "dictionary_id", 7},
    {"feature",
     "dictionary_id, feature_index, corpus_id, n_fired, firing_rate, mean_activation, std_activation, min_activation, "
     "max_activation, sum_activation, sum_square, p10, p50, p90, p99, decoder_norm, is_dead, n_documents, histogram, "
     "peak_layer, peak_layer_share, layer_entropy, top_token, counted_from, counted_below, strongest_token",
     "feature_index", 26},
    {"feature_layer",
     "dictionary_id, feature_index, corpus_id, layer, n_fired, sum_activation, max_activation, sum_router_weight, "
     "mean_router_weight",
     "feature_index, layer", 9},
    {"feature_token",
     "dictionary_id, feature_index, corpus_id, token_class, n_fired, activation_1, activation_2",
     "feature_index, token_class", 7},
    {"feature_cofiring", "dictionary_id, feature_index, corpus_id, rank, other_index, share, lift",
     "feature_index, rank", 7},
    {"feature_context",
     "dictionary_id, feature_index, corpus_id, band, rank, passage_id, position, layer, router_weight, activation, "
     "split, n_occurrences, other_activations",
     "feature_index, band, rank", 13},
};
enum { TABLES = sizeof tables / sizeof *tables, CONTEXTS = 5 };

static sqlite3 *database;

static void check(int code, const char *what) {
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
    fprintf(stderr, "error: %s: %s\n", what, database ? sqlite3_errmsg(database) : sqlite3_errstr(code));
    exit(70);
}

static void execute(const char *sql) { check(sqlite3_exec(database, sql, NULL, NULL, NULL), sql); }

static sqlite3_stmt *prepare(const char *form, int table) {
    char sql[2048], places[128] = "?";
    for (int i = 1; i < tables[table].count; i++) strcat(places, ", ?");
    snprintf(sql, sizeof sql, form, tables[table].name, tables[table].columns, places);
    sqlite3_stmt *statement = NULL;
    check(sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL), sql);
    return statement;
}

static void put(FILE *file, const void *bytes, size_t count) {
    if (count && fwrite(bytes, 1, count, file) != count) {
        perror("error: rows");
        exit(73);
    }
}

/* One row: the table's number, then for each column its type and value; text and blobs with their length. */
static void put_row(FILE *file, int table, sqlite3_stmt *row) {
    unsigned char number = (unsigned char)table;
    put(file, &number, 1);
    for (int i = 0; i < tables[table].count; i++) {
        unsigned char type = (unsigned char)sqlite3_column_type(row, i);
        put(file, &type, 1);
        if (type == SQLITE_INTEGER) {
            int64_t value = sqlite3_column_int64(row, i);
            put(file, &value, 8);
        } else if (type == SQLITE_FLOAT) {
            double value = sqlite3_column_double(row, i);
            put(file, &value, 8);
        } else if (type != SQLITE_NULL) {
            const void *bytes = sqlite3_column_blob(row, i);
            uint32_t count = (uint32_t)sqlite3_column_bytes(row, i);
            put(file, &count, 4);
            put(file, bytes, count);
        }
    }
}

static void dump(const char *path, const char *rows) {
    check(sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL), path);
    FILE *file = fopen(rows, "wb");
    if (!file) {
        perror(rows);
        exit(73);
    }
    sqlite3_stmt *cursors[TABLES];
    int states[TABLES];
    for (int i = 0; i < TABLES; i++) {
        char sql[2048];
        snprintf(sql, sizeof sql, "SELECT %s FROM %s ORDER BY %s", tables[i].columns, tables[i].name, tables[i].order);
        check(sqlite3_prepare_v2(database, sql, -1, &cursors[i], NULL), sql);
        check(states[i] = sqlite3_step(cursors[i]), sql);
    }
    put_row(file, 0, cursors[0]);
    while (states[1] == SQLITE_ROW) {
        int64_t feature = sqlite3_column_int64(cursors[1], 1);
        for (int i = 1; i < TABLES; i++)
            while (states[i] == SQLITE_ROW && sqlite3_column_int64(cursors[i], 1) == feature) {
                put_row(file, i, cursors[i]);
                check(states[i] = sqlite3_step(cursors[i]), tables[i].name);
            }
    }
    if (fclose(file)) {
        perror(rows);
        exit(73);
    }
}

static double now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void insert(const char *path, const char *rows) {
    check(sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL), path);
    sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    execute("PRAGMA trusted_schema = ON; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA foreign_keys = ON;"
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -262144; PRAGMA temp_store = MEMORY");
    FILE *file = fopen(rows, "rb");
    if (!file) {
        perror(rows);
        exit(66);
    }
    setvbuf(file, NULL, _IOFBF, 1 << 20);
    sqlite3_stmt *statements[TABLES];
    for (int i = 0; i < TABLES; i++) statements[i] = prepare("INSERT INTO %s (%s) VALUES (%s)", i);
    static unsigned char buffer[1 << 24];
    long long counts[TABLES] = {0}, all = 0;
    double start = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    execute("BEGIN IMMEDIATE");
    for (int table; (table = getc_unlocked(file)) != EOF;) {
        sqlite3_stmt *statement = statements[table];
        unsigned char *next = buffer;
        for (int i = 1; i <= tables[table].count; i++) {
            int type = getc_unlocked(file);
            if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) {
                int64_t value;
                if (fread_unlocked(&value, 8, 1, file) != 1) goto damaged;
                double real;
                memcpy(&real, &value, 8);
                if (type == SQLITE_INTEGER) sqlite3_bind_int64(statement, i, value);
                else sqlite3_bind_double(statement, i, real);
            } else if (type == SQLITE_NULL) {
                sqlite3_bind_null(statement, i);
            } else {
                uint32_t count;
                if (fread_unlocked(&count, 4, 1, file) != 1 || count > buffer + sizeof buffer - next
                    || fread_unlocked(next, 1, count, file) != count) goto damaged;
                if (type == SQLITE_TEXT) sqlite3_bind_text(statement, i, (char *)next, (int)count, SQLITE_STATIC);
                else sqlite3_bind_blob(statement, i, next, (int)count, SQLITE_STATIC);
                next += count;
            }
        }
        if (sqlite3_step(statement) != SQLITE_DONE) check(sqlite3_errcode(database), tables[table].name);
        sqlite3_reset(statement);
        counts[table]++;
        all++;
    }
    execute("COMMIT");
    double seconds = now(CLOCK_MONOTONIC) - start, used = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    for (int i = 0; i < TABLES; i++) sqlite3_finalize(statements[i]);
    sqlite3_close(database);
    printf("{\"seconds\": %.6f, \"processor_seconds\": %.6f, \"contexts\": %lld, \"rows\": %lld}\n", seconds, used,
           counts[CONTEXTS], all);
    return;
damaged:
    fprintf(stderr, "error: %s: ends too early\n", rows);
    exit(65);
}

int main(int count, char **arguments) {
    if (count == 4 && !strcmp(arguments[1], "dump")) dump(arguments[2], arguments[3]);
    else if (count == 4 && !strcmp(arguments[1], "insert")) insert(arguments[2], arguments[3]);
    else {
        fprintf(stderr, "usage: catalog_inserts dump|insert CATALOG ROWS\n");
        return 64;
    }
    return 0;
}
