/* Proofs of devices: signatures as received, and the texts that browsers send back. The lines of an input are a signature,
 * the challenge of a registration, that of a refresh, and a cookie; what follows is an edit of those that are made. */

#include <apr_encode.h>

#include "base/ddb_jws.h"
#include "store/ddb_device.h"
#include "fuzz.h"

#define SECRET "AAECAwQFBgcICQoLDA0ODw=="
#define KEY    "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
#define NOW    1800000000
#define AGE    60

/* What is signed in the corpus by the key that comes along. */
static const char *const signed_parts[] = {
    "eyJhbGciOiJFUzI1NiIsImp3ayI6eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6IlJ4dy1kWXhKQkNoYnVuNVRFWTdROVNT"
    "dDZ3ZFgwbHZTLU9ldzEyMzZjVXciLCJ5IjoiM1ZJUGVzcUtpNUY2ekRmMUhland5YnZqcllXRGd1Y0MzQ1doTFFuM3FGZyJ9LCJ0"
    "eXAiOiJkYnNjK2p3dCJ9.eyJhdXRob3JpemF0aW9uIjoiQSIsImp0aSI6ImNoYWxsZW5nZS0xIn0",
    "eyJhbGciOiJSUzI1NiIsImp3ayI6eyJlIjoiQVFBQiIsImt0eSI6IlJTQSIsIm4iOiJ5cl9pUmFwUGQ2TUdLVFRITW91dktweWxz"
    "V1NDV05Fb201bUYzdE5oQmxRTk9HeFctWGNMR3Y4eGNBWU9wQUExaWwxbTREYkhJVTZFdkU0dTUxaEIxdDlaMzB0TXQ2V1d2OV9m"
    "WUc4bVoyTTROUUZkSGhtWUpqREFzcTMxZ0RTRzhDdGVuOXJiVzl3QTdmVEpDVkROd2JiNHZtTGlteFhWd3B6am9MdmFXaTVhMVRi"
    "Nzk0Y1FMSlB5cjRyQXc4NmhXa2ZGcjVTWjkxOGFQeFdvbGZxeVc2a1dhaFV0ZGpOSUtkQlN0aXJlMzF5NXJ5Yk54VnZaVXNtNUNy"
    "STVwVC0xTUJRWmR0RHpTYldmVDEwNTVob2t3eHY5TUUydmRleUtLaG80QTNvT09VTFlGMThuR0N0RXcxTFlWUjdNMTBYd0NxU3Y2"
    "ck9NRkJLY0lsMFMtR1VQMFEifSwidHlwIjoiZGJzYytqd3QifQ.eyJqdGkiOiJjaGFsbGVuZ2UtMyJ9"
};

static apr_status_t no_random(void *out, apr_size_t len)
{
    memset(out, 7, len);
    return APR_SUCCESS;
}

/* A part of the text is the one spelling of its bytes. */
static void is_canonical(const char *part, apr_size_t len, apr_pool_t *p)
{
    const char *text = apr_pstrmemdup(p, part, len);
    apr_size_t bytes = 0;
    const void *raw = apr_pdecode_base64_binary(p, text, (apr_ssize_t)len, APR_ENCODE_NONE, &bytes);

    HOLDS(len == 0 || fuzz_is_of(text, FUZZ_BASE64URL));
    HOLDS(raw && strcmp(apr_pencode_base64_binary(p, raw, (apr_ssize_t)bytes, APR_ENCODE_BASE64URL, NULL), text) == 0);
}

static void is_known(const ddb_jws_t *jws)
{
    size_t i, known = sizeof(signed_parts) / sizeof(*signed_parts);

    for (i = 0;
         i < known
         && (strlen(signed_parts[i]) != jws->signed_len || memcmp(signed_parts[i], jws->text, jws->signed_len) != 0);
         i++) {
    }
    HOLDS(i < known);
}

static void use_key(const ddb_jws_t *jws, apr_pool_t *p)
{
    ddb_public_key_t key, again;
    const char *stored;

    if (ddb_jws_key(&key, jws) != APR_SUCCESS) {
        return;
    }
    HOLDS(key.alg == jws->alg && key.len > 0 && key.len <= DDB_PUBLIC_KEY_MAX);
    stored = ddb_jws_key_print(&key, p);
    HOLDS(ddb_jws_key_parse(&again, stored) == APR_SUCCESS);
    HOLDS(again.alg == key.alg && again.len == key.len && memcmp(again.bytes, key.bytes, key.len) == 0);
    HOLDS(strcmp(ddb_jws_key_print(&again, p), stored) == 0);
    if (ddb_jws_verify(jws, &key) == APR_SUCCESS) {
        is_known(jws);
    }
}

static void read_jws(const char *text, apr_pool_t *p)
{
    const char *first = strchr(text, '.'), *second = first ? strchr(first + 1, '.') : NULL;
    ddb_jws_t jws;
    apr_status_t rv = ddb_jws_read(&jws, text, p);

    HOLDS(rv == APR_SUCCESS || rv == APR_NOTFOUND);
    if (rv != APR_SUCCESS) {
        return;
    }
    HOLDS(second && jws.text == text && jws.signed_len == (apr_size_t)(second - text));
    HOLDS(strlen(text) <= DDB_JWS_LEN_MAX && jws.signature_len <= DDB_RSA_MOST);
    is_canonical(text, (apr_size_t)(first - text), p);
    is_canonical(first + 1, (apr_size_t)(second - first - 1), p);
    is_canonical(second + 1, strlen(second + 1), p);
    use_key(&jws, p);
}

static void read_texts(const char *invite, const char *challenge, const char *cookie, apr_pool_t *p)
{
    const char *key = ddb_device_invited(invite, p), *made = NULL;

    HOLDS(!key || (strlen(key) == 43 && fuzz_is_of(key, FUZZ_BASE64URL) && invite[43] == '.'));
    /* Nobody but who knows the secret makes these, and the corpus has none of this time but its own. */
    if (ddb_device_check_invite(invite, SECRET, NOW, AGE) == APR_SUCCESS) {
        HOLDS(ddb_device_invite(&made, SECRET, key, NOW, p) == APR_SUCCESS && strcmp(made, invite) == 0);
    }
    if (ddb_device_check_challenge(challenge, SECRET, NOW, AGE) == APR_SUCCESS) {
        HOLDS(ddb_device_challenge(&made, SECRET, NOW, no_random, p) == APR_SUCCESS && strcmp(made, challenge) == 0);
    }
    if (ddb_device_check_cookie(cookie, SECRET, NOW) == APR_SUCCESS) {
        HOLDS(ddb_device_cookie(&made, SECRET, NOW, AGE, p) == APR_SUCCESS && strcmp(made, cookie) == 0);
    }
}

/* The text with one character replaced, which has to be another one, or with some cut off. */
static const char *edited(const char *text, const char *edit, apr_pool_t *p)
{
    char *copy = apr_pstrdup(p, text);
    size_t at = (unsigned char)edit[0] % strlen(text);

    if (edit[1] == copy[at]) {
        return NULL;
    }
    copy[at] = edit[1]; /* a NUL cuts */
    return copy;
}

static void make(const char *edit, apr_pool_t *p)
{
    const char *text = NULL, *other;

    HOLDS(ddb_device_invite(&text, SECRET, KEY, NOW, p) == APR_SUCCESS);
    HOLDS(ddb_device_check_invite(text, SECRET, NOW, AGE) == APR_SUCCESS);
    HOLDS(ddb_device_check_challenge(text, SECRET, NOW, AGE) == APR_NOTFOUND);
    other = *edit ? edited(text, edit, p) : NULL;
    HOLDS(!other || ddb_device_check_invite(other, SECRET, NOW, AGE) == APR_NOTFOUND);
    HOLDS(ddb_device_challenge(&text, SECRET, NOW, no_random, p) == APR_SUCCESS);
    HOLDS(ddb_device_check_challenge(text, SECRET, NOW, AGE) == APR_SUCCESS);
    HOLDS(ddb_device_check_cookie(text, SECRET, NOW) == APR_NOTFOUND);
    other = *edit ? edited(text, edit, p) : NULL;
    HOLDS(!other || ddb_device_check_challenge(other, SECRET, NOW, AGE) == APR_NOTFOUND);
    HOLDS(ddb_device_cookie(&text, SECRET, NOW, AGE, p) == APR_SUCCESS);
    HOLDS(ddb_device_check_cookie(text, SECRET, NOW) == APR_SUCCESS);
    HOLDS(ddb_device_check_invite(text, SECRET, NOW, AGE) == APR_NOTFOUND);
    other = *edit ? edited(text, edit, p) : NULL;
    HOLDS(!other || ddb_device_check_cookie(other, SECRET, NOW) == APR_NOTFOUND);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    char *text = fuzz_text(data, size), *jws = fuzz_line(&text), *invite = fuzz_line(&text);
    char *challenge = fuzz_line(&text), *cookie = fuzz_line(&text);

    read_jws(jws, p);
    read_texts(invite, challenge, cookie, p);
    make(text, p);
    return fuzz_end();
}
