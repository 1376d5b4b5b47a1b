/* Judging the reply to a call, and the refusals that are corrected and retried once. */

#include <string.h>

#include <apr_date.h>
#include <apr_strings.h>

#include "aws/ddb_client_int.h"
#include "base/ddb_array.h"
#include "base/ddb_zlib.h"

/* What goes to the log comes from outside. */
static void copy_request_id(ddb_error_t *err, const char *id)
{
    char *at = err->request_id;

    apr_cpystrn(err->request_id, id ? id : "", sizeof(err->request_id));
    for (; *at; at++) {
        *at = *at > ' ' && *at <= '~' ? *at : '?';
    }
}

/* A reply without the header is taken as it is; not all servers send one. */
static int is_crc_right(const ddb_http_response_t *res)
{
    const char *header = apr_table_get(res->headers, "x-amz-crc32");
    char *end;

    return !header
           || (apr_strtoi64(header, &end, 10) == (apr_int64_t)ddb_zlib_crc32(res->body, res->body_len) && end != header
               && *end == '\0');
}

/* A signature is refused for a wrong clock with the same word as for a wrong key; the Date of the reply tells. */
static int mend_clock(ddb_client_run_t *r, const ddb_http_response_t *res)
{
    const char *header = apr_table_get(res->headers, "Date");
    apr_time_t date = header && ddb_skew_suspected(r->err->type) ? apr_date_parse_http(header) : APR_DATE_BAD;
    apr_interval_time_t ahead = r->signed_at - date;

    if (date == APR_DATE_BAD || (ahead < DDB_SKEW_MIN && ahead > -DDB_SKEW_MIN)) {
        return 0;
    }
    if (r->client->o.skew && r->client->trusted && !(r->mended & MENDED_CLOCK)
        && ddb_skew_correct(r->client->o.skew, r->offset, r->signed_at, date)) {
        return MENDED_CLOCK;
    }
    ddb_error_set(r->err, 0,
                  "the signature was refused, and this machine's clock is %" APR_INT64_T_FMT
                  " s %s the service's: correct it (NTP)",
                  apr_time_sec(ahead < 0 ? -ahead : ahead), ahead < 0 ? "behind" : "ahead of");
    return 0;
}

/* Keys that are refused may have been replaced by others since they were read. */
static int mend_credentials(ddb_client_run_t *r)
{
    static const char *const types[] = { "ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException",
                                         "RequestExpired" };
    ddb_creds_t *creds = r->client->o.creds;
    ddb_credentials_t now;
    ddb_error_t err = { 0 };
    apr_status_t rv;
    apr_size_t i, n = DDB_ARRAY_LENGTH(types);

    for (i = 0; i < n && strcmp(r->err->type, types[i]) != 0; i++) {
    }
    if (i == n || r->mended & MENDED_CREDENTIALS) {
        return 0;
    }
    ddb_creds_renew(creds, r->access_key_id);
    rv = ddb_creds_get(creds, r->call->deadline, r->scratch, &now, &err);
    if (rv != APR_SUCCESS) {
        char refused[sizeof(r->err->detail)];
        apr_cpystrn(refused, r->err->detail, sizeof(refused));
        ddb_error_set(r->err, rv, "%.200s; new credentials could not be obtained: %.150s", refused, err.detail);
        return 0;
    }
    return strcmp(now.access_key_id, r->access_key_id) != 0 ? MENDED_CREDENTIALS : 0;
}

static void keep_body(ddb_client_run_t *r, const ddb_http_response_t *res)
{
    r->reply->body = apr_pstrmemdup(r->pool, res->body, res->body_len);
    r->reply->len = res->body_len;
}

/* The caller parsed the reply of a read and found the consumed capacity there. */
static void count_capacity(const ddb_client_run_t *r, const ddb_http_response_t *res)
{
    ddb_count_t *count = r->client->o.count;

    if (r->operation == DDB_COUNT_GET) {
        ddb_count_add(count, DDB_COUNT_READ_HALVES, (apr_uint64_t)r->reply->consumed);
    }
    else if (count && r->operation != DDB_COUNT_OPERATIONS) {
        ddb_count_add(count, DDB_COUNT_WRITE_HALVES,
                      (apr_uint64_t)ddb_reply_consumed(res->body, res->body_len, r->scratch));
    }
}

static apr_status_t judge_good(ddb_client_run_t *r, const ddb_http_response_t *res)
{
    r->err->type[0] = r->err->detail[0] = '\0';
    /* Every reply of DynamoDB is an object; the page of a proxy must not pass for a write that was done. */
    if (res->body[strspn(res->body, " \t\r\n")] != '{') {
        r->err->unsettled = 1;
        return ddb_error_set(
            r->err, DDB_EBADREPLY,
            "status 200, but the body is not a JSON object: check the endpoint and any proxy in between");
    }
    keep_body(r, res);
    if (r->call->read && r->call->read(r->call->baton, r->reply) == DDB_EBADREPLY) {
        memset(r->reply, 0, sizeof(*r->reply));
        return DDB_EBADREPLY;
    }
    count_capacity(r, res);
    r->answered = 1;
    return APR_SUCCESS;
}

/* Keys can come from nine sources; refused keys must be corrected in the right one. */
static void name_provider(ddb_client_run_t *r)
{
    char refused[sizeof(r->err->detail)];

    if (r->provider && r->err->type[0] && strncmp(r->err->type, "AccessDenied", 12) != 0) {
        apr_cpystrn(refused, r->err->detail, sizeof(refused));
        ddb_error_set(r->err, 0, "%.300s; the keys came from credential provider %s: correct them there", refused,
                      r->provider);
    }
}

static apr_status_t judge_bad(ddb_client_run_t *r, const ddb_http_response_t *res)
{
    apr_status_t rv = ddb_reply_parse_error(res->status, res->body, res->body_len, r->scratch, r->err);

    /* A 5xx leaves it open whether the call was carried out; the API has no other status below 400. */
    if (res->status >= 500 || res->status < 400) {
        r->err->unsettled = 1;
    }
    if (rv == DDB_ECONFLICT) {
        keep_body(r, res);
    }
    else if (rv == DDB_ETHROTTLED) {
        ddb_count_add(r->client->o.count, DDB_COUNT_THROTTLED, 1);
    }
    else if (rv == DDB_EDENIED) {
        name_provider(r);
        r->mend = mend_clock(r, res);
        r->mend = r->mend ? r->mend : mend_credentials(r);
    }
    r->answered = rv != DDB_EBADREPLY && (rv != DDB_EUNAVAILABLE || res->status < 500);
    return rv;
}

apr_status_t ddb_client_judge(ddb_client_run_t *r, const ddb_http_response_t *res)
{
    r->err->cause = DDB_CAUSE_REPLY;
    r->err->http_status = res->status;
    copy_request_id(r->err, apr_table_get(res->headers, "x-amzn-RequestId"));
    if (!is_crc_right(res)) {
        r->err->type[0] = '\0';
        r->err->unsettled = 1;
        return ddb_error_set(r->err, DDB_EUNAVAILABLE,
                             "the reply was damaged in transit: its checksum does not match x-amz-crc32");
    }
    return res->status == 200 ? judge_good(r, res) : judge_bad(r, res);
}
