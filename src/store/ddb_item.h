#ifndef DDB_ITEM_H
#define DDB_ITEM_H

#include <apr_pools.h>
#include <apr_time.h>

#include "base/ddb_error.h"
#include "base/ddb_json.h"
#include "store/ddb_seal.h"

#define DDB_WRITE_ID_BYTES    16
#define DDB_ITEM_ENCODING     "deflate"                             /* HTTP's word for a zlib stream, RFC 1950 */
#define DDB_ITEM_SEALED       "sealed"                              /* ddb_seal */
#define DDB_ITEM_BOTH         DDB_ITEM_ENCODING " " DDB_ITEM_SEALED /* first compressed, then sealed */
#define DDB_ITEM_TIMEOUTS_BY  "application"
#define DDB_ITEM_LEFT         "left"
#define DDB_ITEM_LOGGABLE_LEN 32                /* hex digits: 128 bits */
#define DDB_ITEM_SIZE_MAX     (400 * 1024)      /* bytes: DynamoDB's limit */
#define DDB_ITEM_DATA_MAX     (4 * 1024 * 1024) /* bytes of compressed data after decompression */

/** The format of a row's data, and the programs that write it. */
typedef enum ddb_format_e {
    DDB_FORM, /* type B; only this module writes it: all attributes are present, and every change has a new version */
    DDB_JSON  /* type S; dynamodb-session-flask writes it too, and neither sets nor respects version, write_id and
                 user_mark: only the data and the timeouts themselves show a change */
} ddb_format_e;

/** One row of the session table: the attributes of dynamodb-session-flask, with its names and types, and our own. */
typedef struct ddb_item_t {
    ddb_format_e format;    /* not an attribute: the format that is written, and the only one that is read */
    const ddb_seal_t *seal; /* not an attribute: the keys for data in DDB_FORM; NULL: it is neither sealed nor opened */
    const char *audience;   /* not an attribute: the label that seals are bound to; NULL: none */
    const char *id;         /* S, table key */
    const char *data;       /* B or S, data_len bytes and a NUL */
    apr_size_t data_len;
    const char *packed; /* set by ddb_item_pack and ddb_item_seal: packed_len bytes, stored instead of data; NULL: data
                           is stored as it is */
    apr_size_t packed_len;
    const char
        *encoding; /* S, of packed, set with it: DDB_ITEM_ENCODING, DDB_ITEM_SEALED or DDB_ITEM_BOTH; NULL: absent */
    apr_time_t created, accessed; /* S, ISO 8601 UTC with microseconds: 2026-11-23T01:02:03.000004+00:00 */
    apr_int64_t expires;          /* N, epoch seconds; the TTL attribute */
    apr_int64_t idle_timeout, absolute_timeout; /* N, seconds */
    apr_int64_t version;                        /* N, the number of data writes by this module; 0: no write yet */
    unsigned char write_id[DDB_WRITE_ID_BYTES]; /* B, of the last data write */
    const char *loggable;   /* S, the first DDB_ITEM_LOGGABLE_LEN digits of the ID's loggable hash: proves that the row
                              belongs to the ID, and leads an operator from a log line to the row; NULL: absent */
    const char *user_mark;  /* S, ddb_sid_user_mark of the session's user; NULL: absent */
    const char *user_marks; /* S, ddb_marks of the users; NULL: absent */
    const char *listed_in;  /* S, keys of the lists of its users' sessions, separated by spaces; NULL: absent */
    const char *bound;      /* S, ddb_bound; NULL: absent */
    const char *csrf_key;   /* B, as text: ddb_csrf, of an ID that replaced another one; NULL: absent */
    const char
        *device_secret; /* B, as text: ddb_device, of a session that is, or may be, bound to a device; NULL: absent,
                                  as then are the next two */
    apr_int64_t device_until; /* N, epoch seconds: the end of the time in which it may be bound; when it is, of that in
                                  which requests need no proof; 0: absent */
    const char *device_key;   /* B, as text: ddb_jws_key_print, of the device to which it is bound; NULL: to none */
    apr_int64_t issued; /* N, epoch seconds: when this ID replaced an earlier one, if later than created; 0: absent */
    apr_int64_t seen;   /* N, epoch seconds: when a client first used this ID after that; 0: absent */
    const char *successor; /* B, as text: ddb_successor, in the row of the ID that was replaced; NULL: absent */
    int left;              /* S, attribute ended_by = DDB_ITEM_LEFT, in a tombstone: 1: the session's user left, by a
                              logout or because of another user; 0: absent */
    int timeouts_set;      /* S, attribute timeouts_by = DDB_ITEM_TIMEOUTS_BY; 1: an application set the timeouts, so
                              that those of a place do not shorten them; 0: absent */
    apr_int64_t consumed;  /* not an attribute: half capacity units, as in the reply; 0: not reported */
} ddb_item_t;

/**
 * Compress the data of an item, in p, if it has at least `threshold` bytes (0: never), the format is DDB_FORM, and
 * compression makes the item smaller. Otherwise it->packed is NULL.
 */
void ddb_item_pack(ddb_item_t *it, apr_size_t threshold, apr_pool_t *p);

/**
 * Seal what would be stored, in p, if the item has keys that seal: for this version of it. After ddb_item_pack. nonce:
 * as of ddb_seal_close. @return a failure only if OpenSSL fails.
 */
apr_status_t ddb_item_seal(ddb_item_t *it, const unsigned char *nonce, apr_pool_t *p);

/**
 * The size in bytes that DynamoDB compares with its limit: names and values, in UTF-8 or raw bytes. Attributes that
 * other programs added to the row are not included.
 */
apr_size_t ddb_item_size(const ddb_item_t *it);

/** The same of an item as a reply has it. */
apr_size_t ddb_item_size_of(const ddb_json_t *item);

/*
 * Request bodies: the complete JSON of one API call, in p. All request the consumed capacity. Attribute names in
 * expressions are always placeholders: several are reserved words of DynamoDB.
 */

/** GetItem of all attributes. */
const char *ddb_item_get_body(const char *table, const char *id, int consistent, apr_pool_t *p);

/** PutItem of the whole item (data as packed), on condition that the row does not exist yet. */
const char *ddb_item_create_body(const char *table, const ddb_item_t *it, apr_pool_t *p);

/**
 * UpdateItem of data (as packed), accessed, expires, both timeouts, user_mark, version (to it->version), write_id and
 * successor or ended_by, on condition that the row is unchanged since `loaded` was read (its version; DDB_JSON: data
 * and timeouts too; where the write removes a device, that) and expires after `now` (epoch seconds).
 */
const char *ddb_item_save_body(const char *table, const ddb_item_t *it, const ddb_item_t *loaded, apr_int64_t now,
                               apr_pool_t *p);

/**
 * UpdateItem of accessed and expires, on condition that the row exists, has not expired at `now`, has the same
 * timeouts, and would expire later than before. version and write_id stay: a touch must not hide the write ID by which
 * a save recognises its own write.
 */
const char *ddb_item_touch_body(const char *table, const ddb_item_t *it, apr_int64_t now, apr_pool_t *p);

/** DeleteItem, unconditional. */
const char *ddb_item_delete_body(const char *table, const char *id, apr_pool_t *p);

/** DeleteItem of a session, on condition that the row does not stand for a session that moved to another ID. */
const char *ddb_item_end_body(const char *table, const char *id, apr_pool_t *p);

/** UpdateItem, unconditional, that leaves a tombstone whatever the row is, and where none is: with it->write_id and
 * it->expires. it->created is for a row that was not there. */
const char *ddb_item_bury_body(const char *table, const ddb_item_t *it, apr_pool_t *p);

/** UpdateItem of seen, on condition that the row has issued and not yet seen. */
const char *ddb_item_seen_body(const char *table, const char *id, apr_int64_t now, apr_pool_t *p);

/** UpdateItem of device_key and device_until, to those of it, on condition that the session has not expired at `now`,
 * may still be bound then, and is not. */
const char *ddb_item_device_body(const char *table, const ddb_item_t *it, apr_int64_t now, apr_pool_t *p);

/**
 * Read the "Item" of a GetItem reply or of a ConditionalCheckFailedException. Unknown attributes are ignored. Strings
 * live in p; data is opened and decompressed, up to DDB_ITEM_DATA_MAX bytes, and packed is NULL. The caller sets
 * it->format, seal and audience: data in the other format is invalid, and so is data that no key opens, and clear data
 * where the keys do not allow it. it->consumed is set whatever the status.
 * @return APR_NOTFOUND without an item, or for a DDB_JSON item without data (a touch by the other program creates such
 *         a row if the session was ended just before); DDB_EBADITEM, with a detail that names the attribute, if a
 *         required attribute is missing, or one has another type or an invalid value (base64, number, time, compressed
 *         data); DDB_EBADREPLY if the reply is not JSON; DDB_ETOOLARGE for data over the limit when decompressed.
 */
apr_status_t ddb_item_parse(ddb_item_t *it, const char *in, apr_size_t len, apr_pool_t *p, ddb_error_t *err);

#endif
