/* Reading rows, and the session in a row: its ID and its expiry. */

#include <string.h>

#include <apr_strings.h>

#include "store/ddb_store_int.h"

static apr_time_t not_after(apr_time_t t, apr_time_t limit)
{
    return t < limit ? t : limit;
}

/* The table key does not prove that the row belongs to the ID: two areas may derive the same key from two IDs, and a
 * signed ID has the same key as the ID without its signature. */
static apr_status_t check_id(const char **loggable, const ddb_item_t *it, const char *sid, const ddb_store_call_t *call)
{
    *loggable = NULL;
    if (!it->loggable && it->format == DDB_JSON && !call->rules->hash) {
        return APR_SUCCESS; /* dynamodb-session-flask does not write loggable, and the key is the ID itself */
    }
    *loggable = ddb_sid_loggable(sid, call->pool);
    if (!*loggable) {
        return ddb_error_set(call->err, APR_EGENERAL,
                             "cannot compare the session ID: OpenSSL failed; make sure that it offers SHA-512");
    }
    if (!it->loggable) {
        return ddb_error_set(
            call->err, DDB_EBADITEM,
            "attribute loggable of the stored session is missing: not written by this module, or changed by hand");
    }
    return strlen(it->loggable) == DDB_ITEM_LOGGABLE_LEN && strncmp(it->loggable, *loggable, DDB_ITEM_LOGGABLE_LEN) == 0
               ? APR_SUCCESS
               : APR_NOTFOUND;
}

/* The reason why the row of an ID is no session. */
static ddb_miss_e why_over(const ddb_item_t *it, const ddb_store_call_t *call)
{
    apr_int64_t end = it->format == DDB_JSON ? it->expires + DDB_STORE_LONG_AGO : it->expires;

    if (it->accessed || end <= apr_time_sec(call->now)) {
        return DDB_MISS_OVER;
    }
    return it->successor ? DDB_MISS_RENEWED : it->left ? DDB_MISS_LEFT : DDB_MISS_MOVED;
}

ddb_over_e ddb_store_why_over(const ddb_session_t *s)
{
    if (!s->accessed) {
        return !s->row || s->row->successor ? DDB_OVER_RENEWED : s->row->left ? DDB_OVER_LEFT : DDB_OVER_MOVED;
    }
    return apr_time_sec(s->created) + s->absolute_timeout <= apr_time_sec(s->accessed) + s->idle_timeout
               ? DDB_OVER_ABSOLUTE
               : DDB_OVER_IDLE;
}

/* 1 for the tombstone that ddb_store_revoke left where no row was: it knows no ID, and has no session to protect. */
static int is_of_no_session(const ddb_item_t *it)
{
    return !it->accessed && !it->successor && !it->loggable;
}

apr_status_t ddb_store_session_of(ddb_session_t *s, const ddb_item_t *it, const char *sid, const ddb_store_call_t *call)
{
    const char *loggable;
    apr_status_t rv;

    if (is_of_no_session(it)) {
        *s = (ddb_session_t){ .row = apr_pmemdup(call->pool, it, sizeof(*it)), .miss = why_over(it, call) };
        return APR_NOTFOUND;
    }
    rv = check_id(&loggable, it, sid, call);
    if (rv != APR_SUCCESS) {
        *s = (ddb_session_t){ .miss = rv == APR_NOTFOUND ? DDB_MISS_FOREIGN : DDB_MISS_NONE };
        return rv;
    }
    *s = (ddb_session_t){
        .sid = apr_pstrdup(call->pool, sid),
        .key = it->id,
        .loggable = loggable,
        .data = it->data,
        .data_len = it->data_len,
        .created = not_after(it->created, call->now),
        .accessed = not_after(it->accessed, call->now),
        .idle_timeout = it->idle_timeout,
        .absolute_timeout = it->absolute_timeout,
        .version = it->version,
        .row = apr_pmemdup(call->pool, it, sizeof(*it)),
        .user_mark = it->user_mark,
        .user_marks = it->user_marks,
        .listed_in = it->listed_in,
        .bound = it->bound,
        .csrf_key = it->csrf_key,
        .device_secret = it->device_secret,
        .device_until = it->device_until,
        .device_key = it->device_key,
        .issued = it->issued,
        .seen = it->seen,
        .timeouts_set = it->timeouts_set,
    };
    if (it->expires <= apr_time_sec(call->now) || ddb_store_expires(s) <= apr_time_sec(call->now)) {
        s->miss = why_over(it, call);
        return APR_NOTFOUND;
    }
    return APR_SUCCESS;
}

apr_status_t ddb_store_send(ddb_store_t *st, const ddb_store_call_t *call, ddb_call_t what, ddb_reply_t *reply)
{
    if (call->calls) {
        ++*call->calls;
    }
    what.deadline = call->deadline;
    what.cancel = call->cancel;
    return ddb_client_call(st->client, &what, call->pool, reply, call->err);
}

static void tell(const ddb_store_t *st, const char *key)
{
    if (st->changed) {
        st->changed(st->changed_baton, key);
    }
}

apr_status_t ddb_store_write(ddb_store_t *st, const ddb_store_call_t *call, const char *key, ddb_call_t what,
                             ddb_reply_t *reply)
{
    apr_status_t rv;

    tell(st, key);
    rv = ddb_store_send(st, call, what, reply);
    tell(st, key);
    return rv;
}

/* Also checks the row's key: a reply intended for another request must not disclose its session. */
static apr_status_t parse_row(ddb_item_t *row, const ddb_reply_t *reply, const char *key, const ddb_store_call_t *call)
{
    apr_status_t rv;

    row->format = call->format;
    row->seal = call->seal;
    row->audience = call->rules->audience;
    rv = ddb_item_parse(row, reply->body, reply->len, call->pool, call->err);
    if (rv == APR_SUCCESS && strcmp(row->id, key) != 0) {
        return ddb_error_set(
            call->err, DDB_EBADREPLY,
            "the reply contains a row other than the one requested: check any proxy between this server and DynamoDB");
    }
    if (rv == APR_SUCCESS && memchr(row->data, '\0', row->data_len)) {
        return ddb_error_set(
            call->err, DDB_EBADITEM,
            "attribute data of the stored session contains a NUL: not written by this module, or changed by hand");
    }
    return rv;
}

/** A read under way. */
typedef struct reading_t {
    ddb_store_read_t *read;
    apr_status_t rv; /* of the last reply */
} reading_t;

apr_status_t ddb_store_read_reply(ddb_store_read_t *read, const char *body, apr_size_t len)
{
    const ddb_reply_t reply = { .body = body, .len = len };

    return parse_row(read->row, &reply, read->key, read->call);
}

static apr_status_t read_reply(void *baton, ddb_reply_t *reply)
{
    reading_t *r = baton;

    r->rv = parse_row(r->read->row, reply, r->read->key, r->read->call);
    reply->consumed = r->read->row->consumed;
    return r->rv;
}

apr_status_t ddb_store_read_get(ddb_store_read_t *read)
{
    reading_t r = { .read = read, .rv = APR_SUCCESS };
    ddb_call_t get = { .operation = "GetItem", .read = read_reply, .baton = &r };
    apr_status_t rv;

    get.body = ddb_item_get_body(read->table, read->key, read->consistent, read->call->pool);
    rv = ddb_store_send(read->store, read->call, get, &read->reply);
    if (rv != APR_SUCCESS) {
        read->reply = (ddb_reply_t){ .body = NULL };
        return rv;
    }
    return r.rv;
}

static ddb_store_read_t read_of(ddb_store_t *st, const ddb_store_call_t *call, const char *key, int consistent,
                                ddb_item_t *row)
{
    return (ddb_store_read_t){
        .store = st, .call = call, .table = st->table, .key = key, .consistent = consistent, .row = row
    };
}

apr_status_t ddb_store_read_row(ddb_store_t *st, const ddb_store_call_t *call, const char *key, int consistent,
                                ddb_item_t *row)
{
    ddb_store_read_t read = read_of(st, call, key, consistent, row);
    apr_status_t rv = ddb_store_read_get(&read);

    tell(st, key); /* what was read before counts no longer: this one may have found the session gone */
    return rv;
}

apr_status_t ddb_store_read_for(ddb_store_t *st, const ddb_store_call_t *call, const char *key, const char *sid,
                                int consistent, ddb_item_t *row)
{
    ddb_store_read_t read = read_of(st, call, key, consistent, row);

    read.sid = sid;
    return call->reader ? call->reader->read(call->reader->baton, &read) : ddb_store_read_get(&read);
}

apr_status_t ddb_store_row_of_conflict(ddb_store_t *st, const ddb_store_call_t *call, const char *key,
                                       const ddb_reply_t *reply, ddb_item_t *row)
{
    ddb_error_t of_write = *call->err;
    apr_status_t rv = parse_row(row, reply, key, call);

    if (rv != APR_NOTFOUND && rv != DDB_EBADREPLY) {
        return rv;
    }
    rv = ddb_store_read_row(st, call, key, 1, row);
    of_write.attempts += call->err->attempts;
    if (rv == APR_SUCCESS || rv == APR_NOTFOUND) {
        *call->err = of_write;
    }
    call->err->attempts = of_write.attempts;
    call->err->unsettled = of_write.unsettled;
    return rv;
}
