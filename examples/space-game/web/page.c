#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_escaped(FILE *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        switch (text[i]) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(text[i], out);
        }
    }
}

// Reads a JSON string at *at, which points behind its opening quote; the result is in `value`.
// Escapes other than \" and \\ do not appear in players' names; they end the reading.
static int read_string(const char **at, char *value, size_t size)
{
    size_t used = 0;
    while (**at != '"') {
        if (**at == '\\')
            ++*at;
        if (**at == '\0' || used + 1 >= size)
            return 0;
        value[used++] = *(*at)++;
    }
    ++*at;
    value[used] = '\0';
    return 1;
}

// One row: {"rank":N,"player":"TEXT","points":N}. Returns 0 at anything else.
static int read_row(const char **at, int *rank, char *player, size_t size, long *points)
{
    int read = 0;
    if (sscanf(*at, "{\"rank\":%d,\"player\":\"%n", rank, &read) != 1 || read == 0)
        return 0;
    *at += read;
    if (!read_string(at, player, size))
        return 0;
    read = 0;
    if (sscanf(*at, ",\"points\":%ld}%n", points, &read) != 1 || read == 0)
        return 0;
    *at += read;
    return 1;
}

static void write_rows(FILE *out, const char *json)
{
    const char *at = json;
    if (*at++ != '[')
        return;
    int rank = 0;
    long points = 0;
    char player[128];
    while (read_row(&at, &rank, player, sizeof player, &points)) {
        fprintf(out, "<tr><td>%d</td><td>", rank);
        write_escaped(out, player, strlen(player));
        fprintf(out, "</td><td>%ld</td></tr>\n", points);
        if (*at == ',')
            ++at;
    }
}

char *page_html(const char *leaderboard, const char *version)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Space "
          "Game</title></head>\n"
          "<body><h1>Space Game</h1>\n",
          out);
    if (leaderboard == NULL) {
        fputs("<p>The leaderboard does not answer at the moment.</p>\n", out);
    } else {
        fputs("<table><tr><th>Rank</th><th>Player</th><th>Points</th></tr>\n", out);
        write_rows(out, leaderboard);
        fputs("</table>\n", out);
    }
    fputs("<footer>Version ", out);
    write_escaped(out, version, strlen(version));
    fputs("</footer></body></html>\n", out);
    fclose(out);
    return text;
}
