/* Marks of users: base64url (RFC 4648 section 5, no padding) of units of 32 bytes. The first is the key of the marks,
 * encrypted under the session ID; each other one is a realm: half a tag of the realm, half a mark of its user. */

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "base/ddb_crypto.h"
#include "store/ddb_marks.h"

#define UNIT      DDB_SHA256_BYTES
#define HALF      (UNIT / 2) /* 128 bits: the truncation that RFC 2104 section 5 allows */
#define UNITS_MAX (1 + DDB_MARKS_REALMS_MAX)

/* Labels of what is derived from an ID and from the key. */
#define FIRST_KEY "session-dynamodb marks: key"
#define PAD       "session-dynamodb marks: pad"
#define REALM     "realm"
#define USER      "user"

typedef struct marks_t {
    unsigned char units[UNITS_MAX][UNIT]; /* the first one holds the key in clear */
    int count;                            /* of realms */
} marks_t;

static apr_status_t derive(unsigned char *out, const char *sid, const char *label)
{
    ddb_bytes_t key = { sid, strcspn(sid, ".") }, text = { label, strlen(label) };

    return ddb_crypto_hmac(DDB_SHA256, out, key, text);
}

/* A one-time pad: an ID encrypts one key ever, that of its session. */
static apr_status_t encrypt_key(marks_t *m, const char *sid)
{
    unsigned char pad[UNIT];
    apr_status_t rv = derive(pad, sid, PAD);
    int i;

    for (i = 0; i < UNIT && rv == APR_SUCCESS; i++) {
        m->units[0][i] ^= pad[i];
    }
    ddb_crypto_wipe(pad, sizeof(pad));
    return rv;
}

/* @return 0 for what is no text of this room, as in a row that was changed by hand. */
static int decode(marks_t *m, const char *text)
{
    apr_size_t most = (sizeof(m->units) * 4 + 2) / 3, len = text ? strnlen(text, most + 1) : 0, bytes = 0;
    unsigned char raw[sizeof(m->units) + 3];

    if (!len || len > most
        || apr_decode_base64_binary(raw, text, (apr_ssize_t)len, APR_ENCODE_NONE, &bytes) != APR_SUCCESS
        || bytes % UNIT != 0 || bytes < 2 * UNIT) {
        return 0;
    }
    memcpy(m->units, raw, bytes);
    m->count = (int)(bytes / UNIT) - 1;
    return 1;
}

/* The marks of a session, with the key in clear; a session without marks gets a key. */
static apr_status_t read_marks(marks_t *m, const char *text, const char *sid)
{
    memset(m, 0, sizeof(*m));
    return decode(m, text) ? encrypt_key(m, sid) : derive(m->units[0], sid, FIRST_KEY);
}

static apr_status_t write_marks(const char **text, marks_t *m, const char *sid, apr_pool_t *p)
{
    apr_status_t rv = m->count ? encrypt_key(m, sid) : APR_SUCCESS;

    if (rv == APR_SUCCESS) {
        *text = m->count ? apr_pencode_base64_binary(p, m->units[0], (apr_ssize_t)UNIT * (1 + m->count),
                                                     APR_ENCODE_BASE64URL, NULL)
                         : NULL;
    }
    ddb_crypto_wipe(m, sizeof(*m));
    return rv;
}

/* Half a unit: HMAC under the key of label, NUL, realm, NUL, user. */
static apr_status_t mark(unsigned char *out, const marks_t *m, const char *label, const ddb_marks_user_t *u,
                         apr_pool_t *p)
{
    ddb_bytes_t key = { m->units[0], UNIT }, in;
    unsigned char mac[UNIT];
    apr_status_t rv;

    in.data = apr_psprintf(p, "%s%c%s%c%s", label, '\0', u->realm, '\0', u->user);
    in.len = strlen(label) + strlen(u->realm) + strlen(u->user) + 2;
    rv = ddb_crypto_hmac(DDB_SHA256, mac, key, in);
    memcpy(out, mac, HALF);
    ddb_crypto_wipe(mac, sizeof(mac));
    return rv;
}

/* The unit of a realm, made for a user. */
static apr_status_t make_unit(unsigned char *unit, const marks_t *m, const ddb_marks_user_t *u, apr_pool_t *p)
{
    const ddb_marks_user_t realm = { .realm = u->realm, .user = "" };
    apr_status_t rv = mark(unit, m, REALM, &realm, p);

    return rv == APR_SUCCESS ? mark(unit + HALF, m, USER, u, p) : rv;
}

/* The place of the unit with the same realm; 0 for no such unit. */
static int find_unit(const marks_t *m, const unsigned char *unit)
{
    int i;

    for (i = m->count; i > 0 && !ddb_crypto_equal(m->units[i], unit, HALF); i--) {
    }
    return i;
}

static void remove_unit(marks_t *m, int at)
{
    memmove(m->units[at], m->units[at + 1], (apr_size_t)UNIT * (apr_size_t)(m->count - at));
    m->count--;
}

apr_status_t ddb_marks_find(ddb_marks_e *found, const char *marks, const char *sid, const ddb_marks_user_t *user,
                            apr_pool_t *p)
{
    unsigned char unit[UNIT];
    marks_t m;
    apr_status_t rv;
    int at;

    *found = DDB_MARKS_NOBODY;
    if (!marks) {
        return APR_SUCCESS;
    }
    rv = read_marks(&m, marks, sid);
    rv = rv == APR_SUCCESS ? make_unit(unit, &m, user, p) : rv;
    at = rv == APR_SUCCESS ? find_unit(&m, unit) : 0;
    if (at) {
        *found = ddb_crypto_equal(m.units[at], unit, UNIT) ? DDB_MARKS_SAME : DDB_MARKS_OTHER;
    }
    ddb_crypto_wipe(&m, sizeof(m));
    return rv;
}

apr_status_t ddb_marks_set(const char **marks, const char *sid, const ddb_marks_user_t *user, apr_pool_t *p)
{
    unsigned char unit[UNIT];
    marks_t m;
    apr_status_t rv = read_marks(&m, *marks, sid);
    int at;

    rv = rv == APR_SUCCESS ? make_unit(unit, &m, user, p) : rv;
    if (rv != APR_SUCCESS) {
        ddb_crypto_wipe(&m, sizeof(m));
        return rv;
    }
    at = find_unit(&m, unit);
    at = at ? at : m.count == DDB_MARKS_REALMS_MAX ? 1 : 0;
    if (at) {
        remove_unit(&m, at);
    }
    memcpy(m.units[++m.count], unit, UNIT);
    return write_marks(marks, &m, sid, p);
}

apr_status_t ddb_marks_drop(const char **marks, const char *sid, const char *realm, apr_pool_t *p)
{
    const ddb_marks_user_t nobody = { .realm = realm, .user = "" };
    unsigned char unit[UNIT];
    marks_t m;
    apr_status_t rv;
    int at;

    if (!*marks) {
        return APR_SUCCESS;
    }
    rv = read_marks(&m, *marks, sid);
    rv = rv == APR_SUCCESS ? make_unit(unit, &m, &nobody, p) : rv;
    if (rv != APR_SUCCESS) {
        ddb_crypto_wipe(&m, sizeof(m));
        return rv;
    }
    at = find_unit(&m, unit);
    if (at) {
        remove_unit(&m, at);
    }
    return write_marks(marks, &m, sid, p);
}

apr_status_t ddb_marks_move(const char **marks, const char *from, const char *to, apr_pool_t *p)
{
    marks_t m;
    apr_status_t rv;

    if (!*marks) {
        return APR_SUCCESS;
    }
    rv = read_marks(&m, *marks, from);
    return rv == APR_SUCCESS ? write_marks(marks, &m, to, p) : rv;
}
