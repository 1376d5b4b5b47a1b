/* The form of a session in DynamoDB, as it is read: the values of attributes, number formats. The attributes, and the
 * replies that hold them: ddb_item_reply.c; requests: ddb_item_body.c; sizes: ddb_item_size.c. */

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "base/ddb_base64.h"
#include "base/ddb_time.h"
#include "base/ddb_zlib.h"
#include "store/ddb_attribute.h"
#include "store/ddb_item_int.h"

/* After the first fault, reads do nothing, so the caller checks for faults once, at the end. */
typedef struct reader_t {
    const ddb_item_reply_t *reply;
    ddb_format_e format;
    apr_pool_t *p;
    ddb_error_t *err;
    apr_status_t rv;
} reader_t;

static void bad(reader_t *r, ddb_item_attribute_e a, const char *fault)
{
    r->rv = ddb_error_set(r->err, DDB_EBADITEM,
                          "attribute %s of the stored session %s: not written by this module, or changed by hand",
                          ddb_item_attributes[a].name, fault);
}

static int has(const reader_t *r, ddb_item_attribute_e a)
{
    return r->reply->attributes[a].is_there;
}

/* The text of an attribute that may be absent or of another type; NULL then. */
static const char *optional_text(const reader_t *r, ddb_item_attribute_e a)
{
    return apr_pstrmemdup(r->p, r->reply->attributes[a].text, r->reply->attributes[a].len);
}

/* 0 after a fault. */
static int is_readable(reader_t *r, ddb_item_attribute_e a)
{
    if (r->rv == APR_SUCCESS && !r->reply->attributes[a].text) {
        bad(r, a,
            !has(r, a) ? "is missing"
                       : apr_psprintf(r->p, "is not of type %s%s", ddb_item_type(a, r->format),
                                      a == ROW_DATA ? " (it is in another format)" : ""));
    }
    return r->rv == APR_SUCCESS;
}

static const char *read_text(reader_t *r, ddb_item_attribute_e a)
{
    return is_readable(r, a) ? optional_text(r, a) : NULL;
}

static apr_int64_t read_number(reader_t *r, ddb_item_attribute_e a, apr_int64_t least)
{
    const char *text = read_text(r, a);
    apr_int64_t n = 0;

    if (text && !ddb_attribute_read_number(&n, text)) {
        bad(r, a, "is not a whole number");
    }
    else if (text && n < least) {
        bad(r, a, "is a number out of range");
    }
    return n;
}

static const char *read_bytes(reader_t *r, ddb_item_attribute_e a, apr_size_t *len)
{
    const char *text = r->reply->attributes[a].text, *bytes;
    apr_size_t text_len = r->reply->attributes[a].len;
    char *decoded;

    *len = 0;
    if (!is_readable(r, a) || text_len == 0) {
        return "";
    }
    decoded = apr_palloc(r->p, text_len / 4 * 3 + 1);
    if (ddb_base64_decode(decoded, len, text, text_len)) {
        decoded[*len] = '\0';
        return decoded;
    }
    /* APR takes other forms too, missing padding among them; DynamoDB always pads. */
    bytes = apr_pdecode_base64(r->p, text, (apr_ssize_t)text_len, APR_ENCODE_NONE, len);
    if (!bytes || text_len % 4) {
        *len = 0;
        bad(r, a, "is not base64");
    }
    return bytes;
}

static apr_time_t read_time(reader_t *r, ddb_item_attribute_e a)
{
    const char *text = read_text(r, a);
    apr_time_t t = 0;

    if (text && ddb_time_parse(&t, text) != APR_SUCCESS) {
        bad(r, a, "is not a time in UTC");
    }
    return t;
}

static void read_write_id(reader_t *r, unsigned char *out)
{
    apr_size_t len;
    const char *bytes = read_bytes(r, ROW_WRITE_ID, &len);

    if (r->rv == APR_SUCCESS && len != DDB_WRITE_ID_BYTES) {
        bad(r, ROW_WRITE_ID, "has another length");
    }
    if (r->rv == APR_SUCCESS) {
        memcpy(out, bytes, DDB_WRITE_ID_BYTES);
    }
}

static void open_data(reader_t *r, ddb_item_t *it, const char *encoding)
{
    const ddb_seal_row_t row = {
        .key = it->id, .audience = it->audience, .encoding = encoding, .version = it->version
    };
    ddb_bytes_t sealed = { it->data, it->data_len }, opened;
    apr_status_t rv = ddb_seal_open(&opened, it->seal, sealed, &row, r->p);

    it->data = opened.data;
    it->data_len = opened.len;
    if (rv != APR_SUCCESS && rv != APR_NOTFOUND) {
        r->rv = ddb_error_set(r->err, rv, "cannot open a sealed session: OpenSSL failed; make sure that it offers AES");
    }
    else if (rv != APR_SUCCESS) {
        r->rv = ddb_error_set(
            r->err, DDB_EBADITEM,
            "attribute data of the stored session is sealed, and no key opens it here: its key is not "
            "among SessionDynamoDBSealKeys, or the row was changed by hand, or taken from elsewhere");
    }
}

static void unpack_data(reader_t *r, ddb_item_t *it)
{
    ddb_zlib_bytes_t packed = { .data = it->data, .len = it->data_len }, plain = { .data = "" };
    apr_status_t rv;

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
        bad(r, ROW_DATA, "cannot be decompressed");
    }
    it->data = plain.data;
    it->data_len = plain.len;
}

static int names(const char *encoding, const char *one)
{
    return encoding && strcmp(encoding, one) == 0;
}

/* Data as it was before it was compressed and sealed. When id and version are known, to which a seal is bound. */
static void decode_data(reader_t *r, ddb_item_t *it)
{
    const char *encoding = has(r, ROW_ENCODING) ? read_text(r, ROW_ENCODING) : NULL;
    int is_sealed = names(encoding, DDB_ITEM_SEALED) || names(encoding, DDB_ITEM_BOTH);
    int is_packed = names(encoding, DDB_ITEM_ENCODING) || names(encoding, DDB_ITEM_BOTH);

    if (encoding && !is_sealed && !is_packed) {
        bad(r, ROW_ENCODING, "names an unknown one");
    }
    else if (!is_sealed && !ddb_seal_takes_clear(it->seal)) {
        r->rv = ddb_error_set(r->err, DDB_EBADITEM,
                              "attribute data of the stored session is not sealed, and 'clear' is not among "
                              "SessionDynamoDBSealKeys: written before they were set, or by hand");
    }
    if (r->rv == APR_SUCCESS && is_sealed) {
        open_data(r, it, encoding);
    }
    if (r->rv == APR_SUCCESS && is_packed) {
        unpack_data(r, it);
    }
}

static void read_data(reader_t *r, ddb_item_t *it)
{
    if (it->format == DDB_JSON) {
        it->data = read_text(r, ROW_DATA);
        it->data_len = it->data ? r->reply->attributes[ROW_DATA].len : 0;
    }
    else {
        it->data = read_bytes(r, ROW_DATA, &it->data_len);
    }
}

/* The attributes that identify our writes: missing from a row that dynamodb-session-flask created. */
static void read_marks(reader_t *r, ddb_item_t *it)
{
    if (it->format == DDB_FORM || has(r, ROW_VERSION)) {
        it->version = read_number(r, ROW_VERSION, 1);
    }
    if (it->format == DDB_FORM || has(r, ROW_WRITE_ID)) {
        read_write_id(r, it->write_id);
    }
    /* Optional here, with any value: ddb_store_session_of compares it. */
    it->loggable = optional_text(r, ROW_LOGGABLE);
    if (has(r, ROW_USER_MARK)) {
        it->user_mark = read_text(r, ROW_USER_MARK);
    }
    it->user_marks = optional_text(r, ROW_USER_MARKS);
    it->listed_in = optional_text(r, ROW_LISTED_IN);
}

/* A session that another program has given half of it is bound to nothing. */
static void read_device(reader_t *r, ddb_item_t *it)
{
    it->device_secret = it->format == DDB_FORM ? optional_text(r, ROW_DEVICE_SECRET) : NULL;
    if (it->device_secret) {
        it->device_key = optional_text(r, ROW_DEVICE_KEY);
        it->device_until = has(r, ROW_DEVICE_UNTIL) ? read_number(r, ROW_DEVICE_UNTIL, 1) : 0;
    }
}

static int is_text(const reader_t *r, ddb_item_attribute_e a, const char *text)
{
    ddb_json_string_t s = { r->reply->attributes[a].text, r->reply->attributes[a].len };

    return s.text && ddb_json_string_is(&s, text);
}

/* What a renewal by age leaves, and timeouts of an application: only in rows of this module. */
static void read_renewal(reader_t *r, ddb_item_t *it)
{
    it->successor = optional_text(r, ROW_SUCCESSOR);
    it->bound = optional_text(r, ROW_BOUND);
    it->csrf_key = optional_text(r, ROW_CSRF_KEY);
    it->timeouts_set = is_text(r, ROW_TIMEOUTS_BY, DDB_ITEM_TIMEOUTS_BY);
    it->left = is_text(r, ROW_ENDED_BY, DDB_ITEM_LEFT);
    if (has(r, ROW_ISSUED)) {
        it->issued = read_number(r, ROW_ISSUED, 1);
    }
    if (has(r, ROW_SEEN)) {
        it->seen = read_number(r, ROW_SEEN, 1);
    }
}

/* A tombstone of ddb_item_bury_body has no data to open, and nobody who knew its version could seal it. */
static int is_buried(const reader_t *r)
{
    return is_text(r, ROW_ENDED_BY, DDB_ITEM_LEFT) && !has(r, ROW_ENCODING);
}

static apr_status_t read_item(ddb_item_t *it, const ddb_item_reply_t *reply, apr_pool_t *p, ddb_error_t *err)
{
    reader_t r = { .reply = reply, .format = it->format, .p = p, .err = err, .rv = APR_SUCCESS };
    ddb_item_t found = { .format = it->format, .seal = it->seal, .audience = it->audience, .consumed = it->consumed };

    if (it->format == DDB_JSON && !has(&r, ROW_DATA)) {
        return APR_NOTFOUND;
    }
    found.id = read_text(&r, ROW_ID);
    read_data(&r, &found);
    found.created = read_time(&r, ROW_CREATED);
    found.accessed = read_time(&r, ROW_ACCESSED);
    found.expires = read_number(&r, ROW_EXPIRES, 0);
    found.idle_timeout = read_number(&r, ROW_IDLE_TIMEOUT, 1);
    found.absolute_timeout = read_number(&r, ROW_ABSOLUTE_TIMEOUT, 1);
    read_marks(&r, &found);
    if (r.rv == APR_SUCCESS && found.format == DDB_FORM && !(is_buried(&r) && !found.accessed && !found.data_len)) {
        decode_data(&r, &found);
    }
    read_renewal(&r, &found);
    read_device(&r, &found);
    if (r.rv == APR_SUCCESS) {
        *it = found;
    }
    return r.rv;
}

apr_status_t ddb_item_parse(ddb_item_t *it, const char *in, apr_size_t len, apr_pool_t *p, ddb_error_t *err)
{
    ddb_item_reply_t reply;
    ddb_format_e format = it->format;

    it->consumed = 0;
    if (!ddb_item_reply_pull(&reply, format, in, len, p) && !ddb_item_reply_parse(&reply, format, in, len, p)) {
        return ddb_error_set(err, DDB_EBADREPLY, "the reply is not JSON: is the endpoint DynamoDB?");
    }
    it->consumed = reply.consumed;
    if (!reply.has_item) {
        return APR_NOTFOUND;
    }
    if (!reply.is_object) {
        return ddb_error_set(err, DDB_EBADREPLY, "the Item of the reply is not an object: is the endpoint DynamoDB?");
    }
    return read_item(it, &reply, p, err);
}
