/* Sealing the data of rows: the keys, and what is bound to them. */

#include <string.h>

#include "base/ddb_text.h"
#include "store/ddb_seal.h"

#define LABEL "session-dynamodb seal"

struct ddb_seal_t {
    int n, takes_clear;
    ddb_cipher_t **keys; /* newest first; NULL: DDB_SEAL_CLEAR */
};

/* From a key that may be used for other purposes, too. */
static apr_status_t derive(ddb_cipher_t **key, const char *secret, apr_pool_t *p)
{
    const ddb_bytes_t from = { secret, strlen(secret) }, label = { LABEL, strlen(LABEL) };
    unsigned char bytes[DDB_SEAL_KEY];
    apr_status_t rv = ddb_crypto_hmac(DDB_SHA256, bytes, from, label);

    if (rv == APR_SUCCESS) {
        rv = ddb_crypto_cipher_create(key, bytes, p);
    }
    ddb_crypto_wipe(bytes, sizeof(bytes));
    return rv;
}

apr_status_t ddb_seal_create(ddb_seal_t **ps, const apr_array_header_t *keys, apr_pool_t *p)
{
    ddb_seal_t *s = apr_pcalloc(p, sizeof(*s));
    apr_status_t rv = APR_SUCCESS;
    int i;

    s->n = keys->nelts;
    s->keys = apr_pcalloc(p, (apr_size_t)s->n * sizeof(ddb_cipher_t *));
    for (i = 0; i < s->n && rv == APR_SUCCESS; i++) {
        const char *secret = APR_ARRAY_IDX(keys, s->n - 1 - i, const char *);

        if (strcmp(secret, DDB_SEAL_CLEAR) == 0) {
            s->takes_clear = 1;
        }
        else {
            rv = derive(&s->keys[i], secret, p);
        }
    }
    *ps = rv == APR_SUCCESS ? s : NULL;
    return rv;
}

int ddb_seal_is_nothing(const ddb_seal_t *s)
{
    int i;

    for (i = 0; s && i < s->n && !s->keys[i]; i++) {
    }
    return !s || i == s->n;
}

int ddb_seal_is_on(const ddb_seal_t *s)
{
    return s && s->n && s->keys[0];
}

int ddb_seal_takes_clear(const ddb_seal_t *s)
{
    return !s || s->takes_clear;
}

/* A label may be any text, and comes last: the others have no line breaks. */
static ddb_bytes_t bound_to(const ddb_seal_row_t *row, apr_pool_t *p)
{
    ddb_text_t t;

    ddb_text_begin(&t, 128, p);
    ddb_text_add(&t, LABEL "\n");
    ddb_text_add(&t, row->encoding);
    ddb_text_add(&t, "\n");
    ddb_text_add(&t, row->key);
    ddb_text_add(&t, "\n");
    ddb_text_add_number(&t, row->version);
    ddb_text_add(&t, "\n");
    ddb_text_add(&t, row->audience ? row->audience : "");
    return (ddb_bytes_t){ t.data, t.len };
}

apr_status_t ddb_seal_close(ddb_bytes_t *out, const ddb_seal_t *s, ddb_bytes_t in, const ddb_seal_row_t *row,
                            const unsigned char *nonce, apr_pool_t *p)
{
    unsigned char *sealed = apr_palloc(p, in.len + DDB_SEAL_MORE);

    *out = (ddb_bytes_t){ sealed, in.len + DDB_SEAL_MORE };
    return ddb_crypto_cipher_seal(sealed, s->keys[0], nonce, in, bound_to(row, p));
}

apr_status_t ddb_seal_open(ddb_bytes_t *out, const ddb_seal_t *s, ddb_bytes_t in, const ddb_seal_row_t *row,
                           apr_pool_t *p)
{
    apr_size_t len = in.len < DDB_SEAL_MORE ? 0 : in.len - DDB_SEAL_MORE;
    unsigned char *opened = apr_palloc(p, len + 1);
    ddb_bytes_t bound = bound_to(row, p);
    apr_status_t rv = APR_NOTFOUND;
    int i;

    for (i = 0; s && i < s->n && rv == APR_NOTFOUND; i++) {
        rv = s->keys[i] ? ddb_crypto_cipher_unseal(opened, s->keys[i], in, bound) : APR_NOTFOUND;
    }
    opened[len] = '\0';
    *out = (ddb_bytes_t){ opened, rv == APR_SUCCESS ? len : 0 };
    return rv;
}
