/* Sessions of which only the table key is known: their end, and a look at them. */

#include <string.h>

#include "store/ddb_store_int.h"

#define WRITES_MOST 100 /* each conflict means that another request has finished its write */

/* A tombstone where no row is: the insert under way finds its key taken. */
static ddb_item_t of_no_session(const ddb_store_call_t *call, const char *key)
{
    const ddb_session_t none = { .key = key, .created = call->now, .absolute_timeout = 1 };

    return ddb_store_without_session(&none, call);
}

static ddb_item_t of_session(const ddb_store_call_t *call, const ddb_item_t *row)
{
    const ddb_session_t old = { .key = row->id,
                                .created = row->created,
                                .accessed = row->accessed,
                                .idle_timeout = row->idle_timeout,
                                .absolute_timeout = row->absolute_timeout,
                                .version = row->version,
                                .row = row };

    return ddb_store_without_session(&old, call);
}

/* 1 if the row is a session that has not expired. */
static int is_live(const ddb_item_t *row, const ddb_store_call_t *call)
{
    const ddb_session_t s = { .created = row->created,
                              .accessed = row->accessed,
                              .idle_timeout = row->idle_timeout,
                              .absolute_timeout = row->absolute_timeout };

    return row->accessed && row->expires > apr_time_sec(call->now) && ddb_store_expires(&s) > apr_time_sec(call->now);
}

/* Write a tombstone over row; NULL: where no row is. @return DDB_ECONFLICT if the row is another one by now. */
static apr_status_t bury(ddb_store_t *st, const ddb_store_call_t *call, const char *key, const ddb_item_t *row)
{
    ddb_item_t it = row ? of_session(call, row) : of_no_session(call, key);
    ddb_call_t write = { .operation = row ? "UpdateItem" : "PutItem" };
    ddb_reply_t reply;
    apr_status_t rv;

    it.left = 1;
    it.expires = apr_time_sec(call->time > call->now ? call->time : call->now) + DDB_STORE_TOMBSTONE;
    rv = ddb_store_prepare(st, &it, call);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    /* The time is no condition: an expired row may be one that a save under way still sees as live. */
    write.body = row ? ddb_item_save_body(st->table, &it, row, 0, call->pool)
                     : ddb_item_create_body(st->table, &it, call->pool);
    return ddb_store_write(st, call, key, write, &reply);
}

apr_status_t ddb_store_revoke(ddb_store_t *st, const ddb_store_call_t *call, const char *key, int *ended)
{
    ddb_item_t row;
    apr_status_t rv = DDB_ECONFLICT;
    int i;

    *ended = 0;
    for (i = 0; i < WRITES_MOST && rv == DDB_ECONFLICT; i++) {
        rv = ddb_store_read_row(st, call, key, 1, &row);
        if (rv == DDB_EBADITEM || rv == DDB_ETOOLARGE) {
            return ddb_store_remove(st, call, key); /* no session here, and perhaps one elsewhere */
        }
        if (rv == APR_SUCCESS && !row.accessed) {
            return rv; /* it moved, and its other keys are told to us as well, or it was ended before */
        }
        *ended |= rv == APR_SUCCESS && is_live(&row, call);
        if (rv == APR_SUCCESS || rv == APR_NOTFOUND) {
            rv = bury(st, call, key, rv == APR_SUCCESS ? &row : NULL);
        }
    }
    return rv != DDB_ECONFLICT ? rv
                               : ddb_error_set(call->err, DDB_EBADREPLY,
                                               "the row of a session is never as it was read: is the endpoint "
                                               "DynamoDB?");
}

apr_status_t ddb_store_look(ddb_store_t *st, const ddb_store_call_t *call, const char *key, ddb_session_t *s)
{
    ddb_item_t row;
    apr_status_t rv = ddb_store_read_row(st, call, key, 1, &row);

    *s = (ddb_session_t){ .miss = rv == APR_NOTFOUND ? DDB_MISS_ABSENT : DDB_MISS_NONE };
    if (rv == APR_SUCCESS && !is_live(&row, call)) {
        s->miss = DDB_MISS_OVER;
        rv = APR_NOTFOUND;
    }
    if (rv == APR_SUCCESS) {
        *s = (ddb_session_t){ .key = key,
                              .created = row.created,
                              .accessed = row.accessed,
                              .idle_timeout = row.idle_timeout,
                              .absolute_timeout = row.absolute_timeout };
    }
    return rv;
}
