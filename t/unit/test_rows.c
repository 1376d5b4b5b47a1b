/* Rows in a scripted world: scans over pages that are throttled in between, what is shown of a row, what is deleted. */

#include <pthread.h>
#include <stdlib.h>

#include <apr_atomic.h>

#include "cli/ddb_rows.h"
#include "store/ddb_sid.h"
#include "tap.h"
#include "client_world.h"

#define ERROR(name)        "{\"__type\":\"com.amazonaws.dynamodb.v20120810#" name "\",\"message\":\"m\"}"
#define THROTTLED          ERROR("ThrottlingException")
#define REFUSED            ERROR("ConditionalCheckFailedException")
#define HASH               "0123456789abcdef0123456789abcdef"
#define MARKED(id, hash)   "{\"id\":{\"S\":\"" id "\"},\"loggable\":{\"S\":\"" hash "\"}}"
#define BARE(id)           "{\"id\":{\"S\":\"" id "\"}}"
#define DUE(id, expires)   "{\"id\":{\"S\":\"" id "\"},\"expires\":{\"N\":\"" expires "\"}}"
#define ACCESSED           ",\"accessed\":{\"S\":\"1970-01-01T00:00:00.000000+00:00\"}}"
#define MOVED(id, expires) "{\"id\":{\"S\":\"" id "\"},\"expires\":{\"N\":\"" expires "\"}" ACCESSED
#define LAST(items, seen)  "{\"Items\":[" items "],\"Count\":1,\"ScannedCount\":" seen "}"
#define PAGE(items, seen, next)                                                                                        \
    "{\"Items\":[" items "],\"Count\":1,\"ScannedCount\":" seen ",\"LastEvaluatedKey\":{\"id\":{\"S\":\"" next "\"}}}"

/* The world's time is 1795395723. */
#define LONG_AGO "1795300000"
#define A_DAY    "1795309323"
#define OVER_DAY "1795309322"
#define JUST_NOW "1795395722"
#define NOT_YET  "1795395800"

typedef struct fixture_t {
    apr_pool_t *pool;
    world_t *w;
    ddb_table_t table;
    ddb_rows_t rows;
    ddb_error_t err;
    const char *key;
    ddb_row_t row;
    int told;
    ddb_rows_count_t last;
    volatile apr_uint32_t stop;
    int stop_after;
} fixture_t;

static void progress(void *baton, const ddb_rows_count_t *so_far)
{
    fixture_t *f = baton;

    f->told++;
    f->last = *so_far;
    apr_atomic_set32(&f->stop, f->stop_after && f->told >= f->stop_after);
}

static fixture_t *setup_with(int attempts, apr_pool_t *p)
{
    fixture_t *f = apr_pcalloc(p, sizeof(*f));

    f->pool = p;
    f->w = world_create(p);
    f->table.name = "app_session";
    f->table.clock = &f->w->clock;
    f->table.timeout = apr_time_from_sec(5);
    f->rows.table = &f->table;
    f->rows.progress = progress;
    f->rows.baton = f;
    f->rows.stop = &f->stop;
    f->table.client = world_client(f->w, attempts, p);
    return f;
}

static fixture_t *setup(apr_pool_t *p)
{
    return setup_with(1, p);
}

static const char *sent(const fixture_t *f, int i)
{
    return i < f->w->n_sent ? f->w->sent[i].body : "";
}

static const char *operation(const fixture_t *f, int i)
{
    const char *target = i < f->w->n_sent ? apr_table_get(f->w->sent[i].headers, "X-Amz-Target") : NULL;

    return target ? strchr(target, '.') + 1 : "(none)";
}

static apr_status_t find(fixture_t *f, const char *hash)
{
    return ddb_rows_find(&f->rows, hash, &f->key, f->pool, &f->err);
}

/* --- find --- */

static void test_hashes(void)
{
    OK(ddb_rows_is_hash(HASH), "32 hex digits are a hash");
    OK(ddb_rows_is_hash(HASH HASH HASH HASH), "so are 128");
    OK(ddb_rows_is_hash("ABCDEF6789abcdef0123456789abcdefA"), "in either case");
    OK(!ddb_rows_is_hash("0123456789abcdef0123456789abcde"), "31 are too few");
    OK(!ddb_rows_is_hash(HASH HASH HASH HASH "0"), "129 too many");
    OK(!ddb_rows_is_hash("0123456789abcdef0123456789abcdeg") && !ddb_rows_is_hash(""), "and others none");
}

static void test_find(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    world_answer(f->w, 200, LAST(MARKED("key1", HASH), "7"));
    NUM_IS(find(f, "0123456789ABCDEF0123456789abcdef00ff"), APR_SUCCESS, "a row is found by its hash");
    IS(f->key, "key1", "which gives its key");
    IS(sent(f, 0),
       "{\"TableName\":\"app_session\",\"Limit\":500,\"FilterExpression\":\"#loggable = :loggable\","
       "\"ProjectionExpression\":\"#id, #loggable\",\"ExpressionAttributeNames\":{\"#id\":\"id\",\"#loggable\":"
       "\"loggable\"},\"ExpressionAttributeValues\":{\":loggable\":{\"S\":\"" HASH "\"}}}",
       "asked for are keys and hashes, never data");
    NUM_IS(f->rows.count.seen, 7, "how many rows were looked at is counted");
    NUM_IS(f->told, 1, "and told");
}

static void test_pages(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    world_answer(f->w, 200, PAGE("", "500", "k500"));
    world_answer(f->w, 400, THROTTLED);
    world_answer(f->w, 400, THROTTLED);
    world_answer(f->w, 200, PAGE(MARKED("key2", HASH), "500", "k1000"));
    world_answer(f->w, 200, LAST("", "3"));
    NUM_IS(find(f, HASH), APR_SUCCESS, "a row on a later page is found");
    IS(f->key, "key2", "which gives its key");
    IS(operation(f, 4), "Scan", "the last page is looked at too: there might be a second one");
    OK(strstr(sent(f, 1), "\"ExclusiveStartKey\":{\"id\":{\"S\":\"k500\"}}"), "a page begins where the last ended");
    IS(sent(f, 3), sent(f, 1), "one that was throttled is asked for again");
    NUM_IS(f->w->n_slept, 2, "after a wait");
    NUM_IS(f->w->slept[1], 2 * f->w->slept[0], "the second longer");
    OK(strstr(sent(f, 4), "k1000"), "and the next goes on from there");
    NUM_IS(f->rows.count.pages, 3, "pages are counted");
    NUM_IS(f->rows.count.seen, 1003, "with their rows");
}

static void test_throttled_for_good(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    int i;

    for (i = 0; i < 10; i++) {
        world_answer(f->w, 400, THROTTLED);
    }
    NUM_IS(find(f, HASH), DDB_ETHROTTLED, "a service that throttles on and on");
    NUM_IS(f->w->n_sent, 6, "is asked six times");
    IS(f->key, NULL, "and nothing is found");
}

static void test_not_found(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    world_answer(f->w, 200, LAST("", "3"));
    NUM_IS(find(f, HASH), APR_NOTFOUND, "a hash that no row has");
    OK(strstr(f->err.detail, "another table"), "may be another table's");
    f = setup(p);
    world_answer(f->w, 400, ERROR("ResourceNotFoundException"));
    NUM_IS(find(f, HASH), DDB_EREFUSED, "a missing table is a failure");
    f = setup(p);
    world_answer(f->w, 200, "{\"Items\":[],\"LastEvaluatedKey\":{\"sid\":{\"S\":\"x\"}}}");
    NUM_IS(find(f, HASH), DDB_EREFUSED, "another key too");
    OK(strstr(f->err.detail, "key of the table"), "and said");
}

static void test_ambiguous(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    world_answer(f->w, 200, PAGE(MARKED("key1", HASH), "1", "key1"));
    world_answer(f->w, 200, LAST(MARKED("key2", HASH), "1"));
    NUM_IS(find(f, HASH), DDB_ECONFLICT, "two rows of one hash");
    IS(f->key, NULL, "are none");
}

static void test_find_ids(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    const char *hash = ddb_sid_loggable("theid", p);

    f->rows.ids = 1;
    world_answer(f->w, 200, LAST(BARE("other") "," BARE("theid") ",{}," MARKED("marked", HASH), "4"));
    NUM_IS(find(f, apr_pstrmemdup(p, hash, 40)), DDB_ECONFLICT, "where keys are IDs, a filter lets both kinds through");
    OK(strstr(sent(f, 0), "OR attribute_not_exists(#loggable)"), "rows without a hash too");
    f = setup(p);
    f->rows.ids = 1;
    world_answer(f->w, 200, LAST(BARE("other") "," BARE("theid"), "2"));
    NUM_IS(find(f, hash), APR_SUCCESS, "their hash is worked out");
    IS(f->key, "theid", "and gives the row");
    f = setup(p);
    f->rows.ids = 1;
    world_answer(f->w, 200, LAST(BARE("theid"), "1"));
    NUM_IS(find(f, apr_pstrcat(p, apr_pstrmemdup(p, hash, 127), hash[127] == '0' ? "1" : "0", NULL)), APR_NOTFOUND,
           "to the last digit");
}

static void test_stop(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    f->stop_after = 1;
    world_answer(f->w, 200, PAGE("", "500", "k500"));
    NUM_IS(find(f, HASH), APR_EINTR, "a scan can be stopped");
    NUM_IS(f->w->n_sent, 1, "after the page it is at");
    NUM_IS(f->rows.count.seen, 500, "and says how far it came");
}

/* --- show --- */

static apr_status_t read_row(fixture_t *f)
{
    return ddb_rows_read(&f->rows, "key", &f->row, f->pool, &f->err);
}

/* --- segments --- */

#define SEGMENTS 4
#define PAGES    3 /* of a segment */

/** A table that is scanned in segments, whose first pages are answered when all of them were asked for. */
typedef struct large_t {
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    int calls, whole, together;
    int pages[SEGMENTS]; /* asked for */
    int at[SEGMENTS];    /* the page that has a row of the hash; -1: none */
    int denied;          /* the segment that is refused; -1: none */
} large_t;

static int number_in(const char *body, const char *name)
{
    const char *at = strstr(body, name);

    return at ? atoi(at + strlen(name)) : -1;
}

static apr_status_t answer_segment(void *baton, const ddb_http_request_t *req, apr_pool_t *p, ddb_http_response_t *res,
                                   ddb_error_t *err)
{
    large_t *t = baton;
    ddb_http_request_t parts = { 0 };
    const char *wrong = message_parse(&parts, req, p);
    int segment, page, n;

    if (wrong) {
        return ddb_error_set(err, APR_EGENERAL, "%s", wrong);
    }
    segment = number_in(parts.body, "\"Segment\":");
    page = number_in(parts.body, "\"S\":\"page");
    n = page < 0 ? 0 : page;
    pthread_mutex_lock(&t->mutex);
    t->calls++;
    t->whole += segment < 0;
    if (segment >= 0) {
        t->pages[segment]++;
        t->together++;
        pthread_cond_broadcast(&t->moved);
        while (t->together < SEGMENTS) {
            pthread_cond_wait(&t->moved, &t->mutex);
        }
    }
    pthread_mutex_unlock(&t->mutex);
    res->headers = apr_table_make(p, 1);
    res->status = segment >= 0 && segment == t->denied ? 400 : 200;
    res->body = res->status == 400 ? ERROR("AccessDeniedException")
                : segment < 0      ? PAGE("", "500", "page1")
                                   : apr_psprintf(p, n == PAGES - 1 ? LAST("%s", "10") : PAGE("%s", "10", "page%d"),
                                             t->at[segment] == n ? MARKED("found", HASH) : "", n + 1);
    res->body_len = strlen(res->body);
    return APR_SUCCESS;
}

static fixture_t *setup_large(apr_pool_t *p, large_t *t)
{
    fixture_t *f = setup(p);
    int i;

    memset(t, 0, sizeof(*t));
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->moved, NULL);
    t->denied = -1;
    for (i = 0; i < SEGMENTS; i++) {
        t->at[i] = -1;
    }
    f->w->http.perform = answer_segment;
    f->w->http.baton = t;
    f->rows.segments = SEGMENTS;
    return f;
}

static void test_segments(apr_pool_t *p)
{
    large_t t;
    fixture_t *f = setup_large(p, &t);
    int i, whole = 0;

    t.at[2] = 1;
    NUM_IS(find(f, HASH), APR_SUCCESS, "a session of a large table is found");
    IS(f->key, "found", "in its segment");
    for (i = 0; i < SEGMENTS; i++) {
        whole += t.pages[i] == PAGES;
    }
    NUM_IS(whole, SEGMENTS, "all of which are scanned to their end, at the same time");
    NUM_IS(t.whole, 1, "after a page that showed that there are more");
    NUM_IS(f->rows.count.seen, SEGMENTS * PAGES * 10, "and counted");
    NUM_IS(f->last.pages, SEGMENTS * PAGES, "of which the last word was of all pages");
    NUM_IS(f->told, 1 + SEGMENTS * PAGES, "one word a page");

    f = setup_large(p, &t);
    t.at[0] = t.at[3] = 2;
    NUM_IS(find(f, HASH), DDB_ECONFLICT, "two rows in different segments are several");
    f = setup_large(p, &t);
    NUM_IS(find(f, HASH), APR_NOTFOUND, "none in any is none");
    f = setup_large(p, &t);
    t.denied = 1;
    NUM_IS(find(f, HASH), DDB_EDENIED, "a segment that fails makes the search fail");
    IS(f->err.type, "AccessDeniedException", "with its reason");
    f = setup_large(p, &t);
    f->stop_after = 3;
    NUM_IS(find(f, HASH), APR_EINTR, "a search can be stopped");
    OK(t.calls < 1 + SEGMENTS * PAGES, "before its end");

    f = setup(p);
    f->rows.segments = SEGMENTS;
    world_answer(f->w, 200, LAST(MARKED("k", HASH), "2"));
    NUM_IS(find(f, HASH), APR_SUCCESS, "a table of one page");
    OK(f->w->n_sent == 1 && !strstr(sent(f, 0), "Segment"), "is asked once, and in one piece");
}

static void test_read(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    world_answer(f->w, 200,
                 "{\"Item\":{\"id\":{\"S\":\"key\"},\"data\":{\"B\":\"YWJjZA==\"},\"created\":{\"S\":"
                 "\"2026-11-23T01:02:03.000004+00:00\"},\"accessed\":{\"S\":\"2026-11-23T01:02:04.000000+00:00\"},"
                 "\"expires\":{\"N\":\"1795395800\"},\"idle_timeout\":{\"N\":\"60\"},\"absolute_timeout\":{\"N\":"
                 "\"600\"},\"version\":{\"N\":\"3\"},\"loggable\":{\"S\":\"" HASH "\"},\"user_mark\":{\"S\":\"m\"},"
                 "\"encoding\":{\"S\":\"deflate\"}}}");
    NUM_IS(read_row(f), APR_SUCCESS, "a row is read");
    IS(f->row.loggable, HASH, "its hash");
    NUM_IS(f->row.created, APR_INT64_C(1795395723000004), "its beginning");
    NUM_IS(f->row.accessed, APR_INT64_C(1795395724000000), "its last activity");
    NUM_IS(f->row.expires, 1795395800, "its end");
    NUM_IS(f->row.idle_timeout + f->row.absolute_timeout, 660, "its timeouts");
    NUM_IS(f->row.version, 3, "its version");
    NUM_IS(f->row.data_len, 4, "the length of its data");
    IS(f->row.encoding, "deflate", "that it is compressed");
    OK(f->row.has_user, "that it has a user");
    OK(!f->row.replaced, "and that it is a session's");
    OK(strstr(sent(f, 0), "\"ConsistentRead\":true"), "as it is now");
}

static void test_read_others(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    f->rows.ids = 1;
    world_answer(f->w, 200,
                 "{\"Item\":{\"id\":{\"S\":\"theid\"},\"data\":{\"S\":\"{\\\"a\\\": 1}\"},\"created\":{\"S\":"
                 "\"yesterday\"},\"expires\":{\"N\":\"1.5e9\"},\"version\":{\"S\":\"1\"}}}");
    NUM_IS(read_row(f), APR_SUCCESS, "a row of another program is read");
    IS(f->row.loggable, ddb_sid_loggable("theid", p), "its hash is worked out");
    NUM_IS(f->row.data_len, 8, "text has a length too");
    OK(!f->row.created && !f->row.expires && !f->row.version, "what can't be read is nothing");
    OK(!f->row.encoding && !f->row.has_user, "as is what is not there");
    f = setup(p);
    world_answer(f->w, 200, "{\"Item\":{\"id\":{\"S\":\"k\"},\"loggable\":{\"S\":\"no hash\"},\"data\":{\"B\":\"\"}}}");
    NUM_IS(read_row(f), APR_SUCCESS, "a row with a strange hash");
    IS(f->row.loggable, NULL, "has none");
    NUM_IS(f->row.data_len, 0, "no data has no length");
    f = setup(p);
    world_answer(f->w, 200, "{\"Item\":{\"user_marks\":{\"S\":\"m\"}}}");
    NUM_IS(read_row(f), APR_SUCCESS, "a row with users of realms alone is read");
    OK(f->row.has_user, "and has a user");
    f = setup(p);
    world_answer(f->w, 200, "{\"Item\":" MOVED("key", NOT_YET) "}");
    NUM_IS(read_row(f), APR_SUCCESS, "a row of an ID that was replaced is read");
    OK(f->row.replaced, "and is no session's");
    f = setup(p);
    world_answer(f->w, 200, "{\"Item\":{\"accessed\":{\"S\":\"1970-01-01T00:00:00.000001+00:00\"}}}");
    NUM_IS(read_row(f), APR_SUCCESS, "a row of almost that time");
    OK(!f->row.replaced, "is a session's");
    f = setup(p);
    world_answer(f->w, 200, "{}");
    NUM_IS(read_row(f), APR_NOTFOUND, "one that is gone is not there");
    f = setup(p);
    world_fail(f->w, DDB_EUNAVAILABLE, 0);
    NUM_IS(read_row(f), DDB_EUNAVAILABLE, "a failure is one");
}

/* --- end --- */

static void test_end(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    world_answer(f->w, 200, "{}");
    NUM_IS(ddb_rows_end(&f->rows, "key", p, &f->err), APR_SUCCESS, "a session is ended");
    IS(operation(f, 0), "DeleteItem", "by a deletion");
    IS(sent(f, 0),
       "{\"TableName\":\"app_session\",\"Key\":{\"id\":{\"S\":\"key\"}},\"ConditionExpression\":"
       "\"attribute_exists(#id) AND (attribute_not_exists(#accessed) OR #accessed <> :replaced)\","
       "\"ExpressionAttributeNames\":{\"#id\":\"id\",\"#accessed\":\"accessed\"},\"ExpressionAttributeValues\":"
       "{\":replaced\":{\"S\":\"1970-01-01T00:00:00.000000+00:00\"}}}",
       "of a row that is there, and a session's");
    f = setup(p);
    world_answer(f->w, 400, REFUSED);
    world_answer(f->w, 200, "{}");
    NUM_IS(ddb_rows_end(&f->rows, "key", p, &f->err), APR_NOTFOUND, "one that is not there is said so");
    OK(strstr(f->err.detail, "no longer exists"), "after a look");
    f = setup(p);
    world_answer(f->w, 400, REFUSED);
    world_answer(f->w, 200, "{\"Item\":" MOVED("key", NOT_YET) "}");
    NUM_IS(ddb_rows_end(&f->rows, "key", p, &f->err), APR_NOTFOUND, "an ID that was replaced has no session to end");
    OK(strstr(f->err.detail, "replaced by a newer one"), "which is said");
    f = setup(p);
    world_answer(f->w, 400, REFUSED);
    world_answer(f->w, 200, "{\"Item\":" DUE("key", NOT_YET) "}");
    NUM_IS(ddb_rows_end(&f->rows, "key", p, &f->err), DDB_ECONFLICT, "a row that came between is not ended unseen");
    f = setup(p);
    world_answer(f->w, 400, REFUSED);
    world_answer(f->w, 400, ERROR("AccessDeniedException"));
    NUM_IS(ddb_rows_end(&f->rows, "key", p, &f->err), DDB_EDENIED, "nor one that can't be looked at");
}

/* --- sweep --- */

static apr_status_t sweep(fixture_t *f, apr_int64_t older_than, int dry_run)
{
    ddb_rows_sweep_t what = { .older_than = older_than, .dry_run = dry_run };

    return ddb_rows_sweep(&f->rows, &what, f->pool, &f->err);
}

static void test_sweep(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    world_answer(f->w, 200, PAGE(DUE("a", LONG_AGO) "," DUE("b", JUST_NOW), "500", "k500"));
    world_answer(f->w, 200, "{}");
    world_answer(f->w, 400, REFUSED);
    world_answer(f->w, 400, THROTTLED);
    world_answer(f->w, 200, LAST(DUE("c", LONG_AGO) "," DUE("d", NOT_YET) ",{\"id\":{\"S\":\"e\"}}", "3"));
    world_answer(f->w, 200, "{}");
    NUM_IS(sweep(f, 0, 0), APR_SUCCESS, "rows of ended sessions are swept");
    OK(strstr(sent(f, 0), "\"FilterExpression\":\"#expires < :before\",\"ProjectionExpression\":"
                          "\"#id, #expires, #accessed\""),
       "only those are asked for");
    OK(strstr(sent(f, 0), "\":before\":{\"N\":\"1795395723\"}"), "by the time that it is");
    IS(sent(f, 1),
       "{\"TableName\":\"app_session\",\"Key\":{\"id\":{\"S\":\"a\"}},\"ConditionExpression\":"
       "\"#expires < :before\",\"ExpressionAttributeNames\":{\"#expires\":\"expires\"},\"ExpressionAttributeValues\":"
       "{\":before\":{\"N\":\"1795395723\"}}}",
       "and deleted if that is still so");
    OK(strstr(sent(f, 5), "\"S\":\"c\""), "a page that was throttled is asked for again");
    NUM_IS(f->w->n_sent, 6, "a living row that came along, and one without an end, are left alone");
    NUM_IS(f->rows.count.due, 3, "those that were due are counted");
    NUM_IS(f->rows.count.deleted, 2, "those deleted");
    NUM_IS(f->rows.count.kept, 1, "and the one that was touched meanwhile");
    NUM_IS(f->last.deleted, 2, "which is told along the way");
}

/* The row of a replaced ID tells so for a while after its end, where another program goes by that. */
static void test_sweep_replaced(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    world_answer(f->w, 200, LAST(MOVED("a", JUST_NOW) "," MOVED("b", A_DAY) "," MOVED("c", OVER_DAY), "3"));
    world_answer(f->w, 200, "{}");
    NUM_IS(sweep(f, 0, 0), APR_SUCCESS, "rows of replaced IDs are swept");
    NUM_IS(f->rows.count.due, 1, "a day after their end");
    NUM_IS(f->w->n_sent, 2, "and no earlier");
    OK(strstr(sent(f, 1), "\"S\":\"c\"") && strstr(sent(f, 1), "\":before\":{\"N\":\"" A_DAY "\"}"),
       "if that is still so");
    NUM_IS(f->rows.count.deleted, 1, "and counted");

    f = setup(p);
    world_answer(f->w, 200, LAST(MOVED("a", OVER_DAY), "1"));
    NUM_IS(sweep(f, 1, 1), APR_SUCCESS, "a trial with an age");
    NUM_IS(f->rows.count.due, 0, "adds that");
}

static void test_sweep_older(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    world_answer(f->w, 200, LAST(DUE("a", LONG_AGO) "," DUE("b", JUST_NOW), "2"));
    NUM_IS(sweep(f, 900, 1), APR_SUCCESS, "a trial");
    OK(strstr(sent(f, 0), "\":before\":{\"N\":\"1795394823\"}"), "of rows that are over for a while");
    NUM_IS(f->rows.count.due, 1, "counts them");
    NUM_IS(f->w->n_sent, 1, "and deletes none");
}

static void test_sweep_stops(apr_pool_t *p)
{
    fixture_t *f = setup(p);

    f->stop_after = 1;
    world_answer(f->w, 200, PAGE(DUE("a", LONG_AGO), "1", "a"));
    world_answer(f->w, 200, "{}");
    NUM_IS(sweep(f, 0, 0), APR_EINTR, "a sweep can be stopped");
    NUM_IS(f->rows.count.deleted, 1, "and says what was done");
    NUM_IS(f->w->n_sent, 2, "no call follows");
    f = setup(p);
    world_answer(f->w, 200, LAST(DUE("a", LONG_AGO) "," DUE("b", LONG_AGO), "2"));
    world_answer(f->w, 200, "{}");
    world_answer(f->w, 400, ERROR("AccessDeniedException"));
    NUM_IS(sweep(f, 0, 0), DDB_EDENIED, "a failure ends it");
    NUM_IS(f->rows.count.deleted, 1, "with the same");
    IS(f->err.operation, "DeleteItem", "and the operation that failed");
}

static void test_lost_answer(apr_pool_t *p)
{
    fixture_t *f = setup_with(2, p);

    world_fail(f->w, DDB_EUNAVAILABLE, 1);
    world_answer(f->w, 400, REFUSED);
    world_answer(f->w, 200, "{}");
    NUM_IS(ddb_rows_end(&f->rows, "key", p, &f->err), APR_SUCCESS, "gone after a lost answer is ended");
    f = setup_with(2, p);
    world_fail(f->w, DDB_EUNAVAILABLE, 1);
    world_answer(f->w, 400, REFUSED);
    world_answer(f->w, 200, "{\"Item\":" MOVED("key", NOT_YET) "}");
    NUM_IS(ddb_rows_end(&f->rows, "key", p, &f->err), APR_NOTFOUND, "replaced after a lost answer is not");
    f = setup_with(2, p);
    world_answer(f->w, 200, LAST(DUE("a", LONG_AGO), "1"));
    world_fail(f->w, DDB_EUNAVAILABLE, 1);
    world_answer(f->w, 400, REFUSED);
    NUM_IS(sweep(f, 0, 0), APR_SUCCESS, "in a sweep");
    NUM_IS(f->rows.count.deleted, 1, "it counts as deleted");
}

/* The list of a user's sessions is no session. */
static void test_lists(apr_pool_t *p)
{
    fixture_t *f = setup(p);
    const char *loggable = ddb_sid_loggable("u:list", p);

    f->rows.ids = 1;
    world_answer(f->w, 200, LAST(BARE("u:list"), "1"));
    NUM_IS(find(f, loggable), APR_NOTFOUND, "the hash of a list's name finds nothing, where keys are IDs");

    f = setup(p);
    world_answer(
        f->w, 200,
        LAST(DUE("u:over", LONG_AGO) "," DUE("u:used", LONG_AGO) "," DUE("u:live", NOT_YET) "," DUE("a", LONG_AGO),
             "4"));
    world_answer(f->w, 200, "{}");
    world_answer(f->w, 400, REFUSED);
    world_answer(f->w, 200, "{}");
    NUM_IS(sweep(f, 0, 0), APR_SUCCESS, "lists of which all sessions have expired are swept as well");
    OK(strstr(sent(f, 1), "\"S\":\"u:over\"") && strstr(sent(f, 1), "\"#expires < :before\""), "if that is still so");
    OK(strstr(sent(f, 2), "\"S\":\"u:used\""), "one that has a session again stays");
    OK(strstr(sent(f, 3), "\"S\":\"a\""), "and one that lives is not asked for");
    NUM_IS(f->rows.count.lists, 1, "they are counted");
    OK(f->rows.count.due == 1 && f->rows.count.deleted == 1 && f->rows.count.kept == 0, "apart from sessions");

    f = setup(p);
    world_answer(f->w, 200, LAST(DUE("u:over", LONG_AGO), "1"));
    NUM_IS(sweep(f, 0, 1), APR_SUCCESS, "a trial");
    NUM_IS(f->rows.count.lists, 1, "counts them");
    NUM_IS(f->w->n_sent, 1, "and deletes none");
}

/* --- top --- */

#define ALIVE(id, created, accessed)                                                                                   \
    "{\"id\":{\"S\":\"" id "\"},\"loggable\":{\"S\":\"" HASH "\"},\"created\":{\"S\":\"" created                       \
    "T00:00:00.000000+00:00\"},\"accessed\":{\"S\":\"" accessed                                                        \
    "T00:00:00.000000+00:00\"},\"expires\":{\"N\":\"" NOT_YET "\"}}"

static apr_status_t top_of(fixture_t *f, ddb_rows_top_t *top, ddb_rows_order_e order, int n)
{
    top->order = order;
    top->n = n;
    top->ranked = apr_pcalloc(f->pool, (apr_size_t)n * sizeof(*top->ranked));
    return ddb_rows_top(&f->rows, top, f->pool, &f->err);
}

static void test_top(apr_pool_t *p)
{
    static const char *const pages[] = {
        PAGE(ALIVE("k1", "2026-11-03", "2026-11-21") "," ALIVE("k2", "2026-11-01", "2026-11-22"), "2", "k2"),
        LAST(ALIVE("k3", "2026-11-02", "2026-11-20") "," ALIVE("u:0", "2026-10-01", "2026-10-01") "," ALIVE(
                 "k4", "2026-11-04", "1970-01-01") "," DUE("k5", NOT_YET),
             "4")
    };
    ddb_rows_top_t top = { .n = 0 };
    fixture_t *f = setup(p);

    world_answer(f->w, 200, pages[0]);
    world_answer(f->w, 200, pages[1]);
    NUM_IS(top_of(f, &top, DDB_ROWS_AGE, 2), APR_SUCCESS, "the oldest sessions");
    NUM_IS(top.found, 2, "as many as were asked for");
    OK(top.ranked[0].created < top.ranked[1].created, "the oldest first");
    NUM_IS(apr_time_sec(top.ranked[1].created), 1793577600, "of all pages");
    IS(top.ranked[0].hash, HASH, "by its hash");
    NUM_IS(f->rows.count.alive, 3, "lists, replaced IDs and rows without times are no sessions");
    OK(strstr(sent(f, 0), "\"FilterExpression\":\"#expires > :now\"") && strstr(sent(f, 0), ":{\"N\":\"1795395723\"}"),
       "nor are those whose end is over");

    f = setup(p);
    world_answer(f->w, 200, pages[0]);
    world_answer(f->w, 200, pages[1]);
    NUM_IS(top_of(f, &top, DDB_ROWS_IDLE, 5), APR_SUCCESS, "the longest idle");
    NUM_IS(top.found, 3, "or all that there are");
    OK(top.ranked[0].accessed < top.ranked[1].accessed && top.ranked[1].accessed < top.ranked[2].accessed, "in order");

    f = setup(p);
    f->stop_after = 1;
    world_answer(f->w, 200, pages[0]);
    NUM_IS(top_of(f, &top, DDB_ROWS_AGE, 5), APR_EINTR, "a search can be stopped");
    NUM_IS(top.found, 2, "and keeps what it found");
}

static void test_top_pages(apr_pool_t *p)
{
    ddb_rows_top_t top = { .n = 0 };
    fixture_t *f = setup(p);

    world_fail(f->w, DDB_ETOOLARGE, 0);
    world_fail(f->w, DDB_ETOOLARGE, 0);
    world_answer(f->w, 200, PAGE(ALIVE("k1", "2026-11-03", "2026-11-21"), "1", "k1"));
    world_answer(f->w, 200, LAST("", "0"));
    NUM_IS(top_of(f, &top, DDB_ROWS_SIZE, 3), APR_SUCCESS, "rows that are more than a reply may have");
    OK(strstr(sent(f, 0), "\"Limit\":100,") && strstr(sent(f, 1), "\"Limit\":50,")
           && strstr(sent(f, 2), "\"Limit\":25,"),
       "are asked for in smaller pages");
    OK(strstr(sent(f, 3), "\"Limit\":50,"), "which grow again");
    OK(!strstr(sent(f, 0), "Projection") && !strstr(sent(f, 0), "#id"), "whole, with no name that is not used");
    NUM_IS(top.ranked[0].size, (apr_int64_t)(2 + 2 + 8 + 32 + 7 + 32 + 8 + 32 + 7 + 5), "and their bytes are counted");
}

TAP_MAIN(p)
{
    test_hashes();
    test_find(p);
    test_pages(p);
    test_throttled_for_good(p);
    test_not_found(p);
    test_ambiguous(p);
    test_find_ids(p);
    test_stop(p);
    test_segments(p);
    test_read(p);
    test_read_others(p);
    test_end(p);
    test_sweep(p);
    test_sweep_replaced(p);
    test_sweep_older(p);
    test_sweep_stops(p);
    test_lost_answer(p);
    test_lists(p);
    test_top(p);
    test_top_pages(p);
}
