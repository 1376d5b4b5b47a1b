/* Assumptions about the service: signatures, keys, the clock, hosts, and what all replies have. */

#include <string.h>

#include <apr_strings.h>

#include "base/ddb_array.h"
#include "ddb_facts_int.h"
#include "store/ddb_attribute.h"

#define OFF          apr_time_from_sec(16 * 60)
#define ACTIVE_WAIT  apr_time_from_sec(2)
#define ACTIVE_LOOKS 60
#define LARGE_WRITES 12
#define LARGE        (100 * 1024)

/* --- signatures and keys --- */

/* A read by a client that is refused, if all is well; what it wants is not there. */
static void read_once(ddb_facts_t *f, ddb_client_t *client)
{
    ddb_json_t *body = ddb_facts_body(f, "Key", f->sum->prefix);

    ddb_facts_send(f, client, "GetItem", ddb_json_print(body, f->scratch));
}

/* A client that tries once, with these credentials as they are: by a wrong clock they might have expired. */
static ddb_client_t *client_with(ddb_facts_t *f, ddb_client_opts_t o, const ddb_credentials_t *credentials)
{
    ddb_creds_opts_t creds = { .fixed = credentials, .http = &f->observer.http, .clock = f->o->client.clock };

    o.http = &f->observer.http;
    o.max_attempts = 1;
    o.skew = NULL;
    return ddb_creds_create(&o.creds, &creds, f->pool) == APR_SUCCESS ? ddb_facts_client(f, &o) : NULL;
}

static void judge_refusal(ddb_facts_t *f, int known)
{
    if (f->rv == APR_SUCCESS) {
        ddb_facts_no(f, "it is accepted");
    }
    else if (f->err.http_status == 0) {
        ddb_facts_failed(f);
    }
    else {
        ddb_facts_judge(f, known, "%s", ddb_facts_outcome(f));
    }
}

void ddb_facts_unsigned_headers(ddb_facts_t *f)
{
    ddb_facts_get(f, f->sum->prefix);
    ddb_facts_judge(f, f->rv == APR_SUCCESS, "%s", ddb_facts_outcome(f));
}

void ddb_facts_no_signature(ddb_facts_t *f)
{
    f->observer.unsign = 1;
    read_once(f, f->once);
    f->observer.unsign = 0;
    judge_refusal(f, f->rv == DDB_EDENIED && f->err.type[0]);
}

void ddb_facts_wrong_signature(ddb_facts_t *f)
{
    ddb_credentials_t wrong = f->o->credentials;

    wrong.secret_access_key = "a-secret-of-nobody";
    read_once(f, client_with(f, f->o->client, &wrong));
    judge_refusal(f, strcmp(f->err.type, "InvalidSignatureException") == 0);
}

/* The key is the example of AWS's own guides. Names: what ddb_client asks for other keys by. */
void ddb_facts_unknown_key(ddb_facts_t *f)
{
    static const char *const known[] = { "UnrecognizedClientException", "ExpiredTokenException", "ExpiredToken",
                                         "RequestExpired" };
    const ddb_credentials_t nobody = { .access_key_id = "AKIAIOSFODNN7EXAMPLE",
                                       .secret_access_key = "a-secret-of-nobody" };
    int is_known = 0;
    apr_size_t i;

    read_once(f, client_with(f, f->o->client, &nobody));
    for (i = 0; i < DDB_ARRAY_LENGTH(known); i++) {
        is_known |= strcmp(f->err.type, known[i]) == 0;
    }
    judge_refusal(f, is_known);
}

/* --- the clock --- */

/** A clock that is wrong by some time. */
typedef struct wrong_clock_t {
    ddb_clock_t clock;
    const ddb_clock_t *real;
    apr_interval_time_t off;
} wrong_clock_t;

static apr_time_t wrong_wall(void *baton)
{
    const wrong_clock_t *c = baton;

    return ddb_clock_wall(c->real) + c->off;
}

static apr_time_t right_monotonic(void *baton)
{
    return ddb_clock_monotonic(((wrong_clock_t *)baton)->real);
}

static void right_sleep(void *baton, apr_interval_time_t t)
{
    ddb_clock_sleep(((wrong_clock_t *)baton)->real, t);
}

static void read_at(ddb_facts_t *f, apr_interval_time_t off)
{
    wrong_clock_t *c = apr_pcalloc(f->pool, sizeof(*c));
    ddb_client_opts_t o = f->o->client;

    c->clock = (ddb_clock_t){ .wall = wrong_wall, .monotonic = right_monotonic, .sleep = right_sleep, .baton = c };
    c->real = o.clock;
    c->off = off;
    o.clock = &c->clock;
    read_once(f, client_with(f, o, &f->o->credentials));
}

void ddb_facts_clock(ddb_facts_t *f)
{
    const char *behind;
    int known;

    read_at(f, -OFF);
    behind = ddb_facts_outcome(f);
    known = ddb_skew_suspected(f->err.type);
    if (f->err.http_status == 0 && f->rv != APR_SUCCESS) {
        ddb_facts_failed(f);
        return;
    }
    read_at(f, OFF);
    ddb_facts_judge(f, known && ddb_skew_suspected(f->err.type), "16 minutes behind: %s, ahead: %s", behind,
                    ddb_facts_outcome(f));
}

/* --- the table --- */

void ddb_facts_missing_table(ddb_facts_t *f)
{
    ddb_json_t *body = ddb_json_object(f->scratch);

    ddb_json_set_str(body, "TableName", apr_pstrcat(f->scratch, f->sum->prefix, "none", NULL));
    ddb_attribute_set_key(body, "Key", "none");
    ddb_facts_call(f, "GetItem", body);
    if (ddb_table_is_forbidden(&f->err)) {
        ddb_facts_untried(f, "the policy allows calls for this table alone");
        return;
    }
    judge_refusal(f, strcmp(f->err.type, "ResourceNotFoundException") == 0);
}

void ddb_facts_ttl(ddb_facts_t *f)
{
    ddb_json_t *body = ddb_json_object(f->scratch);
    const ddb_json_t *told;
    const char *status, *attribute;

    ddb_json_set_str(body, "TableName", f->o->table);
    if (ddb_facts_call(f, "DescribeTimeToLive", body) != APR_SUCCESS) {
        if (ddb_table_is_forbidden(&f->err)) {
            ddb_facts_untried(f, "needs dynamodb:DescribeTimeToLive");
            return;
        }
        ddb_facts_judge(f, 0, "%s", ddb_facts_outcome(f));
        return;
    }
    told = ddb_json_child(f->reply, "TimeToLiveDescription");
    status = ddb_json_str(told, "TimeToLiveStatus");
    attribute = ddb_json_str(told, "AttributeName");
    ddb_facts_judge(f, status && (strncmp(status, "ENABL", 5) != 0) == !attribute, "%.20s %.60s",
                    status ? status : "no state", attribute ? attribute : "without an attribute");
}

/* --- hosts --- */

void ddb_facts_account_endpoint(ddb_facts_t *f)
{
    ddb_client_opts_t o = f->o->client;
    ddb_credentials_t credentials = f->o->credentials;

    if (!o.endpoint.suffix) {
        ddb_facts_untried(f, "the endpoint is none of those that accounts have hosts at");
        return;
    }
    if (!f->o->account_id) {
        ddb_facts_untried(f, "the account is unknown, because STS did not tell");
        return;
    }
    credentials.account_id = f->o->account_id;
    o.endpoint.account_id = NULL;
    o.endpoint.account_mode = DDB_ACCOUNT_REQUIRED;
    read_once(f, client_with(f, o, &credentials));
    ddb_facts_judge(f, f->rv == APR_SUCCESS, "ACCOUNT.ddb.%s.%s: %s", o.endpoint.region, o.endpoint.suffix,
                    ddb_facts_outcome(f));
}

void ddb_facts_tls(ddb_facts_t *f)
{
    if (strncmp(f->o->client.endpoint.url, "https:", 6) != 0) {
        ddb_facts_untried(f, "the endpoint has no TLS");
        return;
    }
    ddb_facts_get(f, f->sum->prefix);
    ddb_facts_judge(f, f->rv == APR_SUCCESS, "%.100s: %s", f->o->client.endpoint.host, ddb_facts_outcome(f));
}

/* No other version is offered. */
void ddb_facts_http11(ddb_facts_t *f)
{
    ddb_facts_get(f, f->sum->prefix);
    ddb_facts_judge(f, f->rv == APR_SUCCESS, "%s", ddb_facts_outcome(f));
}

/* --- throttling --- */

/* The least capacity that there is, of a table that is this run's. 1 when it has come. */
static int shrink(ddb_facts_t *f)
{
    ddb_json_t *body = ddb_json_object(f->scratch), *units;
    const char *status = NULL;
    int i;

    ddb_json_set_str(body, "TableName", f->o->table);
    ddb_json_set_str(body, "BillingMode", "PROVISIONED");
    units = ddb_json_set_object(body, "ProvisionedThroughput");
    ddb_json_set_number(units, "ReadCapacityUnits", 1);
    ddb_json_set_number(units, "WriteCapacityUnits", 1);
    if (ddb_facts_call(f, "UpdateTable", body) != APR_SUCCESS) {
        return 0;
    }
    body = ddb_json_object(f->scratch);
    ddb_json_set_str(body, "TableName", f->o->table);
    for (i = 0; i < ACTIVE_LOOKS && ddb_clock_monotonic(f->o->client.clock) < f->o->deadline; i++) {
        if (ddb_facts_call(f, "DescribeTable", body) != APR_SUCCESS) {
            return 0;
        }
        status = ddb_json_str(ddb_json_child(f->reply, "Table"), "TableStatus");
        if ((status && strcmp(status, "ACTIVE") == 0) || ddb_facts_is_stopped(f)) {
            return !ddb_facts_is_stopped(f);
        }
        ddb_clock_sleep(f->o->client.clock, ACTIVE_WAIT);
    }
    ddb_error_set(&f->err, f->rv = APR_TIMEUP, "the table is still %.30s", status ? status : "being changed");
    return 0;
}

void ddb_facts_throttling(ddb_facts_t *f)
{
    const char *key, *data;
    int i;

    if (!f->o->own) {
        ddb_facts_untried(f, "needs a table of its own: --create");
        return;
    }
    if (!shrink(f)) {
        ddb_facts_failed(f);
        return;
    }
    key = ddb_facts_key(f, "throttling");
    data = apr_psprintf(f->scratch, "%0*d", LARGE, 0);
    for (i = 0; i < LARGE_WRITES && !ddb_facts_is_stopped(f); i++) {
        ddb_json_t *body = ddb_facts_body(f, "Item", key);

        ddb_attribute_set(ddb_json_set_object(body, "Item"), "data", "S", data);
        if (ddb_facts_send(f, f->once, "PutItem", ddb_json_print(body, f->scratch)) != APR_SUCCESS) {
            judge_refusal(f, f->rv == DDB_ETHROTTLED);
            return;
        }
    }
    ddb_facts_untried(f, "%d writes of 100 units each to a table of one unit were not throttled", i);
}

/* --- all replies --- */

void ddb_facts_date(ddb_facts_t *f)
{
    ddb_facts_judge(f, f->observer.with_date == f->observer.replies, "%d of %d replies", f->observer.with_date,
                    f->observer.replies);
}

void ddb_facts_crc32(ddb_facts_t *f)
{
    const ddb_observer_t *o = &f->observer;

    if (!o->with_crc) {
        ddb_facts_untried(f, "none of %d replies has the header", o->replies);
        return;
    }
    ddb_facts_judge(f, !o->bad_crc, "%d of %d replies have it, %d of them a wrong one", o->with_crc, o->replies,
                    o->bad_crc);
}
