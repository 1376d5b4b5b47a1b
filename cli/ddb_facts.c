/* Assumptions, one after the other: the list of them, the calls that they make, and what is left of a run. What each of
 * them tries: ddb_facts_rows.c, ddb_facts_service.c. */

#include <stdarg.h>
#include <string.h>

#include <apr_atomic.h>
#include <apr_strings.h>

#include "base/ddb_array.h"
#include "ddb_facts_int.h"
#include "store/ddb_attribute.h"

#define AN_HOUR 3600

static const struct {
    const char *id, *claim;
    ddb_facts_probe_fn *probe;
} probes[] = {
    { "request-id", "every reply has a request ID", ddb_facts_request_id },
    { "all-old", "the reply to a failed condition includes the row", ddb_facts_all_old },
    { "capacity", "replies state their capacity, those to a failed condition do not", ddb_facts_capacity },
    { "capacity-permission", "asking for the capacity needs no permission", ddb_facts_capacity_permission },
    { "capacity-units", "reads and writes consume what the guide says", ddb_facts_capacity_units },
    { "conditions", "a write takes place if and only if its condition holds", ddb_facts_conditions },
    { "strong-read", "a consistent read sees every write answered before it", ddb_facts_strong_read },
    { "item-size", "a row may have 409,600 bytes, counted as the guide says", ddb_facts_item_size },
    { "key-size", "a table key may have 2,048 bytes", ddb_facts_key_size },
    { "numbers", "numbers come back with the digits that were sent", ddb_facts_numbers },
    { "empty-data", "a value of type B or S may be empty", ddb_facts_empty_data },
    { "utf-8", "text that is not UTF-8 is refused", ddb_facts_utf8 },
    { "reserved-words", "placeholders stand for reserved words", ddb_facts_reserved_words },
    { "unsigned-headers", "Accept-Encoding and User-Agent need no signature", ddb_facts_unsigned_headers },
    { "no-signature", "a request without a signature is refused by a known name", ddb_facts_no_signature },
    { "wrong-signature", "a wrong signature is refused by InvalidSignatureException", ddb_facts_wrong_signature },
    { "unknown-key", "an unknown key is refused by a known name", ddb_facts_unknown_key },
    { "clock", "a signature more than 15 minutes off is refused by a known name", ddb_facts_clock },
    { "missing-table", "a missing table is a ResourceNotFoundException", ddb_facts_missing_table },
    { "ttl", "DescribeTimeToLive tells state and attribute", ddb_facts_ttl },
    { "account-endpoint", "an account has a host of its own", ddb_facts_account_endpoint },
    { "tls", "the system's CA file verifies the service's certificate", ddb_facts_tls },
    { "http-1.1", "HTTP/1.1 is supported", ddb_facts_http11 },
    { "throttling", "throttling has a known name", ddb_facts_throttling },
    { "date", "every reply has a Date in one of HTTP's forms", ddb_facts_date },
    { "crc32", "x-amz-crc32 covers the bytes as sent", ddb_facts_crc32 },
};

/* --- calls --- */

const char *ddb_facts_key(ddb_facts_t *f, const char *name)
{
    const char *key = apr_pstrcat(f->pool, f->sum->prefix, name, NULL);

    APR_ARRAY_PUSH(f->keys, const char *) = key;
    return key;
}

/* Of rows that could not be deleted. */
static const char *expiry(const ddb_facts_t *f)
{
    return ddb_attribute_number(apr_time_sec(ddb_clock_wall(f->o->client.clock)) + AN_HOUR, f->scratch);
}

ddb_json_t *ddb_facts_body(ddb_facts_t *f, const char *part, const char *key)
{
    ddb_json_t *body = ddb_json_object(f->scratch);

    ddb_json_set_str(body, "TableName", f->o->table);
    ddb_attribute_set_key(body, part, key);
    if (strcmp(part, "Item") == 0) {
        ddb_attribute_set(ddb_json_set_object(body, part), "expires", "N", expiry(f));
    }
    ddb_json_set_str(body, "ReturnConsumedCapacity", "TOTAL");
    return body;
}

ddb_json_t *ddb_facts_update(ddb_facts_t *f, const char *key, const char *attribute)
{
    ddb_json_t *body = ddb_facts_body(f, "Key", key);

    ddb_json_set_str(body, "UpdateExpression",
                     apr_pstrcat(f->scratch, "SET ", attribute, " = :v, #expires = :expires", NULL));
    ddb_attribute_use_name(body, "expires", f->scratch);
    ddb_attribute_use_value(body, "expires", "N", expiry(f), f->scratch);
    return body;
}

apr_status_t ddb_facts_send(ddb_facts_t *f, ddb_client_t *client, const char *operation, const char *body)
{
    ddb_call_t call = { .operation = operation,
                        .body = body,
                        .deadline = ddb_clock_monotonic(f->o->client.clock) + f->o->timeout };
    ddb_reply_t reply = { .body = NULL };

    f->reply = NULL;
    f->rv = client ? ddb_client_call(client, &call, f->scratch, &reply, &f->err)
                   : ddb_error_set(&f->err, APR_EGENERAL, "no memory");
    if (reply.body && ddb_json_parse(&f->reply, reply.body, reply.len, f->scratch) != APR_SUCCESS) {
        f->rv = ddb_error_set(&f->err, DDB_EBADREPLY, "the reply is not JSON");
        f->reply = NULL;
    }
    *(strcmp(operation, "GetItem") == 0 ? &f->sum->read_halves : &f->sum->write_halves) += ddb_reply_capacity(f->reply);
    return f->rv;
}

apr_status_t ddb_facts_call(ddb_facts_t *f, const char *operation, const ddb_json_t *body)
{
    return ddb_facts_send(f, f->client, operation, ddb_json_print(body, f->scratch));
}

apr_status_t ddb_facts_put(ddb_facts_t *f, const char *key, const char *name, const char *type, const char *value)
{
    ddb_json_t *body = ddb_facts_body(f, "Item", key);

    if (name) {
        ddb_attribute_set(ddb_json_set_object(body, "Item"), name, type, value);
    }
    return ddb_facts_call(f, "PutItem", body);
}

apr_status_t ddb_facts_get(ddb_facts_t *f, const char *key)
{
    ddb_json_t *body = ddb_facts_body(f, "Key", key);

    ddb_json_set_bool(body, "ConsistentRead", 1);
    return ddb_facts_call(f, "GetItem", body);
}

ddb_client_t *ddb_facts_client(ddb_facts_t *f, const ddb_client_opts_t *o)
{
    ddb_client_t *client = NULL;

    return ddb_client_create(&client, o, f->pool) == APR_SUCCESS ? client : NULL;
}

/* --- results --- */

static void judge(ddb_facts_t *f, ddb_fact_e is, const char *format, va_list args)
{
    char *at = apr_pvsprintf(f->pool, format, args);

    f->fact->is = is;
    f->fact->observed = at;
    for (; *at; at++) {
        *at = *at >= ' ' && *at <= '~' ? *at : '?';
    }
    apr_cpystrn(f->fact->request_id, is == DDB_FACT_UNTRIED ? "" : f->observer.request_id, sizeof(f->fact->request_id));
}

void ddb_facts_yes(ddb_facts_t *f, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    judge(f, DDB_FACT_YES, format, args);
    va_end(args);
}

void ddb_facts_no(ddb_facts_t *f, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    judge(f, DDB_FACT_NO, format, args);
    va_end(args);
}

void ddb_facts_untried(ddb_facts_t *f, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    judge(f, DDB_FACT_UNTRIED, format, args);
    va_end(args);
}

/* 1 when the last call has no answer that would tell of an assumption: none in time, or one that the next may not get.
 * That there is no host is an answer. */
static int says_nothing(const ddb_facts_t *f)
{
    return f->rv == DDB_ETHROTTLED || f->err.http_status >= 500
           || (f->rv != APR_SUCCESS && f->err.http_status == 0 && f->err.cause == DDB_CAUSE_NONE);
}

void ddb_facts_judge(ddb_facts_t *f, int yes, const char *format, ...)
{
    va_list args;

    if (!yes && says_nothing(f)) {
        ddb_facts_failed(f);
        return;
    }
    va_start(args, format);
    judge(f, yes ? DDB_FACT_YES : DDB_FACT_NO, format, args);
    va_end(args);
}

const char *ddb_facts_outcome(const ddb_facts_t *f)
{
    return f->rv == APR_SUCCESS ? "200"
           : f->err.type[0]     ? apr_psprintf(f->scratch, "%d %s", f->err.http_status, f->err.type)
                                : f->err.detail;
}

void ddb_facts_failed(ddb_facts_t *f)
{
    ddb_facts_untried(f, "%s: %s", f->err.operation, ddb_facts_outcome(f));
}

/* --- a run --- */

int ddb_facts_is_stopped(const ddb_facts_t *f)
{
    return f->o->stop && apr_atomic_read32(f->o->stop);
}

static apr_status_t begin(ddb_facts_t *f, ddb_error_t *err)
{
    ddb_client_opts_t client = f->o->client;
    unsigned char random[8];
    apr_status_t rv = ddb_crypto_random(random, sizeof(random));

    memset(f->sum, 0, sizeof(*f->sum));
    f->sum->prefix = apr_psprintf(f->pool, "session-dynamodb-verify-%02x%02x%02x%02x%02x%02x%02x%02x-", random[0],
                                  random[1], random[2], random[3], random[4], random[5], random[6], random[7]);
    f->keys = apr_array_make(f->pool, 32, sizeof(const char *));
    ddb_observer_begin(&f->observer, f->o->client.http, f->o->timeout);
    client.http = &f->observer.http;
    f->client = ddb_facts_client(f, &client);
    client.max_attempts = 1;
    client.skew = NULL;
    f->once = ddb_facts_client(f, &client);
    return rv == APR_SUCCESS && f->client && f->once ? rv : ddb_error_set(err, APR_EGENERAL, "no memory");
}

/* Without an answer to this nothing can be tried. It corrects the clock, too. */
static apr_status_t knock(ddb_facts_t *f, ddb_error_t *err)
{
    apr_status_t rv = ddb_facts_get(f, f->sum->prefix);

    *err = f->err;
    return rv;
}

static void try_one(ddb_facts_t *f, apr_size_t i)
{
    ddb_fact_t fact = { .id = probes[i].id, .claim = probes[i].claim, .is = DDB_FACT_UNTRIED, .observed = "" };

    f->fact = &fact;
    f->rv = APR_SUCCESS; /* of the last call, which was another's */
    memset(&f->err, 0, sizeof(f->err));
    if (ddb_facts_is_stopped(f)) {
        fact.observed = "interrupted";
    }
    else if (ddb_clock_monotonic(f->o->client.clock) > f->o->deadline) {
        fact.observed = "out of time";
    }
    else {
        probes[i].probe(f);
    }
    f->fact = NULL;
    f->o->found(f->o->baton, &fact);
}

/* Also after Ctrl-C: nothing is left, if it can be helped. */
static int delete_rows(ddb_facts_t *f)
{
    int i, left = 0;

    for (i = 0; i < f->keys->nelts; i++) {
        ddb_facts_call(f, "DeleteItem", ddb_facts_body(f, "Key", APR_ARRAY_IDX(f->keys, i, const char *)));
        left += f->rv != APR_SUCCESS && strcmp(f->err.type, "ValidationException") != 0;
    }
    return left;
}

apr_status_t ddb_facts_run(const ddb_facts_opts_t *o, ddb_facts_sum_t *sum, apr_pool_t *p, ddb_error_t *err)
{
    ddb_facts_t f = { .o = o, .sum = sum, .pool = p };
    apr_status_t rv = begin(&f, err);
    apr_size_t i;

    apr_pool_create(&f.scratch, p);
    rv = rv == APR_SUCCESS ? knock(&f, err) : rv;
    for (i = 0; rv == APR_SUCCESS && i < DDB_ARRAY_LENGTH(probes); i++) {
        apr_pool_clear(f.scratch);
        if (!o->only || strcmp(o->only, probes[i].id) == 0) {
            try_one(&f, i);
        }
    }
    if (rv == APR_SUCCESS) {
        sum->left = delete_rows(&f);
        rv = ddb_facts_is_stopped(&f) ? ddb_error_set(err, APR_EINTR, "interrupted") : rv;
    }
    return rv;
}
