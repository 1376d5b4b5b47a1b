/* The line of one security event of a session. */

#include <string.h>

#include "base/ddb_text.h"
#include "base/ddb_time.h"
#include "store/ddb_event.h"

/* Bytes of a text, of which each may become six. Together with the rest they make a line of DDB_EVENT_MOST at most. */
#define METHOD_MOST  20
#define CLIENT_MOST  45  /* of an IPv6 address */
#define HOST_MOST    253 /* of a DNS name, which needs no escape */
#define PATH_MOST    256
#define AGENT_MOST   256
#define REQUEST_MOST 32

#define HASH_BYTES 16 /* of the HMAC: 128 bits */

static void add_name(ddb_text_t *t, const char *name)
{
    ddb_text_add(t, t->len == 1 ? "\"" : ",\"");
    ddb_text_add(t, name);
    ddb_text_add(t, "\":");
}

static void add_text(ddb_text_t *t, const char *name, const char *value, apr_size_t most)
{
    add_name(t, name);
    ddb_text_add_json_ascii(t, value ? value : "", most);
}

/* A word of ours, which needs no escape. */
static void add_word(ddb_text_t *t, const char *name, const char *word)
{
    add_name(t, name);
    ddb_text_add(t, "\"");
    ddb_text_add(t, word ? word : "");
    ddb_text_add(t, "\"");
}

static void add_hash(ddb_text_t *t, const char *name, ddb_bytes_t key, ddb_bytes_t value)
{
    unsigned char mac[DDB_SHA256_BYTES];
    char digits[2 * HASH_BYTES + 1] = "";

    if (value.data && ddb_crypto_hmac(DDB_SHA256, mac, key, value) == APR_SUCCESS) {
        ddb_crypto_hex_to(digits, mac, HASH_BYTES);
        digits[2 * HASH_BYTES] = '\0';
    }
    add_word(t, name, digits);
}

static ddb_bytes_t bytes_of(const char *text)
{
    return (ddb_bytes_t){ .data = text, .len = text ? strlen(text) : 0 };
}

/* The realm, a NUL and the name: users of one name in two realms are two. */
static ddb_bytes_t user_of(const ddb_marks_user_t *user, apr_pool_t *p)
{
    const char *realm = user->realm ? user->realm : "";
    ddb_text_t t;

    if (!user->user) {
        return (ddb_bytes_t){ .data = NULL };
    }
    ddb_text_begin(&t, strlen(realm) + 1 + strlen(user->user), p);
    ddb_text_add_bytes(&t, realm, strlen(realm) + 1);
    ddb_text_add(&t, user->user);
    return (ddb_bytes_t){ .data = t.data, .len = t.len };
}

const char *ddb_event_line(const ddb_event_t *e, ddb_bytes_t key, apr_pool_t *p)
{
    ddb_text_t t;

    ddb_text_begin(&t, 512, p);
    ddb_text_add(&t, "{");
    add_word(&t, "time", ddb_time_print(e->time, p));
    add_word(&t, "event", e->event);
    add_word(&t, "reason", e->reason);
    add_hash(&t, "session", key, bytes_of(e->session));
    add_hash(&t, "previous", key, bytes_of(e->previous));
    add_text(&t, "client", e->client, CLIENT_MOST);
    add_text(&t, "method", e->method, METHOD_MOST);
    add_text(&t, "host", e->host, HOST_MOST);
    add_text(&t, "path", e->path, PATH_MOST);
    add_text(&t, "agent", e->agent, AGENT_MOST);
    add_hash(&t, "user", key, user_of(&e->user, p));
    add_name(&t, "status");
    ddb_text_add_number(&t, e->status);
    add_text(&t, "request", e->request, REQUEST_MOST);
    ddb_text_add(&t, "}\n");
    return ddb_text_end(&t);
}
