/* The form of a session in DynamoDB, as it is read: attribute names and types, number formats. Requests:
 * ddb_item_body.c; sizes: ddb_item_size.c. */

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "aws/ddb_reply.h"
#include "base/ddb_json.h"
#include "base/ddb_time.h"
#include "base/ddb_zlib.h"
#include "store/ddb_attribute.h"
#include "store/ddb_item.h"

/* After the first fault, reads do nothing, so the caller checks for faults once, at the end. */
typedef struct reader_t {
    const ddb_json_t *item;
    apr_pool_t *p;
    ddb_error_t *err;
    apr_status_t rv;
} reader_t;

static void bad(reader_t *r, const char *name, const char *fault)
{
    r->rv = ddb_error_set(r->err, DDB_EBADITEM,
                          "attribute %s of the stored session %s: not written by this module, or changed by hand", name,
                          fault);
}

static const char *read_text(reader_t *r, const char *name, const char *type)
{
    const char *text;

    if (r->rv != APR_SUCCESS) {
        return NULL;
    }
    text = ddb_attribute_get(r->item, name, type);
    if (!text) {
        bad(r, name,
            !ddb_json_has(r->item, name) ? "is missing"
                                         : apr_psprintf(r->p, "is not of type %s%s", type,
                                                        strcmp(name, "data") == 0 ? " (it is in another format)" : ""));
    }
    return text;
}

static apr_int64_t read_number(reader_t *r, const char *name, apr_int64_t least)
{
    const char *text = read_text(r, name, "N");
    apr_int64_t n = 0;

    if (text && !ddb_attribute_read_number(&n, text)) {
        bad(r, name, "is not a whole number");
    }
    else if (text && n < least) {
        bad(r, name, "is a number out of range");
    }
    return n;
}

static const char *read_bytes(reader_t *r, const char *name, apr_size_t *len)
{
    const char *text = read_text(r, name, "B"), *bytes;

    *len = 0;
    if (!text || !*text) {
        return "";
    }
    bytes = apr_pdecode_base64(r->p, text, APR_ENCODE_STRING, APR_ENCODE_NONE, len);
    if (!bytes || strlen(text) % 4) { /* APR accepts missing padding, DynamoDB always pads */
        *len = 0;
        bad(r, name, "is not base64");
    }
    return bytes;
}

static apr_time_t read_time(reader_t *r, const char *name)
{
    const char *text = read_text(r, name, "S");
    apr_time_t t = 0;

    if (text && ddb_time_parse(&t, text) != APR_SUCCESS) {
        bad(r, name, "is not a time in UTC");
    }
    return t;
}

static void read_write_id(reader_t *r, unsigned char *out)
{
    apr_size_t len;
    const char *bytes = read_bytes(r, "write_id", &len);

    if (r->rv == APR_SUCCESS && len != DDB_WRITE_ID_BYTES) {
        bad(r, "write_id", "has another length");
    }
    if (r->rv == APR_SUCCESS) {
        memcpy(out, bytes, DDB_WRITE_ID_BYTES);
    }
}

static void unpack_data(reader_t *r, ddb_item_t *it)
{
    const char *encoding = read_text(r, "encoding", "S");
    ddb_zlib_bytes_t packed = { .data = it->data, .len = it->data_len }, plain = { .data = "" };
    apr_status_t rv;

    if (!encoding || strcmp(encoding, DDB_ITEM_ENCODING) != 0) {
        if (encoding) {
            bad(r, "encoding", "names an unknown one");
        }
        return;
    }
    rv = ddb_zlib_decompress(&plain, packed, DDB_ITEM_DATA_MAX, r->p);
    if (rv == APR_ENOMEM) {
        r->rv = ddb_error_set(r->err, rv, "out of memory to decompress a session");
    }
    else if (rv == DDB_ETOOLARGE) {
        r->rv = ddb_error_set(r->err, rv,
                              "the data of the stored session exceeds 4 MiB when decompressed, the limit of "
                              "SessionDynamoDBCompress: end the session");
    }
    else if (rv != APR_SUCCESS) {
        bad(r, "data", "cannot be decompressed");
    }
    it->data = plain.data;
    it->data_len = plain.len;
}

static void read_data(reader_t *r, ddb_item_t *it)
{
    if (it->format == DDB_JSON) {
        it->data = apr_pstrdup(r->p, read_text(r, "data", "S"));
        it->data_len = it->data ? strlen(it->data) : 0;
    }
    else {
        it->data = read_bytes(r, "data", &it->data_len);
        if (r->rv == APR_SUCCESS && ddb_json_has(r->item, "encoding")) {
            unpack_data(r, it);
        }
    }
}

/* The attributes that identify our writes: missing from a row that dynamodb-session-flask created. */
static void read_marks(reader_t *r, ddb_item_t *it)
{
    if (it->format == DDB_FORM || ddb_json_has(r->item, "version")) {
        it->version = read_number(r, "version", 1);
    }
    if (it->format == DDB_FORM || ddb_json_has(r->item, "write_id")) {
        read_write_id(r, it->write_id);
    }
    /* Optional here, with any value: ddb_store_session_of compares it. */
    it->loggable = ddb_attribute_get(r->item, "loggable", "S");
    it->loggable = it->loggable ? apr_pstrdup(r->p, it->loggable) : NULL;
    if (ddb_json_has(r->item, "user_mark")) {
        it->user_mark = apr_pstrdup(r->p, read_text(r, "user_mark", "S"));
    }
    it->user_marks = ddb_attribute_get(r->item, "user_marks", "S");
    it->user_marks = it->user_marks ? apr_pstrdup(r->p, it->user_marks) : NULL;
}

/* What a renewal by age leaves, and timeouts of an application: only in rows of this module. */
static void read_renewal(reader_t *r, ddb_item_t *it)
{
    const char *by = ddb_attribute_get(r->item, "timeouts_by", "S");
    const char *ended = ddb_attribute_get(r->item, "ended_by", "S");

    it->successor = ddb_attribute_get(r->item, "successor", "B");
    it->successor = it->successor ? apr_pstrdup(r->p, it->successor) : NULL;
    it->timeouts_set = by && strcmp(by, DDB_ITEM_TIMEOUTS_BY) == 0;
    it->left = ended && strcmp(ended, DDB_ITEM_LEFT) == 0;
    if (ddb_json_has(r->item, "issued")) {
        it->issued = read_number(r, "issued", 1);
    }
    if (ddb_json_has(r->item, "seen")) {
        it->seen = read_number(r, "seen", 1);
    }
}

static apr_status_t read_item(ddb_item_t *it, const ddb_json_t *item, apr_pool_t *p, ddb_error_t *err)
{
    reader_t r = { .item = item, .p = p, .err = err, .rv = APR_SUCCESS };
    ddb_item_t found;

    if (it->format == DDB_JSON && !ddb_json_has(item, "data")) {
        return APR_NOTFOUND;
    }
    found = (ddb_item_t){ .format = it->format,
                          .consumed = it->consumed,
                          .id = apr_pstrdup(p, read_text(&r, "id", "S")) };
    read_data(&r, &found);
    found.created = read_time(&r, "created");
    found.accessed = read_time(&r, "accessed");
    found.expires = read_number(&r, "expires", 0);
    found.idle_timeout = read_number(&r, "idle_timeout", 1);
    found.absolute_timeout = read_number(&r, "absolute_timeout", 1);
    read_marks(&r, &found);
    read_renewal(&r, &found);
    if (r.rv == APR_SUCCESS) {
        *it = found;
    }
    return r.rv;
}

apr_status_t ddb_item_parse(ddb_item_t *it, const char *in, apr_size_t len, apr_pool_t *p, ddb_error_t *err)
{
    ddb_json_t *reply;
    const ddb_json_t *item;

    it->consumed = 0;
    if (ddb_json_parse(&reply, in, len, p) != APR_SUCCESS) {
        return ddb_error_set(err, DDB_EBADREPLY, "the reply is not JSON: is the endpoint DynamoDB?");
    }
    it->consumed = ddb_reply_capacity(reply);
    if (!ddb_json_has(reply, "Item")) {
        return APR_NOTFOUND;
    }
    item = ddb_json_child(reply, "Item");
    if (!item) {
        return ddb_error_set(err, DDB_EBADREPLY, "the Item of the reply is not an object: is the endpoint DynamoDB?");
    }
    return read_item(it, item, p, err);
}
