// One POST at a time over libcurl, which is loaded when it is first needed: linking it would add 10 ms to every start of
// the program, and most commands use no endpoint.
//
// Redirects are not followed, since they would carry the key elsewhere; certificates are verified; only http and https
// are supported; proxies named by the environment (https_proxy, http_proxy, no_proxy) are used unless disabled.
#ifndef CCURL_H
#define CCURL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// How a transfer ended. Only RSAE_HTTP_DONE has a status and a body.
typedef enum {
    RSAE_HTTP_DONE,
    RSAE_HTTP_TIMED_OUT,
    RSAE_HTTP_UNREACHABLE,      // no connection came about: nothing was sent
    RSAE_HTTP_CONNECTION,       // the connection broke off, or what came over it is no HTTP
    RSAE_HTTP_REPLY_TOO_LARGE,
    RSAE_HTTP_HEADERS_TOO_LARGE,
    RSAE_HTTP_CANCELLED,
    RSAE_HTTP_LIBRARY_MISSING,
} rsae_http_outcome;

// The request. Strings end with a zero byte; nothing is kept after the call.
typedef struct {
    const char *url;
    const char *const *headers;  // "Name: value", `header_count` of them
    size_t header_count;
    const void *body;
    size_t body_size;
    double timeout_s;            // for all of the exchange, connecting included
    double connect_timeout_s;
    size_t max_reply_bytes;
    bool bypass_proxy;           // go straight to the host whatever the environment says
    bool (*cancelled)(void *context);  // asked about ten times a second; may be NULL
    void *context;
} rsae_http_request;

// The most bytes of headers that a reply may have, interim replies included.
enum { RSAE_HTTP_MAX_HEADER_BYTES = 1 << 18 };

// The reply. `body` belongs to the caller, who frees it with rsae_http_reply_free.
typedef struct {
    int status;
    uint8_t *body;
    size_t size;
    char retry_after[128];  // the header's value, empty where there is none
    char location[512];     // likewise; empty as well where it is longer
    char error[256];        // one line where the outcome is not RSAE_HTTP_DONE
} rsae_http_reply;

// Connections that are kept open between requests. Not to be used by two threads at once.
typedef struct rsae_http_session rsae_http_session;

// A session without connections, or NULL if memory runs out. The library is loaded by the first request.
rsae_http_session *rsae_http_session_new(void);
void rsae_http_session_free(rsae_http_session *session);

// Sends a request and waits for all of the reply. `reply` is overwritten.
rsae_http_outcome rsae_http_post(rsae_http_session *session, const rsae_http_request *request, rsae_http_reply *reply);
void rsae_http_reply_free(rsae_http_reply *reply);

// Whether a shared library of this name has all symbols that a request needs; if not, `error` describes the problem.
bool rsae_http_can_load(const char *library, char *error, size_t error_size);

#endif
