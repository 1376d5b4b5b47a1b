/* One API call of DynamoDB: sign, send, and try again while attempts and time are left. What replies come to:
 * ddb_client_reply.c. */

#include <string.h>

#include <apr_strings.h>

#include "aws/ddb_client_int.h"
#include "base/ddb_version.h"

#define ATTEMPT_MAX     apr_time_from_sec(1)   /* so that one lost answer does not eat the whole deadline */
#define ATTEMPT_MIN     apr_time_from_msec(50) /* with less time left an attempt would only make load */
#define REPLY_MAX_BYTES (1024 * 1024)          /* an item is 400 KB at most, some 550 KB in base64 */

apr_status_t ddb_client_create(ddb_client_t **pc, const ddb_client_opts_t *o, apr_pool_t *p)
{
    static const ddb_sigv4_form_t form = {
        .service = "dynamodb",
        .content_type = "application/x-amz-json-1.0",
        .target = "DynamoDB_20120810.",
        /* x-amz-crc32 is of the body as sent. */
        .unsigned_lines = "Accept-Encoding: identity\r\nUser-Agent: mod_session_dynamodb/" DDB_VERSION "\r\n",
    };
    ddb_client_t *c = apr_pcalloc(p, sizeof(*c));
    apr_status_t rv = ddb_sigv4_slots_create(&c->slots, &form, p);

    c->o = *o;
    c->trusted = ddb_skew_trusts(o->endpoint.url);
    *pc = rv == APR_SUCCESS ? c : NULL;
    return rv;
}

static apr_interval_time_t time_left(const ddb_client_run_t *r)
{
    return r->call->deadline - ddb_clock_monotonic(r->client->o.clock);
}

/* The credentials as they are now, and the endpoint of their account. */
static apr_status_t find_credentials(ddb_client_run_t *r, ddb_credentials_t *credentials, ddb_endpoint_t *endpoint)
{
    const ddb_client_opts_t *o = &r->client->o;
    apr_status_t rv = ddb_creds_get(o->creds, r->call->deadline, r->scratch, credentials, r->err);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (time_left(r) < ATTEMPT_MIN) {
        return ddb_error_set(r->err, APR_TIMEUP, "timed out: credential provider %s answered too late",
                             credentials->provider ? credentials->provider : "given");
    }
    return ddb_endpoint_of_account(endpoint, &o->endpoint, credentials->account_id, r->scratch, r->err);
}

static apr_time_t read_clock(ddb_client_run_t *r)
{
    const ddb_client_opts_t *o = &r->client->o;

    /* The offset first: if it changes before the next line, a correction that follows finds another one, and knows. */
    r->offset = o->skew ? ddb_skew_offset(o->skew) : 0;
    r->signed_at = ddb_clock_wall(o->clock);
    return r->signed_at;
}

/* Signed as of now, by the credentials as they are now, which may have changed since the last attempt. */
static apr_status_t sign(ddb_client_run_t *r, ddb_sigv4_message_t *message)
{
    ddb_sigv4_slots_t *slots = r->client->slots;
    ddb_sigv4_post_t post = {
        .operation = r->call->operation, .body = r->call->body, .body_len = strlen(r->call->body), .now = read_clock(r)
    };
    ddb_credentials_t credentials;
    ddb_endpoint_t endpoint;
    ddb_sigv4_sender_t sender = { .credentials = &credentials, .endpoint = &endpoint };
    apr_status_t rv = ddb_sigv4_write(message, slots, ddb_creds_generation(r->client->o.creds), &post, r->scratch);

    if (rv == APR_NOTFOUND) {
        rv = find_credentials(r, &credentials, &endpoint);
        if (rv != APR_SUCCESS) {
            r->err->cause = DDB_CAUSE_CREDENTIALS;
            return rv;
        }
        post.now = read_clock(r); /* it may have waited */
        rv = ddb_sigv4_write_anew(message, slots, &sender, &post, r->scratch);
    }
    r->access_key_id = message->access_key_id;
    r->provider = message->provider;
    return rv == APR_SUCCESS
               ? rv
               : ddb_error_set(r->err, rv, "%s",
                               rv == APR_EINVAL ? "the access key ID, session token or host has a line break"
                                                : "OpenSSL could not sign the request");
}

static apr_status_t send_request(ddb_client_run_t *r, const ddb_sigv4_message_t *message, ddb_http_response_t *res)
{
    const ddb_client_opts_t *o = &r->client->o;
    apr_interval_time_t left = time_left(r);
    ddb_http_request_t req = { .url = message->url,
                               .message = message->text,
                               .message_len = message->len,
                               .connect_timeout = o->connect_timeout,
                               .timeout = left < ATTEMPT_MAX ? left : ATTEMPT_MAX,
                               .max_response_bytes = REPLY_MAX_BYTES,
                               /* What took a request and gave no answer may have taken the other connections too. */
                               .fresh_connection = r->broken || r->pass.probe };
    int unsettled = r->err->unsettled;
    apr_status_t rv;

    r->answered = 0;
    r->err->attempts++;
    r->charged++;
    r->err->unsettled = 0;
    rv = o->http->perform(o->http->baton, &req, r->scratch, res, r->err);
    if (r->operation != DDB_COUNT_OPERATIONS) {
        ddb_count_time(o->count, DDB_TIME_ATTEMPT + (ddb_timed_e)r->operation, left - time_left(r));
    }
    r->broken = rv != APR_SUCCESS && r->err->unsettled;
    r->err->unsettled |= unsettled;
    if (message->has_token) {
        ddb_crypto_wipe(message->text, message->head_len);
    }
    return rv;
}

static apr_status_t attempt(ddb_client_run_t *r)
{
    ddb_sigv4_message_t message = { 0 };
    ddb_http_response_t res;
    apr_status_t rv = apr_pool_create(&r->scratch, r->pool);

    r->mend = 0;
    r->err->cause = DDB_CAUSE_NONE;
    if (rv != APR_SUCCESS) {
        return ddb_error_set(r->err, rv, "no memory for a request");
    }
    rv = sign(r, &message);
    rv = rv == APR_SUCCESS ? send_request(r, &message, &res) : rv;
    rv = rv == APR_SUCCESS ? ddb_client_judge(r, &res) : rv;
    apr_pool_destroy(r->scratch); /* with it the credentials are wiped, if they were needed */
    return rv;
}

static void wait_before_retry(const ddb_client_run_t *r, apr_status_t failure)
{
    const ddb_clock_t *clock = r->client->o.clock;
    apr_interval_time_t wait, most = time_left(r) - ATTEMPT_MIN;

    /* Most likely a reused connection that the server had just given up: no sign of load. */
    if (r->charged == 1 && r->broken && failure == DDB_EUNAVAILABLE) {
        return;
    }
    wait = ddb_retry_wait(r->charged, failure == DDB_ETHROTTLED, r->client->o.random);
    if (wait > most) {
        wait = most; /* a short last attempt is better than no attempt */
    }
    if (wait > 0) {
        ddb_clock_sleep(clock, wait);
    }
}

static apr_status_t out_of_time(ddb_error_t *err)
{
    char last[sizeof(err->detail)];

    if (err->attempts == 0) {
        return ddb_error_set(err, APR_TIMEUP, "timed out before this call was sent");
    }
    apr_cpystrn(last, err->detail, sizeof(last));
    return ddb_error_set(err, APR_TIMEUP, "timed out; last attempt: %.140s", last);
}

static int may_help_to_retry(const ddb_client_run_t *r, apr_status_t rv)
{
    return ddb_error_is_passing(rv) || (rv == DDB_EBADREPLY && r->call->read);
}

/* 1 when another attempt may be made, which then is paid for. */
static int may_retry(ddb_client_run_t *r)
{
    char last[sizeof(r->err->detail)];

    if (r->charged >= r->client->o.max_attempts || (r->pass.probe && !r->answered)) {
        return 0;
    }
    if (time_left(r) < ATTEMPT_MIN) {
        return 1; /* the deadline ends it: nothing is to be paid */
    }
    if (!ddb_retry_budget_take(r->client->o.budget)) {
        apr_cpystrn(last, r->err->detail, sizeof(last));
        ddb_error_set(r->err, 0, "%.110s; not retried: the retry budget is used up", last);
        return 0;
    }
    return 1;
}

static apr_status_t try_until_settled(ddb_client_run_t *r)
{
    apr_status_t rv;
    int sent;

    while (time_left(r) >= ATTEMPT_MIN) {
        if (ddb_cancel_is_set(r->call->cancel)) {
            return ddb_error_set(r->err, APR_EINTR, "given up");
        }
        sent = r->err->attempts;
        rv = r->last = attempt(r);
        if (r->answered && r->err->attempts > sent && r->client->o.breaker) {
            ddb_breaker_answered(r->client->o.breaker);
        }
        if (r->mend) {
            r->mended |= r->mend;
            r->charged--;
            continue;
        }
        if (r->err->attempts == sent || !may_help_to_retry(r, rv)) {
            return rv; /* an answer, or nothing could be sent at all */
        }
        if (!may_retry(r)) {
            /* APR_TIMEUP is of the attempt here; to the caller it means the deadline. */
            return rv == APR_TIMEUP && time_left(r) > 0 ? DDB_EUNAVAILABLE : rv;
        }
        wait_before_retry(r, rv);
    }
    return out_of_time(r->err);
}

/* What the last attempt came to. */
static ddb_count_outcome_e outcome_of_attempt(const ddb_client_run_t *r)
{
    static const ddb_count_outcome_e by_cause[] = { [DDB_CAUSE_NONE] = DDB_OUTCOME_BROKEN,
                                                    [DDB_CAUSE_CREDENTIALS] = DDB_OUTCOME_CREDENTIALS,
                                                    [DDB_CAUSE_CONNECT] = DDB_OUTCOME_CONNECT,
                                                    [DDB_CAUSE_TLS] = DDB_OUTCOME_TLS,
                                                    [DDB_CAUSE_REPLY] = DDB_OUTCOME_BAD_REPLY };
    const ddb_error_t *err = r->err;

    switch (r->last) {
    case DDB_ETHROTTLED:
        return DDB_OUTCOME_THROTTLED;
    case DDB_EDENIED:
        return DDB_OUTCOME_DENIED;
    case DDB_EREFUSED:
        return DDB_OUTCOME_INVALID;
    case DDB_EBADREPLY:
        return DDB_OUTCOME_BAD_REPLY;
    case DDB_ETOOLARGE:
        return DDB_OUTCOME_TOO_LARGE;
    case DDB_ENOCREDS:
        return DDB_OUTCOME_CREDENTIALS;
    case APR_EINTR:
        return DDB_OUTCOME_STOPPING;
    default:
        break;
    }
    if (r->last == APR_TIMEUP && err->cause == DDB_CAUSE_NONE) {
        return DDB_OUTCOME_TIMEOUT;
    }
    if (err->cause == DDB_CAUSE_REPLY && err->http_status >= 500) {
        return DDB_OUTCOME_SERVER_ERROR;
    }
    return err->cause != DDB_CAUSE_NONE || r->last == DDB_EUNAVAILABLE ? by_cause[err->cause] : DDB_OUTCOME_OTHER;
}

static ddb_count_outcome_e outcome_of_call(const ddb_client_run_t *r, apr_status_t rv)
{
    if (rv == APR_SUCCESS) {
        return DDB_OUTCOME_OK;
    }
    if (rv == DDB_ECONFLICT) {
        return DDB_OUTCOME_CONFLICT;
    }
    return rv == APR_EINTR ? DDB_OUTCOME_STOPPING : outcome_of_attempt(r);
}

static void count_call(const ddb_client_run_t *r, apr_status_t rv)
{
    ddb_count_t *count = r->client->o.count;

    if (r->operation == DDB_COUNT_OPERATIONS) {
        return;
    }
    ddb_count_call(count, r->operation, outcome_of_call(r, rv));
    ddb_count_add(count, DDB_COUNT_CONNECTED, (apr_uint64_t)r->err->connected);
    ddb_count_add(count, DDB_COUNT_REUSED, (apr_uint64_t)r->err->reused);
    if (r->err->attempts > 1) {
        ddb_count_add(count, DDB_COUNT_RETRY, (apr_uint64_t)(r->err->attempts - 1));
    }
}

apr_status_t ddb_client_call(ddb_client_t *c, const ddb_call_t *call, apr_pool_t *p, ddb_reply_t *reply,
                             ddb_error_t *err)
{
    ddb_client_run_t r = { .client = c,
                           .call = call,
                           .pool = p,
                           .reply = reply,
                           .err = err,
                           .operation = ddb_count_operation(call->operation),
                           .last = APR_TIMEUP };
    apr_status_t rv;

    memset(reply, 0, sizeof(*reply));
    memset(err, 0, sizeof(*err));
    apr_cpystrn(err->operation, call->operation, sizeof(err->operation));
    if (c->o.breaker && !ddb_breaker_admit(c->o.breaker, &r.pass)) {
        if (r.operation != DDB_COUNT_OPERATIONS) {
            ddb_count_call(c->o.count, r.operation, DDB_OUTCOME_REJECTED);
        }
        return ddb_error_set(err, DDB_EUNAVAILABLE,
                             "not sent: circuit breaker open after repeated failures, probing every 0.5 s");
    }
    rv = try_until_settled(&r);
    count_call(&r, rv);
    if (rv == APR_SUCCESS || rv == DDB_ECONFLICT) {
        ddb_retry_budget_give(c->o.budget, r.charged > 1);
    }
    if (c->o.breaker && !err->attempts) {
        ddb_breaker_unused(c->o.breaker, &r.pass);
    }
    else if (c->o.breaker && !r.answered) {
        ddb_breaker_failed(c->o.breaker, &r.pass);
    }
    return rv;
}
