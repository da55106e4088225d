// SQLite's own share of a process that asks a catalog: tools/benchmark.py measures a program against it.
//
//     cc -O2 -shared -fPIC -DRECORD -o record.so catalog_statements.c -lsqlite3 -ldl
//     LD_PRELOAD=./record.so STATEMENTS=list routesae features demo.sqlite      writes what it asks, NUL after each
//     cc -O2 -o replay catalog_statements.c -lsqlite3
//     ./replay demo.sqlite list                                                 asks the same, and nothing else
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef RECORD

static FILE *list;

static int note(unsigned event, void *context, void *statement, void *text) {
    (void)event, (void)context;
    // Statements of triggers come as comments.
    if (strncmp(text, "--", 2) == 0) return 0;
    char *sql = sqlite3_expanded_sql(statement);
    if (sql != NULL) fwrite(sql, 1, strlen(sql) + 1, list);
    sqlite3_free(sql);
    fflush(list);
    return 0;
}

int sqlite3_open_v2(const char *path, sqlite3 **connection, int flags, const char *vfs) {
    int (*open)(const char *, sqlite3 **, int, const char *) = dlsym(RTLD_NEXT, "sqlite3_open_v2");
    int code = open(path, connection, flags, vfs);
    if (list == NULL) list = fopen(getenv("STATEMENTS"), "wb");
    if (code == SQLITE_OK && list != NULL) sqlite3_trace_v2(*connection, SQLITE_TRACE_STMT, note, NULL);
    return code;
}

#else

int main(int count, char **arguments) {
    sqlite3 *connection;
    FILE *list = count == 3 ? fopen(arguments[2], "rb") : NULL;
    if (list == NULL || sqlite3_open_v2(arguments[1], &connection, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) return 1;
    char *sql = NULL;
    size_t size = 0;
    while (getdelim(&sql, &size, 0, list) > 0) {
        sqlite3_stmt *statement;
        // What the program sets up for itself, such as functions of its own, is not there and needs no time.
        if (sqlite3_prepare_v2(connection, sql, -1, &statement, NULL) != SQLITE_OK) continue;
        while (sqlite3_step(statement) == SQLITE_ROW) {
            for (int i = 0; i < sqlite3_column_count(statement); i++) sqlite3_column_text(statement, i);
        }
        sqlite3_finalize(statement);
    }
    return sqlite3_close(connection) == SQLITE_OK ? 0 : 1;
}

#endif
