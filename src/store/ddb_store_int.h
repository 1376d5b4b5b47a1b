#ifndef DDB_STORE_INT_H
#define DDB_STORE_INT_H

#include "store/ddb_item.h"
#include "store/ddb_store.h"

/* Between the files of ddb_store. Everything that is returned lives in the pool of the call. */

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
 * The row as it was when a condition failed: in the error body, or where that holds none (no such row, or a server that
 * ignores ALL_OLD) or none that makes sense, by one consistent read. err goes on telling of the write, unless the read
 * itself fails; and whether the write is settled is never for the read to say.
 */
apr_status_t ddb_store_row_of_conflict(ddb_store_t *st, const ddb_store_call_t *call, const char *key,
                                       const ddb_reply_t *reply, ddb_item_t *row);

/**
 * The session in a row, or APR_NOTFOUND when it is over or was made for another ID than sid; DDB_EBADITEM when the row
 * does not say for which, and another program can't have written it. Times beyond now come from a clock ahead of ours
 * or a forged row; taken as now, no session outlives its timeouts counted from now. Either end counts: the row's own
 * `expires`, which the table sweeps by, and the one its times give.
 */
apr_status_t ddb_store_session_of(ddb_session_t *s, const ddb_item_t *it, const char *sid,
                                  const ddb_store_call_t *call);

#endif
