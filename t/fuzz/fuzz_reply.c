/* A reply of the service as the client judges it: status, headers, body. An input is the status in a line, lines
 * "Name: value", an empty line, and the body. "sum" as the value of x-amz-crc32 stands for the right one. */

#include "aws/ddb_client.h"
#include "aws/ddb_reply.h"
#include "fuzz.h"

#define NOW APR_INT64_C(1795395723000004) /* 2026-11-23 01:02:03 */

static ddb_http_response_t reply; /* what the transport plays */

/* --- the world --- */

static apr_status_t perform(void *baton, const ddb_http_request_t *req, apr_pool_t *p, ddb_http_response_t *res,
                            ddb_error_t *err)
{
    (void)baton, (void)err;
    HOLDS(strcmp(req->url, "https://dynamodb.eu-central-1.amazonaws.com/") == 0);
    *res = reply;
    res->headers = apr_table_copy(p, reply.headers);
    res->body = apr_pstrmemdup(p, reply.body, reply.body_len);
    return APR_SUCCESS;
}

static apr_time_t wall(void *baton)
{
    (void)baton;
    return NOW;
}
static apr_time_t monotonic(void *baton)
{
    (void)baton;
    return apr_time_from_sec(1000);
}
static void no_sleep(void *baton, apr_interval_time_t t)
{
    (void)baton, (void)t;
}

static apr_status_t zeros(void *out, apr_size_t len)
{
    memset(out, 0, len);
    return APR_SUCCESS;
}

static const ddb_http_transport_t http = { perform, NULL };
static const ddb_clock_t fixed_clock = { wall, monotonic, no_sleep, NULL };
static const ddb_credentials_t credentials = { .access_key_id = "AKID", .secret_access_key = "secret" };

static ddb_client_t *create_client(apr_pool_t *p)
{
    ddb_creds_opts_t creds = { .fixed = &credentials, .http = &http, .clock = &fixed_clock };
    ddb_client_opts_t o = { .endpoint = { .url = "https://dynamodb.eu-central-1.amazonaws.com",
                                          .host = "dynamodb.eu-central-1.amazonaws.com",
                                          .region = "eu-central-1" },
                            .connect_timeout = apr_time_from_sec(1),
                            .max_attempts = 1,
                            .http = &http,
                            .clock = &fixed_clock,
                            .random = zeros };
    ddb_client_t *c;

    HOLDS(ddb_creds_create(&o.creds, &creds, p) == APR_SUCCESS);
    HOLDS(ddb_client_create(&c, &o, p) == APR_SUCCESS);
    return c;
}

/* --- the input --- */

/* Bit by bit: another way than the client's. */
static apr_uint32_t crc32_of(const char *s, apr_size_t len)
{
    apr_uint32_t crc = 0xffffffff;
    int bit;

    while (len--) {
        crc ^= (unsigned char)*s++;
        for (bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }
    return ~crc;
}

static void read_headers(char **text, apr_pool_t *p)
{
    char *line, *value;

    reply.headers = apr_table_make(p, 4);
    while (**text && *(line = fuzz_line(text))) {
        value = strstr(line, ": ");
        if (value) {
            *value = '\0';
            apr_table_set(reply.headers, line, value + 2);
        }
    }
}

static void read_reply(char *text, size_t size, apr_pool_t *p)
{
    const char *end = text + size, *sum;

    /* A transport has three digits. */
    reply.status = atoi(fuzz_line(&text)) & 1023;
    read_headers(&text, p);
    reply.body = text;
    reply.body_len = (apr_size_t)(end - text);
    sum = apr_table_get(reply.headers, "x-amz-crc32");
    if (sum && strcmp(sum, "sum") == 0) {
        apr_table_set(reply.headers, "x-amz-crc32", apr_psprintf(p, "%u", crc32_of(reply.body, reply.body_len)));
    }
}

/* --- what holds --- */

static int sum_is_right(void)
{
    const char *sum = apr_table_get(reply.headers, "x-amz-crc32");
    char *end;

    return !sum || (strtoll(sum, &end, 10) == crc32_of(reply.body, reply.body_len) && end > sum && !*end);
}

/* Of all errors these are repeated in the service's own words. Others may quote keys, values and credentials. */
static int may_be_repeated(const char *type)
{
    static const char *const types[] = { "ProvisionedThroughputExceededException",
                                         "ThrottlingException",
                                         "Throttling",
                                         "ThrottledException",
                                         "RequestLimitExceeded",
                                         "RequestThrottled",
                                         "RequestThrottledException",
                                         "TooManyRequestsException",
                                         "SlowDown",
                                         "AccessDeniedException",
                                         "AccessDenied",
                                         "UnrecognizedClientException",
                                         "InvalidClientTokenId",
                                         "ExpiredTokenException",
                                         "ExpiredToken",
                                         "MissingAuthenticationTokenException",
                                         "MissingAuthenticationToken",
                                         "OptInRequired",
                                         "ResourceNotFoundException",
                                         "ResourceInUseException" };
    apr_size_t i;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(type, types[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

static void is_fit_for_the_log(const ddb_error_t *err)
{
    HOLDS(memchr(err->type, '\0', sizeof(err->type)) && fuzz_is_loggable(err->type));
    HOLDS(memchr(err->request_id, '\0', sizeof(err->request_id)) && fuzz_is_loggable(err->request_id));
    HOLDS(memchr(err->detail, '\0', sizeof(err->detail)) && fuzz_is_loggable(err->detail));
    HOLDS(!strstr(err->detail, FUZZ_SECRET) || may_be_repeated(err->type));
}

static void is_judged(apr_status_t rv, const ddb_reply_t *got, const ddb_error_t *err)
{
    apr_size_t blank = strspn(reply.body, " \t\r\n");

    HOLDS(err->attempts == 1 && err->http_status == reply.status);
    if (!sum_is_right()) {
        HOLDS(rv == DDB_EUNAVAILABLE && err->unsettled && !got->body);
        return;
    }
    if (rv == APR_SUCCESS || rv == DDB_ECONFLICT) {
        HOLDS(got->len == reply.body_len && memcmp(got->body, reply.body, got->len) == 0 && !got->body[got->len]);
    }
    else {
        HOLDS(!got->body && err->detail[0]);
    }
    if (reply.status == 200) {
        HOLDS(rv == (reply.body[blank] == '{' ? APR_SUCCESS : DDB_EBADREPLY));
        HOLDS(err->unsettled == (rv != APR_SUCCESS));
        return;
    }
    HOLDS(rv == DDB_ECONFLICT || rv == DDB_ETHROTTLED || rv == DDB_EDENIED || rv == DDB_ETOOLARGE || rv == DDB_EBADREPLY
          || rv == DDB_EUNAVAILABLE || rv == DDB_EREFUSED);
    HOLDS(err->unsettled == (reply.status >= 500 || reply.status < 400));
}

/* The error reply alone: the same word as through the client, and no more said than there. */
static void is_same_word(apr_status_t rv, const ddb_error_t *err, apr_pool_t *p)
{
    ddb_error_t alone = { 0 };

    HOLDS(ddb_reply_parse_error(reply.status, reply.body, reply.body_len, p, &alone) == rv);
    HOLDS(strcmp(alone.type, err->type) == 0);
    is_fit_for_the_log(&alone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    ddb_client_t *c = create_client(p);
    ddb_call_t call = { .operation = "GetItem", .body = "{}", .deadline = apr_time_from_sec(1002) };
    ddb_reply_t got;
    ddb_error_t err;
    apr_status_t rv;

    read_reply(fuzz_text(data, size), size, p);
    rv = ddb_client_call(c, &call, p, &got, &err);
    is_fit_for_the_log(&err);
    is_judged(rv, &got, &err);
    if (reply.status != 200 && sum_is_right()) {
        is_same_word(rv, &err, p);
    }
    return fuzz_end();
}
