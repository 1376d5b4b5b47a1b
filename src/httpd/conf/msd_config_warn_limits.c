/* Limits for one client address, where all clients have that of a balancer. */

#include <string.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>

#include "httpd/conf/msd_config_warn_int.h"

APLOG_USE_MODULE(session_dynamodb);

static int is_deny(const msd_config_place_t *place)
{
    return (msd_config_place_is(place, "SessionDynamoDBGuessLimit")
            || msd_config_place_is(place, "SessionDynamoDBCreateLimit"))
           && ap_strcasestr(place->directive->args, "deny");
}

static int tells_clients_apart(const msd_config_place_t *place)
{
    return msd_config_place_is(place, "RemoteIPHeader") || msd_config_place_is(place, "RemoteIPProxyProtocol");
}

static int is_sign(const msd_config_place_t *place)
{
    return msd_config_place_is(place, "SessionDynamoDBTLSWhen")
           || (place->directive->args && ap_strcasestr(place->directive->args, "X-Forwarded-For"));
}

/** 1 if place is of s: each one of the main server may be. */
static int is_of(const msd_config_place_t *place, const server_rec *s)
{
    return !place->host
           || (s->defn_name && strcmp(place->host->filename, s->defn_name) == 0
               && place->host->line_num == (int)s->defn_line_number);
}

/** What shows that a balancer or another proxy is in front of the servers of the place; NULL: nothing does, or clients
 * are told apart. */
static const char *find_sign(const msd_config_warn_t *config, const msd_config_place_t *deny)
{
    const char *sign = NULL;
    const server_rec *s;
    int i, used = 0;

    for (s = config->main_server; s; s = s->next) {
        if (is_of(deny, s) && msd_config_server(s)->used) {
            used = 1;
            sign = s->server_scheme && strcasecmp(s->server_scheme, "https") == 0
                       ? apr_psprintf(config->pool, "ServerName https://%s", s->server_hostname)
                       : sign;
        }
    }
    for (i = 0; used && i < config->places->nelts; i++) {
        const msd_config_place_t *place = &APR_ARRAY_IDX(config->places, i, msd_config_place_t);

        if (tells_clients_apart(place) && msd_config_place_may_meet(place, deny)) {
            return NULL;
        }
        if (!sign && is_sign(place) && msd_config_place_may_meet(place, deny)) {
            sign = apr_psprintf(config->pool, "%s at %s:%d", place->directive->directive, place->directive->filename,
                                place->directive->line_num);
        }
    }
    return sign;
}

void msd_config_warn_limits(const msd_config_warn_t *config)
{
    const msd_config_place_t *deny = NULL;
    const char *sign = NULL;
    int i;

    for (i = 0; !sign && i < config->places->nelts; i++) {
        deny = &APR_ARRAY_IDX(config->places, i, msd_config_place_t);
        sign = is_deny(deny) ? find_sign(config, deny) : NULL;
    }
    if (sign) {
        ap_log_error(APLOG_MARK, APLOG_WARNING | config->startup, 0, config->main_server,
                     "%s at %s:%d refuses clients by their address, and %s suggests a balancer in front of httpd, "
                     "whose address all clients would have: tell them apart with mod_remoteip (RemoteIPHeader, "
                     "RemoteIPInternalProxy), or write log instead of deny",
                     deny->directive->directive, deny->directive->filename, deny->directive->line_num, sign);
    }
}
