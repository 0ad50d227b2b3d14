// The web site: GET / shows the leaderboard, which it fetches from the leaderboard service at
// LEADERBOARD_HOST:LEADERBOARD_HTTP_PORT; in Kubernetes the address of the Service of that name.
#include "../common/http.h"
#include "page.h"

#include <stdlib.h>
#include <string.h>

#ifndef VERSION
#define VERSION "development"
#endif

static const char *setting(const char *first, const char *second, const char *standard)
{
    const char *value = getenv(first);
    if (value == NULL)
        value = getenv(second);
    return value == NULL ? standard : value;
}

static struct http_response page(void)
{
    // Kubernetes sets the second names for a Service that was there before the pod.
    const char *host = setting("LEADERBOARD_HOST", "LEADERBOARD_SERVICE_HOST", "leaderboard");
    const char *port = setting("LEADERBOARD_HTTP_PORT", "LEADERBOARD_SERVICE_PORT", "80");
    char *leaderboard = http_get(host, port, "/leaderboard", 2);
    char *html = page_html(leaderboard, VERSION);
    free(leaderboard);
    return (struct http_response){200, "text/html", html};
}

static struct http_response respond(const char *path)
{
    struct http_response common = http_common(path, "web");
    if (common.status != 0)
        return common;
    if (strcmp(path, "/") == 0)
        return page();
    return http_text(404, "text/plain", "There is no such page.\n");
}

int main(int argc, char **argv)
{
    return http_main(argc, argv, respond);
}
