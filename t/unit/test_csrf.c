/* ddb_csrf and ddb_origin: the tokens of a session, and where a page that sent a request comes from. */

#include <string.h>

#include <apr_strings.h>

#include "base/ddb_array.h"
#include "base/ddb_origin.h"
#include "store/ddb_csrf.h"
#include "tap.h"

#define SID   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define OTHER "HBobGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEAHx4"

/* As Python's hmac and base64 make them: a token of SID with the mask 0, 1, 2 ..., and its
 * secret encrypted under OTHER. */
#define TOKEN_OF_SID "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh94jzklZcC-_X6xZfOIem4TwdmlffY1CgeL92KkcQK1jA"
#define KEY_OF_OTHER "v8APZAhHtqoBPT9pAWOYusxjTWfxXpm/53bJTWQG5vs="

static apr_status_t counting(void *out, apr_size_t len)
{
    unsigned char *bytes = out;
    apr_size_t i;

    for (i = 0; i < len; i++) {
        bytes[i] = (unsigned char)i;
    }
    return APR_SUCCESS;
}

static apr_status_t failing(void *out, apr_size_t len)
{
    memset(out, 0, len);
    return APR_EGENERAL;
}

static const char *token_of(const char *sid, const char *key, apr_pool_t *p)
{
    const char *token = "";

    OK(ddb_csrf_make(&token, sid, key, ddb_crypto_random, p) == APR_SUCCESS, "a token is made");
    return token;
}

static void test_token(apr_pool_t *p)
{
    const char *token = NULL, *one = token_of(SID, NULL, p), *two = token_of(SID, NULL, p);

    OK(ddb_csrf_make(&token, SID, NULL, counting, p) == APR_SUCCESS, "a token with a known mask");
    IS(token, TOKEN_OF_SID, "... is as the format says");
    NUM_IS(strlen(one), DDB_CSRF_LEN, "all are as long");
    OK(strncmp(one, two, 8) != 0 && strcmp(one + 43, two + 43) != 0, "no two are the same, in either half");
    NUM_IS(ddb_csrf_check(one, SID, NULL), APR_SUCCESS, "each is accepted");
    NUM_IS(ddb_csrf_check(two, SID, NULL), APR_SUCCESS, "... as often as it comes");
    NUM_IS(ddb_csrf_check(token, SID ".signature", NULL), APR_SUCCESS, "... whatever key signs the ID");
    NUM_IS(ddb_csrf_check(one, OTHER, NULL), APR_NOTFOUND, "another ID does not accept it");
    token = NULL;
    NUM_IS(ddb_csrf_make(&token, SID, NULL, failing, p), APR_EGENERAL, "no random bytes, no token");
    IS(token, NULL, "... at all");
}

static void test_no_token(apr_pool_t *p)
{
    static const char *const none[] = { NULL, "", "x", TOKEN_OF_SID "A", TOKEN_OF_SID "=", TOKEN_OF_SID ",x" };
    const char *token = token_of(SID, NULL, p);
    char *changed;
    apr_size_t i;
    int accepted = 0;

    for (i = 0; i < DDB_ARRAY_LENGTH(none); i++) {
        NUM_IS(ddb_csrf_check(none[i], SID, NULL), APR_NOTFOUND, "no token");
    }
    for (i = 0; i + 1 < DDB_CSRF_LEN; i++) { /* of the last digit, half the bits belong to no byte */
        changed = apr_pstrdup(p, token);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        accepted += ddb_csrf_check(changed, SID, NULL) == APR_SUCCESS;
    }
    NUM_IS(accepted, 0, "nor one with any digit changed");
    changed = apr_pstrmemdup(p, token, DDB_CSRF_LEN - 1);
    NUM_IS(ddb_csrf_check(changed, SID, NULL), APR_NOTFOUND, "nor one without its last digit");
    changed = apr_pstrdup(p, token);
    memset(changed, 'A', DDB_CSRF_LEN);
    NUM_IS(ddb_csrf_check(changed, SID, NULL), APR_NOTFOUND, "nor nothing but zeros");
}

static void test_new_id(apr_pool_t *p)
{
    const char *before = token_of(SID, NULL, p), *key = NULL, *third, *after;

    OK(ddb_csrf_move(&key, SID, OTHER, p) == APR_SUCCESS, "the session moves to another ID");
    IS(key, KEY_OF_OTHER, "... which is stored as the format says");
    NUM_IS(ddb_csrf_check(before, OTHER, key), APR_SUCCESS, "an earlier token stays valid");
    NUM_IS(ddb_csrf_check(before, OTHER, NULL), APR_NOTFOUND, "... by what is stored");
    NUM_IS(ddb_csrf_check(before, SID "x", key), APR_NOTFOUND, "... and opens with that ID only");
    after = token_of(OTHER, key, p);
    NUM_IS(ddb_csrf_check(after, OTHER, key), APR_SUCCESS, "new ones are valid");
    NUM_IS(ddb_csrf_check(after, SID, NULL), APR_SUCCESS, "... for both, as the secret is the same");
    third = key;
    OK(ddb_csrf_move(&third, OTHER, SID ".x", p) == APR_SUCCESS && strcmp(third, key) != 0, "it moves once more");
    NUM_IS(ddb_csrf_check(before, SID, third), APR_SUCCESS, "... and the first token is still valid");
    NUM_IS(ddb_csrf_check(token_of(SID, "no base64", p), SID, NULL), APR_SUCCESS, "what is no text of ours is ignored");
}

static void test_origin(apr_pool_t *p)
{
    static const struct {
        const char *url, *host;
        int tls, same;
    } cases[] = {
        { "https://example.org", "example.org", 1, 1 },
        { "https://example.org/a?b#c", "example.org", 1, 1 },
        { "https://example.org?b", "example.org", 1, 1 },
        { "https://example.org#c", "example.org", 1, 1 },
        { "HTTPS://Example.ORG", "example.org", 1, 1 },
        { "https://example.org:443", "example.org", 1, 1 },
        { "https://example.org", "example.org:443", 1, 1 },
        { "https://example.org:8443", "example.org:8443", 1, 1 },
        { "https://[::1]:443", "[::1]", 1, 1 },
        { "http://example.org", "example.org", 0, 1 },
        { "http://example.org:80", "example.org", 0, 1 },
        { "https://example.org", "example.org", 0, 1 }, /* TLS ends in front of the server */
        { "http://example.org", "example.org", 1, 0 },
        { "http://example.org:443", "example.org", 0, 0 },
        { "https://example.org:80", "example.org", 1, 0 },
        { "https://example.org:8443", "example.org", 1, 0 },
        { "https://example.org", "example.org:8443", 1, 0 },
        { "https://www.example.org", "example.org", 1, 0 },
        { "https://example.org", "www.example.org", 1, 0 },
        { "https://example.org.evil.test", "example.org", 1, 0 },
        { "https://evil.test/https://example.org", "example.org", 1, 0 },
        { "https://example.org@evil.test", "example.org", 1, 0 },
        { "https://evil.test@example.org", "example.org", 1, 0 },
        { "https://example.org, https://evil.test", "example.org", 1, 0 },
        { "https://example.org\\.evil.test", "example.org", 1, 0 },
        { "https://", "", 1, 0 },
        { "https://", "example.org", 1, 0 },
        { "https:///example.org", "example.org", 1, 0 },
        { "https:example.org", "example.org", 1, 0 },
        { "null", "example.org", 1, 0 },
        { "null", "null", 1, 0 },
        { "", "example.org", 1, 0 },
        { "", "", 0, 0 },
        { "ftp://example.org", "example.org", 0, 0 },
        { "https://example.org", NULL, 1, 0 },
    };
    apr_size_t i;

    for (i = 0; i < DDB_ARRAY_LENGTH(cases); i++) {
        NUM_IS(ddb_origin_is_same(cases[i].url, cases[i].host, cases[i].tls), cases[i].same,
               apr_psprintf(p, "'%s' to %s%s is %s", cases[i].url, cases[i].host ? cases[i].host : "no host",
                            cases[i].tls ? ", over TLS," : "", cases[i].same ? "the same" : "another"));
    }
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_token, test_no_token, test_new_id, test_origin);
}
