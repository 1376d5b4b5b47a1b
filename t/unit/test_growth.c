/* Whatever a client, a backend or a row can make long costs time and memory that grow as it does: each parser is given
 * an input of some length, of twice and of four times that length, each in a process of its own whose CPU time and
 * memory at the peak are read. A cost that grows with the square would be sixteen times as much; up to nine passes,
 * which leaves room for sorting, for the machine, and for what a parser needs in any case. Nothing is compared with a
 * clock, and what a busy machine adds at one time it doesn't at the next: the best of several looks counts. */

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <apr_strings.h>

#include "../fuzz/httpd_stub.h"
#include "aws/creds/ddb_creds_reply.h"
#include "aws/ddb_ini.h"
#include "aws/ddb_sts.h"
#include "base/ddb_json.h"
#include "base/ddb_time.h"
#include "base/ddb_zlib.h"
#include "httpd/child/msd_child.h"
#include "httpd/msd_entries.h"
#include "httpd/msd_form.h"
#include "httpd/msd_forward.h"
#include "httpd/msd_response_head.h"
#include "httpd/msd_header.h"
#include "httpd/msd_carrier.h"
#include "httpd/msd_csrf.h"
#include "store/ddb_item.h"
#include "store/ddb_json_entries.h"
#include "store/ddb_sid.h"
#undef OK /* httpd's status */
#include "tap.h"
#include "world.h"

#define TIMES_AS_MUCH 9 /* for four times the input */
#define LOOKS         6
#define RUN_LEAST     4000 /* microseconds of CPU of the shortest input: less can't be told from nothing */
#define RUNS_MOST     20000
#define MEMORY_SPARE  (1024 * 1024)
#define ENTRIES_MAX   10000000

/* Asked for by msd_forward; the room that has it talks to the table. */
const ddb_clock_t *msd_child_clock(const server_rec *s)
{
    (void)s;
    return &ddb_clock_system;
}

/* Nor is it measured here: the room that has it asks httpd for much. */
const char *msd_csrf_token(const msd_session_t *s, apr_pool_t *p, ddb_random_fn *random)
{
    (void)s;
    (void)p;
    (void)random;
    return "";
}

/* --- inputs ------------------------------------------------------------------------------------------------------- */

typedef struct input_t {
    char *text;
    apr_size_t len;
    apr_pool_t *p; /* of one run */
} input_t;

/* Reads the input; 1 when it came to the end that was meant. */
typedef int run_fn(const input_t *in);

typedef struct parser_t {
    const char *what;
    run_fn *run;
    const char *head, *piece, *tail; /* the piece is repeated; a %x in it is the number of the repetition */
    apr_size_t len;                  /* of the shortest input */
} parser_t;

/* The bytes of the i-th piece, written to out, which has room for it. */
static apr_size_t put_piece(char *out, const char *piece, unsigned i)
{
    const char *number = strstr(piece, "%x");
    apr_size_t before = number ? (apr_size_t)(number - piece) : strlen(piece);

    memcpy(out, piece, before);
    return number ? before + (apr_size_t)sprintf(out + before, "%x%s", i, number + 2) : before;
}

static char *input_of(const parser_t *q, apr_size_t len, apr_pool_t *p)
{
    apr_size_t ends = strlen(q->head) + strlen(q->tail), at = strlen(q->head);
    char *text = apr_palloc(p, len + ends + 1024);
    unsigned i;

    memcpy(text, q->head, at);
    for (i = 0; at < len; i++) {
        at += put_piece(text + at, q->piece, i);
    }
    memcpy(text + at, q->tail, strlen(q->tail) + 1);
    return text;
}

/* --- what clients send --------------------------------------------------------------------------------------------- */

static msd_dir_config_t *settings(apr_pool_t *p)
{
    msd_dir_config_t *conf = msd_config_resolve(msd_config_create_dir(p, NULL), p);

    conf->enabled = 1;
    return conf;
}

static int run_cookie(const input_t *in)
{
    request_rec *r = stub_request(in->p);
    apr_array_header_t *others = apr_array_make(in->p, 1, sizeof(const char *));

    APR_ARRAY_PUSH(others, const char *) = "of-another-area";
    apr_table_setn(r->headers_in, "Cookie", in->text);
    msd_carrier_take(r, settings(in->p), others, in->p);
    return 1;
}

/* A line is a cookie that a program or backend sets; there is one of our name. */
static int run_set_cookies(const input_t *in)
{
    request_rec *r = stub_request(in->p);
    char *last = NULL, *line = apr_strtok(apr_pstrdup(in->p, in->text), "\n", &last);

    for (; line; line = apr_strtok(NULL, "\n", &last)) {
        apr_table_addn(r->headers_out, "Set-Cookie", line);
    }
    return msd_carrier_clear(r, settings(in->p)) != NULL;
}

static int run_sid(const input_t *in)
{
    ddb_sid_rules_t rules = { .bytes = 32, .digest = DDB_SHA1, .hash = 1 };
    apr_array_header_t *keys = apr_array_make(in->p, 1, sizeof(const char *));

    APR_ARRAY_PUSH(keys, const char *) = "a key";
    if (!ddb_sid_loggable(in->text, in->p) || ddb_sid_check(in->text, &rules, in->p) != APR_NOTFOUND) {
        return 0;
    }
    rules.keys = keys;
    return ddb_sid_check(in->text, &rules, in->p) == APR_NOTFOUND;
}

static request_rec *forwarding(apr_pool_t *p)
{
    request_rec *r = stub_request(p);
    msd_dir_config_t *conf = settings(p);
    apr_array_header_t *forward = apr_array_make(p, 1, sizeof(msd_forward_t));
    apr_array_header_t *scrubbed = apr_array_make(p, 1, sizeof(const char *));
    msd_forward_t *f = apr_array_push(forward);

    f->key = "user";
    f->header = "X-a-b-c-d-e-f";
    APR_ARRAY_PUSH(scrubbed, const char *) = f->header;
    conf->forward = forward;
    conf->scrubbed = scrubbed;
    ap_set_module_config(r->per_dir_config, &session_dynamodb_module, conf);
    return r;
}

static int run_connection(const input_t *in)
{
    request_rec *r = forwarding(in->p);

    apr_table_setn(r->headers_in, "Connection", in->text);
    msd_forward(r, NULL);
    return 1;
}

/* Lines of a header that is ours, in as many spellings as there are lines. */
static int run_spellings(const input_t *in)
{
    static const char like_minus[] = "!#$%&'*+";
    request_rec *r = forwarding(in->p);
    apr_size_t i, lines = in->len / 16;
    int j;

    for (i = 0; i < lines; i++) {
        char *name = apr_pstrdup(in->p, "X-a-b-c-d-e-f");
        for (j = 0; j < 6; j++) {
            name[1 + 2 * j] = like_minus[i >> (3 * j) & 7];
        }
        apr_table_addn(r->headers_in, name, "evil");
    }
    msd_forward(r, NULL);
    return apr_table_elts(r->headers_in)->nelts == 0;
}

/* --- what backends send --------------------------------------------------------------------------------------------- */

static int hear(const input_t *in, int proxied, const char *accepted)
{
    static session_dir_conf session = { .header = "X-Replace-Session" };
    request_rec *r = stub_request(in->p);
    msd_dir_config_t *conf = settings(in->p);
    apr_array_header_t *accept = apr_array_make(in->p, 1, sizeof(const char *));
    msd_request_t *q = msd_request_get(r);

    APR_ARRAY_PUSH(accept, const char *) = accepted;
    conf->accept = accept;
    ap_set_module_config(r->per_dir_config, &session_dynamodb_module, conf);
    ap_set_module_config(r->per_dir_config, &session_module, &session);
    q->session.loader = r;
    q->session.conf = conf;
    q->session.outcome = MSD_LOADED;
    q->session.z = apr_pcalloc(in->p, sizeof(*q->session.z));
    q->session.z->pool = in->p;
    q->session.z->entries = apr_table_make(in->p, 4);
    apr_table_setn(q->session.z->entries, "a", "1");
    r->proxyreq = proxied ? PROXYREQ_REVERSE : PROXYREQ_NONE;
    apr_table_setn(r->headers_out, session.header, in->text);
    msd_header_settle(r);
    return !apr_table_get(r->headers_out, session.header);
}

static int run_programs(const input_t *in)
{
    return hear(in, 0, "*");
}
static int run_accepted(const input_t *in)
{
    return hear(in, 1, "*");
}
static int run_refused(const input_t *in)
{
    return hear(in, 1, "another");
}

static int run_head(const input_t *in)
{
    apr_array_header_t *names = apr_array_make(in->p, 1, sizeof(const char *));
    const msd_response_head_drop_t drop = { .headers = names, .cookie = "id" };
    msd_response_head_t head = { 0 };
    const char *line, *end;

    APR_ARRAY_PUSH(names, const char *) = "X-Replace-Session";
    for (line = in->text; *line; line = end) {
        end = strchr(line, '\n') + 1;
        msd_response_head_keeps(&head, line, (apr_size_t)(end - line), &drop);
    }
    return 1;
}

/* --- what rows have ------------------------------------------------------------------------------------------------- */

static int members(const input_t *in, int changed)
{
    ddb_json_entries_t *m;
    apr_table_t *entries = apr_table_make(in->p, 8);
    const char *text = NULL;

    if (ddb_json_entries_parse(&m, in->text, ENTRIES_MAX, in->p, NULL) != APR_SUCCESS) {
        return 0;
    }
    ddb_json_entries_show(m, entries);
    ddb_json_entries_hidden(m);
    if (changed) {
        apr_table_setn(entries, "another", "1");
    }
    return ddb_json_entries_print(&text, m, entries, in->p, NULL) == APR_SUCCESS
           && (strcmp(text, in->text) != 0) == changed;
}

static int run_members(const input_t *in)
{
    return members(in, 0);
}
static int run_changed_members(const input_t *in)
{
    return members(in, 1);
}

static int run_over_limit(const input_t *in)
{
    ddb_json_entries_t *m;

    return ddb_json_entries_parse(&m, in->text, 1000, in->p, NULL) == DDB_ETOOLARGE;
}

/* Entries as mod_session would have them of this text, but without the square in its own way of making them. */
static apr_table_t *entries_of(const input_t *in, const char *value)
{
    apr_table_t *entries = apr_table_make(in->p, msd_entries_counted(in->text));
    char *copy = apr_pstrdup(in->p, in->text), *last = NULL, *pair;

    for (pair = apr_strtok(copy, "&", &last); pair; pair = apr_strtok(NULL, "&", &last)) {
        pair[strcspn(pair, "=")] = '\0';
        apr_table_addn(entries, pair, value);
    }
    return entries;
}

static int run_entries(const input_t *in)
{
    apr_table_t *base = entries_of(in, "1"), *ours = entries_of(in, "2");
    apr_table_t *merged = msd_entries_merge(in->p, base, ours, msd_entries_copy(in->p, base));

    return msd_entries_equal(in->p, merged, ours) && !msd_entries_equal(in->p, merged, base)
           && msd_entries_count(merged) == msd_entries_counted(in->text);
}

/** The payload twice, so that the second changes what the first has made. */
static int run_payload(const input_t *in)
{
    session_rec z = { .pool = in->p, .entries = apr_table_make(in->p, 8) };
    int i;

    for (i = 0; i < 2; i++) {
        z.encoded = in->text;
        msd_form_decode(&z);
    }
    return msd_entries_count(z.entries) <= msd_entries_counted(in->text);
}

static int item(const input_t *in, ddb_format_e format, apr_status_t rv)
{
    ddb_item_t it = { .format = format };

    return ddb_item_parse(&it, in->text, in->len, in->p, NULL) == rv;
}

static int run_form(const input_t *in)
{
    return item(in, DDB_FORM, APR_SUCCESS);
}
static int run_object(const input_t *in)
{
    return item(in, DDB_JSON, APR_SUCCESS);
}
static int run_written(const input_t *in)
{
    const ddb_item_t it = { .format = DDB_JSON, .id = "k", .data = in->text, .data_len = in->len };

    return strlen(ddb_item_save_body("t", &it, &it, 1, in->p)) > 2 * in->len;
}
static int run_bad_item(const input_t *in)
{
    return item(in, DDB_FORM, DDB_EBADITEM);
}
static int run_bad_reply(const input_t *in)
{
    return item(in, DDB_FORM, DDB_EBADREPLY);
}

static int run_time(const input_t *in)
{
    apr_time_t t;

    return ddb_time_parse(&t, in->text) == APR_EBADDATE && ddb_time_parse_zoned(&t, in->text) == APR_SUCCESS;
}

static int run_inflate(const input_t *in)
{
    ddb_zlib_bytes_t plain = { .data = in->text, .len = in->len }, packed, out;

    return ddb_zlib_compress(&packed, plain, in->p) == APR_SUCCESS
           && ddb_zlib_decompress(&out, packed, in->len, in->p) == APR_SUCCESS;
}

/* --- what services answer -------------------------------------------------------------------------------------------- */

static int run_error(const input_t *in)
{
    ddb_error_t err = { 0 };

    return ddb_reply_parse_error(400, in->text, in->len, in->p, &err) == DDB_ECONFLICT;
}

static int run_page(const input_t *in)
{
    ddb_json_t *reply;
    const ddb_json_t *one;

    if (ddb_json_parse(&reply, in->text, in->len, in->p) != APR_SUCCESS) {
        return 0;
    }
    for (one = ddb_json_item(reply, "Items", 0); one; one = ddb_json_next(one)) {
    }
    return 1;
}

static int run_credentials(const input_t *in)
{
    ddb_json_t *obj;

    return ddb_creds_reply_parse(&obj, apr_pstrdup(in->p, in->text), in->len, in->p) == APR_SUCCESS;
}

static int run_sts(const input_t *in)
{
    world_t *w = world_create(in->p);
    ddb_credentials_t source = { .access_key_id = "AKIDSRC", .secret_access_key = "src" }, found = { 0 };
    ddb_sts_role_t role = { .arn = "arn:aws:iam::123456789012:role/a", .session_name = "a", .source = &source };
    ddb_sts_opts_t o = {
        .url = "https://sts.example", .host = "sts.example", .region = "eu-west-1", .http = &w->http, .clock = &w->clock
    };
    ddb_error_t err = { 0 };

    world_answer(w, 200, in->text);
    return ddb_sts_assume(&found, &role, &o, in->p, &err) == APR_SUCCESS;
}

static int run_ini(const input_t *in)
{
    ddb_ini_t ini;

    return ddb_ini_parse(&ini, apr_pstrdup(in->p, in->text), in->len, in->p) == APR_SUCCESS;
}

#define WRITTEN                                                                                                        \
    "\"created\":{\"S\":\"2026-11-23T01:02:03.000004+00:00\"},\"accessed\":{\"S\":\"2026-11-23T01:02:03.000004"        \
    "+00:00\"},\"expires\":{\"N\":\"1\"},\"idle_timeout\":{\"N\":\"1\"},\"absolute_timeout\":{\"N\":\"1\"},"           \
    "\"version\":{\"N\":\"1\"},\"write_id\":{\"B\":\"AAAAAAAAAAAAAAAAAAAAAA==\"}"
#define STS_HEAD                                                                                                       \
    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>"          \
    "<AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"                                        \
    "<Expiration>2027-11-23T01:02:03Z</Expiration><SessionToken>"
#define STS_TAIL  "</SessionToken></Credentials></AssumeRoleResult></AssumeRoleResponse>"
#define CONDITION "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException\",\"message\":\""

static const parser_t parsers[] = {
    { "cookies", run_cookie, "", "c%x=1; ", "", 16384 },
    { "cookies of our name", run_cookie, "", "id=%x; ", "", 16384 },
    { "cookies of our name, joined", run_cookie, "a=1", ",id=%x", "", 16384 },
    { "cookies, joined", run_cookie, "id=1; a=", ", i%x", "", 16384 },
    { "cookies without a name", run_cookie, "id=1; ", "id ;", "", 16384 },
    { "a cookie", run_cookie, "id=", "x", "", 65536 },
    { "blanks around a cookie", run_cookie, "id=1;", "  ", "id=1", 65536 },
    { "cookies of another area", run_cookie, "", "of-another-area=%x; ", "", 16384 },
    { "cookies that are set", run_set_cookies, "id=1\n", "a%x=1\n", "", 16384 },
    { "cookies of our name that are set", run_set_cookies, "", "id=%x\n", "", 16384 },
    { "a cookie that is set", run_set_cookies, "id=1\na", " =", "", 65536 },
    { "an ID", run_sid, "", "A", "", 65536 },
    { "an ID with many signatures", run_sid, "A", ".AAA", "", 65536 },
    { "words of Connection", run_connection, "", "a,", "", 8192 },
    { "words of Connection that are ours", run_connection, "", "X-a-b-c-d-e-f, a%x, ", "", 8192 },
    { "header lines in our name", run_spellings, "", "x", "", 32768 },
    { "a program's session header", run_programs, "", "a%x=1&", "", 16384 },
    { "a program's session headers, joined", run_programs, "a=1", ", a%x=1", "", 16384 },
    { "commas in a session header", run_programs, "a=", ", ", "", 16384 },
    { "what a backend may change", run_accepted, "", "a%x=1&", "", 16384 },
    { "what a backend may remove", run_accepted, "", "a%%5B%x=&", "", 16384 },
    { "what a backend may not change", run_refused, "", "a%x=1&", "", 16384 },
    { "a backend's session headers, joined", run_refused, "a=1", ", a%x=1", "", 16384 },
    { "lines of a backend's interim response", run_head, "HTTP/1.1 100 Continue\r\n", "X-%x: 1\r\n", "\r\n", 32768 },
    { "lines of a backend's handshake", run_head, "HTTP/1.1 101 Switching Protocols\r\n", "Set-Cookie: a=%x\r\n",
      "\r\n", 32768 },
    { "a line of a backend's handshake", run_head, "HTTP/1.1 101 Switching Protocols\r\nSet-Cookie: ", "=", "\r\n\r\n",
      65536 },
    { "a row's data", run_form, "{\"Item\":{\"id\":{\"S\":\"k\"}," WRITTEN ",\"data\":{\"B\":\"", "YT0x", "\"}}}",
      65536 },
    { "a row's object", run_object, "{\"Item\":{\"id\":{\"S\":\"k\"}," WRITTEN ",\"data\":{\"S\":\"{", "\\\"%x\\\":1,",
      "\\\"a\\\":1}\"}}}", 65536 },
    { "a row's object, when it is written", run_written, "{", "\"%x\":1,", "\"a\":1}", 65536 },
    { "a row's attributes", run_form, "{\"Item\":{\"id\":{\"S\":\"k\"}," WRITTEN ",\"data\":{\"B\":\"\"}",
      ",\"%x\":{\"S\":\"\"}", "}}", 65536 },
    { "a row's attributes of one name", run_bad_item, "{\"Item\":{\"id\":{\"S\":\"k\"}", ",\"data\":{\"B\":\"\"}", "}}",
      65536 },
    { "a reply that is no JSON", run_bad_reply, "{\"Item\":", "[{\"a\":", "", 65536 },
    { "a time", run_time, "2026-11-23T01:02:03.", "0", "+00:00", 65536 },
    { "members of an object", run_members, "{", "\"a%x\":1,", "\"a\":1}", 32768 },
    { "members that change", run_changed_members, "{", "\"a%x\":1,", "\"a\":1}", 32768 },
    { "members of one name", run_changed_members, "{", "\"a\":1,", "\"a\":1}", 32768 },
    { "members of one name, the last hidden", run_changed_members, "{", "\"a\":1,", "\"a\":\"\\u0000\"}", 32768 },
    { "names that differ in case", run_changed_members, "{", "\"a%x\":1,\"A%x\":1,", "\"a\":1}", 32768 },
    { "values of an object", run_members, "{\"a\":[", "{\"%x\":[]},", "1]}", 65536 },
    { "a name of an object", run_members, "{\"", "\\u00e4", "\":1}", 65536 },
    { "members over the limit", run_over_limit, "{", "\"a%x\":1,", "\"a\":1}", 65536 },
    { "entries", run_entries, "", "a%x=1&", "", 32768 },
    { "a payload", run_payload, "", "a%x=1&", "", 32768 },
    { "a payload that removes and escapes", run_payload, "a=1", "&a%x=+%3d&b&=&c=%", "", 32768 },
    { "separators in a payload", run_payload, "a", "=", "&&", 32768 },
    { "compressed data", run_inflate, "", "a%x=1&", "", 65536 },
    { "a row in an error", run_error, CONDITION "\",\"Item\":{\"id\":{\"S\":\"k\"}", ",\"%x\":{\"S\":\"\"}", "}}",
      65536 },
    { "the message of an error", run_error, CONDITION, "\\u00e4x", "\"}", 65536 },
    { "rows of a page", run_page, "{\"Items\":[", "{\"id\":{\"S\":\"%x\"}},", "{}]}", 65536 },
    { "credentials", run_credentials, "{\"AccessKeyId\":\"a\"", ",\"%x\":\"\"", "}", 65536 },
    { "a token of STS", run_sts, STS_HEAD, "token", STS_TAIL, 32768 },
    { "lines of a token of STS", run_sts, STS_HEAD, "t\n", "x" STS_TAIL, 16384 },
    { "escapes in a token of STS", run_sts, STS_HEAD, "&amp;", "x" STS_TAIL, 16384 },
    { "elements of STS", run_sts, STS_HEAD "t</SessionToken>", "<a>%x</a>",
      "</Credentials></AssumeRoleResult></AssumeRoleResponse>", 32768 },
    { "sections of a profile", run_ini, "", "[a%x]\na=1\n", "", 32768 },
    { "keys of a section", run_ini, "[a]\n", "a%x=1\n", "", 32768 },
    { "lines of a value", run_ini, "[a]\na =\n", "  b%x=1\n", "", 32768 },
};

/* --- measuring ------------------------------------------------------------------------------------------------------ */

typedef struct cost_t {
    double cpu;    /* microseconds of all runs */
    double memory; /* bytes at the peak, of the input too */
    int good;
} cost_t;

static double cpu_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double peak_now(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (double)used.ru_maxrss * 1024;
}

static cost_t measure_here(const parser_t *q, apr_size_t len, int runs, apr_pool_t *p)
{
    cost_t cost = { .good = 1 };
    double memory = peak_now(), began;
    input_t in;

    in.text = input_of(q, len, p);
    in.len = strlen(in.text);
    apr_pool_create(&in.p, p);
    began = cpu_now();
    for (; runs > 0; runs--) {
        cost.good &= q->run(&in);
        apr_pool_clear(in.p);
    }
    cost.cpu = cpu_now() - began;
    cost.memory = peak_now() - memory;
    return cost;
}

/* In a process of its own: what earlier ones left in memory would hide what this one needs. */
static cost_t measure(const parser_t *q, apr_size_t len, int runs, apr_pool_t *p)
{
    cost_t cost = { 0 };
    int ends[2], status = 0;
    pid_t child;

    if (pipe(ends) != 0 || (child = fork()) < 0) {
        return cost;
    }
    if (child == 0) {
        cost = measure_here(q, len, runs, p);
        _exit(write(ends[1], &cost, sizeof(cost)) == (ssize_t)sizeof(cost) ? 0 : 1);
    }
    close(ends[1]);
    if (read(ends[0], &cost, sizeof(cost)) != (ssize_t)sizeof(cost)) {
        cost.good = 0;
    }
    close(ends[0]);
    cost.good &= waitpid(child, &status, 0) == child && status == 0;
    return cost;
}

/* So many that their time can be told from the machine's other affairs. */
static int runs_needed(const parser_t *q, apr_pool_t *p)
{
    int runs;

    for (runs = 1; runs < RUNS_MOST && measure(q, q->len, runs, p).cpu < RUN_LEAST; runs *= 2) {
    }
    return runs;
}

static void test_parser(const parser_t *q, apr_pool_t *p)
{
    int runs = runs_needed(q, p), look, cpu = 0, memory = 0, good = 1;
    cost_t one, two, four;

    for (look = 0; look < LOOKS && !(cpu && memory); look++) {
        one = measure(q, q->len, runs, p);
        two = measure(q, 2 * q->len, runs, p);
        four = measure(q, 4 * q->len, runs, p);
        cpu |= four.cpu <= TIMES_AS_MUCH * one.cpu;
        memory |= four.memory <= TIMES_AS_MUCH * one.memory + MEMORY_SPARE;
        good &= one.good && two.good && four.good;
    }
    OK(good, apr_psprintf(p, "%s: read, of any length", q->what));
    /* What looks at each step of a program takes another time for each kind of step. */
    OK(cpu || getenv("MSD_TEST_SLOW"), "in time that grows as the input does");
    OK(memory, "and in memory that does");
    printf("# %d bytes, %d runs: CPU %.1f %.1f %.1f us each, peak %.0f %.0f %.0f KiB\n", (int)q->len, runs,
           one.cpu / runs, two.cpu / runs, four.cpu / runs, one.memory / 1024, two.memory / 1024, four.memory / 1024);
}

TAP_MAIN(p)
{
    apr_pool_t *scope;
    apr_size_t i;

    setvbuf(stdout, NULL, _IONBF, 0); /* a child would write what is left in the buffer once more */
    for (i = 0; i < sizeof(parsers) / sizeof(parsers[0]); i++) {
        apr_pool_create(&scope, p);
        test_parser(&parsers[i], scope);
        apr_pool_destroy(scope);
    }
}
