/* ddb_successor: the ID that replaced another one, told to those who have that one, and to nobody else. */

#include <apr_encode.h>
#include <apr_strings.h>

#include "base/ddb_array.h"
#include "store/ddb_sid.h"
#include "store/ddb_successor.h"
#include "tap.h"

#define SID   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define OTHER "HBobGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEAHx4"
#define MOST  256 /* bytes */

/* OTHER under SID, with the nonce 0, 1, ... 15, as Python makes it:
 * nonce = bytes(range(16))
 * stream = b''.join(hmac.digest(SID, b'session-dynamodb successor\0' + nonce + bytes([i]), 'sha256') for i in range(2))
 * base64.b64encode(nonce + bytes(a ^ b for a, b in zip(OTHER, stream))) */
#define TEXT "AAECAwQFBgcICQoLDA0ODwwDXCoQY7S0UD48QX8sKTIOe3oMs2T8pPQlnk9AGRrJpZxZh0N6nT7ErkQ="

static unsigned char first; /* of the bytes that are drawn next */

static apr_status_t draw(void *out, apr_size_t len)
{
    apr_size_t i;

    for (i = 0; i < len; i++) {
        ((unsigned char *)out)[i] = (unsigned char)(first + i);
    }
    return APR_SUCCESS;
}

static apr_status_t draw_nothing(void *out, apr_size_t len)
{
    memset(out, 0, len);
    return APR_EGENERAL;
}

static const char *encrypt(const char *successor, const char *sid, apr_pool_t *p)
{
    const char *text = NULL;

    return ddb_successor_encrypt(&text, successor, sid, draw, p) == APR_SUCCESS ? text : NULL;
}

/* NULL: it is no text of this room. */
static const char *decrypt(const char *text, const char *sid, apr_pool_t *p)
{
    const char *successor = "left alone";
    apr_status_t rv = ddb_successor_decrypt(&successor, text, sid, p);

    OK(rv == APR_SUCCESS || rv == APR_NOTFOUND, "a text is read, or is none");
    return rv == APR_SUCCESS ? successor : NULL;
}

static const char *letters(apr_size_t n, apr_pool_t *p)
{
    char *text = apr_palloc(p, n + 1);

    memset(text, 'x', n);
    text[n] = '\0';
    return text;
}

static void test_vector(apr_pool_t *p)
{
    const char *again;

    first = 0;
    IS(encrypt(OTHER, SID, p), TEXT, "an ID is encrypted as the format says");
    IS(decrypt(TEXT, SID, p), OTHER, "... and decrypted");
    first = 1;
    again = encrypt(OTHER, SID, p);
    OK(strncmp(again + 24, TEXT + 24, 20) != 0, "with another nonce it is another text");
    IS(decrypt(again, SID, p), OTHER, "... of the same ID");
}

/* Keys that sign IDs change, and an ID stays what it is. */
static void test_signature(apr_pool_t *p)
{
    first = 0;
    IS(encrypt(OTHER, SID ".c2lnbmF0dXJl", p), TEXT, "the signature of the old ID is no part of the key");
    IS(decrypt(TEXT, SID ".another", p), OTHER, "... when it is read either");
    IS(decrypt(encrypt(OTHER ".c2lnbmF0dXJl", SID, p), SID, p), OTHER ".c2lnbmF0dXJl",
       "that of the new one goes along");
}

static void test_lengths(apr_pool_t *p)
{
    apr_size_t n;
    int good = 1;
    const char *text = "before";

    for (n = 1; n <= MOST; n++) {
        const char *successor = letters(n, p), *made = encrypt(successor, SID, p), *found = NULL;
        good &= made && strlen(made) == (16 + n + 2) / 3 * 4
                && ddb_successor_decrypt(&found, made, SID, p) == APR_SUCCESS && strcmp(found, successor) == 0;
    }
    OK(good, "an ID of any length up to 256 bytes comes back");
    OK(strncmp(encrypt(letters(64, p), SID, p) + 24, encrypt(letters(64, p), SID, p) + 24, 20) == 0,
       "the same nonce makes the same text");
    NUM_IS(ddb_successor_encrypt(&text, letters(MOST + 1, p), SID, draw, p), APR_EINVAL, "a longer one is refused");
    IS(text, "before", "... and no text made");
    IS(decrypt(encrypt("", SID, p), SID, p), NULL, "no ID is none");
}

/* No two blocks of the stream are the same. */
static void test_stream(apr_pool_t *p)
{
    const char *zeros = encrypt(letters(MOST, p), SID, p);
    unsigned char raw[16 + MOST + 3];
    apr_size_t len = 0;
    int i, j, same = 0;

    apr_decode_base64_binary(raw, zeros, APR_ENCODE_STRING, APR_ENCODE_NONE, &len);
    NUM_IS(len, 16 + MOST, "nonce and ID are all there is");
    for (i = 0; i < MOST / 32; i++) {
        for (j = 0; j < i; j++) {
            same += memcmp(raw + 16 + 32 * i, raw + 16 + 32 * j, 32) == 0;
        }
    }
    NUM_IS(same, 0, "of 256 equal characters no 32 look like others");
}

static void test_wrong_id(apr_pool_t *p)
{
    ddb_sid_rules_t rules = { .bytes = 32 };
    const char *found = decrypt(TEXT, OTHER, p);

    OK(!found || ddb_sid_check(found, &rules, p) == APR_NOTFOUND, "another ID finds nothing that is an ID");
    found = decrypt(TEXT, "", p);
    OK(!found || ddb_sid_check(found, &rules, p) == APR_NOTFOUND, "... nor does none");
}

/* Rows can be changed by hand. */
static void test_damage(apr_pool_t *p)
{
    static const char *const damaged[] = {
        "",       "?",      "AAAA",    "AAECAwQFBgcICQoLDA0ODw", "AAECAwQFBgcICQoLDA0ODw==", TEXT "?", TEXT "\xc3\xa4",
        "?" TEXT, " " TEXT, TEXT "\n", TEXT TEXT TEXT TEXT TEXT
    };
    char *text = apr_pstrdup(p, TEXT);
    const char *found = "before";
    apr_size_t i;
    unsigned char raw[64];

    for (i = 0; i < DDB_ARRAY_LENGTH(damaged); i++) {
        IS(decrypt(damaged[i], SID, p), NULL, apr_psprintf(p, "damaged text %d is no text of an ID", (int)i));
    }
    IS(decrypt(letters(100000, p), SID, p), NULL, "nor is a text of any length");
    NUM_IS(ddb_successor_decrypt(&found, encrypt(letters(MOST, p), SID, p), SID, p), APR_SUCCESS, "the longest is");
    IS(decrypt(apr_pstrcat(p, letters(368, p), NULL), SID, p), NULL, "one of four characters more is not");

    text[0] = 'B';
    OK(strcmp(decrypt(text, SID, p) ? decrypt(text, SID, p) : "", OTHER) != 0, "another nonce is another ID, or none");
    text = apr_pstrdup(p, TEXT);
    text[30] = text[30] == 'A' ? 'B' : 'A';
    OK(strcmp(decrypt(text, SID, p) ? decrypt(text, SID, p) : "", OTHER) != 0, "so is a changed text");

    /* A NUL would end the ID before the text does. */
    apr_decode_base64_binary(raw, TEXT, APR_ENCODE_STRING, APR_ENCODE_NONE, NULL);
    raw[16 + 5] ^= OTHER[5];
    IS(decrypt(apr_pencode_base64_binary(p, raw, 16 + 43, APR_ENCODE_NONE, NULL), SID, p), NULL,
       "an ID with a NUL in it is none");
    raw[16 + 5] ^= OTHER[5];
    raw[16 + 42] ^= OTHER[42];
    IS(decrypt(apr_pencode_base64_binary(p, raw, 16 + 43, APR_ENCODE_NONE, NULL), SID, p), NULL,
       "... and one at its end, too");
}

static void test_random(apr_pool_t *p)
{
    const char *text = NULL;

    NUM_IS(ddb_successor_encrypt(&text, OTHER, SID, draw_nothing, p), APR_EGENERAL,
           "without random bytes nothing is encrypted");
    IS(text, NULL, "... and no text made");
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_vector, test_signature, test_lengths, test_stream, test_wrong_id, test_damage, test_random);
}
