/* SessionDynamoDBDevicePath, where nobody answers. */

#include <string.h>

#include <httpd.h>
#include <http_log.h>

#include "httpd/conf/msd_config.h"
#include "httpd/conf/msd_config_warn_int.h"

APLOG_USE_MODULE(session_dynamodb);

#define BOUND     "SessionDynamoDBDeviceBound"
#define AT(place) (place)->directive->filename, (place)->directive->line_num

static int is_on(const msd_config_place_t *place, const char *name)
{
    return place && msd_config_place_is(place, name) && strcasecmp(place->word, "Off") != 0;
}

/** 1 if a directive of this name is not Off for a URL of a host, or perhaps. */
static int is_on_for(const msd_config_warn_t *config, const char *name, const char *url)
{
    int i;

    for (i = 0; i < config->places->nelts; i++) {
        const msd_config_place_t *place = &APR_ARRAY_IDX(config->places, i, msd_config_place_t);

        if (is_on(place, name) && (!place->location || msd_config_place_covers(place->location, url))) {
            return 1;
        }
    }
    return 0;
}

void msd_config_warn_device(const msd_config_warn_t *config, const msd_config_place_t *at)
{
    const msd_config_place_t *on = msd_config_place_holding(config->places, "SessionDynamoDB", at);
    const msd_config_place_t *bound = msd_config_place_holding(config->places, BOUND, at);
    const msd_config_place_t *path = msd_config_place_holding(config->places, "SessionDynamoDBDevicePath", at);
    const char *folder = path && *path->word ? path->word : MSD_DEVICE_PATH;

    if (!at->location || !is_on(on, "SessionDynamoDB") || !is_on(bound, BOUND)
        || (is_on_for(config, "SessionDynamoDB", folder) && is_on_for(config, BOUND, folder))) {
        return;
    }
    /* Both directives are looked at, which may be in one section. */
    if (at == bound || (at == on && strcmp(bound->location, on->location) != 0)) {
        ap_log_error(APLOG_MARK, APLOG_WARNING | config->startup, 0, config->main_server,
                     BOUND " at %s:%d has no effect for %s, because nothing answers browsers at "
                           "SessionDynamoDBDevicePath %s: set DevicePath there to a folder below it, such as "
                           "%s%s.device-session/",
                     AT(bound), at->location, folder, at->location,
                     at->location[strlen(at->location) - 1] == '/' ? "" : "/");
    }
}
