#include "../common/test.h"

#include "scores.h"

#include <stdlib.h>

static void check(const char *name, struct score *scores, size_t count, const char *expected)
{
    scores_rank(scores, count);
    char *json = scores_json(scores, count);
    test_case(name, json, expected);
    free(json);
}

int main(int argc, char **argv)
{
    test_begin("leaderboard", argc > 1 ? argv[1] : "TEST-leaderboard.xml");
    check("an empty leaderboard is an empty list", NULL, 0, "[]\n");
    struct score order[] = {{"low", 1, 0}, {"high", 3, 0}};
    check("the best comes first", order, 2,
          "[{\"rank\":1,\"player\":\"high\",\"points\":3},{\"rank\":2,\"player\":\"low\","
          "\"points\":1}]\n");
    struct score tie[] = {{"b", 5, 0}, {"c", 4, 0}, {"a", 5, 0}};
    check("equal points share a rank", tie, 3,
          "[{\"rank\":1,\"player\":\"a\",\"points\":5},{\"rank\":1,\"player\":\"b\",\"points\":5},"
          "{\"rank\":3,\"player\":\"c\",\"points\":4}]\n");
    struct score quote[] = {{"say \"hi\"\\\n", 0, 0}};
    check("names are escaped", quote, 1,
          "[{\"rank\":1,\"player\":\"say \\\"hi\\\"\\\\\\u000a\",\"points\":0}]\n");
    return test_end();
}
