#include "http.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef VERSION
#define VERSION "development"
#endif
#ifndef COMMIT
#define COMMIT "unknown"
#endif

enum { kThreads = 8, kRequestLimit = 8192, kBodyLimit = 1 << 20, kReadSeconds = 5 };

static int listener = -1;
static http_handler handle;

static const char *reason(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 502:
        return "Bad Gateway";
    default:
        return "Internal Server Error";
    }
}

static void set_timeout(int fd, int seconds)
{
    struct timeval limit = {.tv_sec = seconds};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

static int send_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return -1;
        data += sent;
        size -= (size_t)sent;
    }
    return 0;
}

// Reads until `end` appears (or, with NULL, until the other side closes); always ends with NUL.
static size_t receive(int fd, char *buffer, size_t size, const char *end)
{
    size_t used = 0;
    buffer[0] = '\0';
    while (used + 1 < size && (end == NULL || strstr(buffer, end) == NULL)) {
        ssize_t got = recv(fd, buffer + used, size - 1 - used, 0);
        if (got <= 0)
            break;
        used += (size_t)got;
        buffer[used] = '\0';
    }
    return used;
}

struct http_response http_text(int status, const char *content_type, const char *body)
{
    return (struct http_response){status, content_type, strdup(body)};
}

struct http_response http_common(const char *path, const char *service)
{
    if (strcmp(path, "/healthz") == 0)
        return http_text(200, "text/plain", "ok\n");
    if (strcmp(path, "/version") == 0) {
        char body[256];
        snprintf(body, sizeof body, "{\"service\":\"%s\",\"version\":\"%s\",\"commit\":\"%s\"}\n",
                 service, VERSION, COMMIT);
        return http_text(200, "application/json", body);
    }
    return (struct http_response){0, NULL, NULL};
}

static void answer(int fd)
{
    char request[kRequestLimit];
    receive(fd, request, sizeof request, "\r\n\r\n");
    char method[8] = "";
    char path[1024] = "";
    int words = sscanf(request, "%7s %1023[^ ?\r\n]", method, path);
    if (words < 1)
        return;
    struct http_response response;
    int head = strcmp(method, "HEAD") == 0;
    if (words != 2 || path[0] != '/')
        response = http_text(400, "text/plain", "This is no HTTP request.\n");
    else if (strcmp(method, "GET") != 0 && !head)
        response = http_text(405, "text/plain", "Only GET is possible here.\n");
    else
        response = handle(path);
    size_t size = response.body == NULL ? 0 : strlen(response.body);
    char header[256];
    int length =
        snprintf(header, sizeof header,
                 "HTTP/1.1 %d %s\r\nContent-Type: %s; charset=utf-8\r\nContent-Length: %zu\r\n"
                 "Connection: close\r\n\r\n",
                 response.status, reason(response.status), response.content_type, size);
    if (send_all(fd, header, (size_t)length) == 0 && !head && size > 0)
        send_all(fd, response.body, size);
    free(response.body);
}

static void *serve_connections(void *unused)
{
    (void)unused;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            continue;
        set_timeout(fd, kReadSeconds);
        answer(fd);
        shutdown(fd, SHUT_WR);
        close(fd);
    }
    return NULL;
}

int http_serve(int port, http_handler handler)
{
    // Process 1 of a container has no default reaction to signals, so it must wait for them itself.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);

    handle = handler;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    int yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((unsigned short)port),
                                  .sin_addr.s_addr = htonl(INADDR_ANY)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 128) != 0) {
        perror("cannot listen");
        return 1;
    }
    printf("version %s of commit %s listens on port %d\n", VERSION, COMMIT, port);
    fflush(stdout);
    for (int i = 0; i < kThreads; ++i) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve_connections, NULL) != 0) {
            perror("cannot start a thread");
            return 1;
        }
    }
    int received = 0;
    sigwait(&signals, &received);
    const char *drain = getenv("DRAIN_SECONDS");
    sleep(drain == NULL ? 2 : (unsigned)atoi(drain));
    return 0;
}

char *http_get(const char *host, const char *port, const char *path, int timeout_seconds)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return NULL;
    char *body = NULL;
    char *buffer = malloc(kBodyLimit);
    int fd = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    if (buffer != NULL && fd >= 0) {
        set_timeout(fd, timeout_seconds);
        char request[1024];
        int length =
            snprintf(request, sizeof request,
                     "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host);
        if (length < (int)sizeof request && connect(fd, found->ai_addr, found->ai_addrlen) == 0 &&
            send_all(fd, request, (size_t)length) == 0) {
            receive(fd, buffer, kBodyLimit, NULL);
            const char *start = strstr(buffer, "\r\n\r\n");
            if (start != NULL && strncmp(buffer, "HTTP/1.1 200 ", 13) == 0)
                body = strdup(start + 4);
        }
    }
    if (fd >= 0)
        close(fd);
    free(buffer);
    freeaddrinfo(found);
    return body;
}

int http_main(int argc, char **argv, http_handler handler)
{
    const char *port = getenv("PORT");
    if (port == NULL)
        port = "8080";
    if (argc == 2 && strcmp(argv[1], "--check") == 0) {
        char *body = http_get("127.0.0.1", port, "/healthz", 2);
        int well = body != NULL;
        free(body);
        return well ? 0 : 1;
    }
    int number = atoi(port);
    if (argc != 1 || number < 1 || number > 65535) {
        fprintf(stderr, "usage: PORT=8080 %s [--check]\n", argv[0]);
        return 2;
    }
    return http_serve(number, handler);
}
