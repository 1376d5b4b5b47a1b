/* Commands for the sessions of a user: their list, and their end. */

#include <string.h>

#include <apr_strings.h>

#include "base/ddb_crypto.h"
#include "base/ddb_time.h"
#include "ddb_rows.h"
#include "commands.h"
#include "keys.h"
#include "store/ddb_item.h"
#include "store/ddb_user_sessions.h"

#define CALLS_MOST (3 * DDB_USER_SESSIONS_MOST) /* to end all sessions of a list */

/* The lists of one user, and how to call for them. */
typedef struct user_t {
    apr_array_header_t *ids; /* const char *, a list for each key; the newest key last */
    ddb_store_t *store;
    ddb_sid_rules_t rules;
    ddb_error_t err;
    ddb_store_call_t call;
} user_t;

static const char *read_seal(user_t *u, const options_t *o, apr_pool_t *p)
{
    const char *problem = NULL;
    apr_array_header_t *keys;
    ddb_seal_t *seal = NULL;

    if (o->seal_keys) {
        keys = keys_read(o->seal_keys, "seal-keys", DDB_SEAL_CLEAR, DDB_SEAL_SECRET_MIN, &problem, p);
        if (keys && ddb_seal_create(&seal, keys, p) != APR_SUCCESS) {
            problem = "--seal-keys: OpenSSL failed; make sure that it offers SHA-256";
        }
    }
    u->call.seal = seal;
    return problem;
}

static const char *name_lists(user_t *u, const options_t *o, apr_pool_t *p)
{
    const ddb_marks_user_t user = { o->realm, o->user };
    const char *problem, *id;
    apr_array_header_t *keys = keys_read(o->user_keys, "user-keys", NULL, DDB_USER_SESSIONS_SECRET_MIN, &problem, p);
    int i;

    u->ids = apr_array_make(p, 2, sizeof(const char *));
    for (i = 0; keys && !problem && i < keys->nelts; i++) {
        if (ddb_user_sessions_id(&id, APR_ARRAY_IDX(keys, i, const char *), o->audience, &user, p) != APR_SUCCESS) {
            problem = "--user-keys: OpenSSL failed; make sure that it offers SHA-256";
        }
        APR_ARRAY_PUSH(u->ids, const char *) = id;
    }
    return problem;
}

/* @return a sentence that says what is wrong with the keys, or NULL. */
static const char *begin(user_t *u, const connection_t *c, const options_t *o, apr_pool_t *p)
{
    const char *problem;

    memset(u, 0, sizeof(*u));
    u->rules = (ddb_sid_rules_t){ .bytes = 32, .hash = 1, .audience = o->audience };
    u->call = (ddb_store_call_t){ .rules = &u->rules,
                                  .format = DDB_FORM,
                                  .now = ddb_clock_wall(c->table.clock),
                                  .deadline = ddb_clock_monotonic(c->table.clock) + CALLS_MOST * o->timeout,
                                  .pool = p,
                                  .err = &u->err };
    problem = name_lists(u, o, p);
    problem = problem ? problem : read_seal(u, o, p);
    return problem || ddb_store_create(&u->store, c->table.client, o->table, ddb_crypto_random, p) == APR_SUCCESS
               ? problem
               : "no memory";
}

/* --- list --- */

/* What a client said of itself, for a terminal. */
static const char *plain(const char *text, apr_pool_t *p)
{
    char *ascii = apr_pstrdup(p, text), *c;

    for (c = ascii; *c; c++) {
        *c = *c >= ' ' && *c <= '~' ? *c : '?';
    }
    return ascii;
}

/* One fact of a session; NULL and "": it is not known. */
static void say(report_t *r, ddb_json_t *json, const char *name, const char *label, const char *value)
{
    if (value && *value && json) {
        ddb_json_set_str(json, name, value);
    }
    else if (value && *value) {
        report_line(r, "%s: %s", label, plain(value, r->pool));
    }
}

static const char *time_text(apr_time_t t, apr_pool_t *p)
{
    return t ? ddb_time_print(t, p) : NULL;
}

/* rv: of the look at the row. */
static const char *state_of(apr_status_t rv, const ddb_row_t *row, apr_time_t now)
{
    return rv == APR_NOTFOUND                 ? "gone"
           : row->replaced                    ? "replaced"
           : row->expires > apr_time_sec(now) ? "alive"
                                              : "over";
}

static apr_status_t say_session(const ddb_rows_t *rows, const ddb_user_session_t *s, report_t *r, user_t *u)
{
    apr_pool_t *p = u->call.pool;
    ddb_json_t *json = r->json ? ddb_json_add_object(r->json, "sessions") : NULL;
    ddb_row_t row;
    apr_status_t rv = ddb_rows_read(rows, s->key, &row, p, &u->err);

    if (rv != APR_SUCCESS && rv != APR_NOTFOUND) {
        return rv;
    }
    say(r, json, "key", "session", s->key);
    say(r, json, "hash", "hash", row.loggable);
    say(r, json, "state", "state", state_of(rv, &row, u->call.now));
    say(r, json, "created", "created", time_text(apr_time_from_sec(s->created), p));
    say(r, json, "accessed", "accessed", row.replaced ? NULL : time_text(row.accessed, p));
    say(r, json, "expires", "expires", time_text(apr_time_from_sec(row.expires), p));
    say(r, json, "ends", "ends at the latest", time_text(apr_time_from_sec(s->expires), p));
    say(r, json, "address", "address", s->address);
    say(r, json, "agent", "agent", s->agent);
    say(r, json, "device", "device", row.device);
    report_line(r, "%s", "");
    return APR_SUCCESS;
}

static apr_status_t say_list(const ddb_rows_t *rows, const char *id, int *n, report_t *r, user_t *u)
{
    ddb_user_sessions_t list;
    apr_status_t rv = ddb_user_sessions_read(u->store, &u->call, id, &list);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < list.sessions->nelts; i++) {
        rv = say_session(rows, &APR_ARRAY_IDX(list.sessions, i, ddb_user_session_t), r, u);
        *n += rv == APR_SUCCESS;
    }
    return rv;
}

exit_e users_list(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p)
{
    const ddb_rows_t rows = { .table = &c->table };
    user_t u;
    const char *problem = begin(&u, c, o, p);
    apr_status_t rv = APR_SUCCESS;
    int i, n = 0;

    if (problem) {
        return report_usage(r, problem);
    }
    for (i = 0; rv == APR_SUCCESS && i < u.ids->nelts; i++) {
        rv = say_list(&rows, APR_ARRAY_IDX(u.ids, i, const char *), &n, r, &u);
    }
    if (rv != APR_SUCCESS) {
        return report_failure(r, rv, &u.err);
    }
    report_number(r, "listed", "sessions", n);
    if (!n) {
        report_line(r, "none is listed under this user, realm, audience and key");
    }
    return EXIT_GOOD;
}

/* --- end --- */

/* A session may be in the list of any key, and in several. */
static apr_status_t end_one(user_t *u, const char *key, int *ended)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < u->ids->nelts; i++) {
        rv = ddb_user_sessions_end_one(u->store, &u->call, APR_ARRAY_IDX(u->ids, i, const char *), key);
        *ended |= rv == APR_SUCCESS;
        rv = rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    }
    return rv != APR_SUCCESS || *ended
               ? rv
               : ddb_error_set(&u->err, APR_NOTFOUND, "the user has no such session: see what list shows");
}

static apr_status_t end_all(user_t *u, int *ended)
{
    apr_status_t rv = APR_SUCCESS;
    int i, n;

    for (i = 0; rv == APR_SUCCESS && i < u->ids->nelts; i++) {
        rv = ddb_user_sessions_end_all(u->store, &u->call, APR_ARRAY_IDX(u->ids, i, const char *), NULL, &n);
        *ended += n;
    }
    return rv;
}

exit_e users_end(connection_t *c, const options_t *o, report_t *r, apr_pool_t *p)
{
    user_t u;
    const char *problem = begin(&u, c, o, p);
    int ended = 0;
    apr_status_t rv;

    if (problem) {
        return report_usage(r, problem);
    }
    rv = o->hash ? end_one(&u, o->hash, &ended) : end_all(&u, &ended);
    if (rv == APR_SUCCESS || ended) {
        report_number(r, "ended", o->hash ? NULL : "sessions ended", ended);
    }
    if (rv != APR_SUCCESS) {
        return report_failure(r, rv, &u.err);
    }
    if (o->hash) {
        report_line(r, "the session was ended");
    }
    return EXIT_GOOD;
}
