/* The size of an item as DynamoDB counts it (the bytes of names and values, not of the JSON around them), and
 * its data on its way into the table: compressed, sealed. */

#include <string.h>

#include "base/ddb_array.h"
#include "base/ddb_time.h"
#include "base/ddb_zlib.h"
#include "store/ddb_attribute.h"
#include "store/ddb_item.h"

/* One byte, and one for each pair of digits, counted from the decimal point, without trailing pairs of zeros (DynamoDB
 * Developer Guide, "DynamoDB item sizes and formats"). */
static apr_size_t number_size(apr_int64_t n)
{
    apr_size_t size = 1;

    while (n && n % 100 == 0) {
        n /= 100;
    }
    for (; n; n /= 100) {
        size++;
    }
    return size;
}

static apr_size_t attribute_size(const char *name, apr_size_t value)
{
    return strlen(name) + value;
}

static apr_size_t base64_size(const char *text)
{
    apr_size_t len = strcspn(text, "=");

    return len * 3 / 4;
}

static apr_size_t packed_size(apr_size_t len, const char *encoding)
{
    return attribute_size("data", len) + attribute_size("encoding", strlen(encoding));
}

apr_size_t ddb_item_size(const ddb_item_t *it)
{
    return attribute_size("id", strlen(it->id))
           + (it->packed ? packed_size(it->packed_len, it->encoding) : attribute_size("data", it->data_len))
           + attribute_size("created", DDB_TIME_LEN) + attribute_size("accessed", DDB_TIME_LEN)
           + attribute_size("expires", number_size(it->expires))
           + attribute_size("idle_timeout", number_size(it->idle_timeout))
           + attribute_size("absolute_timeout", number_size(it->absolute_timeout))
           + attribute_size("version", number_size(it->version)) + attribute_size("write_id", sizeof(it->write_id))
           + (it->loggable ? attribute_size("loggable", strlen(it->loggable)) : 0)
           + (it->user_mark ? attribute_size("user_mark", strlen(it->user_mark)) : 0)
           + (it->user_marks ? attribute_size("user_marks", strlen(it->user_marks)) : 0)
           + (it->listed_in ? attribute_size("listed_in", strlen(it->listed_in)) : 0)
           + (it->bound ? attribute_size("bound", strlen(it->bound)) : 0)
           + (it->csrf_key ? attribute_size("csrf_key", base64_size(it->csrf_key)) : 0)
           + (it->device_secret ? attribute_size("device_secret", base64_size(it->device_secret)) : 0)
           + (it->device_until ? attribute_size("device_until", number_size(it->device_until)) : 0)
           + (it->device_key ? attribute_size("device_key", base64_size(it->device_key)) : 0)
           + (it->issued ? attribute_size("issued", number_size(it->issued)) : 0)
           + (it->seen ? attribute_size("seen", number_size(it->seen)) : 0)
           + (it->successor ? attribute_size("successor", base64_size(it->successor)) : 0)
           + (it->left ? attribute_size("ended_by", strlen(DDB_ITEM_LEFT)) : 0)
           + (it->timeouts_set ? attribute_size("timeouts_by", strlen(DDB_ITEM_TIMEOUTS_BY)) : 0);
}

/* What ddb_item_size counts, and the types that an attribute may have. */
static const struct {
    const char *name, *types;
} attributes[] = {
    { "id", "S" },          { "data", "BS" },     { "encoding", "S" },     { "created", "S" },
    { "accessed", "S" },    { "expires", "N" },   { "idle_timeout", "N" }, { "absolute_timeout", "N" },
    { "version", "N" },     { "write_id", "B" },  { "loggable", "S" },     { "user_mark", "S" },
    { "user_marks", "S" },  { "listed_in", "S" }, { "bound", "S" },        { "csrf_key", "B" },
    { "issued", "N" },      { "seen", "N" },      { "successor", "B" },    { "ended_by", "S" },
    { "timeouts_by", "S" },
};

static apr_size_t value_size(const char *value, char type)
{
    apr_int64_t n = 0;

    if (type == 'N') {
        ddb_attribute_read_number(&n, value);
        return number_size(n);
    }
    return type == 'B' ? base64_size(value) : strlen(value);
}

apr_size_t ddb_item_size_of(const ddb_json_t *item)
{
    apr_size_t i, size = 0;
    const char *type;

    for (i = 0; i < DDB_ARRAY_LENGTH(attributes); i++) {
        for (type = attributes[i].types; *type; type++) {
            const char name[2] = { *type, '\0' };
            const char *value = ddb_attribute_get(item, attributes[i].name, name);

            size += value ? attribute_size(attributes[i].name, value_size(value, *type)) : 0;
        }
    }
    return size;
}

void ddb_item_pack(ddb_item_t *it, apr_size_t threshold, apr_pool_t *p)
{
    ddb_zlib_bytes_t in = { .data = it->data, .len = it->data_len }, small;

    it->packed = it->encoding = NULL;
    it->packed_len = 0;
    /* Beyond DDB_ITEM_DATA_MAX a load would reject the data. Uncompressed, it fails the size check of the write. */
    if (it->format != DDB_FORM || !threshold || in.len < threshold || in.len > DDB_ITEM_DATA_MAX) {
        return;
    }
    if (ddb_zlib_compress(&small, in, p) == APR_SUCCESS
        && packed_size(small.len, DDB_ITEM_ENCODING) < attribute_size("data", in.len)) {
        it->packed = small.data;
        it->packed_len = small.len;
        it->encoding = DDB_ITEM_ENCODING;
    }
}

apr_status_t ddb_item_seal(ddb_item_t *it, const unsigned char *nonce, apr_pool_t *p)
{
    const char *encoding = it->packed ? DDB_ITEM_BOTH : DDB_ITEM_SEALED;
    const ddb_seal_row_t row = {
        .key = it->id, .audience = it->audience, .encoding = encoding, .version = it->version
    };
    ddb_bytes_t in = { it->packed ? it->packed : it->data, it->packed ? it->packed_len : it->data_len }, sealed;
    apr_status_t rv;

    if (it->format != DDB_FORM || !ddb_seal_is_on(it->seal)) {
        return APR_SUCCESS;
    }
    rv = ddb_seal_close(&sealed, it->seal, in, &row, nonce, p);
    if (rv == APR_SUCCESS) {
        it->packed = sealed.data;
        it->packed_len = sealed.len;
        it->encoding = encoding;
    }
    return rv;
}
