// Files mapped into memory whose reading survives that they become shorter: another program may truncate a file, or its
// disk may fail, and the system then sends SIGBUS to whoever touches a page that is gone. Here that page becomes zeros,
// and the mapping remembers it, so that what was computed can be thrown away and the file named.
#ifndef CFILEMAPPING_H
#define CFILEMAPPING_H

#include <stdbool.h>
#include <stddef.h>

// The most mappings at a time.
#define RSAE_MAPPINGS 1024

// Maps `length` bytes of an open file from its beginning, read-only. Returns the number of the mapping, and where it
// begins; or -1, with errno.
int rsae_map_file(int descriptor, size_t length, const void **start);

// Whether a page of it could not be read.
bool rsae_mapping_is_broken(int mapping);

void rsae_unmap_file(int mapping);

#endif
