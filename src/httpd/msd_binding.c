/* Properties of the client to which sessions are bound. */

#include <string.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>
#include <http_ssl.h>

#include "base/ddb_address.h"
#include "httpd/child/msd_child.h"
#include "httpd/msd_binding.h"
#include "httpd/msd_event.h"

APLOG_USE_MODULE(session_dynamodb);

/* In the order of ddb_bound_e. */
static const char *const kinds[DDB_BOUND_KINDS] = { "user-agent", "address", "tls-certificate" };

/** The network of r's client; an address that cannot be read stands for itself. */
static const char *network_of(const request_rec *r, const msd_bind_t *bind, apr_pool_t *p)
{
    const char *ip = r->useragent_ip ? r->useragent_ip : "";
    ddb_address_t a;

    if (!ddb_address_read(&a, ip)) {
        return apr_pstrdup(p, ip);
    }
    ddb_address_mask(&a, bind->v4, bind->v6);
    return ddb_address_text(&a, p);
}

static const char *certificate_of(request_rec *r, apr_pool_t *p)
{
    const char *pem = ap_ssl_conn_is_ssl(r->connection)
                          ? ap_ssl_var_lookup(p, r->server, r->connection, r, "SSL_CLIENT_CERT")
                          : NULL;

    return pem && *pem ? pem : NULL;
}

void msd_binding_look(request_rec *r, msd_session_t *s)
{
    const msd_bind_t *bind = s->conf->bind;
    ddb_bound_t *client;

    if (!bind || bind->none) {
        return;
    }
    client = apr_pcalloc(s->pool, sizeof(*client));
    if (bind->action[DDB_BOUND_AGENT]) {
        const char *agent = apr_table_get(r->headers_in, "User-Agent");

        client->kind[DDB_BOUND_AGENT] = kinds[DDB_BOUND_AGENT];
        client->value[DDB_BOUND_AGENT] = agent ? apr_pstrdup(s->pool, agent) : "";
    }
    if (bind->action[DDB_BOUND_ADDRESS]) {
        client->kind[DDB_BOUND_ADDRESS] = apr_psprintf(s->pool, "address/%d,%d", bind->v4, bind->v6);
        client->value[DDB_BOUND_ADDRESS] = network_of(r, bind, s->pool);
    }
    if (bind->action[DDB_BOUND_CERTIFICATE]) {
        client->kind[DDB_BOUND_CERTIFICATE] = kinds[DDB_BOUND_CERTIFICATE];
        client->value[DDB_BOUND_CERTIFICATE] = certificate_of(r, s->pool);
    }
    s->bind = client;
}

static void report(request_rec *r, msd_session_t *s, int kind)
{
    static const char *const outcomes[] = {
        [MSD_BIND_LOG] = "goes on",
        [MSD_BIND_RENEW] = "goes on under a new ID",
        [MSD_BIND_DENY] = "is not given to this client",
    };
    msd_bind_action_e action = s->conf->bind->action[kind];

    /* Not for each value it has changed to: a client can send another one with every request. */
    if (!msd_child_claim_report(s->server, apr_psprintf(s->pool, "%c%s", *kinds[kind], s->stored.key), s->now)) {
        return;
    }
    msd_event_note(s, action == MSD_BIND_DENY ? "refused" : "changed", kinds[kind], s->stored.sid, NULL);
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r,
                  "a session came with another %s than it is bound to (SessionDynamoDBBind), and %s: its cookie may be "
                  "stolen, or its client has changed. SHA-512 of the ID: %s",
                  kinds[kind], outcomes[action], msd_session_loggable_id(s));
}

void msd_binding_judge(request_rec *r, msd_session_t *s)
{
    const char *changed[DDB_BOUND_KINDS];
    int i, denied = 0;

    if (!s->bind || s->outcome != MSD_LOADED || !s->stored.bound) {
        return;
    }
    if (ddb_bound_compare(changed, s->stored.bound, s->stored.sid, s->bind, s->pool) != APR_SUCCESS) {
        msd_session_withdraw(s); /* OpenSSL failed: nobody knows whose it is */
        return;
    }
    for (i = 0; i < DDB_BOUND_KINDS; i++) {
        if (changed[i]) {
            report(r, s, i);
            denied |= s->conf->bind->action[i] == MSD_BIND_DENY;
            s->binding_changed |= s->conf->bind->action[i] == MSD_BIND_RENEW;
        }
    }
    if (denied) {
        msd_session_withdraw(s);
    }
}
