#ifndef DDB_STORE_INT_H
#define DDB_STORE_INT_H

#include "store/ddb_item.h"
#include "store/ddb_store.h"

/* Shared by the files of ddb_store. All results live in the pool of the call. */

struct ddb_store_t {
    ddb_client_t *client;
    const char *table;
    ddb_random_fn *random;
};

/** Send a call within the deadline of the operation. */
apr_status_t ddb_store_send(ddb_store_t *st, const ddb_store_call_t *call, ddb_call_t what, ddb_reply_t *reply);

/** One read of the row of this table key. @return as ddb_item_parse; a failure of the call. */
apr_status_t ddb_store_read_row(ddb_store_t *st, const ddb_store_call_t *call, const char *key, int consistent,
                                ddb_item_t *row);

/**
 * The row as it was when a condition failed: from the error body or, where that has no usable row (no such row, or a
 * server that ignores ALL_OLD), by one consistent read. err keeps describing the write unless the read itself fails;
 * the read never decides whether the write is settled.
 */
apr_status_t ddb_store_row_of_conflict(ddb_store_t *st, const ddb_store_call_t *call, const char *key,
                                       const ddb_reply_t *reply, ddb_item_t *row);

/**
 * The session in a row; APR_NOTFOUND when it has expired or was made for an ID other than sid; DDB_EBADITEM when the
 * row does not name its ID and no other program can have written it. Times after now come from a clock ahead of ours or
 * a forged row; they count as now, so no session outlives its timeouts counted from now. The earlier end counts: the
 * row's `expires`, by which the table deletes it, or the end that its times give.
 */
apr_status_t ddb_store_session_of(ddb_session_t *s, const ddb_item_t *it, const char *sid,
                                  const ddb_store_call_t *call);

#endif
