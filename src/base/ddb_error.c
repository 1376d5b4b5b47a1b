/* Status words to sentences, and the one line that fills an error record. */

#include <stdarg.h>
#include <stdio.h>

#include "base/ddb_array.h"
#include "base/ddb_error.h"

static const struct {
    apr_status_t status;
    const char *word, *text;
} words[] = {
    { DDB_ECONFLICT, "conflict", "another write was first" },
    { DDB_ETHROTTLED, "throttled", "the store throttled every attempt" },
    { DDB_EDENIED, "denied", "the store refused the credentials, the signature or the access" },
    { DDB_ENOCREDS, "no-credentials", "no credentials were found" },
    { DDB_ETOOLARGE, "too-large", "over a size limit" },
    { DDB_EBADREPLY, "bad-reply", "unexpected reply from the store" },
    { DDB_EUNAVAILABLE, "unavailable", "the store did not answer" },
    { DDB_EREFUSED, "invalid-request", "the store rejected the request as invalid" },
    { DDB_EBADITEM, "bad-item", "the stored item is incomplete or has wrong types" },
    { DDB_ECONFIG, "config", "a setting or a file is unusable" },
    { DDB_ETOOMANY, "too-many", "over a limit" },
    /* APR says "Could not find specified socket in poll list" for the first. */
    { APR_NOTFOUND, "not-found", "not found" },
    { APR_TIMEUP, "timeout", "the deadline passed" },
    { APR_EINTR, "stopping", "the process is stopping" },
};

apr_status_t ddb_error_set(ddb_error_t *err, apr_status_t status, const char *fmt, ...)
{
    va_list args;

    if (err) {
        /* Not APR's formatter: it reads past %lld and %zu, which the compiler's check of fmt lets through. */
        va_start(args, fmt);
        (void)vsnprintf(err->detail, sizeof(err->detail), fmt, args);
        va_end(args);
    }
    return status;
}

int ddb_error_is_passing(apr_status_t status)
{
    return status == DDB_ETHROTTLED || status == DDB_EUNAVAILABLE || status == APR_TIMEUP;
}

/* Its place in words; DDB_ARRAY_LENGTH(words) for others. */
static apr_size_t find(apr_status_t status)
{
    apr_size_t i;

    for (i = 0; i < DDB_ARRAY_LENGTH(words) && words[i].status != status; i++) {
    }
    return i;
}

const char *ddb_error_word(apr_status_t status)
{
    apr_size_t i = find(status);

    return i < DDB_ARRAY_LENGTH(words) ? words[i].word : "other";
}

const char *ddb_error_text(apr_status_t status, char *buf, apr_size_t size)
{
    apr_size_t i = find(status);

    return i < DDB_ARRAY_LENGTH(words) ? words[i].text : apr_strerror(status, buf, size);
}
