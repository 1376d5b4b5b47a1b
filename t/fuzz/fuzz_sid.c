/* Session IDs: what comes as one, and what becomes of a good one that somebody edits. The first character of an input
 * chooses the rules; the rest is the ID, and then the random bytes of one that is made and edited. */

#include "store/ddb_sid.h"
#include "fuzz.h"

static const char *random_bytes;
static apr_size_t random_left;

static apr_status_t random_of_input(void *out, apr_size_t len)
{
    apr_size_t n = len < random_left ? len : random_left;

    memset(out, 0, len);
    memcpy(out, random_bytes, n);
    random_bytes += n;
    random_left -= n;
    return APR_SUCCESS;
}

/* With all rules, IDs of so many bytes are accepted too. */
#define OLDER 24

/* a: 16 bytes, unsigned; up to r: 16, 17, 32 bytes; no, one, two keys; SHA-1, SHA-256. Upper case: 128 bytes. */
static ddb_sid_rules_t rules_of(int c, apr_pool_t *p)
{
    static const int lengths[] = { 16, 17, 32 };
    static const char *const known_keys[] = { "old key", "a key of thirty-two characters.." };
    apr_array_header_t *keys = apr_array_make(p, 2, sizeof(const char *));
    apr_array_header_t *older = apr_array_make(p, 1, sizeof(int));
    int n = (c & 31) + 17, i; /* 'a' is 18, a multiple of 18 */
    ddb_sid_rules_t rules = { .bytes = c & 32 ? lengths[n % 3] : DDB_SID_BYTES_MAX,
                              .digest = n / 9 % 2 ? DDB_SHA256 : DDB_SHA1,
                              .keys = keys,
                              .hash = c & 1,
                              .older = older };

    APR_ARRAY_PUSH(older, int) = OLDER;
    for (i = 0; i < n / 3 % 3; i++) {
        APR_ARRAY_PUSH(keys, const char *) = known_keys[i];
    }
    return rules;
}

static apr_size_t base64_length(apr_size_t bytes)
{
    return (bytes * 8 + 5) / 6;
}

/* One spelling for each run of bytes: the bits that are over have to be zero. */
static void is_canonical(const char *part, apr_size_t bytes)
{
    const char *last = strchr(FUZZ_BASE64URL, part[strlen(part) - 1]);
    unsigned spare = (unsigned)(base64_length(bytes) * 6 - bytes * 8);

    HOLDS(fuzz_is_of(part, FUZZ_BASE64URL));
    HOLDS(strlen(part) == base64_length(bytes));
    HOLDS(((last - FUZZ_BASE64URL) & ((1 << spare) - 1)) == 0);
}

static void has_exact_form(const char *sid, const ddb_sid_rules_t *rules, apr_pool_t *p)
{
    const char *dot = strchr(sid, '.');
    const char *value = dot ? apr_pstrmemdup(p, sid, (apr_size_t)(dot - sid)) : sid;
    const char *key, *key_without;

    if (rules->keys->nelts) {
        HOLDS(dot);
        is_canonical(dot + 1, ddb_crypto_size(rules->digest));
    }
    else {
        HOLDS(!dot);
    }
    is_canonical(value, strlen(value) == base64_length(OLDER) ? OLDER : (apr_size_t)rules->bytes);
    HOLDS(ddb_sid_table_key(&key, sid, rules, p) == APR_SUCCESS);
    if (!rules->hash) {
        HOLDS(strcmp(key, sid) == 0);
        return;
    }
    is_canonical(key, DDB_SHA256_BYTES);
    HOLDS(ddb_sid_table_key(&key_without, value, rules, p) == APR_SUCCESS && strcmp(key, key_without) == 0);
}

/* Any text may come here. */
static void check_as_it_came(const char *sid, const ddb_sid_rules_t *rules, apr_pool_t *p)
{
    apr_status_t rv = ddb_sid_check(sid, rules, p);
    const char *loggable = ddb_sid_loggable(sid, p), *mark;

    HOLDS(rv == APR_SUCCESS || rv == APR_NOTFOUND);
    HOLDS(strlen(loggable) == 2 * DDB_SHA512_BYTES && fuzz_is_of(loggable, FUZZ_DIGITS "abcdef"));
    HOLDS(ddb_sid_user_mark(&mark, sid, sid, p) == APR_SUCCESS);
    is_canonical(mark, DDB_SHA256_BYTES);
    if (rv == APR_SUCCESS) {
        has_exact_form(sid, rules, p);
    }
}

/* Nobody guesses a signature: a signed ID of which anything changed is none. */
static void edit(const char *sid, const ddb_sid_rules_t *rules, apr_pool_t *p)
{
    char *edited = apr_pstrdup(p, sid);
    unsigned char place[2];

    while (random_left >= 2) {
        random_of_input(place, 2);
        edited[place[0] % strlen(sid)] = (char)place[1];
    }
    check_as_it_came(edited, rules, p);
    if (rules->keys->nelts) {
        char *last = apr_pstrdup(p, sid) + strlen(sid) - 1;

        *last = *last == 'A' ? 'B' : 'A';
        HOLDS(ddb_sid_check(last + 1 - strlen(sid), rules, p) == APR_NOTFOUND);
        HOLDS((ddb_sid_check(edited, rules, p) == APR_SUCCESS) == (strcmp(edited, sid) == 0));
    }
    HOLDS(ddb_sid_check(apr_pstrcat(p, sid, "=", NULL), rules, p) == APR_NOTFOUND);
    HOLDS(ddb_sid_check(apr_pstrmemdup(p, sid, strlen(sid) - 1), rules, p) == APR_NOTFOUND);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    char *text = fuzz_text(data, size);
    const char *sid;

    if (size > 1) {
        ddb_sid_rules_t rules = rules_of(text[0], p);

        check_as_it_came(text + 1, &rules, p);
        random_bytes = text + 1;
        random_left = size - 1;
        HOLDS(ddb_sid_make(&sid, &rules, random_of_input, p) == APR_SUCCESS);
        HOLDS(ddb_sid_check(sid, &rules, p) == APR_SUCCESS);
        has_exact_form(sid, &rules, p);
        edit(sid, &rules, p);
    }
    return fuzz_end();
}
