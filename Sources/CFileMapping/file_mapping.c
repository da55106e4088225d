#include "CFileMapping.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

// Read by the handler of the signal, which may take no lock: a length of 0 is a free place.
static struct {
    _Atomic uintptr_t start;
    _Atomic size_t length;
    _Atomic bool is_broken;
} mappings[RSAE_MAPPINGS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction former;
static size_t page_size;

static void handle(int number, siginfo_t *information, void *context) {
    const int before = errno;
    const uintptr_t address = (uintptr_t)information->si_addr;
    for (int i = 0; i < RSAE_MAPPINGS; i++) {
        const uintptr_t start = atomic_load(&mappings[i].start);
        if (address < start || address - start >= atomic_load(&mappings[i].length)) continue;
        atomic_store(&mappings[i].is_broken, true);
        void *page = (void *)(address / page_size * page_size);
        if (mmap(page, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
            errno = before;
            return;
        }
    }
    // Not ours: as if this handler were not there.
    errno = before;
    if (former.sa_flags & SA_SIGINFO) {
        former.sa_sigaction(number, information, context);
    } else if (former.sa_handler != SIG_DFL && former.sa_handler != SIG_IGN) {
        former.sa_handler(number);
    } else {
        signal(number, SIG_DFL);
    }
}

static void install(void) {
    page_size = (size_t)sysconf(_SC_PAGESIZE);
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &former);
}

int rsae_map_file(int descriptor, size_t length, const void **start) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    if (length == 0) {
        errno = EINVAL;
        return -1;
    }
    pthread_mutex_lock(&lock);
    int place = 0;
    while (place < RSAE_MAPPINGS && atomic_load(&mappings[place].length) != 0) place++;
    if (place == RSAE_MAPPINGS) {
        pthread_mutex_unlock(&lock);
        errno = ENOMEM;
        return -1;
    }
    void *memory = mmap(NULL, length, PROT_READ, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED) {
        const int reason = errno;
        pthread_mutex_unlock(&lock);
        errno = reason;
        return -1;
    }
    atomic_store(&mappings[place].start, (uintptr_t)memory);
    atomic_store(&mappings[place].is_broken, false);
    atomic_store(&mappings[place].length, length);
    pthread_mutex_unlock(&lock);
    *start = memory;
    return place;
}

bool rsae_mapping_is_broken(int mapping) { return atomic_load(&mappings[mapping].is_broken); }

void rsae_unmap_file(int mapping) {
    pthread_mutex_lock(&lock);
    const size_t length = atomic_load(&mappings[mapping].length);
    munmap((void *)atomic_load(&mappings[mapping].start), length);
    atomic_store(&mappings[mapping].length, 0);
    pthread_mutex_unlock(&lock);
}
