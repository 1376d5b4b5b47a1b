#ifndef DDB_ITEM_INT_H
#define DDB_ITEM_INT_H

#include "base/ddb_json_pull.h"
#include "store/ddb_item.h"

/* Shared by the files of ddb_item. */

/** The attributes of a row. */
typedef enum ddb_item_attribute_e {
    ROW_ID,
    ROW_DATA,
    ROW_CREATED,
    ROW_ACCESSED,
    ROW_EXPIRES,
    ROW_IDLE_TIMEOUT,
    ROW_ABSOLUTE_TIMEOUT,
    ROW_VERSION,
    ROW_WRITE_ID,
    ROW_LOGGABLE,
    ROW_USER_MARK,
    ROW_USER_MARKS,
    ROW_BOUND,
    ROW_CSRF_KEY,
    ROW_ISSUED,
    ROW_SEEN,
    ROW_SUCCESSOR,
    ROW_ENDED_BY,
    ROW_TIMEOUTS_BY,
    ROW_ENCODING,
    ROW_LISTED_IN,
    ROW_DEVICE_SECRET,
    ROW_DEVICE_UNTIL,
    ROW_DEVICE_KEY,
    ROW_ATTRIBUTES /* the number of them */
} ddb_item_attribute_e;

typedef struct ddb_item_attribute_t {
    const char *name;
    char type[2];        /* of its value; data: in DDB_FORM */
    char placeholder[2]; /* #x for its name in expressions, :x for its new value, :x0 for the one that was loaded */
} ddb_item_attribute_t;

extern const ddb_item_attribute_t ddb_item_attributes[ROW_ATTRIBUTES];

/** The type of an attribute's value in a format. */
const char *ddb_item_type(ddb_item_attribute_e a, ddb_format_e format);

/** A reply, before the values of its item are looked at. */
typedef struct ddb_item_reply_t {
    apr_int64_t consumed; /* as ddb_item_t */
    int has_item;         /* whatever it is */
    int is_object;        /* of the item */
    struct {
        int is_there;     /* whatever its value is */
        const char *text; /* NULL: of another type; NUL not before len bytes, and perhaps not behind them */
        apr_size_t len;
    } attributes[ROW_ATTRIBUTES];
} ddb_item_reply_t;

/**
 * Read a reply of len bytes at in, for rows in a format. Texts live in p, or where `in` is.
 * ddb_item_reply_pull is the quick one: 0 if it takes ddb_item_reply_parse to read the reply.
 * ddb_item_reply_parse: 0 if the reply is not JSON. Where both read a reply, they read the same.
 */
int ddb_item_reply_pull(ddb_item_reply_t *reply, ddb_format_e format, const char *in, apr_size_t len, apr_pool_t *p);
int ddb_item_reply_parse(ddb_item_reply_t *reply, ddb_format_e format, const char *in, apr_size_t len, apr_pool_t *p);

#endif
