#pragma once

// The web page with the rows of `leaderboard` (the JSON that the leaderboard service answers; NULL
// when it cannot be reached) as a string from malloc. Never fails on text that is no such JSON: it
// shows the rows before the first mistake.
char *page_html(const char *leaderboard, const char *version);
