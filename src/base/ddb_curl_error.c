/* libcurl's codes in our words: what failed, whether the request may have arrived, and what to do. */

#include <errno.h>
#include <string.h>

#include <apr_strings.h>

#include "base/ddb_curl_int.h"

/** By timer: if the connection stood. */
typedef enum sent_e { SENT_NO, SENT_BY_TIMER, SENT_MAYBE } sent_e;

typedef struct failure_t {
    CURLcode code;
    apr_status_t status;
    sent_e sent;
    ddb_error_cause_e cause;
    const char *advice;
} failure_t;

/* What libcurl's codes mean for us. */
static const failure_t failures[] = {
    { CURLE_COULDNT_RESOLVE_HOST, DDB_EUNAVAILABLE, SENT_NO, DDB_CAUSE_CONNECT,
      "check the endpoint's host name and DNS" },
    { CURLE_COULDNT_CONNECT, DDB_EUNAVAILABLE, SENT_NO, DDB_CAUSE_CONNECT,
      "check that the endpoint is up and no firewall is in between" },
    { CURLE_SSL_CONNECT_ERROR, DDB_EUNAVAILABLE, SENT_NO, DDB_CAUSE_TLS,
      "check that the endpoint speaks TLS 1.2 or later" },
    { CURLE_PEER_FAILED_VERIFICATION, DDB_EUNAVAILABLE, SENT_NO, DDB_CAUSE_TLS,
      "check the endpoint's host name and the CA file" },
    { CURLE_SSL_CACERT_BADFILE, DDB_EUNAVAILABLE, SENT_NO, DDB_CAUSE_TLS,
      "check that the CA file exists and is readable" },
    { CURLE_NOT_BUILT_IN, DDB_EUNAVAILABLE, SENT_NO, DDB_CAUSE_TLS,
      "use a libcurl that is linked with the system's OpenSSL" },
    { CURLE_OPERATION_TIMEDOUT, APR_TIMEUP, SENT_BY_TIMER, DDB_CAUSE_NONE, "the endpoint is slow or unreachable" },
    { CURLE_GOT_NOTHING, DDB_EUNAVAILABLE, SENT_MAYBE, DDB_CAUSE_NONE,
      "the server closed the connection without an answer" },
    { CURLE_SEND_ERROR, DDB_EUNAVAILABLE, SENT_MAYBE, DDB_CAUSE_NONE, "the connection broke while sending" },
    { CURLE_RECV_ERROR, DDB_EUNAVAILABLE, SENT_MAYBE, DDB_CAUSE_NONE,
      "the connection broke before the answer was complete" },
    { CURLE_PARTIAL_FILE, DDB_EUNAVAILABLE, SENT_MAYBE, DDB_CAUSE_NONE,
      "the connection broke before the answer was complete" },
    { CURLE_OK, DDB_EUNAVAILABLE, SENT_BY_TIMER, DDB_CAUSE_NONE, "the exchange failed" }, /* all others */
};

/* A system that forbids a connection answers at once, and no look at the endpoint or the network would find out why. */
static int is_forbidden(const ddb_curl_failed_t *failed)
{
    return failed->code == CURLE_COULDNT_CONNECT && (failed->os_errno == EACCES || failed->os_errno == EPERM);
}

/* libcurl's own words leave out why the system could not connect. */
static void add_reason(char *out, apr_size_t size, const ddb_curl_failed_t *failed)
{
    char reason[80];

    apr_cpystrn(out, failed->why[0] ? failed->why : curl_easy_strerror(failed->code), 120);
    if (failed->code == CURLE_COULDNT_CONNECT && failed->os_errno) {
        apr_strerror((apr_status_t)failed->os_errno, reason, sizeof(reason));
        apr_snprintf(out + strlen(out), size - strlen(out), " (%s)", reason);
    }
}

#define FORBIDDEN                                                                                                      \
    "permission denied on this machine: with SELinux, run setsebool -P httpd_can_network_connect on; otherwise "       \
    "check this machine's firewall"

apr_status_t ddb_curl_failure(const ddb_curl_failed_t *failed, ddb_error_t *err)
{
    const failure_t *f = failures;
    char why[220];

    while (f->code != CURLE_OK && f->code != failed->code) {
        f++;
    }
    if (err && (f->sent == SENT_MAYBE || (f->sent == SENT_BY_TIMER && failed->connected))) {
        err->unsettled = 1;
    }
    if (err) {
        err->cause = f->cause;
    }
    add_reason(why, sizeof(why), failed);
    return is_forbidden(failed) ? ddb_error_set(err, APR_EACCES, "%s; " FORBIDDEN, why)
                                : ddb_error_set(err, f->status, "%s; %s", why, f->advice);
}
