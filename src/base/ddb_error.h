#ifndef DDB_ERROR_H
#define DDB_ERROR_H

#include <apr.h>
#include <apr_errno.h>

/**
 * The status words of this library, beside APR_SUCCESS, APR_NOTFOUND (an answer, not a failure) and APR_TIMEUP (the
 * deadline passed). A caller acts on the word; the rest of a ddb_error_t is for the log.
 */
#define DDB_ECONFLICT    (APR_OS_START_USERERR + 1)  /* a condition failed: another writer was first */
#define DDB_ETHROTTLED   (APR_OS_START_USERERR + 2)  /* throttled until the attempts were used up */
#define DDB_EDENIED      (APR_OS_START_USERERR + 3)  /* credentials, signature or policy refused */
#define DDB_ENOCREDS     (APR_OS_START_USERERR + 4)  /* no provider of the chain has credentials */
#define DDB_ETOOLARGE    (APR_OS_START_USERERR + 5)  /* over a limit, ours or the service's */
#define DDB_EBADREPLY    (APR_OS_START_USERERR + 6)  /* the reply is not what the API promises */
#define DDB_EUNAVAILABLE (APR_OS_START_USERERR + 7)  /* no connection, no answer, or an answer of 5xx */
#define DDB_EREFUSED     (APR_OS_START_USERERR + 8)  /* a request the service calls wrong: table missing, invalid */
#define DDB_EBADITEM     (APR_OS_START_USERERR + 9)  /* the stored item is half or of wrong types */
#define DDB_ECONFIG      (APR_OS_START_USERERR + 10) /* a setting or a file that can't be used; detail says which */
#define DDB_ETOOMANY     (APR_OS_START_USERERR + 11) /* over a limit of ours on the number of something */

/** Where an attempt failed, as far as the status does not tell. */
typedef enum ddb_error_cause_e {
    DDB_CAUSE_NONE,
    DDB_CAUSE_CREDENTIALS, /* none came in time, or none are usable */
    DDB_CAUSE_CONNECT,     /* no connection: name, network, port, or none in time */
    DDB_CAUSE_TLS,
    DDB_CAUSE_REPLY /* a complete reply was there: its content */
} ddb_error_cause_e;

/** What to log about a failure. Plain data: it owns nothing and points nowhere, and never holds a secret. */
typedef struct ddb_error_t {
    int http_status;         /* 0 when no reply arrived */
    int attempts;            /* requests sent, retries included */
    ddb_error_cause_e cause; /* of the last attempt */
    int connected, reused;   /* attempts on a connection made for them, and on one that stood */
    int unsettled;           /* 1: an attempt may have been carried out although no usable reply came back */
    char operation[32];      /* DynamoDB operation, such as GetItem; "" before the first */
    char type[64];           /* AWS error type without its prefix; "" without a type */
    char request_id[64];     /* x-amzn-RequestId of the last reply; "" without an ID */
    char detail[400];        /* one sentence; never a session ID, credential or body */
} ddb_error_t;

/** A change that is worth one line in the log, although no call failed or succeeded by it. */
typedef struct ddb_notice_t {
    int warning;    /* 0: good news */
    char text[192]; /* one sentence; as ddb_error_t's detail */
} ddb_notice_t;

/** Set the detail of err (which may be NULL) and return status, so that a failure is one line. Other fields stay. */
apr_status_t ddb_error_set(ddb_error_t *err, apr_status_t status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/** 1 for a failure that may pass when retried later; 0 for one that needs a correction. */
int ddb_error_is_passing(apr_status_t status);

/** One word for a status, for programs that read logs. A constant; "other" for a status that is not of this library. */
const char *ddb_error_word(apr_status_t status);

/** Words for a status of this library or of APR. buf is used for APR's; the result is buf or a constant. */
const char *ddb_error_text(apr_status_t status, char *buf, apr_size_t size);

#endif
