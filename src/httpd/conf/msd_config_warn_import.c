/* Imports of old sessions that last for long, or that are over. */

#include <httpd.h>
#include <http_log.h>

#include "base/ddb_time.h"
#include "httpd/conf/msd_config_warn_int.h"

APLOG_USE_MODULE(session_dynamodb);

#define DAYS_MOST 90

static void look_at(const msd_config_warn_t *config, const msd_section_t *section, apr_time_t now)
{
    const msd_import_from_t *from = section->conf->import;

    if (from->until <= now) {
        ap_log_error(APLOG_MARK, APLOG_WARNING | config->startup, 0, section->server,
                     "SessionDynamoDBImport at %s has ended at %.19sZ, and imports nothing any more: remove it",
                     from->where, ddb_time_print(from->until, config->pool));
    }
    else if (from->until - now > apr_time_from_sec(DAYS_MOST * APR_INT64_C(86400))) {
        ap_log_error(APLOG_MARK, APLOG_WARNING | config->startup, 0, section->server,
                     "SessionDynamoDBImport at %s lasts until %.19sZ, for more than %d days: until then a copied old "
                     "cookie opens a session. Name the day on which the old sessions have expired",
                     from->where, ddb_time_print(from->until, config->pool), DAYS_MOST);
    }
}

void msd_config_warn_import(const msd_config_warn_t *config)
{
    const apr_array_header_t *sections = msd_config_sections(config->pool);
    const apr_time_t now = apr_time_now();
    int i;

    for (i = 0; sections && i < sections->nelts; i++) {
        const msd_section_t *section = &APR_ARRAY_IDX(sections, i, msd_section_t);

        if (section->conf->import && section->conf->import->store != MSD_IMPORT_NONE) {
            look_at(config, section, now);
        }
    }
}
