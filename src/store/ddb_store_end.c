/* The end of an ID, which leaves a tombstone or leads to its successor, and the end of a session. */

#include <string.h>

#include <apr_strings.h>

#include "store/ddb_store_int.h"
#include "store/ddb_successor.h"

#define ENDS_MOST 3 /* DeleteItem calls: an ID that was replaced, its successor, and a change of ID meanwhile */

/* What stays under an ID that is over: no data, no users, and a time of the last activity that no session has.
 * dynamodb-session-flask and earlier versions of this module compute from it that the session has expired. */
ddb_item_t ddb_store_without_session(const ddb_session_t *old, const ddb_store_call_t *call)
{
    ddb_session_t over = *old;

    over.data = call->format == DDB_JSON ? "{}" : "";
    over.data_len = strlen(over.data);
    over.accessed = 0;
    over.version++;
    /* A touch that is still under way needs the timeouts that it has read: it must not revive the row. */
    over.idle_timeout = old->idle_timeout == 1 ? 2 : 1;
    over.user_mark = NULL;
    over.user_marks = NULL;
    over.listed_in = NULL;
    over.csrf_key = NULL;
    over.bound = NULL;
    over.device_secret = over.device_key = NULL;
    over.device_until = 0;
    return ddb_store_item_of(&over, call);
}

apr_status_t ddb_store_replace(ddb_store_t *st, const ddb_store_call_t *call, const ddb_session_t *old,
                               ddb_session_t *current)
{
    ddb_item_t it;

    ddb_store_reset(call->err);
    if (!old->row) {
        /* Without a loaded row there is nothing to end, and no condition for the write. */
        current->miss = DDB_MISS_ABSENT;
        return APR_NOTFOUND;
    }
    it = ddb_store_without_session(old, call);
    it.left = old->left;
    it.expires = apr_time_sec(call->time > call->now ? call->time : call->now) + DDB_STORE_TOMBSTONE;
    if (call->format == DDB_JSON) {
        it.expires -= DDB_STORE_LONG_AGO; /* dynamodb-session-flask may go by it */
    }
    return ddb_store_write_over(st, call, old, &it, current);
}

apr_status_t ddb_store_succeed(ddb_store_t *st, const ddb_store_call_t *call, const ddb_session_t *old,
                               const char *successor, ddb_session_t *current)
{
    ddb_item_t it = ddb_store_without_session(old, call);
    apr_status_t rv = ddb_successor_encrypt(&it.successor, successor, old->sid, st->random, call->pool);

    ddb_store_reset(call->err);
    if (rv != APR_SUCCESS) {
        return ddb_error_set(call->err, rv, "cannot encrypt the new session ID: OpenSSL failed");
    }
    /* Activity may postpone the end of the session up to here; its own row tells the end. */
    it.expires = apr_time_sec(old->created) + old->absolute_timeout;
    return ddb_store_write_over(st, call, old, &it, current);
}

apr_status_t ddb_store_lead(ddb_store_t *st, const ddb_store_call_t *call, const char *from, const char *successor,
                            apr_int64_t until)
{
    ddb_session_t nothing = { .sid = from, .created = call->now, .absolute_timeout = 1 };
    ddb_item_t it;
    apr_status_t rv = ddb_sid_table_key(&nothing.key, from, call->rules, call->pool);
    const char *loggable = ddb_sid_loggable(from, call->pool), *leads = NULL;

    ddb_store_reset(call->err);
    rv = rv == APR_SUCCESS ? ddb_successor_encrypt(&leads, successor, from, st->random, call->pool) : rv;
    if (rv != APR_SUCCESS || !loggable) {
        return ddb_error_set(call->err, rv != APR_SUCCESS ? rv : APR_EGENERAL,
                             "cannot encrypt the new session ID: OpenSSL failed");
    }
    it = ddb_store_without_session(&nothing, call);
    it.loggable = apr_pstrmemdup(call->pool, loggable, DDB_ITEM_LOGGABLE_LEN);
    it.successor = leads;
    it.expires = until;
    rv = ddb_store_prepare(st, &it, call);
    rv = rv == APR_SUCCESS ? ddb_store_create_row(st, call, &it) : rv;
    return rv == DDB_ECONFLICT ? ddb_error_set(call->err, rv, "the ID leads to a session already") : rv;
}

/* The session found under a successor, or the reason why there is none for the holder of the replaced ID. */
static apr_status_t judge_successor(ddb_session_t *found, apr_status_t rv, const ddb_store_call_t *call)
{
    if (rv == APR_SUCCESS && found->seen && found->seen + call->grace <= apr_time_sec(call->now)) {
        found->miss = DDB_MISS_REUSED;
        return APR_NOTFOUND;
    }
    if (rv == APR_NOTFOUND && found->miss == DDB_MISS_RENEWED) {
        found->miss = DDB_MISS_REUSED; /* two IDs ago */
    }
    else if (rv == APR_NOTFOUND && found->miss != DDB_MISS_MOVED && found->miss != DDB_MISS_LEFT) {
        found->miss = DDB_MISS_OVER;
    }
    return rv;
}

apr_status_t ddb_store_follow(ddb_store_t *st, const ddb_store_call_t *call, const char *sid, ddb_session_t *found)
{
    const char *successor, *key;
    ddb_item_t row;
    apr_status_t rv = ddb_successor_decrypt(&successor, found->row->successor, sid, call->pool);

    rv = rv == APR_SUCCESS ? ddb_sid_check(successor, call->rules, call->pool) : rv;
    rv = rv == APR_SUCCESS ? ddb_sid_table_key(&key, successor, call->rules, call->pool) : rv;
    found->miss = DDB_MISS_ABSENT;
    if (rv == APR_SUCCESS) {
        rv = ddb_store_read_for(st, call, key, successor, 1, &row);
        rv = rv == APR_SUCCESS ? ddb_store_session_of(found, &row, successor, call) : rv;
    }
    else if (rv != APR_NOTFOUND) {
        ddb_error_set(call->err, rv, "cannot read the successor of a session ID: OpenSSL failed");
    }
    return judge_successor(found, rv, call);
}

apr_status_t ddb_store_see(ddb_store_t *st, const ddb_store_call_t *call, const char *key)
{
    ddb_call_t update = { .operation = "UpdateItem" };
    ddb_reply_t reply;
    apr_status_t rv;

    update.body = ddb_item_seen_body(st->table, key, apr_time_sec(call->now), call->pool);
    rv = ddb_store_write(st, call, key, update, &reply);
    return rv == DDB_ECONFLICT ? ddb_store_answer(call->err, APR_NOTFOUND) : rv;
}

/* The row was not deleted: the session moved. @return DDB_ECONFLICT if it goes on as *s; else as ddb_store_end. */
static apr_status_t find_moved(ddb_store_t *st, const ddb_store_call_t *call, const ddb_reply_t *reply,
                               ddb_session_t *s)
{
    ddb_session_t found = { .miss = DDB_MISS_ABSENT };
    ddb_item_t row;
    apr_status_t rv = ddb_store_row_of_conflict(st, call, s->key, reply, &row);

    rv = rv == APR_SUCCESS ? ddb_store_session_of(&found, &row, s->sid, call) : rv;
    if (rv == APR_NOTFOUND && found.miss == DDB_MISS_RENEWED) {
        rv = ddb_store_follow(st, call, s->sid, &found);
    }
    if (rv == APR_SUCCESS || (rv == APR_NOTFOUND && found.miss == DDB_MISS_REUSED)) {
        /* The grace is for those who come with an old ID. This request had the session: it ends what became of it. */
        *s = found;
        return ddb_error_set(call->err, DDB_ECONFLICT, "requests keep giving the session new IDs");
    }
    s->miss = found.miss;
    return rv == APR_NOTFOUND ? ddb_store_answer(call->err, APR_SUCCESS) : rv;
}

apr_status_t ddb_store_end(ddb_store_t *st, const ddb_store_call_t *call, ddb_session_t *s)
{
    ddb_session_t last = *s;
    ddb_call_t delete_item = { .operation = "DeleteItem" };
    ddb_reply_t reply;
    apr_status_t rv = DDB_ECONFLICT;
    int i;

    for (i = 0; i < ENDS_MOST && rv == DDB_ECONFLICT; i++) {
        delete_item.body = ddb_item_end_body(st->table, last.key, call->pool);
        rv = ddb_store_write(st, call, last.key, delete_item, &reply);
        rv = rv == DDB_ECONFLICT ? find_moved(st, call, &reply, &last) : rv;
    }
    s->miss = last.miss;
    return rv;
}
