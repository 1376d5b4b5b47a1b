/* Environment variables that show a session to programs, rules and logs, and the size limit of an environment. */

#include <string.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>

#include "base/ddb_array.h"
#include "httpd/conf/msd_config.h"
#include "httpd/msd_csrf.h"
#include "httpd/msd_env.h"
#include "httpd/msd_request.h"

APLOG_USE_MODULE(session_dynamodb);

/* Linux limits each string in a program's environment to 128 KiB with name, '=' and NUL (MAX_ARG_STRLEN). */
#define STRING_MAX (128 * 1024)

#define HTTP_SESSION "HTTP_SESSION"
#define NEW          "SESSION_DYNAMODB_NEW"
#define LOGGABLE_ID  "SESSION_DYNAMODB_LOGGABLE_ID"
#define CREATED      "SESSION_DYNAMODB_CREATED"
#define EXPIRES      "SESSION_DYNAMODB_EXPIRES"
#define FAILED_ID    "SESSION_DYNAMODB_FAILED_ID"
#define DEVICE       "SESSION_DYNAMODB_DEVICE"

/** 1, with a warning, if the variable is too long for a program's environment. */
static int too_long(request_rec *r, const char *name, const char *value)
{
    apr_size_t most = STRING_MAX - strlen(name) - 2;

    if (strlen(value) <= most) {
        return 0;
    }
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                  "omitted the environment variable %s: its %" APR_SIZE_T_FMT
                  " bytes exceed the system's limit of %" APR_SIZE_T_FMT ". Store less in the session",
                  name, strlen(value), most);
    return 1;
}

/** Remove from r the variables that the session of another request of the tree has set. */
static void forget_those_of(request_rec *r, const request_rec *from, const char *prefix)
{
    static const char *const ours[] = { HTTP_SESSION, NEW,       LOGGABLE_ID, CREATED,
                                        EXPIRES,      FAILED_ID, DEVICE,      MSD_CSRF_VARIABLE };
    const apr_array_header_t *env = msd_config_merged(from)->env;
    apr_size_t i;
    int j;

    for (i = 0; i < DDB_ARRAY_LENGTH(ours); i++) {
        apr_table_unset(r->subprocess_env, apr_pstrcat(r->pool, prefix, ours[i], NULL));
    }
    for (j = 0; env && j < env->nelts; j++) {
        apr_table_unset(r->subprocess_env, apr_pstrcat(r->pool, prefix, APR_ARRAY_IDX(env, j, msd_env_t).name, NULL));
    }
}

/* Where this module is off, httpd makes HTTP_SESSION from a client's header "Session" (CVE-2018-1283). It passes all
 * variables on to subrequests, and to redirected requests with REDIRECT_ before the name. */
void msd_env_forget(request_rec *r)
{
    const char *prefix = "";
    const request_rec *from, *below; /* no more than httpd's LimitInternalRecursion allows */

    apr_table_unset(r->subprocess_env, HTTP_SESSION);
    for (from = r->prev ? r->prev : r->main, below = r; from;
         below = from, from = from->prev ? from->prev : from->main) {
        prefix = below->prev ? apr_pstrcat(r->pool, "REDIRECT_", prefix, NULL) : prefix;
        if (!msd_request_is_same_place(r, from)) {
            forget_those_of(r, from, prefix);
        }
    }
}

void msd_env_limit(request_rec *r)
{
    const char *value = apr_table_get(r->subprocess_env, HTTP_SESSION);

    if (value && too_long(r, HTTP_SESSION, value)) {
        apr_table_unset(r->subprocess_env, HTTP_SESSION);
    }
}

static void set_time(apr_table_t *env, const char *name, apr_int64_t seconds)
{
    if (seconds) {
        apr_table_setn(env, name, apr_off_t_toa(apr_table_elts(env)->pool, (apr_off_t)seconds));
    }
    else {
        apr_table_unset(env, name); /* of a session that this request ended */
    }
}

/* What CGI programs and LogFormat may know about a session; the ID is not part of it. */
void msd_env_describe(request_rec *r, msd_session_t *s)
{
    static const char *const devices[] = { "", "unbound", "bound", "stale" }; /* in the order of msd_device_e */
    apr_table_t *env = r->subprocess_env;
    const char *loggable = msd_session_loggable_id(s);
    apr_int64_t expires = msd_session_expires(s);

    if (!msd_session_usable(s)) {
        return;
    }
    apr_table_setn(env, NEW, s->stored.sid ? "0" : "1");
    if (loggable) {
        apr_table_setn(env, LOGGABLE_ID, loggable);
    }
    set_time(env, CREATED, apr_time_sec(s->stored.created));
    set_time(env, EXPIRES, expires);
    if (s->ids.refused) {
        apr_table_setn(env, FAILED_ID, s->ids.refused);
    }
    if (s->device != MSD_DEVICE_UNKNOWN) {
        apr_table_setn(env, DEVICE, devices[s->device]);
    }
    if (!r->main) {
        /* Comparing addresses is enough: all IDs of a tree stay in its pool, so two IDs never share an address. */
        s->described = (msd_session_described_t){ .r = r, .sid = s->stored.sid, .expires = expires };
    }
}

void msd_env_describe_again(request_rec *r, msd_session_t *s)
{
    const msd_session_described_t *d = &s->described;

    if (d->r != r || d->sid != s->stored.sid || d->expires != msd_session_expires(s)) {
        msd_env_describe(r, s);
    }
}

void msd_env_export(request_rec *r, const session_rec *z)
{
    const apr_array_header_t *wanted = msd_config_merged(r)->env;
    int i;

    for (i = 0; wanted && i < wanted->nelts; i++) {
        const msd_env_t *e = &APR_ARRAY_IDX(wanted, i, msd_env_t);
        const char *value = z ? msd_request_entry(r, z, e->key) : NULL;

        /* Access decisions may depend on the variable: a value from elsewhere must not pass for an entry. */
        apr_table_unset(r->subprocess_env, e->name);
        if (value && !too_long(r, e->name, value)) {
            /* A copy: the entry may change later in this request, but logs must show the value that decided. */
            apr_table_set(r->subprocess_env, e->name, value);
        }
    }
}
