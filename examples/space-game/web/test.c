#include "../common/test.h"

#include "page.h"

#include <stdlib.h>

// Only the part between the heading and the footer differs from case to case.
static void check(const char *name, const char *json, const char *expected)
{
    char *html = page_html(json, "1");
    char *start = strstr(html, "</h1>\n") + strlen("</h1>\n");
    *strstr(start, "<footer>") = '\0';
    test_case(name, start, expected);
    free(html);
}

#define HEADER "<table><tr><th>Rank</th><th>Player</th><th>Points</th></tr>\n"

int main(int argc, char **argv)
{
    test_begin("web", argc > 1 ? argv[1] : "TEST-web.xml");
    check("no leaderboard", NULL, "<p>The leaderboard does not answer at the moment.</p>\n");
    check("an empty leaderboard", "[]\n", HEADER "</table>\n");
    check("a row", "[{\"rank\":1,\"player\":\"Nova\",\"points\":7}]",
          HEADER "<tr><td>1</td><td>Nova</td><td>7</td></tr>\n</table>\n");
    check("names are escaped", "[{\"rank\":1,\"player\":\"<b>\\\"&\",\"points\":7}]",
          HEADER "<tr><td>1</td><td>&lt;b&gt;&quot;&amp;</td><td>7</td></tr>\n</table>\n");
    check("rows before a mistake are shown",
          "[{\"rank\":1,\"player\":\"a\",\"points\":7},{\"rank\":x",
          HEADER "<tr><td>1</td><td>a</td><td>7</td></tr>\n</table>\n");
    check("text that is no JSON shows no rows", "<html>", HEADER "</table>\n");
    check("a name that never ends", "[{\"rank\":1,\"player\":\"aaa", HEADER "</table>\n");
    return test_end();
}
