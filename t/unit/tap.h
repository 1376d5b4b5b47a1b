#ifndef TAP_H
#define TAP_H

/* Test Anything Protocol for the unit tests: each check is one line, a failure says file, line and both values. */

#include <stdio.h>
#include <string.h>

#include <apr_general.h>
#include <apr_pools.h>

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

typedef void tap_test_fn(apr_pool_t *p);

static inline void tap_each(apr_pool_t *p, tap_test_fn *const *tests)
{
    for (; *tests; tests++) {
        apr_pool_t *scope;

        apr_pool_create(&scope, p);
        (*tests)(scope);
        apr_pool_destroy(scope);
    }
}

/** The tests one after the other, each in a pool of its own below p. */
#define TAP_EACH(p, ...) tap_each((p), (tap_test_fn *const[]){ __VA_ARGS__, NULL })

/** Run all of a program's tests, print the plan. @return the exit status. */
static inline int tap_main(tap_test_fn *tests)
{
    apr_pool_t *p;

    apr_initialize();
    apr_pool_create(&p, NULL);
    tests(p);
    apr_pool_destroy(p);
    apr_terminate();
    printf("1..%d\n", tap_count);
    return tap_failed != 0;
}

/** The main function: what follows in braces runs with pool p. */
#define TAP_MAIN(p)                                                                                                    \
    static void tap_tests(apr_pool_t *p);                                                                              \
    int main(void)                                                                                                     \
    {                                                                                                                  \
        return tap_main(tap_tests);                                                                                    \
    }                                                                                                                  \
    static void tap_tests(apr_pool_t *p)

#endif
