/* The text that leads from an old ID to its successor: one that somebody put into a row, and one that is made. The
 * first line of an input is the old ID; what follows is the text, and then the ID that is to be its successor. */

#include <apr_encode.h>

#include "store/ddb_successor.h"
#include "fuzz.h"

#define NONCE 16
#define MOST  256

static unsigned char nonce[NONCE];

static apr_status_t random_as_before(void *out, apr_size_t len)
{
    HOLDS(len == NONCE);
    memcpy(out, nonce, NONCE);
    return APR_SUCCESS;
}

/* What is found comes from these bytes: made again with their nonce, they are the same. */
static void is_of(const char *successor, const char *text, const char *sid, apr_pool_t *p)
{
    apr_size_t len = 0, len_again = 0;
    const unsigned char *raw = apr_pdecode_base64_binary(p, text, APR_ENCODE_STRING, APR_ENCODE_NONE, &len), *raw_again;
    const char *again;

    HOLDS(raw && len == NONCE + strlen(successor) && len > NONCE && len <= NONCE + MOST);
    memcpy(nonce, raw, NONCE);
    HOLDS(ddb_successor_encrypt(&again, successor, sid, random_as_before, p) == APR_SUCCESS);
    raw_again = apr_pdecode_base64_binary(p, again, APR_ENCODE_STRING, APR_ENCODE_NONE, &len_again);
    HOLDS(raw_again && len_again == len && memcmp(raw, raw_again, len) == 0);
}

static void read_text(const char *text, const char *sid, apr_pool_t *p)
{
    const char *found = NULL, *found_signed = NULL;
    apr_status_t rv = ddb_successor_decrypt(&found, text, sid, p);

    HOLDS(rv == APR_SUCCESS || rv == APR_NOTFOUND);
    HOLDS(ddb_successor_decrypt(&found_signed, text, apr_pstrcat(p, sid, ".signature", NULL), p) == rv);
    if (rv == APR_SUCCESS) {
        HOLDS(strcmp(found, found_signed) == 0);
        is_of(found, text, sid, p);
    }
}

static void make(const char *successor, const char *sid, apr_pool_t *p)
{
    const char *text = NULL, *found = NULL;
    apr_status_t rv = ddb_successor_encrypt(&text, successor, sid, random_as_before, p);

    if (strlen(successor) > MOST) {
        HOLDS(rv == APR_EINVAL && !text);
        return;
    }
    HOLDS(rv == APR_SUCCESS && fuzz_is_of(text, FUZZ_LETTERS FUZZ_DIGITS "+/=") && strlen(text) % 4 == 0);
    rv = ddb_successor_decrypt(&found, text, sid, p);
    HOLDS(*successor ? rv == APR_SUCCESS && strcmp(found, successor) == 0 : rv == APR_NOTFOUND);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    char *text = fuzz_text(data, size), *sid = fuzz_line(&text);

    memset(nonce, (int)size, sizeof(nonce));
    read_text(text, sid, p);
    make(text, sid, p);
    return fuzz_end();
}
