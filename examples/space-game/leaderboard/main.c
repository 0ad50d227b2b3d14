// The leaderboard: GET /leaderboard answers the players and their points as JSON, best first.
#include "../common/http.h"
#include "scores.h"

#include <stdlib.h>
#include <string.h>

static struct http_response leaderboard(void)
{
    struct score scores[] = {
        {"Comet", 8120, 0}, {"Andromeda", 11450, 0}, {"Pulsar", 9005, 0},
        {"Nova", 11450, 0}, {"Meteor", 4210, 0},
    };
    size_t count = sizeof scores / sizeof scores[0];
    scores_rank(scores, count);
    return (struct http_response){200, "application/json", scores_json(scores, count)};
}

static struct http_response respond(const char *path)
{
    struct http_response common = http_common(path, "leaderboard");
    if (common.status != 0)
        return common;
    if (strcmp(path, "/leaderboard") == 0 || strcmp(path, "/") == 0)
        return leaderboard();
    return http_text(404, "text/plain", "There is no such page; try /leaderboard.\n");
}

int main(int argc, char **argv)
{
    return http_main(argc, argv, respond);
}
