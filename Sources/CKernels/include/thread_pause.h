// A hint for loops that wait for another thread.
#ifndef THREAD_PAUSE_H
#define THREAD_PAUSE_H

// Tells the processor that the thread only looks again and again; takes some tens of cycles.
static inline void rsae_pause(void) { __builtin_ia32_pause(); }

#endif
