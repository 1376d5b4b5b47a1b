/* Where sessions are imported: what has to be there, by the places of the directives in the configuration files. */

#include <apr_dbd.h>
#include <apr_optional.h>
#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <mod_dbd.h>

#include "httpd/conf/msd_config_check_int.h"
#include "httpd/conf/msd_config_place.h"

APLOG_USE_MODULE(session_dynamodb);

#define DIRECTIVE "SessionDynamoDBImport"

static const char *const read_directives[] = { DIRECTIVE, "SessionCryptoPassphrase", "SessionCryptoPassphraseFile",
                                               NULL };

/** 1 if a passphrase may apply where at does. */
static int may_have_passphrase(const apr_array_header_t *places, const msd_config_place_t *at)
{
    int i;

    for (i = 0; i < places->nelts; i++) {
        const msd_config_place_t *place = &APR_ARRAY_IDX(places, i, msd_config_place_t);

        if (!msd_config_place_is(place, DIRECTIVE) && msd_config_place_may_meet(place, at)) {
            return 1;
        }
    }
    return 0;
}

/** @return NULL, or what is missing. */
static const char *look_at(const apr_array_header_t *places, const msd_config_place_t *import)
{
    if (strcasecmp(import->word, "cookie") == 0 && !may_have_passphrase(places, import)) {
        return "imports sessions from cookies, but there is no SessionCryptoPassphrase: anybody could write such a "
               "cookie. Set the passphrase with which mod_session_crypto has encrypted them; sessions that were not "
               "encrypted can't be imported";
    }
    if (strcasecmp(import->word, "dbd") == 0 && !APR_RETRIEVE_OPTIONAL_FN(ap_dbd_acquire)) {
        return "imports sessions from a database, which mod_dbd has to reach: load mod_dbd, and keep the DBDriver, "
               "DBDParams and DBDPrepareSQL of mod_session_dbd";
    }
    return NULL;
}

int msd_config_check_import(apr_pool_t *p, const server_rec *main_server)
{
    const apr_array_header_t *places = msd_config_place_all(p, read_directives);
    int i, good = 1;

    for (i = 0; i < places->nelts; i++) {
        const msd_config_place_t *place = &APR_ARRAY_IDX(places, i, msd_config_place_t);
        const char *problem = msd_config_place_is(place, DIRECTIVE) ? look_at(places, place) : NULL;

        if (problem) {
            ap_log_error(APLOG_MARK, APLOG_ERR | APLOG_STARTUP, 0, main_server, DIRECTIVE " at %s:%d %s",
                         place->directive->filename, place->directive->line_num, problem);
            good = 0;
        }
    }
    return good;
}
