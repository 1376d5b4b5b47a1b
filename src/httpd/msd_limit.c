/* The limits of guesses and of new sessions for one client address. */

#include <apr_network_io.h>
#include <apr_strings.h>
#include <httpd.h>

#include "httpd/child/msd_address_count.h"
#include "httpd/child/msd_once.h"
#include "httpd/msd_event.h"
#include "httpd/msd_limit.h"
#include "httpd/msd_log.h"

#if MSD_LIMIT_MOST > MSD_ADDRESS_COUNT_MOST || MSD_LIMIT_SECONDS_MOST > MSD_ADDRESS_COUNT_SECONDS_MOST
#error "limits that can't be counted"
#endif

/** One limit: its setting, its counts, and its words. */
typedef struct rule_t {
    const msd_limit_t *limit;
    const msd_address_count_t *counts;
    const char *event;
    const char *did, *what; /* "sent", so many "session IDs" */
    const char *why;        /* what may be the reason, for the end of the line */
    const char *denies;
} rule_t;

static rule_t guesses(const msd_session_t *s)
{
    const msd_server_config_t *c = msd_config_server(s->server);

    return (rule_t){ .limit = c->guess_limit,
                     .counts = c->guesses,
                     .event = "guessing",
                     .did = "sent",
                     .what = "session IDs",
                     .why = " that open no session (SessionDynamoDBGuessLimit): a client guesses IDs, many clients "
                            "share that address, or another application sets cookies of the same name",
                     .denies = "its requests with such IDs get 429 until then" };
}

static rule_t creations(const msd_session_t *s)
{
    const msd_server_config_t *c = msd_config_server(s->server);

    return (rule_t){ .limit = c->create_limit,
                     .counts = c->creations,
                     .event = "harvesting",
                     .did = "begun",
                     .what = "sessions",
                     .why = " (SessionDynamoDBCreateLimit): a client collects session IDs, many clients share that "
                            "address, or one keeps no cookies",
                     .denies = "its requests that would begin one get 429 until then" };
}

static msd_address_count_of_t count_of(const request_rec *r, const msd_limit_t *limit)
{
    return (msd_address_count_of_t){ .ip = r->useragent_ip, .most = limit->most, .seconds = limit->seconds };
}

/* ---- an address passes a limit ----------------------------------------------------------------------------------- */

/** 1 for an address of this machine or a private network (RFC 1918, RFC 4193), as balancers have. */
static int is_private(const char *ip, apr_pool_t *p)
{
    static const char *const networks[][2] = { { "10.0.0.0", "8" },  { "172.16.0.0", "12" }, { "192.168.0.0", "16" },
                                               { "127.0.0.0", "8" }, { "::1", "128" },       { "fc00::", "7" } };
    apr_sockaddr_t *address = NULL;
    apr_ipsubnet_t *network;
    apr_size_t i;

    if (apr_sockaddr_info_get(&address, ip, APR_UNSPEC, 0, 0, p) != APR_SUCCESS) {
        return 0;
    }
    for (i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
        if (apr_ipsubnet_create(&network, networks[i][0], networks[i][1], p) == APR_SUCCESS
            && apr_ipsubnet_test(network, address)) {
            return 1;
        }
    }
    return 0;
}

/** 1 if the address that is counted seems to be a balancer's: one of a private network forwards others' requests. */
static int is_of_balancer(request_rec *r)
{
    return apr_table_get(r->headers_in, "X-Forwarded-For") && strcmp(r->useragent_ip, r->connection->client_ip) == 0
           && is_private(r->useragent_ip, r->pool);
}

static void tell(request_rec *r, msd_session_t *s, const rule_t *rule, const char *sid)
{
    const msd_limit_t *limit = rule->limit;
    const char *name = msd_address_count_name(r->useragent_ip, r->pool);
    const char *text = apr_psprintf(r->pool, "%s has %s more than %d %s within %d s%s", name, rule->did, limit->most,
                                    rule->what, limit->seconds, rule->why);

    msd_event_note(s, rule->event, limit->denies ? "deny" : "log", sid, NULL);
    msd_log_limit(r, limit->denies ? apr_pstrcat(r->pool, text, "; ", rule->denies, NULL) : text);
    if (is_of_balancer(r) && msd_once_first(s->server, MSD_ONCE_ONE_ADDRESS)) {
        msd_log_one_address(r);
    }
}

/** Count one. *first: 1 if this one passes the limit. @return 1 if the address is over a limit that denies. */
static int count(const request_rec *r, msd_session_t *s, const rule_t *rule, const char *sid, int *first)
{
    const msd_address_count_of_t of = count_of(r, rule->limit);
    msd_address_counted_t counted = msd_address_count_add(rule->counts, &of, sid,
                                                          ddb_clock_monotonic(&ddb_clock_system));

    *first = counted.added && counted.count == of.most + 1;
    if (!rule->limit->denies || counted.count <= of.most) {
        return 0;
    }
    s->answer.wait = counted.left;
    return 1;
}

/* ---- guesses ----------------------------------------------------------------------------------------------------- */

static int is_guess(ddb_miss_e miss)
{
    return miss == DDB_MISS_FORM || miss == DDB_MISS_ABSENT || miss == DDB_MISS_KNOWN || miss == DDB_MISS_FOREIGN;
}

int msd_limit_guess(request_rec *r, msd_session_t *s, const char *sid, int consistent)
{
    const rule_t rule = guesses(s);
    int first = 0, over = is_guess(s->ids.miss) && rule.limit->most && count(r, s, &rule, sid, &first);

    if (first) {
        tell(r, s, &rule, sid);
    }
    /* What an eventually consistent read does not find may be a session that has just begun. */
    return over && (consistent || s->ids.miss != DDB_MISS_ABSENT);
}

/* ---- new sessions ------------------------------------------------------------------------------------------------ */

int msd_limit_create(request_rec *r, msd_session_t *s)
{
    const rule_t rule = creations(s);
    int first = 0, over = rule.limit->most && count(r, s, &rule, NULL, &first);

    /* Otherwise an anonymous client could keep users from logging in whose address it shares. */
    over = over && s->answer.identity != MSD_LOGIN && !s->answer.verified;
    if (over) {
        msd_session_count(s, DDB_COUNT_LIMITED_SESSIONS);
    }
    if (over && first) {
        tell(r, s, &rule, NULL);
    }
    s->answer.passed_limit = first && !over;
    return over;
}

void msd_limit_created(request_rec *r, msd_session_t *s, int stored)
{
    const rule_t rule = creations(s);
    const msd_address_count_of_t of = count_of(r, rule.limit);

    /* Not before: while the table fails, each request would be counted, told of and taken back. */
    if (stored && s->answer.passed_limit) {
        tell(r, s, &rule, NULL);
    }
    if (!stored && rule.limit->most) {
        msd_address_count_take_back(rule.counts, &of, ddb_clock_monotonic(&ddb_clock_system));
    }
}
