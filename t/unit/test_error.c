/* ddb_error and ddb_clock. */

#include <apr_strings.h>

#include "base/ddb_clock.h"
#include "base/ddb_error.h"
#include "tap.h"

static const apr_status_t words[] = {
    DDB_ECONFLICT,    DDB_ETHROTTLED, DDB_EDENIED,  DDB_ENOCREDS, DDB_ETOOLARGE, DDB_EBADREPLY,
    DDB_EUNAVAILABLE, DDB_EREFUSED,   DDB_EBADITEM, DDB_ECONFIG,  APR_NOTFOUND,  APR_TIMEUP,
};
#define N_WORDS ((int)(sizeof(words) / sizeof(words[0])))

static void test_set(void)
{
    ddb_error_t err = { .http_status = 503,
                        .attempts = 2,
                        .unsettled = 1,
                        .operation = "GetItem",
                        .type = "Throttled",
                        .request_id = "R1",
                        .detail = "an older sentence" };
    char long_text[400];

    NUM_IS(ddb_error_set(&err, DDB_EBADREPLY, "item %d of %s", 3, "sess"), DDB_EBADREPLY, "set returns the status");
    IS(err.detail, "item 3 of sess", "set replaces the detail");
    OK(err.http_status == 503 && err.attempts == 2 && err.unsettled == 1, "set leaves the numbers alone");
    OK(!strcmp(err.operation, "GetItem") && !strcmp(err.type, "Throttled") && !strcmp(err.request_id, "R1"),
       "set leaves the names alone");
    NUM_IS(ddb_error_set(NULL, DDB_ECONFIG, "nobody reads %s", "this"), DDB_ECONFIG, "set without a record");

    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    ddb_error_set(&err, DDB_ECONFIG, "%s", long_text);
    NUM_IS(strlen(err.detail), sizeof(err.detail) - 1, "a long detail is cut, and ends");
    ddb_error_set(&err, DDB_ECONFIG, "%lld of %zu in %s", 9000000000LL, (size_t)7, "t");
    IS(err.detail, "9000000000 of 7 in t", "every format that the compiler accepts is understood");
    ddb_error_set(&err, DDB_ECONFIG, "%s", "100 %s");
    IS(err.detail, "100 %s", "text from outside is not a format");
}

static void test_text(void)
{
    const char *text[N_WORDS];
    char buf[200], apr[200], tiny[8];
    int i, j, same = 0, unknown = 0;

    for (i = 0; i < N_WORDS; i++) {
        text[i] = ddb_error_text(words[i], buf, sizeof(buf));
        apr_strerror(words[i], apr, sizeof(apr));
        unknown += text[i] == buf || !*text[i] || !strcmp(text[i], apr);
        for (j = 0; j < i; j++) {
            same += !strcmp(text[i], text[j]);
        }
    }
    NUM_IS(unknown, 0, "each of our words has a sentence of ours");
    NUM_IS(same, 0, "no two words share a sentence");
    IS(ddb_error_text(DDB_EUNAVAILABLE, buf, sizeof(buf)), "the store did not answer", "unavailable, in words");
    IS(ddb_error_text(APR_EACCES, buf, sizeof(buf)), apr_strerror(APR_EACCES, apr, sizeof(apr)), "APR's words");
    OK(ddb_error_text(APR_EACCES, tiny, sizeof(tiny)) == tiny && strlen(tiny) < sizeof(tiny), "a small buffer");
}

static void test_word(void)
{
    int i, j, same = 0, bad = 0;

    for (i = 0; i < N_WORDS; i++) {
        const char *word = ddb_error_word(words[i]);

        bad += word[strspn(word, "abcdefghijklmnopqrstuvwxyz-")] != '\0' || strcmp(word, "other") == 0;
        for (j = 0; j < i; j++) {
            same += strcmp(word, ddb_error_word(words[j])) == 0;
        }
    }
    NUM_IS(bad, 0, "each status is one word for programs");
    NUM_IS(same, 0, "of its own");
    IS(ddb_error_word(DDB_EDENIED), "denied", "such as this");
    IS(ddb_error_word(APR_EACCES), "other", "what is not ours is another");
}

static void test_passing(void)
{
    int i, n = 0;

    for (i = 0; i < N_WORDS; i++) {
        n += ddb_error_is_passing(words[i]);
    }
    OK(ddb_error_is_passing(DDB_ETHROTTLED) && ddb_error_is_passing(DDB_EUNAVAILABLE)
           && ddb_error_is_passing(APR_TIMEUP),
       "a store that is busy, away or late may be well later");
    NUM_IS(n, 3, "no other word of ours is of what passes by itself");
}

static void test_clock(void)
{
    const ddb_clock_t *c = &ddb_clock_system;
    apr_time_t before = apr_time_now(), wall = ddb_clock_wall(c), after = apr_time_now(), mono, last;
    int i, back = 0;

    OK(before <= wall && wall <= after, "the wall clock is the machine's");
    mono = last = ddb_clock_monotonic(c);
    OK(mono > 0, "the monotonic clock has a value");
    for (i = 0; i < 1000; i++) {
        apr_time_t t = ddb_clock_monotonic(c);
        back += t < last;
        last = t;
    }
    NUM_IS(back, 0, "the monotonic clock never goes back");
    mono = ddb_clock_monotonic(c);
    c->sleep(c->baton, 2000);
    OK(ddb_clock_monotonic(c) - mono >= 2000, "sleep lasts as long as asked, measured in microseconds");
    mono = ddb_clock_monotonic(c);
    c->sleep(c->baton, 0);
    c->sleep(c->baton, -1000000);
    OK(ddb_clock_monotonic(c) - mono < 1000000, "a sleep of nothing or less is none");
}

TAP_MAIN(p)
{
    (void)p;
    test_set();
    test_text();
    test_word();
    test_passing();
    test_clock();
}
