#define _GNU_SOURCE
#define CURL_DISABLE_TYPECHECK
#include "CCurl.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

// The functions of libcurl that are used, as X(member, symbol).
#define FUNCTIONS(X)                             \
    X(global_init, curl_global_init)             \
    X(easy_init, curl_easy_init)                 \
    X(easy_reset, curl_easy_reset)               \
    X(easy_cleanup, curl_easy_cleanup)           \
    X(easy_setopt, curl_easy_setopt)             \
    X(easy_getinfo, curl_easy_getinfo)           \
    X(easy_strerror, curl_easy_strerror)         \
    X(slist_append, curl_slist_append)           \
    X(slist_free_all, curl_slist_free_all)       \
    X(multi_init, curl_multi_init)               \
    X(multi_add_handle, curl_multi_add_handle)   \
    X(multi_remove_handle, curl_multi_remove_handle) \
    X(multi_perform, curl_multi_perform)         \
    X(multi_poll, curl_multi_poll)               \
    X(multi_info_read, curl_multi_info_read)     \
    X(multi_cleanup, curl_multi_cleanup)

typedef struct {
#define MEMBER(member, symbol) __typeof__(&(symbol)) member;
    FUNCTIONS(MEMBER)
#undef MEMBER
} curl_functions;

static curl_functions curl;
static bool loaded;
static char load_error[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static bool load(const char *library, curl_functions *functions, char *error, size_t error_size) {
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        snprintf(error, error_size, "%s is not installed; on Debian: sudo apt-get install libcurl4", library);
        return false;
    }
    const char *missing = NULL;
#define FIND(member, symbol)                                        \
    *(void **)&functions->member = dlsym(handle, #symbol);          \
    if (!functions->member) missing = #symbol;
    FUNCTIONS(FIND)
#undef FIND
    if (!missing) return true;
    snprintf(error, error_size, "%s has no %s; on Debian: sudo apt-get install libcurl4", library, missing);
    dlclose(handle);
    return false;
}

static void load_once(void) {
    if (!load("libcurl.so.4", &curl, load_error, sizeof load_error)) return;
    if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        snprintf(load_error, sizeof load_error, "libcurl.so.4 cannot be initialised; reinstall Debian's libcurl4");
        return;
    }
    loaded = true;
}

bool rsae_http_can_load(const char *library, char *error, size_t error_size) {
    curl_functions functions;
    return load(library, &functions, error, error_size);
}

// The connections live in `multi`, so that they outlast a request.
struct rsae_http_session {
    CURL *easy;
    CURLM *multi;
};

rsae_http_session *rsae_http_session_new(void) { return calloc(1, sizeof(rsae_http_session)); }

void rsae_http_session_free(rsae_http_session *session) {
    if (!session) return;
    if (session->easy) curl.easy_cleanup(session->easy);
    if (session->multi) curl.multi_cleanup(session->multi);
    free(session);
}

// A reply being received.
typedef struct {
    rsae_http_reply *reply;
    size_t capacity, limit;
    size_t header_size;
    bool too_large, headers_too_large, out_of_memory;
} incoming;

static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
    incoming *in = context;
    rsae_http_reply *reply = in->reply;
    size_t length = size * count;
    if (length > in->limit - reply->size) {
        in->too_large = true;
        return 0;
    }
    if (reply->size + length > in->capacity) {
        size_t capacity = 2 * (reply->size + length);
        uint8_t *grown = realloc(reply->body, capacity);
        if (!grown) {
            in->out_of_memory = true;
            return 0;
        }
        reply->body = grown;
        in->capacity = capacity;
    }
    memcpy(reply->body + reply->size, bytes, length);
    reply->size += length;
    return length;
}

// Copies the value of a header line into `value` if the line has that name, with its colon, and the value fits.
static void keep_value(const char *line, size_t length, const char *name, char *value, size_t capacity) {
    size_t start = strlen(name), end = length;
    if (length < start || strncasecmp(line, name, start) != 0) return;
    while (start < length && (line[start] == ' ' || line[start] == '\t')) start++;
    while (end > start && strchr(" \t\r\n", line[end - 1])) end--;
    if (end - start >= capacity) return;
    memcpy(value, line + start, end - start);
    value[end - start] = 0;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context) {
    incoming *in = context;
    rsae_http_reply *reply = in->reply;
    size_t length = size * count;
    if (length > RSAE_HTTP_MAX_HEADER_BYTES - in->header_size) {
        in->headers_too_large = true;
        return 0;
    }
    in->header_size += length;
    // A status line begins anew: what came before belonged to an interim reply.
    if (length >= 5 && memcmp(bytes, "HTTP/", 5) == 0) reply->retry_after[0] = reply->location[0] = 0;
    // What is too long for either form of Retry-After is neither.
    keep_value(bytes, length, "retry-after:", reply->retry_after, sizeof reply->retry_after);
    keep_value(bytes, length, "location:", reply->location, sizeof reply->location);
    return length;
}

// Whether libcurl itself gave up over the headers: it has limits of its own, and an error for them that depends on its
// version. Where a line is too long, the older ones say that memory is short.
static bool is_about_headers(CURLcode code, long sent, const rsae_http_reply *reply) {
    const int too_large = 100;
    if (code == CURLE_OUT_OF_MEMORY || (int)code == too_large) return sent > 0 && reply->size == 0;
    return code == CURLE_RECV_ERROR && strstr(reply->error, "response headers");
}

// Whether a transfer ended before anything was sent.
static bool is_unreachable(CURLcode code, long sent) {
    switch (code) {
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION: return true;
        default: return code == CURLE_OPERATION_TIMEDOUT && sent == 0;
    }
}

// TLS writes without MSG_NOSIGNAL, so a server that hangs up would kill the program. Blocked here and taken back if it
// came meanwhile; one that waited before is left to whom it belongs.
typedef struct {
    sigset_t pipe, before;
    bool was_pending;
} pipe_guard;

static void block_pipe_signal(pipe_guard *guard) {
    sigset_t pending;
    sigemptyset(&guard->pipe);
    sigaddset(&guard->pipe, SIGPIPE);
    sigpending(&pending);
    guard->was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &guard->pipe, &guard->before);
}

static void unblock_pipe_signal(pipe_guard *guard) {
    struct timespec none = {0, 0};
    if (!guard->was_pending) sigtimedwait(&guard->pipe, NULL, &none);
    pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}

static long milliseconds(double seconds) {
    if (!(seconds > 0.001)) return 1;
    return seconds > 1e6 ? 1000000000L : (long)(seconds * 1000);
}

// Returns the first option's error, or CURLE_OK.
static CURLcode configure(CURL *easy, const rsae_http_request *request, struct curl_slist *headers, incoming *in) {
    CURLcode code = CURLE_OK;
#define SET(option, value) \
    if (code == CURLE_OK) code = curl.easy_setopt(easy, option, value)
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
    SET(CURLOPT_POSTFIELDS, request->body_size ? request->body : "");
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_USERAGENT, "routesae");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, milliseconds(request->timeout_s));
    SET(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request->connect_timeout_s));
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->max_reply_bytes);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, in);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, in);
    SET(CURLOPT_ERRORBUFFER, in->reply->error);
    if (request->bypass_proxy) { SET(CURLOPT_PROXY, ""); }
#undef SET
    return code;
}

// Runs the transfer in steps of at most a tenth of a second, between which it may be cancelled; libcurl's own call for
// one transfer asks only once a second.
static CURLcode perform(rsae_http_session *session, const rsae_http_request *request, bool *cancelled) {
    CURLcode code = CURLE_FAILED_INIT;
    if (curl.multi_add_handle(session->multi, session->easy) != CURLM_OK) return code;
    for (int running = 1; running;) {
        if (request->cancelled && request->cancelled(request->context)) {
            *cancelled = true;
            break;
        }
        if (curl.multi_perform(session->multi, &running) != CURLM_OK) break;
        if (running && curl.multi_poll(session->multi, NULL, 0, 100, NULL) != CURLM_OK) break;
    }
    int left;
    for (CURLMsg *message; (message = curl.multi_info_read(session->multi, &left));) {
        if (message->msg == CURLMSG_DONE) code = message->data.result;
    }
    curl.multi_remove_handle(session->multi, session->easy);
    return code;
}

static rsae_http_outcome failed(rsae_http_reply *reply, rsae_http_outcome outcome, const char *reason) {
    free(reply->body);
    reply->body = NULL;
    reply->size = 0;
    reply->status = 0;
    if (reason && !reply->error[0]) snprintf(reply->error, sizeof reply->error, "%s", reason);
    return outcome;
}

rsae_http_outcome rsae_http_post(rsae_http_session *session, const rsae_http_request *request, rsae_http_reply *reply) {
    memset(reply, 0, sizeof *reply);
    pthread_once(&once, load_once);
    if (!loaded) return failed(reply, RSAE_HTTP_LIBRARY_MISSING, load_error);
    if (!session->easy) session->easy = curl.easy_init();
    if (!session->multi) session->multi = curl.multi_init();
    if (!session->easy || !session->multi) return failed(reply, RSAE_HTTP_CONNECTION, "out of memory");

    struct curl_slist *headers = NULL;
    for (size_t i = 0; i < request->header_count; i++) {
        struct curl_slist *longer = curl.slist_append(headers, request->headers[i]);
        if (!longer) {
            curl.slist_free_all(headers);
            return failed(reply, RSAE_HTTP_CONNECTION, "out of memory");
        }
        headers = longer;
    }

    incoming in = {.reply = reply, .limit = request->max_reply_bytes};
    bool cancelled = false;
    pipe_guard guard;
    block_pipe_signal(&guard);
    CURLcode code = configure(session->easy, request, headers, &in);
    if (code == CURLE_OK) code = perform(session, request, &cancelled);
    long status = 0, sent = 0;
    curl.easy_getinfo(session->easy, CURLINFO_RESPONSE_CODE, &status);
    curl.easy_getinfo(session->easy, CURLINFO_REQUEST_SIZE, &sent);
    // Forgets the pointers into this frame, and the key with them; open connections stay.
    curl.easy_reset(session->easy);
    unblock_pipe_signal(&guard);
    curl.slist_free_all(headers);

    if (cancelled) return failed(reply, RSAE_HTTP_CANCELLED, "cancelled");
    if (in.too_large || code == CURLE_FILESIZE_EXCEEDED)
        return failed(reply, RSAE_HTTP_REPLY_TOO_LARGE, "the reply is too large");
    if (in.headers_too_large || is_about_headers(code, sent, reply))
        return failed(reply, RSAE_HTTP_HEADERS_TOO_LARGE, "the headers are too large");
    if (in.out_of_memory) return failed(reply, RSAE_HTTP_CONNECTION, "out of memory");
    if (is_unreachable(code, sent)) return failed(reply, RSAE_HTTP_UNREACHABLE, curl.easy_strerror(code));
    if (code == CURLE_OPERATION_TIMEDOUT) return failed(reply, RSAE_HTTP_TIMED_OUT, "timed out");
    if (code != CURLE_OK) return failed(reply, RSAE_HTTP_CONNECTION, curl.easy_strerror(code));
    reply->status = (int)status;
    return RSAE_HTTP_DONE;
}

void rsae_http_reply_free(rsae_http_reply *reply) {
    free(reply->body);
    reply->body = NULL;
    reply->size = 0;
}
