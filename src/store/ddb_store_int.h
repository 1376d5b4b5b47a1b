#ifndef DDB_STORE_INT_H
#define DDB_STORE_INT_H

#include "store/ddb_item.h"
#include "store/ddb_store.h"

/* Shared by the files of ddb_store. All results live in the pool of the call. */

struct ddb_store_t {
    ddb_client_t *client;
    const char *table;
    ddb_random_fn *random;
    ddb_store_changed_fn *changed; /* NULL: nobody is told */
    void *changed_baton;
};

/** For results without a call: ddb_client_call resets err itself. */
void ddb_store_reset(ddb_error_t *err);

/** The result rv is not a failure: remove the error of the reply that led to it. @return rv. */
apr_status_t ddb_store_answer(ddb_error_t *err, apr_status_t rv);

/** The row of s. */
ddb_item_t ddb_store_item_of(const ddb_session_t *s, const ddb_store_call_t *call);

/** Write a prepared row, if there is none with its key. @return DDB_ECONFLICT, without a detail in err, if there is. */
apr_status_t ddb_store_create_row(ddb_store_t *st, const ddb_store_call_t *call, const ddb_item_t *it);

/** Overwrite the row of s with `it` if the row is unchanged since it was read. @return as ddb_store_save. */
apr_status_t ddb_store_write_over(ddb_store_t *st, const ddb_store_call_t *call, const ddb_session_t *s, ddb_item_t *it,
                                  ddb_session_t *current);

/** The session to which a row that ddb_store_succeed left under sid leads: one GetItem. @return as ddb_store_load. */
apr_status_t ddb_store_follow(ddb_store_t *st, const ddb_store_call_t *call, const char *sid, ddb_session_t *found);

#define DDB_STORE_LONG_AGO 86400 /* seconds: past by every clock, but recent enough for TTL (up to 5 years) */

/** Prepare a write of data: write ID, compression, seal, size limit. */
apr_status_t ddb_store_prepare(ddb_store_t *st, ddb_item_t *it, const ddb_store_call_t *call);

/** An earlier attempt, whose reply was lost, did the write. @return APR_SUCCESS. */
apr_status_t ddb_store_settled(ddb_error_t *err);

/** What stays of a session under an ID that is over: a row without data and users. */
ddb_item_t ddb_store_without_session(const ddb_session_t *old, const ddb_store_call_t *call);

/** Send a write of the row with this table key, which those who watch the store are told of. */
apr_status_t ddb_store_write(ddb_store_t *st, const ddb_store_call_t *call, const char *key, ddb_call_t what,
                             ddb_reply_t *reply);

/** Read the row of sid for a load, by the call's reader if it has one. @return as ddb_store_read_row. */
apr_status_t ddb_store_read_for(ddb_store_t *st, const ddb_store_call_t *call, const char *key, const char *sid,
                                int consistent, ddb_item_t *row);

/** Read the row with this table key once. @return as ddb_item_parse; or a failure of the call. */
apr_status_t ddb_store_read_row(ddb_store_t *st, const ddb_store_call_t *call, const char *key, int consistent,
                                ddb_item_t *row);

/**
 * The row as it was when a condition failed: from the error body, or, if that has no usable row (the row does not
 * exist, or a server ignores ALL_OLD), by one consistent read. err still describes the write, unless the read itself
 * fails; err->unsettled is always that of the write, and err->attempts counts both.
 */
apr_status_t ddb_store_row_of_conflict(ddb_store_t *st, const ddb_store_call_t *call, const char *key,
                                       const ddb_reply_t *reply, ddb_item_t *row);

/**
 * The session in a row. APR_NOTFOUND if it has expired or belongs to an ID other than sid (s->miss says which);
 * DDB_EBADITEM if the row does not name its ID and another program cannot have written it. Times after call->now come
 * from a fast clock or a forged row; taking them as now keeps every session within its timeouts, counted from now. A
 * session has expired when either end has passed: `expires` in the row, by which the table deletes rows, or the end
 * computed from its times.
 */
apr_status_t ddb_store_session_of(ddb_session_t *s, const ddb_item_t *it, const char *sid,
                                  const ddb_store_call_t *call);

#endif
