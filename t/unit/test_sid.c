/* ddb_sid: how IDs look, what is refused before any look at the table, and what is derived. */

#include <stdlib.h>

#include <apr_strings.h>

#include "store/ddb_sid.h"
#include "tap.h"
#include "world.h"

#define ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* 32 bytes 0 to 31, and what itsdangerous 2.1.2 makes of that with these keys. */
#define VALUE         "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define SIGNED_NEW    VALUE ".l0eOKvTaXU8Ok569DD8K6KVq9HE"
#define SIGNED_OLD    VALUE ".saMh77y5X88fd4Z7rboYqE8wz_Q"
#define SIGNED_SHA256 VALUE ".7gOn_XZGLAF2LZtsHvCCLyQvtesdMw9m_V0O4WChbcY"

static apr_status_t count_up(void *out, apr_size_t len)
{
    apr_size_t i;

    for (i = 0; i < len; i++) {
        ((unsigned char *)out)[i] = (unsigned char)i;
    }
    return APR_SUCCESS;
}

static apr_status_t no_random(void *out, apr_size_t len)
{
    (void)out;
    (void)len;
    return APR_ENOENT;
}

static ddb_sid_rules_t rules_of(int bytes, ddb_digest_e digest, const apr_array_header_t *keys)
{
    ddb_sid_rules_t rules = { .digest = DDB_SHA1, .hash = 1 };

    rules.bytes = bytes;
    rules.digest = digest;
    rules.keys = keys;
    return rules;
}

static const apr_array_header_t *keys_of(apr_pool_t *p, const char *first, const char *second)
{
    apr_array_header_t *keys = apr_array_make(p, 2, sizeof(const char *));

    if (first) {
        APR_ARRAY_PUSH(keys, const char *) = first;
    }
    if (second) {
        APR_ARRAY_PUSH(keys, const char *) = second;
    }
    return keys;
}

static apr_status_t check(const char *sid, int bytes, ddb_digest_e digest, const apr_array_header_t *keys,
                          apr_pool_t *p)
{
    ddb_sid_rules_t rules = rules_of(bytes, digest, keys);

    return ddb_sid_check(sid, &rules, p);
}

static const char *make(int bytes, ddb_digest_e digest, const apr_array_header_t *keys, apr_pool_t *p)
{
    ddb_sid_rules_t rules = rules_of(bytes, digest, keys);
    const char *sid = NULL;

    return ddb_sid_make(&sid, &rules, count_up, p) == APR_SUCCESS ? sid : NULL;
}

static void test_make(apr_pool_t *p)
{
    const apr_array_header_t *keys = keys_of(p, "old key", "new key");
    ddb_sid_rules_t rules = rules_of(32, DDB_SHA1, NULL);
    const char *sid = "untouched", *other;

    IS(make(32, DDB_SHA1, NULL, p), VALUE, "an ID is base64url of the random bytes, without padding");
    IS(make(32, DDB_SHA1, keys_of(p, NULL, NULL), p), VALUE, "an empty list of keys is as none");
    IS(make(32, DDB_SHA1, keys, p), SIGNED_NEW, "the last key signs, as itsdangerous does");
    NUM_IS(strlen(make(32, DDB_SHA1, keys, p)), 71, "43 characters, a point and 27");
    IS(make(32, DDB_SHA256, keys, p), SIGNED_SHA256, "so with SHA-256");
    NUM_IS(strlen(make(16, DDB_SHA1, NULL, p)), 22, "16 bytes are 22 characters");
    NUM_IS(strlen(make(17, DDB_SHA1, NULL, p)), 23, "17 bytes are 23 characters");
    NUM_IS(strlen(make(18, DDB_SHA1, NULL, p)), 24, "18 bytes are 24 characters");
    NUM_IS(strlen(make(128, DDB_SHA1, NULL, p)), 171, "128 bytes are 171 characters");
    OK(!make(15, DDB_SHA1, NULL, p) && !make(129, DDB_SHA1, NULL, p) && !make(-1, DDB_SHA1, NULL, p),
       "no ID is made of fewer or more bytes than the limits allow");

    NUM_IS(ddb_sid_make(&sid, &rules, no_random, p), APR_ENOENT, "no ID without random bytes");
    IS(sid, "untouched", "and nothing that looks like one");
    ddb_sid_make(&sid, &rules, world_random, p);
    ddb_sid_make(&other, &rules, world_random, p);
    OK(strcmp(sid, other) != 0, "each ID asks for its own bytes");
    ddb_sid_make(&sid, &rules, ddb_crypto_random, p);
    NUM_IS(ddb_sid_check(sid, &rules, p), APR_SUCCESS, "an ID of real random bytes passes the check");
}

static void test_older_lengths(apr_pool_t *p)
{
    static const int bytes[] = { 16, 17, 18, 48, 128 };
    const apr_array_header_t *keys = keys_of(p, "old key", "new key");
    apr_array_header_t *older = apr_array_make(p, 2, sizeof(int));
    int i, signing, others = 0;

    APR_ARRAY_PUSH(older, int) = 16;
    APR_ARRAY_PUSH(older, int) = 48;
    for (signing = 0; signing < 2; signing++) {
        const apr_array_header_t *with = signing ? keys : NULL;
        ddb_sid_rules_t rules = rules_of(32, DDB_SHA1, with);
        const char *sid;
        apr_status_t rv;

        rules.older = older;
        ddb_sid_make(&sid, &rules, count_up, p);
        IS(sid, signing ? SIGNED_NEW : VALUE, "a new ID has the first length");
        NUM_IS(ddb_sid_check(sid, &rules, p), APR_SUCCESS, "... and is accepted");
        for (i = 0; i < 5; i++) {
            rv = ddb_sid_check(make(bytes[i], DDB_SHA1, with, p), &rules, p);
            others += rv == (bytes[i] == 16 || bytes[i] == 48 ? APR_SUCCESS : APR_NOTFOUND);
        }
        NUM_IS(ddb_sid_check(make(16, DDB_SHA1, signing ? NULL : keys, p), &rules, p), APR_NOTFOUND,
               "an older length does without the signature as little as the first, and with one");
    }
    NUM_IS(others, 10, "the others that are listed are accepted, and no further one");
    OK(check(make(16, DDB_SHA1, keys_of(p, "other key", NULL), p), 16, DDB_SHA1, keys, p) == APR_NOTFOUND,
       "a signature by another key is refused whatever the length");
}

static void test_round_trip(apr_pool_t *p)
{
    const apr_array_header_t *keys = keys_of(p, "a key", NULL);
    int bytes, bad = 0;

    for (bytes = DDB_SID_BYTES_MIN; bytes <= DDB_SID_BYTES_MAX; bytes++) {
        bad += check(make(bytes, DDB_SHA1, NULL, p), bytes, DDB_SHA1, NULL, p) != APR_SUCCESS;
        bad += check(make(bytes, DDB_SHA1, keys, p), bytes, DDB_SHA1, keys, p) != APR_SUCCESS;
        bad += check(make(bytes, DDB_SHA256, keys, p), bytes, DDB_SHA256, keys, p) != APR_SUCCESS;
        bad += check(make(bytes, DDB_SHA1, keys, p), bytes, DDB_SHA256, keys, p) != APR_NOTFOUND;
        bad += check(make(bytes, DDB_SHA1, keys, p), bytes, DDB_SHA1, NULL, p) != APR_NOTFOUND;
        bad += check(make(bytes, DDB_SHA1, NULL, p), bytes, DDB_SHA1, keys, p) != APR_NOTFOUND;
        bad += bytes > DDB_SID_BYTES_MIN
               && check(make(bytes, DDB_SHA1, NULL, p), bytes - 1, DDB_SHA1, NULL, p) != APR_NOTFOUND;
    }
    NUM_IS(bad, 0, "at every length an ID passes its own rules and no others");
}

/* IDs by the rules of 32 bytes without keys. */
static void test_refused_form(apr_pool_t *p)
{
    static const struct {
        const char *sid, *name;
    } bad[] = {
        { "", "an empty ID" },
        { "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh", "one cut short" },
        { VALUE "A", "one with a character more" },
        { VALUE "=", "one with padding" },
        { "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh=", "padding in the place of the last character" },
        { "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH==", "padding in the place of the last two" },
        { "=AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "padding in front" },
        { "+AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "a plus, of the other base64" },
        { "/AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "a slash, of the other base64" },
        { "AAECAwQFBgcICQoLDA0O.xAREhMUFRYXGBkaGxwdHh8", "a point within" },
        { "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9", "the lowest spare bit set" },
        { "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh-", "the upper spare bit set" },
        { " AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "a space in front" },
        { "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n", "a line end behind" },
        { "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh\n", "a line end for the last character" },
        { "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh%", "a percent sign" },
        { "\x80"
          "AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
          "a byte over 127" },
        { "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6\xf5\xf4\xf3\xf2\xf1\xf0\xef\xee\xed\xec\xeb\xea\xe9\xe8\xe7\xe6\xe5"
          "\xe4\xe3\xe2\xe1\xe0\xdf\xde\xdd\xdc\xdb\xda\xd9\xd8\xd7\xd6\xd5",
          "binary of the right length" },
        { "\x01\x02\x03", "binary of another length" },
        { SIGNED_NEW, "a signed ID where none is expected" },
        { VALUE ".", "an ID and a point" },
    };
    char *huge = apr_palloc(p, 3001);
    int i;

    NUM_IS(check(VALUE, 32, DDB_SHA1, NULL, p), APR_SUCCESS, "the ID that these are made from is good");
    for (i = 0; i < (int)(sizeof(bad) / sizeof(bad[0])); i++) {
        NUM_IS(check(bad[i].sid, 32, DDB_SHA1, NULL, p), APR_NOTFOUND, apr_pstrcat(p, "refused: ", bad[i].name, NULL));
    }
    memset(huge, 'A', 3000);
    huge[3000] = '\0';
    NUM_IS(check(huge, 32, DDB_SHA1, NULL, p), APR_NOTFOUND, "refused: 3,000 characters");
    NUM_IS(check(huge, 32, DDB_SHA1, keys_of(p, "k", NULL), p), APR_NOTFOUND, "refused: 3,000 characters, with keys");
    NUM_IS(check(NULL, 32, DDB_SHA1, NULL, p), APR_NOTFOUND, "refused: no ID at all");
    NUM_IS(check(VALUE, 8, DDB_SHA1, NULL, p), APR_EINVAL, "rules of too few bytes are an error, not an answer");
    NUM_IS(check(VALUE, 129, DDB_SHA1, NULL, p), APR_EINVAL, "and so are rules of too many");
}

/* The right length is read to its end and not a byte further: valgrind and ASan watch this one. */
static void test_unterminated(void)
{
    char *raw = malloc(44);
    apr_pool_t *p;

    apr_pool_create(&p, NULL);
    memset(raw, 'A', 44);
    NUM_IS(check(raw, 32, DDB_SHA1, NULL, p), APR_NOTFOUND, "no more is read than decides");
    free(raw);
    apr_pool_destroy(p);
}

static void test_keys(apr_pool_t *p)
{
    const apr_array_header_t *both = keys_of(p, "old key", "new key");

    NUM_IS(check(SIGNED_NEW, 32, DDB_SHA1, both, p), APR_SUCCESS, "signed by the newest key");
    NUM_IS(check(SIGNED_OLD, 32, DDB_SHA1, both, p), APR_SUCCESS, "signed by an older key");
    NUM_IS(check(SIGNED_SHA256, 32, DDB_SHA256, both, p), APR_SUCCESS, "signed with SHA-256");
    NUM_IS(check(SIGNED_OLD, 32, DDB_SHA1, keys_of(p, "new key", NULL), p), APR_NOTFOUND, "by a key taken out");
    NUM_IS(check(SIGNED_NEW, 32, DDB_SHA1, keys_of(p, "old key", NULL), p), APR_NOTFOUND, "by a key not known yet");
    NUM_IS(check(SIGNED_NEW, 32, DDB_SHA1, keys_of(p, "New key", NULL), p), APR_NOTFOUND, "by a key of another case");
    NUM_IS(check(SIGNED_NEW, 32, DDB_SHA1, keys_of(p, "new key ", NULL), p), APR_NOTFOUND, "by a key that is longer");
    NUM_IS(check(SIGNED_NEW, 32, DDB_SHA256, both, p), APR_NOTFOUND, "SHA-1 where SHA-256 is expected");
    NUM_IS(check(SIGNED_SHA256, 32, DDB_SHA1, both, p), APR_NOTFOUND, "SHA-256 where SHA-1 is expected");
    NUM_IS(check(VALUE, 32, DDB_SHA1, both, p), APR_NOTFOUND, "no signature");
    NUM_IS(check(VALUE ".", 32, DDB_SHA1, both, p), APR_NOTFOUND, "an empty signature");
    NUM_IS(check(VALUE "..", 32, DDB_SHA1, both, p), APR_NOTFOUND, "two points");
    NUM_IS(check(VALUE ".AAAAAAAAAAAAAAAAAAAAAAAAAAA", 32, DDB_SHA1, both, p), APR_NOTFOUND, "a made-up signature");
    NUM_IS(check(VALUE "..AAAAAAAAAAAAAAAAAAAAAAAAAA", 32, DDB_SHA1, both, p), APR_NOTFOUND, "a point in it");
    NUM_IS(check(VALUE "Al0eOKvTaXU8Ok569DD8K6KVq9HE", 32, DDB_SHA1, both, p), APR_NOTFOUND, "no point at all");
}

/* Any other character at any place of a signed ID: no signature fits, whatever the base64 decodes to. */
static void test_altered(apr_pool_t *p)
{
    const apr_array_header_t *both = keys_of(p, "old key", "new key");
    char sid[] = SIGNED_NEW;
    int i, bad = 0, tried = 0;
    const char *c;

    for (i = 0; sid[i]; i++) {
        char right = sid[i];
        for (c = ALPHABET ".=+/ \n\x80\xff"; *c; c++) {
            sid[i] = *c;
            tried += *c != right;
            bad += *c != right && check(sid, 32, DDB_SHA1, both, p) != APR_NOTFOUND;
        }
        sid[i] = right;
    }
    NUM_IS(bad, 0, "a signed ID with one other character is refused, spare bits included");
    NUM_IS(tried, 71 * 71, "so tried with every character at every place");
    for (i = 0; sid[i]; i++) {
        char *cut = apr_pstrndup(p, sid, (apr_size_t)i);
        bad += check(cut, 32, DDB_SHA1, both, p) != APR_NOTFOUND;
    }
    NUM_IS(bad, 0, "and so is every beginning of one");
    NUM_IS(check(sid, 32, DDB_SHA1, both, p), APR_SUCCESS, "the ID itself still passes");
}

static void test_table_key(apr_pool_t *p)
{
    ddb_sid_rules_t rules = rules_of(32, DDB_SHA1, NULL);
    const char *plain, *other;

    NUM_IS(ddb_sid_table_key(&plain, VALUE, &rules, p), APR_SUCCESS, "a table key is made");
    IS(plain, "6oZqdX5MOLq_qBJ8vppAnT4fk6AP8UiP9zX8-Rev_9A", "it is base64url of the SHA-256 of the ID as text");
    ddb_sid_table_key(&other, SIGNED_NEW, &rules, p);
    IS(other, plain, "the signature does not change it");
    ddb_sid_table_key(&other, SIGNED_OLD, &rules, p);
    IS(other, plain, "nor does rotating keys");
    rules.audience = "shop";
    NUM_IS(ddb_sid_table_key(&other, SIGNED_NEW, &rules, p), APR_SUCCESS, "with an audience");
    /* Python: b64url(hmac.new(b"shop", VALUE, "sha256").digest()) */
    IS(other, "YPEMIOAtEOSivFW9_vXtoeNwuA79Na75uW0CCBGrvfA", "... it is the HMAC under that label");
    rules.audience = NULL;
    rules.hash = 0;
    ddb_sid_table_key(&other, SIGNED_NEW, &rules, p);
    IS(other, SIGNED_NEW, "without hashing it is the whole ID, with its signature");
}

static void test_derived(apr_pool_t *p)
{
    const char *mark, *other;

    IS(ddb_sid_loggable("abc", p),
       "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
       "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
       "what may be logged is the SHA-512 of any text");
    NUM_IS(strlen(ddb_sid_loggable("", p)), 128, "even of none");
    OK(strcmp(ddb_sid_loggable(SIGNED_NEW, p), ddb_sid_loggable(VALUE, p)) != 0, "signature and all");

    NUM_IS(ddb_sid_user_mark(&mark, VALUE, "alice", p), APR_SUCCESS, "a mark is made of a user");
    IS(mark, "b6o6v0t1j0Ov2JKNyhL7WhOPZPQFtMOT2-JwnUwmK1U", "it is base64url of HMAC-SHA-256, keyed with the ID");
    ddb_sid_user_mark(&other, SIGNED_NEW, "alice", p);
    IS(other, mark, "the signature does not change it");
    ddb_sid_user_mark(&other, VALUE, "bob", p);
    OK(strcmp(other, mark) != 0, "another user has another");
    ddb_sid_user_mark(&other, "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "alice", p);
    OK(strcmp(other, mark) != 0, "the same user has another in another session");
    NUM_IS(ddb_sid_user_mark(&other, VALUE, "", p), APR_SUCCESS, "an empty name has a mark too");
}

/* An ID for a secret of another kind; the expected text is of Python's hmac. */
static void test_of_secret(apr_pool_t *p)
{
    static const char secret[] = "01234567-89ab-4def-8123-456789abcdef";
    ddb_sid_rules_t rules = rules_of(32, DDB_SHA1, NULL);
    const char *sid = NULL, *other = NULL;

    NUM_IS(ddb_sid_derive(&sid, &rules, secret, p), APR_SUCCESS, "an ID is derived from a secret");
    IS(sid, "XWfDPjj8jQXXIipr2ESyBQ3sk9XQYgfGft7wdCOe9Zo", "it is HMAC-SHA-256 under the secret");
    NUM_IS(ddb_sid_check(sid, &rules, p), APR_SUCCESS, "and an ID like any other");
    ddb_sid_derive(&other, &rules, secret, p);
    IS(other, sid, "the same secret makes the same");
    ddb_sid_derive(&other, &rules, "01234567-89ab-4def-8123-456789abcdeF", p);
    OK(strcmp(other, sid) != 0, "another one another");
    rules.bytes = 16;
    ddb_sid_derive(&other, &rules, secret, p);
    IS(other, "XWfDPjj8jQXXIipr2ESyBQ", "as long as the rules say");
    rules.bytes = 128;
    ddb_sid_derive(&other, &rules, secret, p);
    IS(other,
       "XWfDPjj8jQXXIipr2ESyBQ3sk9XQYgfGft7wdCOe9ZqV8AXixI_58bkdEcCLwbZFeBFEjspoletHhRlCMJtJgSaMfIHIdPbLCDnqwItHrLSJ"
       "mVIEL0uRScF38bRk1Eaiyf3sqLq3sWib_x-K79YMCs1dFHWHvqW1mFjs3-7K7AM",
       "even the longest");
    rules.bytes = 129;
    NUM_IS(ddb_sid_derive(&other, &rules, secret, p), APR_EINVAL, "and no longer");
    rules = rules_of(32, DDB_SHA256, keys_of(p, "old key", "new key"));
    ddb_sid_derive(&other, &rules, secret, p);
    OK(strncmp(other, sid, 43) == 0 && other[43] == '.', "signed where IDs are");
    NUM_IS(ddb_sid_check(other, &rules, p), APR_SUCCESS, "with a good signature");
    NUM_IS(ddb_sid_derive(&other, &rules, "", p), APR_SUCCESS, "no secret is none, but no fault");
}

TAP_MAIN(p)
{
    test_make(p);
    test_older_lengths(p);
    test_round_trip(p);
    test_refused_form(p);
    test_unterminated();
    test_keys(p);
    test_altered(p);
    test_table_key(p);
    test_derived(p);
    test_of_secret(p);
}
