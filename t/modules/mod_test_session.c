/*
 * A handler for the tests: does with the session what the query string says, in that order, and prints one line for
 * each thing done. It also counts how often mod_session asked for the session, and can stand between mod_session and
 * the store as an encoder (as mod_session_crypto does) that fails on demand.
 *
 *   SetHandler test-session
 *   TestSessionCodec off | rot13 | fail-decode | fail-encode
 *
 * t/TEST builds it with apxs; it is not installed.
 */

#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_optional.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_session.h>

#include "mod_session_dynamodb.h"

module AP_MODULE_DECLARE_DATA test_session_module;

static APR_OPTIONAL_FN_TYPE(ap_session_load) *session_load;
static APR_OPTIONAL_FN_TYPE(ap_session_get) *session_get;
static APR_OPTIONAL_FN_TYPE(ap_session_set) *session_set;
static APR_OPTIONAL_FN_TYPE(session_dynamodb_end) *dynamodb_end;
static APR_OPTIONAL_FN_TYPE(session_dynamodb_renew) *dynamodb_renew;
static APR_OPTIONAL_FN_TYPE(session_dynamodb_create) *dynamodb_create;
static APR_OPTIONAL_FN_TYPE(session_dynamodb_revoke) *dynamodb_revoke;
static APR_OPTIONAL_FN_TYPE(session_dynamodb_loggable_id) *dynamodb_loggable_id;
static APR_OPTIONAL_FN_TYPE(session_dynamodb_times) *dynamodb_times;
static APR_OPTIONAL_FN_TYPE(session_dynamodb_set_timeouts) *dynamodb_set_timeouts;

/* --- counting and the codec --------------------------------------------------------------------------------------- */

typedef struct test_config_t {
    const char *codec; /* NULL: not set here */
} test_config_t;

typedef struct test_counts_t {
    int loads;   /* load hook runs in the tree */
    int decodes; /* decode hook runs that saw something to decode */
} test_counts_t;

static void *create_config(apr_pool_t *p, char *dir)
{
    (void)dir;
    return apr_pcalloc(p, sizeof(test_config_t));
}

static void *merge_config(apr_pool_t *p, void *base, void *add)
{
    test_config_t *merged = apr_palloc(p, sizeof(*merged));

    *merged = ((test_config_t *)add)->codec ? *(test_config_t *)add : *(test_config_t *)base;
    return merged;
}

static const char *set_codec(cmd_parms *cmd, void *config, const char *arg)
{
    ((test_config_t *)config)->codec = apr_pstrdup(cmd->pool, arg);
    return NULL;
}

static const char *codec_of(request_rec *r)
{
    test_config_t *config = ap_get_module_config(r->per_dir_config, &test_session_module);

    return config->codec ? config->codec : "off";
}

static request_rec *top_of(request_rec *r)
{
    while (r->main || r->prev) {
        r = r->main ? r->main : r->prev;
    }
    return r;
}

static test_counts_t *counts_of(request_rec *r)
{
    request_rec *top = top_of(r);
    test_counts_t *counts = ap_get_module_config(top->request_config, &test_session_module);

    if (!counts) {
        counts = apr_pcalloc(top->pool, sizeof(*counts));
        ap_set_module_config(top->request_config, &test_session_module, counts);
    }
    return counts;
}

static apr_status_t count_load(request_rec *r, session_rec **z)
{
    (void)z;
    counts_of(r)->loads++;
    return DECLINED;
}

static char *rot13(apr_pool_t *p, const char *text)
{
    char *copy = apr_pstrdup(p, text), *c;

    for (c = copy; *c; c++) {
        if (apr_isalpha(*c)) {
            char a = apr_isupper(*c) ? 'A' : 'a';
            *c = (char)(a + (*c - a + 13) % 26);
        }
    }
    return copy;
}

/* After mod_session's own encoder, which comes really first. */
static apr_status_t encode(request_rec *r, session_rec *z)
{
    const char *codec = codec_of(r);

    if (strcmp(codec, "fail-encode") == 0) {
        return APR_EGENERAL;
    }
    if (strcmp(codec, "rot13") == 0 && z->encoded) {
        z->encoded = rot13(r->pool, z->encoded);
        return OK;
    }
    return DECLINED;
}

/* Before mod_session's own decoder, which comes really last. */
static apr_status_t decode(request_rec *r, session_rec *z)
{
    const char *codec = codec_of(r);

    if (!z->encoded) {
        return DECLINED;
    }
    counts_of(r)->decodes++;
    if (strcmp(codec, "fail-decode") == 0) {
        return APR_EGENERAL;
    }
    if (strcmp(codec, "rot13") == 0) {
        z->encoded = rot13(z->pool, z->encoded);
        return OK;
    }
    return DECLINED;
}

/* --- the things that can be done ---------------------------------------------------------------------------------- */

typedef struct test_run_t {
    request_rec *r;
    session_rec *z; /* NULL: there is none here */
    apr_array_header_t *lines;
    int status;           /* what the handler returns */
    int pieces;           /* of a body that is sent bit by bit */
    const char *internal; /* where to go on, NULL: nowhere */
} test_run_t;

static void say(test_run_t *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(test_run_t *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    APR_ARRAY_PUSH(t->lines, const char *) = apr_pvsprintf(t->r->pool, format, args);
    va_end(args);
}

static void op_get(test_run_t *t, const char *key, const char *unused)
{
    const char *value = NULL;
    apr_status_t rv = t->z ? session_get(t->r, t->z, key, &value) : APR_SUCCESS;

    (void)unused;
    say(t, "get %s: %s", key, !t->z ? "no session" : rv != APR_SUCCESS ? "failed" : value ? value : "(none)");
}

static const char *set(test_run_t *t, const char *key, const char *value)
{
    if (!t->z) {
        return "no session";
    }
    return session_set(t->r, t->z, key, value) == APR_SUCCESS ? "ok" : "failed";
}

static void op_set(test_run_t *t, const char *key, const char *value)
{
    say(t, "set %s: %s", key, set(t, key, value));
}

/* init=key:value: set it where there is none yet */
static void op_init(test_run_t *t, const char *key, const char *value)
{
    if (t->z && !apr_table_get(t->z->entries, key)) {
        op_set(t, key, value);
    }
}

static void op_del(test_run_t *t, const char *key, const char *unused)
{
    (void)unused;
    say(t, "del %s: %s", key, set(t, key, NULL));
}

/* big=key:bytes */
static void op_big(test_run_t *t, const char *key, const char *bytes)
{
    apr_size_t len = (apr_size_t)apr_atoi64(bytes ? bytes : "0");
    char *value = apr_palloc(t->r->pool, len + 1);

    memset(value, 'x', len);
    value[len] = '\0';
    op_set(t, key, value);
}

static void op_clear(test_run_t *t, const char *unused, const char *unused_too)
{
    (void)unused;
    (void)unused_too;
    if (t->z) {
        apr_table_clear(t->z->entries);
        t->z->dirty = 1;
    }
    say(t, "clear: %s", t->z ? "ok" : "no session");
}

static void op_dirty(test_run_t *t, const char *unused, const char *unused_too)
{
    (void)unused;
    (void)unused_too;
    if (t->z) {
        t->z->dirty = 1;
    }
    say(t, "dirty: %s", t->z ? "ok" : "no session");
}

static void op_touch(test_run_t *t, const char *unused, const char *unused_too)
{
    session_rec *z = NULL;
    apr_status_t rv = session_load(t->r, &z);

    (void)unused;
    (void)unused_too;
    say(t, "touch: %s", rv != APR_SUCCESS ? "failed" : z ? "ok" : "no session");
}

/* expiry=seconds from now, may be negative */
static void op_expiry(test_run_t *t, const char *seconds, const char *unused)
{
    (void)unused;
    if (t->z) {
        t->z->expiry = apr_time_now() + apr_time_from_sec(apr_atoi64(seconds));
        t->z->dirty = 1;
    }
    say(t, "expiry %s: %s", seconds, t->z ? "ok" : "no session");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int collect(void *names, const char *key, const char *value)
{
    APR_ARRAY_PUSH((apr_array_header_t *)names, const char *) = apr_pstrcat(((apr_array_header_t *)names)->pool, key,
                                                                            "=", value, NULL);
    return 1;
}

static void op_entries(test_run_t *t, const char *unused, const char *unused_too)
{
    apr_array_header_t *names = apr_array_make(t->r->pool, 8, sizeof(const char *));

    (void)unused;
    (void)unused_too;
    if (t->z) {
        apr_table_do(collect, names, t->z->entries, NULL);
        qsort(names->elts, (size_t)names->nelts, sizeof(const char *), by_name);
    }
    say(t, "entries: %s", names->nelts ? apr_array_pstrcat(t->r->pool, names, '&') : "");
}

/* What mod_session knows of the session, and how often it asked. */
static void op_dump(test_run_t *t, const char *unused, const char *unused_too)
{
    test_counts_t *counts = counts_of(t->r);

    (void)unused;
    (void)unused_too;
    say(t, "loads: %d", counts->loads);
    say(t, "decodes: %d", counts->decodes);
    if (!t->z) {
        say(t, "session: none");
        return;
    }
    say(t, "session: dirty=%d written=%d cached=%d maxage=%ld expiry=%" APR_TIME_T_FMT " user=%s", t->z->dirty,
        t->z->written, t->z->cached, t->z->maxage, t->z->expiry, t->z->remote_user ? t->z->remote_user : "");
    op_entries(t, NULL, NULL);
}

static void op_sleep(test_run_t *t, const char *seconds, const char *unused)
{
    (void)unused;
    apr_sleep((apr_interval_time_t)(atof(seconds) * APR_USEC_PER_SEC));
    say(t, "sleep %s: ok", seconds);
}

/* meet=name: say "here" through the file state/name.here, go on when state/name.go is there: no test has to guess. */
static void op_meet(test_run_t *t, const char *name, const char *unused)
{
    apr_pool_t *p = t->r->pool;
    const char *base = apr_pstrcat(p, "state/", ap_escape_path_segment(p, name), NULL);
    const char *here = ap_server_root_relative(p, apr_pstrcat(p, base, ".here", NULL));
    const char *go = ap_server_root_relative(p, apr_pstrcat(p, base, ".go", NULL));
    apr_file_t *file;
    apr_finfo_t info;
    int i;

    (void)unused;
    if (apr_file_open(&file, here, APR_WRITE | APR_CREATE, APR_OS_DEFAULT, p) == APR_SUCCESS) {
        apr_file_close(file);
    }
    for (i = 0; i < 1000 && apr_stat(&info, go, APR_FINFO_TYPE, p) != APR_SUCCESS; i++) {
        apr_sleep(APR_USEC_PER_SEC / 100);
    }
    say(t, "meet %s: %s", name, i < 1000 ? "ok" : "nobody came");
}

/* status=404: answer with that status through httpd's error handling */
static void op_status(test_run_t *t, const char *status, const char *unused)
{
    (void)unused;
    t->status = atoi(status);
}

/* code=404: an answer of our own with that status */
static void op_code(test_run_t *t, const char *status, const char *unused)
{
    (void)unused;
    t->r->status = atoi(status);
}

static void op_redirect(test_run_t *t, const char *location, const char *unused)
{
    (void)unused;
    apr_table_setn(t->r->headers_out, "Location", location);
    t->status = HTTP_MOVED_TEMPORARILY;
}

static void op_internal(test_run_t *t, const char *location, const char *unused)
{
    (void)unused;
    t->internal = location;
}

static void op_header(test_run_t *t, const char *name, const char *value)
{
    apr_table_addn(t->r->headers_out, name, value);
}

static void op_err_header(test_run_t *t, const char *name, const char *value)
{
    apr_table_addn(t->r->err_headers_out, name, value);
}

/* env=NAME: an environment variable of the request, as CGI programs and logs see it */
static void op_env(test_run_t *t, const char *name, const char *unused)
{
    const char *value = apr_table_get(t->r->subprocess_env, name);

    (void)unused;
    say(t, "env %s: %s", name, value ? value : "(none)");
}

/* in=NAME: a request header as handlers see it */
static void op_in(test_run_t *t, const char *name, const char *unused)
{
    const char *value = apr_table_get(t->r->headers_in, name);

    (void)unused;
    say(t, "in %s: %s", name, value ? value : "(none)");
}

static void op_user(test_run_t *t, const char *unused, const char *unused_too)
{
    (void)unused;
    (void)unused_too;
    say(t, "user: %s", t->r->user ? t->r->user : "(none)");
}

/* fill=bytes: a longer body, sent after the lines */
static void op_fill(test_run_t *t, const char *bytes, const char *unused)
{
    apr_size_t len = (apr_size_t)apr_atoi64(bytes);
    char *text = apr_palloc(t->r->pool, len + 1);

    (void)unused;
    memset(text, '.', len);
    text[len] = '\0';
    APR_ARRAY_PUSH(t->lines, const char *) = text;
}

/* stream=pieces: a longer body, of which each piece is flushed */
static void op_stream(test_run_t *t, const char *pieces, const char *unused)
{
    (void)unused;
    t->pieces = atoi(pieces);
}

static void put_lines(test_run_t *t)
{
    int i;

    ap_set_content_type(t->r, "text/plain");
    for (i = 0; i < t->lines->nelts; i++) {
        ap_rputs(APR_ARRAY_IDX(t->lines, i, const char *), t->r);
        ap_rputs("\n", t->r);
    }
    apr_array_clear(t->lines);
}

/* late: what follows is done when the response has begun */
static void op_late(test_run_t *t, const char *unused, const char *unused_too)
{
    (void)unused;
    (void)unused_too;
    say(t, "the first line");
    put_lines(t);
    ap_rflush(t->r);
}

/* --- mod_session_dynamodb's own functions --------------------------------------------------------------------------- */

static const char *outcome(apr_status_t rv)
{
    return rv == APR_SUCCESS    ? "ok"
           : rv == APR_NOTFOUND ? "not found"
           : rv == APR_EINVAL   ? "invalid"
           : rv == APR_ENOTIMPL ? "off"
                                : "failed";
}

static void op_end(test_run_t *t, const char *unused, const char *unused_too)
{
    (void)unused;
    (void)unused_too;
    say(t, "end: %s", dynamodb_end ? outcome(dynamodb_end(t->r)) : "no such function");
}

static void op_renew(test_run_t *t, const char *unused, const char *unused_too)
{
    (void)unused;
    (void)unused_too;
    say(t, "renew: %s", dynamodb_renew ? outcome(dynamodb_renew(t->r)) : "no such function");
}

static void op_create(test_run_t *t, const char *unused, const char *unused_too)
{
    (void)unused;
    (void)unused_too;
    say(t, "create: %s", dynamodb_create ? outcome(dynamodb_create(t->r)) : "no such function");
}

/* revoke=others or revoke=all */
static void op_revoke(test_run_t *t, const char *which, const char *unused)
{
    (void)unused;
    say(t, "revoke: %s",
        dynamodb_revoke ? outcome(dynamodb_revoke(t->r, strcmp(which, "others") == 0)) : "no such function");
}

static void op_loggable(test_run_t *t, const char *unused, const char *unused_too)
{
    const char *id = dynamodb_loggable_id ? dynamodb_loggable_id(t->r) : "no such function";

    (void)unused;
    (void)unused_too;
    say(t, "loggable: %s", id ? id : "(none)");
}

static void op_times(test_run_t *t, const char *unused, const char *unused_too)
{
    session_dynamodb_times_t times = { 0, 0, 0, 0, 0 };
    apr_status_t rv = dynamodb_times ? dynamodb_times(t->r, &times) : APR_ENOTIMPL;

    (void)unused;
    (void)unused_too;
    if (rv != APR_SUCCESS) {
        say(t, "times: %s", dynamodb_times ? outcome(rv) : "no such function");
        return;
    }
    say(t,
        "times: created=%" APR_TIME_T_FMT " accessed=%" APR_TIME_T_FMT " expires=%" APR_TIME_T_FMT
        " idle=%" APR_INT64_T_FMT " absolute=%" APR_INT64_T_FMT,
        times.created, times.accessed, times.expires, times.idle_timeout, times.absolute_timeout);
}

/* timeouts=idle:absolute, in seconds */
static void op_timeouts(test_run_t *t, const char *idle, const char *absolute)
{
    say(t, "timeouts: %s",
        dynamodb_set_timeouts
            ? outcome(dynamodb_set_timeouts(t->r, apr_atoi64(idle), apr_atoi64(absolute ? absolute : "0")))
            : "no such function");
}

/* --- the handler ---------------------------------------------------------------------------------------------------- */

typedef void op_fn(test_run_t *t, const char *first, const char *second);

static const struct {
    const char *name;
    op_fn *run;
} ops[] = {
    { "get", op_get },           { "set", op_set },       { "del", op_del },
    { "big", op_big },           { "clear", op_clear },   { "dirty", op_dirty },
    { "touch", op_touch },       { "expiry", op_expiry }, { "entries", op_entries },
    { "dump", op_dump },         { "sleep", op_sleep },   { "meet", op_meet },
    { "status", op_status },     { "code", op_code },     { "redirect", op_redirect },
    { "internal", op_internal }, { "header", op_header }, { "errheader", op_err_header },
    { "env", op_env },           { "in", op_in },         { "user", op_user },
    { "fill", op_fill },         { "stream", op_stream }, { "late", op_late },
    { "end", op_end },           { "renew", op_renew },   { "create", op_create },
    { "loggable", op_loggable }, { "times", op_times },   { "timeouts", op_timeouts },
    { "init", op_init },         { "revoke", op_revoke },
};

/* One op: name, name=first, or name=first:second; url-encoded. */
static void run_op(test_run_t *t, char *text)
{
    char *first = strchr(text, '='), *second = NULL;
    size_t i;

    if (first) {
        *first++ = '\0';
        second = strchr(first, ':');
        if (second && strcmp(text, "redirect") != 0 && strcmp(text, "internal") != 0) {
            *second++ = '\0';
            ap_unescape_urlencoded(second);
        }
        ap_unescape_urlencoded(first);
    }
    for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (strcmp(text, ops[i].name) == 0) {
            ops[i].run(t, first ? first : "", second);
            return;
        }
    }
    say(t, "%s: no such op", text);
}

static int handler(request_rec *r)
{
    test_run_t t = { r, NULL, NULL, OK, 0, NULL };
    char *text, *op, *state = NULL;
    apr_status_t rv;
    int i;

    if (!r->handler || strcmp(r->handler, "test-session") != 0) {
        return DECLINED;
    }
    t.lines = apr_array_make(r->pool, 8, sizeof(const char *));
    rv = session_load(r, &t.z);
    if (rv != APR_SUCCESS) {
        say(&t, "load: failed");
    }
    text = apr_pstrdup(r->pool, r->args ? r->args : "");
    for (op = apr_strtok(text, "&", &state); op; op = apr_strtok(NULL, "&", &state)) {
        run_op(&t, op);
    }
    if (t.internal) {
        ap_internal_redirect(t.internal, r);
        return OK;
    }
    if (t.status != OK) {
        return t.status;
    }
    put_lines(&t);
    for (i = 0; i < t.pieces; i++) {
        ap_rflush(r);
        ap_rprintf(r, "piece %d of the body\n", i);
    }
    return OK;
}

static void retrieve(void)
{
    session_load = APR_RETRIEVE_OPTIONAL_FN(ap_session_load);
    session_get = APR_RETRIEVE_OPTIONAL_FN(ap_session_get);
    session_set = APR_RETRIEVE_OPTIONAL_FN(ap_session_set);
    dynamodb_end = APR_RETRIEVE_OPTIONAL_FN(session_dynamodb_end);
    dynamodb_renew = APR_RETRIEVE_OPTIONAL_FN(session_dynamodb_renew);
    dynamodb_create = APR_RETRIEVE_OPTIONAL_FN(session_dynamodb_create);
    dynamodb_revoke = APR_RETRIEVE_OPTIONAL_FN(session_dynamodb_revoke);
    dynamodb_loggable_id = APR_RETRIEVE_OPTIONAL_FN(session_dynamodb_loggable_id);
    dynamodb_times = APR_RETRIEVE_OPTIONAL_FN(session_dynamodb_times);
    dynamodb_set_timeouts = APR_RETRIEVE_OPTIONAL_FN(session_dynamodb_set_timeouts);
}

/* A user without an authentication type, as mod_ssl's SSLUserName knows one: the header X-Test-User. */
static int know_user(request_rec *r)
{
    const char *user = apr_table_get(r->headers_in, "X-Test-User");

    if (user && !r->user) {
        r->user = apr_pstrdup(r->pool, user);
    }
    return DECLINED;
}

static void register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_access_checker(know_user, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_session_load(count_load, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_session_encode(encode, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_session_decode(decode, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_optional_fn_retrieve(retrieve, NULL, NULL, APR_HOOK_MIDDLE);
}

static const command_rec commands[] = { AP_INIT_TAKE1("TestSessionCodec", set_codec, NULL, RSRC_CONF | ACCESS_CONF,
                                                      "off, rot13, fail-decode, fail-encode"),
                                        { NULL } };

AP_DECLARE_MODULE(test_session) = { STANDARD20_MODULE_STUFF, create_config,      merge_config, NULL, NULL, commands,
                                    register_hooks,          AP_MODULE_FLAG_NONE };
