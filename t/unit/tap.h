#ifndef TAP_H
#define TAP_H

/* Test Anything Protocol for the unit tests: each check is one line, a failure says file, line and both values. */

#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

static inline int tap_ok(int good, const char *file, int line, const char *name)
{
    tap_count++;
    printf("%sok %d - %s\n", good ? "" : "not ", tap_count, name);
    if (!good) {
        tap_failed++;
        printf("# failed at %s:%d\n", file, line);
    }
    return good;
}

static inline void tap_str(const char *got, const char *want, const char *file, int line, const char *name)
{
    int same = got && want ? strcmp(got, want) == 0 : got == want;
    if (!tap_ok(same, file, line, name)) {
        printf("#   got: %s\n#  want: %s\n", got ? got : "(null)", want ? want : "(null)");
    }
}

static inline void tap_num(long long got, long long want, const char *file, int line, const char *name)
{
    if (!tap_ok(got == want, file, line, name)) {
        printf("#   got: %lld\n#  want: %lld\n", got, want);
    }
}

#define OK(cond, name)          tap_ok((cond) ? 1 : 0, __FILE__, __LINE__, (name))
#define IS(got, want, name)     tap_str((got), (want), __FILE__, __LINE__, (name))
#define NUM_IS(got, want, name) tap_num((got), (want), __FILE__, __LINE__, (name))

/** The plan, at the end; the exit status of main. */
static inline int tap_done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed != 0;
}

#endif
