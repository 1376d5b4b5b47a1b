/* The difference of two clocks: when it is believed, what it changes, and how it goes again. */

#include "aws/ddb_skew.h"
#include "tap.h"
#include "world.h"

static world_t *w;
static ddb_skew_t *skew;
static ddb_notice_t notice;

static void setup(apr_pool_t *p)
{
    w = world_create(p);
    ddb_skew_create(&skew, &w->clock, p);
    memset(&notice, 0x55, sizeof(notice));
}

static apr_time_t now(void)
{
    return ddb_clock_wall(ddb_skew_clock(skew));
}

/* A signature of now is refused by a service whose clock is so many seconds ahead of the machine's. */
static int refused(int seconds)
{
    return ddb_skew_correct(skew, ddb_skew_offset(skew), now(), w->now + apr_time_from_sec(seconds));
}

static void test_clock(apr_pool_t *p)
{
    const ddb_clock_t *clock;

    setup(p);
    clock = ddb_skew_clock(skew);
    NUM_IS(now(), w->now, "without a refusal the time is the machine's");
    NUM_IS(ddb_clock_monotonic(clock), w->mono, "so is the monotonic one");
    NUM_IS(refused(1200), 1, "a refusal with a Date 20 minutes ahead is believed");
    NUM_IS(now(), w->now + apr_time_from_sec(1200), "the time is the service's then");
    w->now += apr_time_from_sec(60);
    NUM_IS(now(), w->now + apr_time_from_sec(1200), "and goes on with the machine's");
    NUM_IS(ddb_clock_monotonic(clock), w->mono, "the monotonic one is left alone");
    clock->sleep(clock->baton, 1000);
    NUM_IS(w->slept[0], 1000, "and so is sleep");
}

static void test_differences(apr_pool_t *p)
{
    static const struct {
        int ahead, believed;
    } cases[] = {
        { 240, 1 }, { 239, 0 }, { -240, 1 }, { -239, 0 }, { 0, 0 }, { 86400 * 365, 1 }, { -86400 * 365, 1 },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        setup(p);
        NUM_IS(
            refused(cases[i].ahead), cases[i].believed,
            apr_psprintf(p, "%d s ahead: %s", cases[i].ahead, cases[i].believed ? "a wrong clock" : "another cause"));
        NUM_IS(ddb_skew_offset(skew), apr_time_from_sec(cases[i].believed ? cases[i].ahead : 0), "and corrected so");
    }
}

static void test_set_right(apr_pool_t *p)
{
    setup(p);
    refused(1200);
    w->now += apr_time_from_sec(1200);
    NUM_IS(refused(1), 1, "the machine's clock is set right: the corrected time is refused");
    NUM_IS(ddb_skew_offset(skew), 0, "and nothing is corrected any more, not even a second");
    refused(-3600);
    w->now -= apr_time_from_sec(86400);
    refused(86400 - 3600);
    NUM_IS(now(), w->now + apr_time_from_sec(86400 - 3600), "set wrong in another way, it is corrected in another");
}

static void test_at_once(apr_pool_t *p)
{
    apr_time_t signed_at;

    setup(p);
    signed_at = now();
    NUM_IS(ddb_skew_correct(skew, 0, signed_at, signed_at + apr_time_from_sec(1200)), 1, "two are refused at once");
    NUM_IS(ddb_skew_correct(skew, 0, signed_at, signed_at + apr_time_from_sec(1201)), 1, "both may sign anew");
    NUM_IS(ddb_skew_offset(skew), apr_time_from_sec(1200), "the first correction is the one that holds");
    NUM_IS(ddb_skew_correct(skew, 0, signed_at, signed_at + apr_time_from_sec(1)), 0,
           "who is refused for another reason may not");
}

static void test_notices(apr_pool_t *p)
{
    setup(p);
    NUM_IS(ddb_skew_take_notice(skew, &notice), 0, "a clock that is right is not worth a word");
    refused(1200);
    NUM_IS(ddb_skew_take_notice(skew, &notice), 1, "one that is not is");
    IS(notice.text,
       "this machine's clock is 1200 s behind DynamoDB's; signatures and session timeouts now follow DynamoDB's: "
       "correct the clock (NTP)",
       "with what to do");
    NUM_IS(notice.warning, 1, "as a warning");
    NUM_IS(ddb_skew_take_notice(skew, &notice), 0, "once");
    refused(-1200);
    ddb_skew_take_notice(skew, &notice);
    OK(strstr(notice.text, "1200 s ahead of DynamoDB's"), "also in the other direction");
    refused(0);
    NUM_IS(ddb_skew_take_notice(skew, &notice), 1, "that it is right again is said, too");
    IS(notice.text, "this machine's clock is correct again and used as it is", "in a sentence");
    NUM_IS(notice.warning, 0, "which is no warning");
}

static void test_trust(apr_pool_t *p)
{
    static const struct {
        const char *url;
        int trusted;
    } cases[] = {
        { "https://dynamodb.eu-central-1.amazonaws.com", 1 },
        { "http://127.0.0.1:8000", 1 },
        { "http://127.1.2.3", 1 },
        { "http://localhost:8000", 1 },
        { "http://localhost", 1 },
        { "http://[::1]:8000", 1 },
        { "http://dynamodb.internal", 0 },
        { "http://127.0.0.1.example.com", 0 },
        { "http://localhost.example.com", 0 },
        { "http://10.0.0.1", 0 },
        { "http://[::2]", 0 },
        { "ftp://localhost", 0 },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        NUM_IS(ddb_skew_trusts(cases[i].url), cases[i].trusted,
               apr_psprintf(p, "%s: its Date is %s", cases[i].url, cases[i].trusted ? "believed" : "not believed"));
    }
    OK(ddb_skew_suspected("InvalidSignatureException") && ddb_skew_suspected("RequestTimeTooSkewed"),
       "a refused signature may be the clock's fault");
    OK(!ddb_skew_suspected("AccessDeniedException") && !ddb_skew_suspected(""), "other refusals are not");
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_clock, test_differences, test_set_right, test_at_once, test_notices, test_trust);
}
