/* ddb_device: challenges, identifiers and cookies of a session that is bound to a device. */

#include <string.h>

#include <apr_strings.h>

#include "base/ddb_array.h"
#include "store/ddb_device.h"
#include "tap.h"

/* Secrets, and texts as Python's hmac and base64 make them. */
#define SECRET          "AAECAwQFBgcICQoLDA0ODw=="
#define OTHER           "Dw4NDAsKCQgHBgUEAwIBAA=="
#define KEY             "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define NOW             1795413071
#define KNOWN_ID        "a0VuPsbaUsFRXWN9clVwnw"
#define KNOWN_INVITE    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8.1795413071.Uyz55s9xQJG0uSVciXxUZg"
#define KNOWN_CHALLENGE "AAECAwQFBgc.1795413071.GOJJAH4yDUEn-hcCaQXetg"
#define KNOWN_COOKIE    "1795413701.MCF2Dvp3Jml8jY6PCEmn6Q"

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

static void test_secret(apr_pool_t *p)
{
    const char *secret = NULL, *id = NULL, *again = NULL;

    OK(ddb_device_secret(&secret, counting, p) == APR_SUCCESS, "a secret");
    IS(secret, SECRET, "... of 16 bytes");
    NUM_IS(strlen(secret), DDB_DEVICE_SECRET_LEN, "... in so many characters");
    OK(ddb_device_secret(&secret, failing, p) == APR_EGENERAL, "no random bytes, no secret");
    OK(ddb_device_id(&id, SECRET, p) == APR_SUCCESS && ddb_device_id(&again, OTHER, p) == APR_SUCCESS, "identifiers");
    IS(id, KNOWN_ID, "... as the format says");
    OK(strcmp(id, again) != 0, "... another one for each secret");
}

static void test_invitation(apr_pool_t *p)
{
    const char *text = NULL;

    OK(ddb_device_invite(&text, SECRET, KEY, NOW, p) == APR_SUCCESS, "the challenge of a registration");
    IS(text, KNOWN_INVITE, "... as the format says");
    IS(ddb_device_invited(text, p), KEY, "... names the row");
    NUM_IS(ddb_device_check_invite(text, SECRET, NOW, 60), APR_SUCCESS, "it counts at once");
    NUM_IS(ddb_device_check_invite(text, SECRET, NOW + 60, 60), APR_SUCCESS, "... and for so long");
    NUM_IS(ddb_device_check_invite(text, SECRET, NOW + 61, 60), APR_NOTFOUND, "... and no longer");
    NUM_IS(ddb_device_check_invite(text, SECRET, NOW - DDB_DEVICE_SLACK, 60), APR_SUCCESS, "a clock that is behind");
    NUM_IS(ddb_device_check_invite(text, SECRET, NOW - DDB_DEVICE_SLACK - 1, 60), APR_NOTFOUND, "... not by more");
    NUM_IS(ddb_device_check_invite(text, OTHER, NOW, 60), APR_NOTFOUND, "another row's secret");
    NUM_IS(ddb_device_check_challenge(text, SECRET, NOW, 60), APR_NOTFOUND, "it is no challenge of a refresh");
    NUM_IS(ddb_device_check_cookie(text, SECRET, NOW), APR_NOTFOUND, "... nor a cookie");
    IS(ddb_device_invited("", p), NULL, "no row in nothing");
    IS(ddb_device_invited(KEY, p), NULL, "... nor in a key alone");
    IS(ddb_device_invited("A" KEY ".1.x", p), NULL, "... nor in a longer one");
}

static void test_challenge(apr_pool_t *p)
{
    const char *text = NULL, *next = NULL;

    OK(ddb_device_challenge(&text, SECRET, NOW, counting, p) == APR_SUCCESS, "the challenge of a refresh");
    IS(text, KNOWN_CHALLENGE, "... as the format says");
    OK(ddb_device_challenge(&next, SECRET, NOW, ddb_crypto_random, p) == APR_SUCCESS && strcmp(text, next) != 0,
       "... another one each time");
    NUM_IS(ddb_device_check_challenge(next, SECRET, NOW + 300, 300), APR_SUCCESS, "it counts for so long");
    NUM_IS(ddb_device_check_challenge(next, SECRET, NOW + 301, 300), APR_NOTFOUND, "... and no longer");
    NUM_IS(ddb_device_check_challenge(next, OTHER, NOW, 300), APR_NOTFOUND, "another row's secret");
    NUM_IS(ddb_device_check_invite(next, SECRET, NOW, 300), APR_NOTFOUND, "it is no challenge of a registration");
    OK(ddb_device_challenge(&next, SECRET, NOW, failing, p) == APR_EGENERAL, "no random bytes, no challenge");
}

static void test_cookie(apr_pool_t *p)
{
    const char *value = NULL;

    OK(ddb_device_cookie(&value, SECRET, NOW, 600, p) == APR_SUCCESS, "a cookie");
    IS(value, KNOWN_COOKIE, "... as the format says");
    NUM_IS(ddb_device_check_cookie(value, SECRET, NOW), APR_SUCCESS, "it counts");
    NUM_IS(ddb_device_check_cookie(value, SECRET, NOW + 600 + DDB_DEVICE_SLACK - 1), APR_SUCCESS, "... while it lasts");
    NUM_IS(ddb_device_check_cookie(value, SECRET, NOW + 600 + DDB_DEVICE_SLACK), APR_NOTFOUND, "... and no longer");
    NUM_IS(ddb_device_check_cookie(value, OTHER, NOW), APR_NOTFOUND, "another row's secret");
    NUM_IS(ddb_device_check_cookie(NULL, SECRET, NOW), APR_NOTFOUND, "none");
    NUM_IS(ddb_device_check_cookie(value, NULL, NOW), APR_NOTFOUND, "a row without a secret");
    OK(ddb_device_cookie(&value, SECRET, NOW, 8, p) == APR_SUCCESS, "one of short life");
    NUM_IS(ddb_device_check_cookie(value, SECRET, NOW + 10), APR_NOTFOUND, "... ends soon");
    NUM_IS(ddb_device_check_cookie(value, SECRET, NOW + 9), APR_SUCCESS, "... but not too soon");
}

/** No other text counts. */
static void test_changed(apr_pool_t *p)
{
    static const char *const made[] = { KNOWN_INVITE, KNOWN_CHALLENGE, KNOWN_COOKIE };
    static const char *const bad[] = {
        "", ".", "a", "AAAAAAAAAAAAAAAAAAAAAA", ".AAAAAAAAAAAAAAAAAAAAAA", "-1.AAAAAAAAAAAAAAAAAAAAAA"
    };
    static const char *const bad_secrets[] = { "", "AAECAwQFBgcICQoLDA0ODw",
                                               "AAECAwQFBgcICQoLDA0ODw=", "????????????????????????" };
    const char *id = NULL;
    apr_size_t i, j, accepted = 0;

    for (i = 0; i < DDB_ARRAY_LENGTH(made); i++) {
        char *text = apr_pstrdup(p, made[i]);

        for (j = 0; j <= strlen(made[i]); j++) {
            const char was = text[j];
            text[j] = was == 'B' ? 'C' : j == strlen(made[i]) ? '\0' : 'B';
            accepted += strcmp(text, made[i]) != 0
                        && (ddb_device_check_invite(text, SECRET, NOW, 60) == APR_SUCCESS
                            || ddb_device_check_challenge(text, SECRET, NOW, 60) == APR_SUCCESS
                            || ddb_device_check_cookie(text, SECRET, NOW) == APR_SUCCESS);
            text[j] = was;
        }
    }
    NUM_IS(accepted, 0, "no other text is accepted");
    for (i = 0; i < DDB_ARRAY_LENGTH(bad); i++) {
        OK(ddb_device_check_invite(bad[i], SECRET, NOW, 60) == APR_NOTFOUND
               && ddb_device_check_challenge(bad[i], SECRET, NOW, 60) == APR_NOTFOUND
               && ddb_device_check_cookie(bad[i], SECRET, NOW) == APR_NOTFOUND,
           apr_psprintf(p, "'%s' is nothing", bad[i]));
    }
    for (i = 0; i < DDB_ARRAY_LENGTH(bad_secrets); i++) {
        NUM_IS(ddb_device_id(&id, bad_secrets[i], p), APR_NOTFOUND, "no secret, no identifier");
    }
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_secret, test_invitation, test_challenge, test_cookie, test_changed);
}
