/* The life of a row: the condition that guards each write, and how a write of unknown outcome is settled. Reading rows,
 * and the expiry of their sessions: ddb_store_row.c. The end of an ID, and of a session: ddb_store_end.c. */

#include <string.h>

#include <apr_strings.h>

#include "store/ddb_csrf.h"
#include "store/ddb_device.h"
#include "store/ddb_item.h"
#include "store/ddb_store_int.h"

#define INSERT_TRIES 3 /* new IDs; even one collision of random IDs is practically impossible */

apr_status_t ddb_store_create(ddb_store_t **ps, ddb_client_t *client, const char *table, ddb_random_fn *random,
                              apr_pool_t *p)
{
    ddb_store_t *st = apr_pcalloc(p, sizeof(*st));

    st->client = client;
    st->table = apr_pstrdup(p, table);
    st->random = random;
    *ps = st;
    return APR_SUCCESS;
}

const char *ddb_store_table(const ddb_store_t *st)
{
    return st->table;
}

apr_status_t ddb_store_random(ddb_store_t *st, void *out, apr_size_t len)
{
    return st->random(out, len);
}

void ddb_store_watch(ddb_store_t *st, ddb_store_changed_fn *changed, void *baton)
{
    st->changed = changed;
    st->changed_baton = baton;
}

apr_status_t ddb_store_find_user(ddb_marks_e *found, const ddb_session_t *s, const ddb_marks_user_t *user,
                                 apr_pool_t *p)
{
    const char *mark;
    apr_status_t rv;

    *found = DDB_MARKS_NOBODY;
    if (!s->sid) {
        return APR_SUCCESS;
    }
    if (s->user_marks || !s->user_mark) {
        return ddb_marks_find(found, s->user_marks, s->sid, user, p);
    }
    rv = ddb_sid_user_mark(&mark, s->sid, user->user, p);
    if (rv == APR_SUCCESS && strlen(mark) == strlen(s->user_mark)
        && ddb_crypto_equal(mark, s->user_mark, strlen(mark))) {
        *found = DDB_MARKS_SAME;
    }
    return rv;
}

apr_int64_t ddb_store_expires(const ddb_session_t *s)
{
    apr_int64_t absolute_end = apr_time_sec(s->created) + s->absolute_timeout;
    apr_int64_t idle_end = apr_time_sec(s->accessed) + s->idle_timeout;

    return absolute_end < idle_end ? absolute_end : idle_end;
}

/* --- rows and sessions --- */

ddb_item_t ddb_store_item_of(const ddb_session_t *s, const ddb_store_call_t *call)
{
    return (ddb_item_t){
        .format = call->format,
        .id = s->key,
        .data = s->data,
        .data_len = s->data_len,
        .created = s->created,
        .accessed = s->accessed,
        .expires = ddb_store_expires(s),
        .idle_timeout = s->idle_timeout,
        .absolute_timeout = s->absolute_timeout,
        .version = s->version,
        .loggable = s->row ? s->row->loggable : NULL, /* never rewritten; set here for the item's size */
        .user_mark = s->user_mark,
        .user_marks = s->user_marks,
        .listed_in = s->listed_in,
        .bound = s->bound,
        .csrf_key = s->csrf_key,
        .device_secret = s->device_secret,
        .device_until = s->device_until,
        .device_key = s->device_key,
        .issued = s->issued,
        .seen = s->seen,
        .timeouts_set = s->timeouts_set,
    };
}

static apr_status_t mark_user(ddb_session_t *s, const ddb_store_call_t *call)
{
    apr_status_t rv = APR_SUCCESS;

    if (s->user) {
        rv = ddb_sid_user_mark(&s->user_mark, s->sid, s->user, call->pool);
    }
    if (rv == APR_SUCCESS && s->login) {
        rv = ddb_marks_set(&s->user_marks, s->sid, s->login, call->pool);
    }
    return rv == APR_SUCCESS
               ? rv
               : ddb_error_set(
                   call->err, rv,
                   "cannot compute the mark of the session's user: OpenSSL failed; make sure that it offers SHA-256");
}

static apr_status_t bind_client(ddb_session_t *s, int is_new, const ddb_store_call_t *call)
{
    apr_status_t rv = s->bind ? ddb_bound_make(&s->bound, s->sid, s->bind, is_new, call->pool) : APR_SUCCESS;

    return rv == APR_SUCCESS
               ? rv
               : ddb_error_set(
                   call->err, rv,
                   "cannot bind the session to its client: OpenSSL failed; make sure that it offers SHA-256");
}

static apr_status_t check_size(const ddb_item_t *it, const ddb_store_call_t *call)
{
    apr_size_t size = ddb_item_size(it), most = call->max_size ? call->max_size : DDB_ITEM_SIZE_MAX;

    return size <= most ? APR_SUCCESS
                        : ddb_error_set(call->err, DDB_ETOOLARGE,
                                        "the item would have %" APR_SIZE_T_FMT " bytes, more than the %" APR_SIZE_T_FMT
                                        " that SessionDynamoDBMaxSize allows: store less in the session",
                                        size, most);
}

apr_status_t ddb_store_prepare(ddb_store_t *st, ddb_item_t *it, const ddb_store_call_t *call)
{
    unsigned char bytes[DDB_WRITE_ID_BYTES + DDB_SEAL_NONCE]; /* drawn at once: each draw costs thousands of steps */
    apr_status_t rv = st->random(bytes, ddb_seal_is_on(call->seal) ? sizeof(bytes) : DDB_WRITE_ID_BYTES);

    if (rv != APR_SUCCESS) {
        return ddb_error_set(call->err, rv, "no random bytes for a write ID: OpenSSL failed");
    }
    memcpy(it->write_id, bytes, sizeof(it->write_id));
    it->seal = call->seal;
    it->audience = call->rules->audience;
    ddb_item_pack(it, call->compress, call->pool);
    rv = ddb_item_seal(it, bytes + DDB_WRITE_ID_BYTES, call->pool);
    return rv == APR_SUCCESS
               ? check_size(it, call)
               : ddb_error_set(call->err, rv, "cannot seal the session: OpenSSL failed; make sure that it offers AES");
}

/* --- calls --- */

void ddb_store_reset(ddb_error_t *err)
{
    memset(err, 0, sizeof(*err));
}

apr_status_t ddb_store_answer(ddb_error_t *err, apr_status_t rv)
{
    err->type[0] = '\0';
    err->detail[0] = '\0';
    err->http_status = 200;
    return rv;
}

apr_status_t ddb_store_settled(ddb_error_t *err)
{
    err->unsettled = 0;
    return ddb_store_answer(err, APR_SUCCESS);
}

/* The result for a row that failed a condition: APR_NOTFOUND if its session has expired, moved, or belongs to another
 * ID; otherwise a conflict, with *current. */
static apr_status_t conflict(ddb_store_t *st, const ddb_store_call_t *call, const ddb_item_t *row, const char *sid,
                             ddb_session_t *current)
{
    ddb_session_t found;
    apr_status_t rv = ddb_store_session_of(&found, row, sid, call);

    if (rv == APR_NOTFOUND && found.miss == DDB_MISS_RENEWED) {
        rv = ddb_store_follow(st, call, sid, &found);
    }
    if (rv != APR_SUCCESS) {
        current->miss = found.miss;
        return rv == APR_NOTFOUND ? ddb_store_answer(call->err, rv) : rv;
    }
    *current = found;
    return ddb_error_set(call->err, DDB_ECONFLICT, "another request changed the session first");
}

/* --- operations --- */

apr_status_t ddb_store_load(ddb_store_t *st, const ddb_store_call_t *call, const char *sid, ddb_session_t *out)
{
    const char *key = call->key;
    ddb_session_t found;
    ddb_item_t row;
    apr_status_t rv;

    ddb_store_reset(call->err);
    out->miss = DDB_MISS_FORM;
    rv = sid ? ddb_sid_check(sid, call->rules, call->pool) : APR_NOTFOUND;
    if (rv == APR_NOTFOUND) {
        return rv;
    }
    if (rv == APR_SUCCESS && !key) {
        rv = ddb_sid_table_key(&key, sid, call->rules, call->pool);
    }
    if (rv != APR_SUCCESS) {
        return ddb_error_set(call->err, rv,
                             "cannot check the session ID: OpenSSL failed; make sure that it offers SHA-1 and SHA-256");
    }
    rv = ddb_store_read_for(st, call, key, sid, call->consistent, &row);
    found.miss = rv == APR_NOTFOUND ? DDB_MISS_ABSENT : DDB_MISS_NONE;
    rv = rv == APR_SUCCESS ? ddb_store_session_of(&found, &row, sid, call) : rv;
    if (rv == APR_NOTFOUND && found.miss == DDB_MISS_RENEWED) {
        rv = ddb_store_follow(st, call, sid, &found);
    }
    if (rv == APR_SUCCESS) {
        *out = found;
    }
    out->miss = found.miss;
    out->over = found.miss == DDB_MISS_OVER ? ddb_store_why_over(&found) : DDB_OVER_IDLE;
    return rv;
}

apr_status_t ddb_store_create_row(ddb_store_t *st, const ddb_store_call_t *call, const ddb_item_t *it)
{
    ddb_call_t put_item = { .operation = "PutItem", .body = ddb_item_create_body(st->table, it, call->pool) };
    ddb_item_t row;
    ddb_reply_t reply;
    apr_status_t rv = ddb_store_write(st, call, it->id, put_item, &reply);

    if (rv != DDB_ECONFLICT) {
        return rv;
    }
    rv = ddb_store_row_of_conflict(st, call, it->id, &reply, &row);
    if (rv == APR_SUCCESS && memcmp(row.write_id, it->write_id, sizeof(it->write_id)) == 0) {
        return ddb_store_settled(call->err);
    }
    if (rv == APR_SUCCESS || rv == APR_NOTFOUND || rv == DDB_EBADITEM || rv == DDB_ETOOLARGE) {
        /* Our own row would be readable and have our write ID: our write did not happen, whatever row has this key. */
        call->err->unsettled = 0;
        return DDB_ECONFLICT;
    }
    return rv;
}

/* Try one new ID. @return DDB_ECONFLICT if the ID is already in use. */
static apr_status_t insert_as(ddb_store_t *st, const ddb_store_call_t *call, ddb_session_t *s)
{
    ddb_item_t it = ddb_store_item_of(s, call);
    apr_status_t rv;

    s->loggable = ddb_sid_loggable(s->sid, call->pool);
    it.loggable = s->loggable ? apr_pstrmemdup(call->pool, s->loggable, DDB_ITEM_LOGGABLE_LEN) : NULL;
    rv = ddb_store_prepare(st, &it, call);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    s->row = apr_pmemdup(call->pool, &it, sizeof(it));
    rv = ddb_store_create_row(st, call, &it);
    return rv != DDB_ECONFLICT
               ? rv
               : ddb_error_set(call->err, rv,
                               "new session IDs are already in use: the source of random bytes repeats itself");
}

/* The device of a session with a new ID: that of the session that it was, or one that is still to come. */
static apr_status_t begin_device(ddb_store_t *st, const ddb_store_call_t *call, ddb_session_t *s,
                                 const ddb_session_t *was)
{
    if (was->keep_device && was->device_key) {
        return APR_SUCCESS;
    }
    s->device_secret = s->device_key = NULL;
    s->device_until = 0;
    if (!was->device_window) {
        return APR_SUCCESS;
    }
    s->device_until = apr_time_sec(call->now) + was->device_window;
    return ddb_device_secret(&s->device_secret, st->random, call->pool);
}

/* s gets a new ID; was is the session that it was, with its ID and marks, or without. */
static apr_status_t name_session(ddb_store_t *st, const ddb_store_call_t *call, ddb_session_t *s,
                                 const ddb_session_t *was)
{
    apr_status_t rv = ddb_sid_make(&s->sid, call->rules, st->random, call->pool);

    s->loggable = NULL;
    s->user_marks = was->sid ? was->user_marks : NULL;
    rv = rv == APR_SUCCESS ? ddb_sid_table_key(&s->key, s->sid, call->rules, call->pool) : rv;
    rv = rv == APR_SUCCESS ? ddb_marks_move(&s->user_marks, was->sid, s->sid, call->pool) : rv;
    s->csrf_key = was->keep_csrf ? was->csrf_key : NULL;
    rv = rv == APR_SUCCESS && was->keep_csrf ? ddb_csrf_move(&s->csrf_key, was->sid, s->sid, call->pool) : rv;
    rv = rv == APR_SUCCESS ? begin_device(st, call, s, was) : rv;
    if (rv != APR_SUCCESS) {
        return ddb_error_set(call->err, rv, "cannot create a session ID: OpenSSL failed");
    }
    rv = mark_user(s, call);
    s->bound = NULL;
    return rv == APR_SUCCESS ? bind_client(s, 1, call) : rv;
}

static apr_status_t announce(const ddb_store_call_t *call, const char *key)
{
    apr_status_t rv = call->announce ? call->announce->row_comes(call->announce->baton, call, key) : APR_SUCCESS;

    call->err->unsettled = 0; /* where it is announced; nothing was sent for the row */
    return rv;
}

apr_status_t ddb_store_insert(ddb_store_t *st, const ddb_store_call_t *call, ddb_session_t *s, const char **undisclosed)
{
    ddb_session_t fresh = *s;
    apr_status_t rv = DDB_ECONFLICT;
    int tries;

    ddb_store_reset(call->err);
    fresh.accessed = call->now;
    fresh.version = 1;
    fresh.user_mark = NULL;
    for (tries = 0; tries < INSERT_TRIES && rv == DDB_ECONFLICT; tries++) {
        rv = name_session(st, call, &fresh, s);
        rv = rv == APR_SUCCESS ? announce(call, fresh.key) : rv;
        rv = rv == APR_SUCCESS ? insert_as(st, call, &fresh) : rv;
        if (rv == DDB_ECONFLICT && call->announce) {
            /* Nobody but ddb_store_revoke knows the key of a row that is still to come. */
            rv = ddb_store_answer(call->err, APR_NOTFOUND);
        }
    }
    if (rv == APR_SUCCESS) {
        *s = fresh;
        return rv;
    }
    if (undisclosed) {
        *undisclosed = call->err->unsettled ? fresh.key : NULL;
    }
    s->sid = s->key = s->loggable = NULL;
    s->version = 0;
    s->row = NULL;
    return rv;
}

apr_status_t ddb_store_write_over(ddb_store_t *st, const ddb_store_call_t *call, const ddb_session_t *s, ddb_item_t *it,
                                  ddb_session_t *current)
{
    ddb_call_t update = { .operation = "UpdateItem" };
    ddb_item_t row;
    ddb_reply_t reply;
    apr_status_t rv = ddb_store_prepare(st, it, call);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    update.body = ddb_item_save_body(st->table, it, s->row, apr_time_sec(call->now), call->pool);
    rv = ddb_store_write(st, call, s->key, update, &reply);
    if (rv != DDB_ECONFLICT) {
        return rv;
    }
    rv = ddb_store_row_of_conflict(st, call, s->key, &reply, &row);
    if (rv == APR_NOTFOUND) {
        current->miss = DDB_MISS_ABSENT;
        return ddb_store_answer(call->err, rv);
    }
    if (rv == APR_SUCCESS && memcmp(row.write_id, it->write_id, sizeof(it->write_id)) != 0) {
        return conflict(st, call, &row, s->sid, current);
    }
    return rv == APR_SUCCESS ? ddb_store_settled(call->err) : rv;
}

apr_status_t ddb_store_save(ddb_store_t *st, const ddb_store_call_t *call, ddb_session_t *s, ddb_session_t *current)
{
    ddb_session_t next = *s;
    ddb_item_t it;
    apr_status_t rv;

    ddb_store_reset(call->err);
    next.accessed = call->now;
    next.version = s->version + 1;
    rv = mark_user(&next, call);
    rv = rv == APR_SUCCESS ? bind_client(&next, 0, call) : rv;
    it = ddb_store_item_of(&next, call);
    rv = rv == APR_SUCCESS ? ddb_store_write_over(st, call, s, &it, current) : rv;
    if (rv == APR_SUCCESS) {
        next.row = apr_pmemdup(call->pool, &it, sizeof(it));
        *s = next;
    }
    return rv;
}

apr_status_t ddb_store_touch(ddb_store_t *st, const ddb_store_call_t *call, const ddb_session_t *s)
{
    ddb_session_t next = *s;
    ddb_call_t update = { .operation = "UpdateItem" };
    ddb_item_t it;
    ddb_reply_t reply;
    apr_status_t rv;

    ddb_store_reset(call->err);
    next.accessed = call->now;
    if (ddb_store_expires(&next) <= ddb_store_expires(s)) {
        /* The absolute timeout ends the session first. The write would fail its condition, and still be charged. */
        return APR_NOTFOUND;
    }
    it = ddb_store_item_of(&next, call);
    update.body = ddb_item_touch_body(st->table, &it, apr_time_sec(call->now), call->pool);
    rv = ddb_store_write(st, call, s->key, update, &reply);
    return rv == DDB_ECONFLICT ? ddb_store_answer(call->err, APR_NOTFOUND) : rv;
}

apr_status_t ddb_store_remove(ddb_store_t *st, const ddb_store_call_t *call, const char *key)
{
    ddb_call_t delete_item = { .operation = "DeleteItem", .body = ddb_item_delete_body(st->table, key, call->pool) };
    ddb_reply_t reply;

    return ddb_store_write(st, call, key, delete_item, &reply);
}
