// A small HTTP/1.1 server and client: enough for two services that answer GET requests.
#pragma once

#include <stddef.h>

struct http_response
{
    int status;               // 200, 404, ...
    const char *content_type; // a string constant
    char *body;               // from malloc; freed by the server
};

// Answers one request; called from several threads at once.
typedef struct http_response (*http_handler)(const char *path);

// Answers GET and HEAD on `port` of every address until SIGTERM or SIGINT. Then it goes on for
// DRAIN_SECONDS (environment, default 2), so that a load balancer can notice that it leaves, and
// returns 0; or returns 1 when the port cannot be had.
int http_serve(int port, http_handler handler);

// Fetches http://host:port/path. Returns the body as a string from malloc when the answer is 200
// within `timeout_seconds`, else NULL.
char *http_get(const char *host, const char *port, const char *path, int timeout_seconds);

// What both services answer to /healthz and /version; status 0 when `path` is neither of them.
struct http_response http_common(const char *path, const char *service);

// A response with a copy of `body`.
struct http_response http_text(int status, const char *content_type, const char *body);

// The main function of a service: `NAME` serves on PORT (environment, default 8080); `NAME --check`
// asks the one that runs in this container for /healthz (exit status 0: it is well).
int http_main(int argc, char **argv, http_handler handler);
