/* Owns which word an error reply of DynamoDB becomes, how much of its message may go into a log, and where the consumed
 * capacity stands. */

#include <string.h>

#include "aws/ddb_reply.h"
#include "base/ddb_array.h"

typedef struct error_row_t {
    const char *name;
    apr_status_t word;
    const char *detail; /* NULL: the service's message is safe to repeat: tables, principals and actions at most */
} error_row_t;

#define TEXT_INVALID                                                                                                   \
    "the service rejected the request as invalid: check that the table's key is id of type S"                          \
    " (its message is omitted because it may quote keys and values)"
#define TEXT_SIGNATURE                                                                                                 \
    "the signature was refused: check the secret key, the region and this machine's clock"                             \
    " (the service's message is omitted because it may quote credentials)"
#define TEXT_TOO_LARGE "the session exceeds DynamoDB's limit of 400 KB per item: store less in it"
#define TEXT_FAILED    "internal error of the service; a write may or may not have been carried out"
#define TEXT_BUSY      "another operation has locked the row"
#define TEXT_KMS       "the service cannot use the KMS key that encrypts the table: "

/* ValidationException and SerializationException may quote keys and values; a refused signature's message quotes the
 * canonical request with the session token in it, an incomplete one's the Authorization header. */
static const error_row_t error_rows[] = {
    { "ConditionalCheckFailedException", DDB_ECONFLICT, "the row does not meet the condition of this write" },
    { "ProvisionedThroughputExceededException", DDB_ETHROTTLED, NULL },
    { "ThrottlingException", DDB_ETHROTTLED, NULL },
    { "Throttling", DDB_ETHROTTLED, NULL },
    { "ThrottledException", DDB_ETHROTTLED, NULL },
    { "KMSThrottlingException", DDB_ETHROTTLED, NULL },
    { "RequestLimitExceeded", DDB_ETHROTTLED, NULL },
    { "RequestThrottled", DDB_ETHROTTLED, NULL },
    { "RequestThrottledException", DDB_ETHROTTLED, NULL },
    { "TooManyRequestsException", DDB_ETHROTTLED, NULL },
    { "SlowDown", DDB_ETHROTTLED, NULL },
    { "InternalServerError", DDB_EUNAVAILABLE, TEXT_FAILED },
    { "InternalFailure", DDB_EUNAVAILABLE, TEXT_FAILED },
    { "ServiceUnavailable", DDB_EUNAVAILABLE, TEXT_FAILED },
    { "ServiceUnavailableException", DDB_EUNAVAILABLE, TEXT_FAILED },
    { "RequestTimeout", DDB_EUNAVAILABLE, TEXT_FAILED },
    { "RequestTimeoutException", DDB_EUNAVAILABLE, TEXT_FAILED },
    { "TransactionInProgressException", DDB_EUNAVAILABLE, TEXT_BUSY },
    { "TransactionConflictException", DDB_EUNAVAILABLE, TEXT_BUSY },
    { "ReplicatedWriteConflictException", DDB_EUNAVAILABLE, TEXT_BUSY },
    { "AccessDeniedException", DDB_EDENIED, NULL },
    { "AccessDenied", DDB_EDENIED, NULL },
    { "UnrecognizedClientException", DDB_EDENIED, NULL },
    { "InvalidClientTokenId", DDB_EDENIED, NULL },
    { "ExpiredTokenException", DDB_EDENIED, NULL },
    { "ExpiredToken", DDB_EDENIED, NULL },
    { "MissingAuthenticationTokenException", DDB_EDENIED, NULL },
    { "MissingAuthenticationToken", DDB_EDENIED, NULL },
    { "OptInRequired", DDB_EDENIED, NULL },
    { "InvalidSignatureException", DDB_EDENIED, TEXT_SIGNATURE },
    { "SignatureDoesNotMatch", DDB_EDENIED, TEXT_SIGNATURE },
    { "IncompleteSignatureException", DDB_EDENIED, TEXT_SIGNATURE },
    { "IncompleteSignature", DDB_EDENIED, TEXT_SIGNATURE },
    { "RequestExpired", DDB_EDENIED, TEXT_SIGNATURE },
    { "RequestTimeTooSkewed", DDB_EDENIED, TEXT_SIGNATURE },
    { "RequestInTheFuture", DDB_EDENIED, TEXT_SIGNATURE },
    { "ItemCollectionSizeLimitExceededException", DDB_ETOOLARGE,
      "the rows that share this key in a local secondary index exceed DynamoDB's limit: drop that index" },
    { "ResourceNotFoundException", DDB_EREFUSED, NULL },
    { "ResourceInUseException", DDB_EREFUSED, NULL },
    { "LimitExceededException", DDB_EREFUSED, "an account limit was reached: see the service quotas" },
    { "ValidationException", DDB_EREFUSED, TEXT_INVALID },
    { "SerializationException", DDB_EREFUSED, TEXT_INVALID },
    { "UnknownOperationException", DDB_EREFUSED,
      "the service does not support this operation: is the endpoint DynamoDB?" },
};

static const error_row_t *row_of_name(const char *name)
{
    apr_size_t i;

    for (i = 0; i < DDB_ARRAY_LENGTH(error_rows); i++) {
        if (strcmp(error_rows[i].name, name) == 0) {
            return &error_rows[i];
        }
    }
    return NULL;
}

/* For names that are in no table, and for bodies of proxies and load balancers, which are no JSON. */
static apr_status_t word_of_status(int http_status)
{
    switch (http_status) {
    case 401:
    case 403:
        return DDB_EDENIED;
    case 408:
        return DDB_EUNAVAILABLE;
    case 413:
        return DDB_ETOOLARGE;
    case 429:
        return DDB_ETHROTTLED;
    default:
        break;
    }
    if (http_status >= 400 && http_status < 500) {
        return DDB_EREFUSED;
    }
    return http_status >= 500 ? DDB_EUNAVAILABLE : DDB_EBADREPLY;
}

/* One line that can't break a log: everything but printable ASCII becomes a '?'. Cut to size, which is at least 1. */
static void copy_printable(char *out, apr_size_t size, const char *in, apr_size_t len)
{
    apr_size_t i;

    for (i = 0; i < len && i + 1 < size; i++) {
        out[i] = in[i] >= ' ' && in[i] <= '~' ? in[i] : '?';
    }
    out[i] = '\0';
}

/* "com.amazonaws.dynamodb.v20120810#ThrottlingException:http://…" is ThrottlingException. */
static void copy_type(char *out, apr_size_t size, const char *type)
{
    apr_size_t end = strcspn(type, ":"), start = end;

    while (start > 0 && type[start - 1] != '#') {
        start--;
    }
    copy_printable(out, size, type + start, end - start);
}

static int speaks_of_item_size(const char *message)
{
    /* "Item size has exceeded the maximum allowed size", "Item size to update has exceeded the maximum allowed size" */
    return message && strstr(message, "Item size") && strstr(message, "exceeded");
}

/* "KMS key access denied error: …", "KMS validation error: …": of keys and principals, whatever the type is, and the
 * only place where the reason stands. */
static int speaks_of_kms(const ddb_error_t *err, const char *message)
{
    return message && (strncmp(message, "KMS ", 4) == 0 || strncmp(err->type, "KMS", 3) == 0);
}

static apr_status_t set_message(ddb_error_t *err, apr_status_t word, const char *before, const char *message)
{
    char text[sizeof(err->detail)];

    copy_printable(text, sizeof(text), message, strlen(message));
    return ddb_error_set(err, word, "%s%s", before, text);
}

static apr_status_t set_from_row(ddb_error_t *err, const error_row_t *row, const char *message)
{
    if (row->word == DDB_EREFUSED && speaks_of_item_size(message)) {
        return ddb_error_set(err, DDB_ETOOLARGE, "%s", TEXT_TOO_LARGE);
    }
    if (row->detail || !message) {
        return ddb_error_set(err, row->word, "%s", row->detail ? row->detail : "the service gave no reason");
    }
    return set_message(err, row->word, "the service says: ", message);
}

apr_status_t ddb_reply_parse_error(int http_status, const char *in, apr_size_t len, apr_pool_t *p, ddb_error_t *err)
{
    ddb_json_t *reply = NULL;
    const char *type, *message;
    const error_row_t *row;

    err->http_status = http_status;
    err->type[0] = '\0';
    if (ddb_json_parse(&reply, in, len, p) != APR_SUCCESS) {
        return ddb_error_set(
            err, word_of_status(http_status),
            "HTTP status %d, and the body is not a DynamoDB error: check the endpoint and any proxy in between",
            http_status);
    }
    type = ddb_json_str(reply, "__type");
    copy_type(err->type, sizeof(err->type), type ? type : "");
    message = ddb_json_str(reply, "message");
    message = message ? message : ddb_json_str(reply, "Message");
    row = row_of_name(err->type);
    if (speaks_of_kms(err, message)) {
        return set_message(err, row ? row->word : word_of_status(http_status), TEXT_KMS, message);
    }
    if (row) {
        return set_from_row(err, row, message);
    }
    return ddb_error_set(err, word_of_status(http_status), "HTTP status %d with an unknown error", http_status);
}

int ddb_reply_is_of_kms(const ddb_error_t *err)
{
    return strncmp(err->detail, TEXT_KMS, strlen(TEXT_KMS)) == 0;
}

apr_int64_t ddb_reply_capacity(const ddb_json_t *reply)
{
    apr_int64_t halves = 0;

    ddb_json_halves(ddb_json_child(reply, "ConsumedCapacity"), "CapacityUnits", &halves);
    return halves;
}

/* A number as DynamoDB writes it, such as 12.5, in halves. 0 for others, for which ddb_json_halves has to be asked. */
static int parse_halves(const ddb_json_string_t *number, apr_int64_t *halves)
{
    const char *c = number->text, *end = c + number->len;
    apr_int64_t n = 0;

    for (; c < end && *c >= '0' && *c <= '9' && n < APR_INT64_C(1000000000000); c++) {
        n = n * 10 + (*c - '0');
    }
    n *= 2;
    if (c + 1 < end && *c == '.' && (c[1] == '0' || c[1] == '5')) {
        n += c[1] == '5';
        for (c += 2; c < end && *c == '0'; c++) {
        }
    }
    *halves = n;
    return c == end;
}

int ddb_reply_pull_capacity(ddb_json_pull_t *r, apr_int64_t *halves)
{
    ddb_json_string_t name, units;
    int found = 0, known = 1;

    *halves = 0;
    if (!ddb_json_pull_object(r)) {
        ddb_json_pull_skip(r);
        return 1;
    }
    while (ddb_json_pull_member(r, &name)) {
        if (!found && ddb_json_string_is(&name, "CapacityUnits")) {
            found = 1;
            if (ddb_json_pull_number(r, &units)) {
                known = parse_halves(&units, halves);
                continue;
            }
        }
        ddb_json_pull_skip(r);
    }
    return known;
}

/* 0 if it takes ddb_json to read the reply. */
static int pull_consumed(apr_int64_t *halves, const char *in, apr_size_t len, apr_pool_t *p)
{
    ddb_json_pull_t r;
    ddb_json_string_t name;
    int found = 0, known = 1;

    *halves = 0;
    ddb_json_pull_begin(&r, in, len, p);
    for (ddb_json_pull_object(&r); ddb_json_pull_member(&r, &name);) {
        if (!found && ddb_json_string_is(&name, "ConsumedCapacity")) {
            found = 1;
            known = ddb_reply_pull_capacity(&r, halves);
        }
        else {
            ddb_json_pull_skip(&r);
        }
    }
    return known && ddb_json_pull_end(&r);
}

apr_int64_t ddb_reply_consumed(const char *in, apr_size_t len, apr_pool_t *p)
{
    apr_int64_t halves;
    ddb_json_t *reply;

    if (pull_consumed(&halves, in, len, p)) {
        return halves;
    }
    return ddb_json_parse(&reply, in, len, p) == APR_SUCCESS ? ddb_reply_capacity(reply) : 0;
}
