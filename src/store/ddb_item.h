#ifndef DDB_ITEM_H
#define DDB_ITEM_H

#include <apr_pools.h>
#include <apr_time.h>

#include "base/ddb_error.h"

#define DDB_WRITE_ID_BYTES    16
#define DDB_ITEM_ENCODING     "deflate"         /* HTTP's word for a zlib stream, RFC 1950 */
#define DDB_ITEM_LOGGABLE_LEN 32                /* characters: 128 bits */
#define DDB_ITEM_SIZE_MAX     (400 * 1024)      /* DynamoDB's limit */
#define DDB_ITEM_DATA_MAX     (4 * 1024 * 1024) /* of compressed data what it is decompressed to */

/** The form of the data in a row, and the programs that write such rows. */
typedef enum ddb_format_e {
    DDB_FORM, /* B; ours alone: every attribute is there, and the version tells every change */
    DDB_JSON  /* S; dynamodb-session-flask writes it too: without version, write_id and user_mark, and without regard
                 for them, so that a change is told by the data and the timeouts themselves */
} ddb_format_e;

/** One row of the session table, named and typed as dynamodb-session-flask has them, and what we add. */
typedef struct ddb_item_t {
    ddb_format_e format; /* no attribute: how the row is written, and has to be written to be read */
    const char *id;      /* S, table key */
    const char *data;    /* B or S, data_len bytes, NUL added behind */
    apr_size_t data_len;
    const char *packed; /* set by ddb_item_pack: this is stored as data, packed_len bytes, with the attribute
                                     encoding (S) beside it; NULL: data as it is, and no encoding */
    apr_size_t packed_len;
    apr_time_t created, accessed; /* S, ISO 8601 UTC with microseconds: 2026-11-23T01:02:03.000004+00:00 */
    apr_int64_t expires;          /* N, epoch seconds; the TTL attribute */
    apr_int64_t idle_timeout, absolute_timeout; /* N, seconds */
    apr_int64_t version;                        /* N, counts our data writes from 1; 0: no write yet */
    unsigned char write_id[DDB_WRITE_ID_BYTES]; /* B, of the last data write */
    const char *loggable;   /* S, the first DDB_ITEM_LOGGABLE_LEN digits of the ID's loggable hash: by it a row is
                                     known as this ID's, and an operator finds that of a log line; NULL: none */
    const char *user_mark;  /* S, ddb_sid_user_mark of the session's user; NULL: no user */
    const char *user_marks; /* S, ddb_marks of the users; NULL: none */
    apr_int64_t consumed;   /* no attribute: half capacity units, as the reply reports them; 0: it does not */
} ddb_item_t;

/**
 * Choose how the data of an item is written: compressed if it has at least `threshold` bytes (0: never), the format is
 * DDB_FORM, and the item becomes smaller by it.
 */
void ddb_item_pack(ddb_item_t *it, apr_size_t threshold, apr_pool_t *p);

/**
 * Bytes of the item as DynamoDB counts them against its limit: names and values, UTF-8 and raw bytes. Of attributes
 * that others added to the row nothing is known here.
 */
apr_size_t ddb_item_size(const ddb_item_t *it);

/*
 * Request bodies, each the whole JSON of one API call, in p. All ask what capacity the call consumes. Attribute names
 * always go through placeholders: several are reserved words of DynamoDB.
 */

/** GetItem of all attributes. */
const char *ddb_item_get_body(const char *table, const char *id, int consistent, apr_pool_t *p);

/** PutItem of the whole item, as packed, on condition that no such row exists. */
const char *ddb_item_create_body(const char *table, const ddb_item_t *it, apr_pool_t *p);

/**
 * UpdateItem of data as packed, accessed, expires, both timeouts, user_mark, version (to it->version) and write_id, on
 * condition that the row is as loaded (its version; DDB_JSON: data and timeouts too) and expires after `now` (epoch
 * seconds).
 */
const char *ddb_item_save_body(const char *table, const ddb_item_t *it, const ddb_item_t *loaded, apr_int64_t now,
                               apr_pool_t *p);

/**
 * UpdateItem of accessed and expires, on condition that the row exists, is not expired at now, has the same timeouts,
 * and would live longer by it. version and write_id stay: a touch must not hide the mark by which a save knows itself.
 */
const char *ddb_item_touch_body(const char *table, const ddb_item_t *it, apr_int64_t now, apr_pool_t *p);

/** DeleteItem, whatever the row is. */
const char *ddb_item_delete_body(const char *table, const char *id, apr_pool_t *p);

/**
 * Read the item of a GetItem reply ("Item"), or the one in a ConditionalCheckFailedException. Unknown attributes are
 * passed over. Strings live in p; data comes decompressed, of DDB_ITEM_DATA_MAX at most, and packed as NULL. it->format
 * must be set: data of the other format is a value that can't be. it->consumed is set whatever is returned.
 * @return APR_NOTFOUND when the reply holds no item, or one of DDB_JSON without data (the other program's touch makes
 *         such a row where a session has just been ended); DDB_EBADITEM with a detail that names the attribute when one
 *         of ours is missing, has another type, or a value that can't be (base64, number, time, compressed data);
 *         DDB_EBADREPLY if it is no JSON; DDB_ETOOLARGE for data that is longer when decompressed.
 */
apr_status_t ddb_item_parse(ddb_item_t *it, const char *in, apr_size_t len, apr_pool_t *p, ddb_error_t *err);

#endif
