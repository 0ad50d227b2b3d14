// Unit tests in one header: each CASE is one row of a JUnit file, which every CI system can show.
#pragma once

#include <stdio.h>
#include <string.h>

static FILE *test_file;
static int test_failures;

static void test_begin(const char *suite, const char *path)
{
    test_file = fopen(path, "w");
    if (test_file == NULL) {
        perror(path);
        _Exit(2);
    }
    fprintf(test_file, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"%s\">\n",
            suite);
}

static void test_text(const char *text)
{
    for (; *text != '\0'; ++text) {
        if (strchr("<>&\"", *text) != NULL || (unsigned char)*text < 32)
            fprintf(test_file, "&#%d;", (unsigned char)*text < 32 && *text != '\n' ? '?' : *text);
        else
            fputc(*text, test_file);
    }
}

static void test_case(const char *name, const char *actual, const char *expected)
{
    int same = strcmp(actual, expected) == 0;
    printf("%s %s\n", same ? "ok  " : "FAIL", name);
    fprintf(test_file, "  <testcase classname=\"space-game\" name=\"%s\">", name);
    if (!same) {
        ++test_failures;
        printf("     expected: %s\n     actual:   %s\n", expected, actual);
        fprintf(test_file, "<failure message=\"");
        test_text("expected ");
        test_text(expected);
        test_text(" but got ");
        test_text(actual);
        fprintf(test_file, "\"/>");
    }
    fprintf(test_file, "</testcase>\n");
}

// The exit status of the test program.
static int test_end(void)
{
    fprintf(test_file, "</testsuite>\n");
    fclose(test_file);
    return test_failures == 0 ? 0 : 1;
}
