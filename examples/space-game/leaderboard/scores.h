#pragma once

#include <stddef.h>

struct score
{
    const char *player;
    long points;
    int rank; // 1 is the best; players with the same points share a rank
};

// Sorts by points, best first (players of equal points by name), and fills in the ranks.
void scores_rank(struct score *scores, size_t count);

// [{"rank":1,"player":"...","points":9},...] as a string from malloc.
char *scores_json(const struct score *scores, size_t count);
