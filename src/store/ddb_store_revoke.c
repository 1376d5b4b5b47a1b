/* Sessions of which only the table key is known: their end, a look at them, and their device. */

#include <string.h>

#include "store/ddb_store_int.h"

/* 1 if the row is a session that has not expired. */
static int is_live(const ddb_item_t *row, const ddb_store_call_t *call)
{
    const ddb_session_t s = { .created = row->created,
                              .accessed = row->accessed,
                              .idle_timeout = row->idle_timeout,
                              .absolute_timeout = row->absolute_timeout };

    return row->accessed && row->expires > apr_time_sec(call->now) && ddb_store_expires(&s) > apr_time_sec(call->now);
}

apr_status_t ddb_store_revoke(ddb_store_t *st, const ddb_store_call_t *call, const char *key)
{
    const apr_time_t now = call->time > call->now ? call->time : call->now;
    ddb_item_t it = {
        .format = call->format, .id = key, .created = now, .expires = apr_time_sec(now) + DDB_STORE_TOMBSTONE
    };
    ddb_call_t update = { .operation = "UpdateItem" };
    ddb_reply_t reply;
    apr_status_t rv = st->random(it.write_id, sizeof(it.write_id));

    if (rv != APR_SUCCESS) {
        return ddb_error_set(call->err, rv, "no random bytes for a write ID: OpenSSL failed");
    }
    update.body = ddb_item_bury_body(st->table, &it, call->pool);
    return ddb_store_write(st, call, key, update, &reply);
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
                              .absolute_timeout = row.absolute_timeout,
                              .device_secret = row.device_secret,
                              .device_until = row.device_until,
                              .device_key = row.device_key };
    }
    return rv;
}

apr_status_t ddb_store_bind_device(ddb_store_t *st, const ddb_store_call_t *call, const ddb_session_t *s,
                                   const char *device_key, apr_int64_t until)
{
    const ddb_item_t it = { .id = s->key, .device_key = device_key, .device_until = until };
    ddb_call_t update = { .operation = "UpdateItem" };
    ddb_item_t row;
    ddb_reply_t reply;
    apr_status_t rv;

    update.body = ddb_item_device_body(st->table, &it, apr_time_sec(call->now), call->pool);
    rv = ddb_store_write(st, call, s->key, update, &reply);
    if (rv != DDB_ECONFLICT) {
        return rv;
    }
    rv = ddb_store_row_of_conflict(st, call, s->key, &reply, &row);
    if (rv == APR_SUCCESS && row.device_key && is_live(&row, call)) {
        return strcmp(row.device_key, device_key) == 0
                   ? ddb_store_settled(call->err)
                   : ddb_error_set(call->err, DDB_ECONFLICT, "the session is bound to another device");
    }
    return rv == APR_SUCCESS || rv == APR_NOTFOUND ? ddb_store_answer(call->err, APR_NOTFOUND) : rv;
}
