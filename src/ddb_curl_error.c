/* libcurl's codes in our words: what failed, whether the request may have arrived, and what to do. */

#include "ddb_curl_int.h"

/** By timer: if the connection stood. */
typedef enum sent_e { SENT_NO, SENT_BY_TIMER, SENT_MAYBE } sent_e;

typedef struct failure_t {
    CURLcode code;
    apr_status_t status;
    sent_e sent;
    const char *advice;
} failure_t;

/* What libcurl's codes mean for us. */
static const failure_t failures[] = {
    { CURLE_COULDNT_RESOLVE_HOST, DDB_EUNAVAILABLE, SENT_NO, "check the endpoint's host name and the name service" },
    { CURLE_COULDNT_CONNECT, DDB_EUNAVAILABLE, SENT_NO, "check that the endpoint is up and no firewall is between" },
    { CURLE_SSL_CONNECT_ERROR, DDB_EUNAVAILABLE, SENT_NO, "check that the endpoint speaks TLS 1.2 or later" },
    { CURLE_PEER_FAILED_VERIFICATION, DDB_EUNAVAILABLE, SENT_NO, "check the endpoint's host name and the CA file" },
    { CURLE_SSL_CACERT_BADFILE, DDB_EUNAVAILABLE, SENT_NO, "check that the CA file exists and can be read" },
    { CURLE_OPERATION_TIMEDOUT, APR_TIMEUP, SENT_BY_TIMER, "the endpoint is slow or not reachable" },
    { CURLE_GOT_NOTHING, DDB_EUNAVAILABLE, SENT_MAYBE, "the server closed the connection without an answer" },
    { CURLE_SEND_ERROR, DDB_EUNAVAILABLE, SENT_MAYBE, "the connection broke while sending" },
    { CURLE_RECV_ERROR, DDB_EUNAVAILABLE, SENT_MAYBE, "the connection broke before the answer was complete" },
    { CURLE_PARTIAL_FILE, DDB_EUNAVAILABLE, SENT_MAYBE, "the connection broke before the answer was complete" },
    /* A reused connection died before any answer, and libcurl wanted to send again: see set_body. */
    { CURLE_SEND_FAIL_REWIND, DDB_EUNAVAILABLE, SENT_MAYBE, "the server closed a reused connection without an answer" },
    { CURLE_OK, DDB_EUNAVAILABLE, SENT_BY_TIMER, "the exchange failed" }, /* all others */
};

apr_status_t ddb_curl_failure(CURLcode code, int connected, const char *why, ddb_error_t *err)
{
    const failure_t *f = failures;

    while (f->code != CURLE_OK && f->code != code) {
        f++;
    }
    if (err && (f->sent == SENT_MAYBE || (f->sent == SENT_BY_TIMER && connected))) {
        err->unsettled = 1;
    }
    return ddb_error_set(err, f->status, "%.120s; %s", why[0] ? why : curl_easy_strerror(code), f->advice);
}
