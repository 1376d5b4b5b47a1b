/* ddb_bound: what a session is bound to, for the holder of its ID. */

#include <string.h>

#include <apr_strings.h>

#include "store/ddb_bound.h"
#include "tap.h"

#define SID   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define OTHER "HBobGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEAHx4"

/* As Python's hmac and base64 make them of SID. */
#define OF_AGENT   "user-agent=6pzrZL366xjkyC6J6VrRUw"
#define OF_NETWORK "address/24,56=e5z-H5-CwIFnOtWQVPTYOQ"

static ddb_bound_t client_of(const char *agent, const char *network, const char *certificate)
{
    return (ddb_bound_t){ .kind = { "user-agent", "address/24,56", "tls-certificate" },
                          .value = { agent, network, certificate } };
}

/* The kinds that have changed, as digits. */
static const char *changes(const char *bound, const char *sid, ddb_bound_t client, apr_pool_t *p)
{
    const char *changed[DDB_BOUND_KINDS], *text = "";
    int i;

    OK(ddb_bound_compare(changed, bound, sid, &client, p) == APR_SUCCESS, "the client is compared");
    for (i = 0; i < DDB_BOUND_KINDS; i++) {
        text = changed[i] ? apr_psprintf(p, "%s%d", text, i) : text;
    }
    return text;
}

static const char *make(const char *bound, ddb_bound_t client, int is_new, apr_pool_t *p)
{
    OK(ddb_bound_make(&bound, SID, &client, is_new, p) == APR_SUCCESS, "the session is bound");
    return bound;
}

static void test_client(apr_pool_t *p)
{
    const char *bound = make(NULL, client_of("Browser/1.0", "192.0.2.0", NULL), 1, p), *again;

    IS(bound, OF_AGENT " " OF_NETWORK, "as the format says");
    IS(changes(bound, SID, client_of("Browser/1.0", "192.0.2.0", NULL), p), "", "the same client");
    IS(changes(bound, SID ".signature", client_of("Browser/1.0", "192.0.2.0", NULL), p), "",
       "... whatever key signs the ID");
    IS(changes(bound, SID, client_of("Browser/1.0", "192.0.2.0", "PEM"), p), "", "... also with a certificate by now");
    IS(changes(bound, SID, client_of("Browser/1.1", "192.0.2.0", NULL), p), "0", "another browser");
    IS(changes(bound, SID, client_of("", "192.0.2.0", NULL), p), "0", "... or none");
    IS(changes(bound, SID, client_of("Browser/1.0", "192.0.3.0", NULL), p), "1", "another network");
    IS(changes(bound, SID, client_of("192.0.2.0", "Browser/1.0", NULL), p), "01", "both, and kinds are not mixed up");
    IS(changes(bound, OTHER, client_of("Browser/1.0", "192.0.2.0", NULL), p), "01", "another ID tells nothing");
    again = make(bound, client_of("Browser/1.0", "192.0.2.0", NULL), 0, p);
    OK(again == bound, "a write by the same client changes nothing");
    again = make(bound, client_of("Browser/2.0", "192.0.2.0", NULL), 0, p);
    IS(changes(again, SID, client_of("Browser/2.0", "192.0.2.0", NULL), p), "", "one by another binds to that one");
    IS(changes(again, SID, client_of("Browser/1.0", "192.0.2.0", NULL), p), "0", "... and no longer to the first");
}

static void test_certificate(apr_pool_t *p)
{
    const char *bound = make(NULL, client_of("b", "n", "PEM"), 1, p);

    IS(changes(bound, SID, client_of("b", "n", "PEM"), p), "", "the same certificate");
    IS(changes(bound, SID, client_of("b", "n", "PAM"), p), "2", "another one");
    IS(changes(bound, SID, client_of("b", "n", NULL), p), "2", "none");
    bound = make(bound, client_of("b", "n", "PAM"), 0, p);
    IS(changes(bound, SID, client_of("b", "n", "PAM"), p), "", "a write binds to the new one");
    bound = make(NULL, client_of("b", "n", "PEM"), 0, p);
    IS(changes(bound, SID, client_of("b", "n", "PAM"), p), "", "a session made without one is never bound to one");
}

static void test_settings(apr_pool_t *p)
{
    const char *bound = make(NULL, client_of("b", "n", "PEM"), 1, p);
    ddb_bound_t wider = client_of("b", "m", NULL), agent = { .kind = { "user-agent" }, .value = { "c" } };
    ddb_bound_t nothing = { .kind = { NULL } };

    wider.kind[DDB_BOUND_ADDRESS] = "address/16,48";
    IS(changes(bound, SID, wider, p), "2", "a digest by other settings is not compared");
    wider.kind[DDB_BOUND_CERTIFICATE] = NULL;
    bound = make(bound, wider, 0, p);
    OK(strstr(bound, "address/16,48=") && !strstr(bound, "address/24,56="), "the next write replaces it");
    OK(strstr(bound, "tls-certificate="), "... and leaves what does not count there");
    IS(changes(bound, SID, wider, p), "", "... from where on it counts");
    IS(changes(bound, SID, nothing, p), "", "where nothing counts nothing changes");
    OK(make(bound, nothing, 0, p) == bound, "... nor does a write");
    IS(make(NULL, nothing, 1, p), NULL, "... which binds to nothing");
    bound = make(bound, agent, 0, p);
    IS(changes(bound, SID, wider, p), "0", "one place's write keeps the words of another");
    OK(strstr(bound, "address/16,48=") && strstr(bound, "tls-certificate="), "... all of them");
}

static void test_damage(apr_pool_t *p)
{
    static const char *const damaged[] = { NULL,
                                           "",
                                           " ",
                                           "=",
                                           "user-agent",
                                           "user-agent=",
                                           "user-agent=x",
                                           "user-agent="
                                           "AAAAAAAAAAAAAAAAAAAAAAA",
                                           "xuser-agent=AAAAAAAAAAAAAAAAAAAAAA",
                                           "  user-agents=AAAAAAAAAAAAAAAAAAAAAA  " };
    apr_size_t i;

    for (i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        IS(changes(damaged[i], SID, client_of("b", "n", "PEM"), p), "", "a damaged text binds nothing");
        IS(changes(make(damaged[i], client_of("b", "n", NULL), 0, p), SID, client_of("c", "n", NULL), p), "0",
           "... until the next write");
    }
}

TAP_MAIN(p)
{
    TAP_EACH(p, test_client, test_certificate, test_settings, test_damage);
}
