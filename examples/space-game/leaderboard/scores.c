#include "scores.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int better_first(const void *left, const void *right)
{
    const struct score *a = left;
    const struct score *b = right;
    if (a->points != b->points)
        return a->points > b->points ? -1 : 1;
    return strcmp(a->player, b->player);
}

void scores_rank(struct score *scores, size_t count)
{
    qsort(scores, count, sizeof *scores, better_first);
    for (size_t i = 0; i < count; ++i) {
        int tie = i > 0 && scores[i].points == scores[i - 1].points;
        scores[i].rank = tie ? scores[i - 1].rank : (int)i + 1;
    }
}

static void write_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; ++text) {
        if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < 32)
            fprintf(out, "\\u%04x", (unsigned)*text);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

char *scores_json(const struct score *scores, size_t count)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    fputc('[', out);
    for (size_t i = 0; i < count; ++i) {
        fprintf(out, "%s{\"rank\":%d,\"player\":", i > 0 ? "," : "", scores[i].rank);
        write_string(out, scores[i].player);
        fprintf(out, ",\"points\":%ld}", scores[i].points);
    }
    fputs("]\n", out);
    fclose(out);
    return text;
}
