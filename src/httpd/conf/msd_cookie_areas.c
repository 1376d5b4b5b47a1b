/* The areas of a virtual host: the cookies that carry their sessions. */

#include <string.h>

#include <apr_strings.h>

#include "base/ddb_array.h"
#include "httpd/conf/msd_cookie_areas.h"

const char *msd_cookie_areas_device(const msd_dir_config_t *c, apr_pool_t *p)
{
    static const char strict[] = "__Host-Http-";
    const apr_size_t len = sizeof(strict) - 1;

    /* Chromium 156 takes a cookie of this prefix, but binds no session to it, and tells nobody: the session would end
     * with its first proof. */
    return strncmp(c->cookie_name, strict, len) == 0 ? apr_pstrcat(p, "__Host-", c->cookie_name + len, "-device", NULL)
                                                     : apr_pstrcat(p, c->cookie_name, "-device", NULL);
}

static void add(apr_array_header_t *names, const msd_dir_config_t *merged)
{
    const msd_dir_config_t *c = msd_config_resolve(merged, names->pool);

    if (!c->use_header && !ddb_array_holds(names, c->cookie_name)) {
        APR_ARRAY_PUSH(names, const char *) = c->cookie_name;
    }
    if (!c->use_header && c->device_bound != MSD_DEVICE_BOUND_OFF) {
        const char *device = msd_cookie_areas_device(c, names->pool);

        if (!ddb_array_holds(names, device)) {
            APR_ARRAY_PUSH(names, const char *) = device;
        }
    }
}

/*
 * Only a request shows which sections apply together. So each section that says On counts with its own cookie name,
 * which may be the default, and so does each that sets a name for areas around or inside it. sections: of s and of the
 * main server.
 */
static apr_array_header_t *names_of(const server_rec *s, const server_rec *main_server,
                                    const apr_array_header_t *sections, apr_pool_t *p)
{
    msd_dir_config_t *base = ap_get_module_config(s->lookup_defaults, &session_dynamodb_module);
    const msd_dir_config_t *of_main = ap_get_module_config(main_server->lookup_defaults, &session_dynamodb_module);
    apr_array_header_t *names = apr_array_make(p, 2, sizeof(const char *));
    int i;

    if (base->enabled == 1) {
        add(names, base);
    }
    for (i = 0; i < sections->nelts; i++) {
        const msd_dir_config_t *c = APR_ARRAY_IDX(sections, i, const msd_section_t *)->conf;
        if (c != of_main && (c->enabled == 1 || (c->enabled != 0 && (c->cookie_name || c->device_bound > 0)))) {
            add(names, msd_config_merge_dir(p, base, (void *)c));
        }
    }
    return names;
}

void msd_cookie_areas_find(apr_pool_t *p, server_rec *main_server)
{
    apr_hash_t *by_server = msd_config_sections_by_server(p);
    server_rec *s;

    for (s = main_server; apr_hash_count(by_server) && s; s = s->next) {
        msd_config_server(s)->cookie_names = names_of(s, main_server,
                                                      msd_config_sections_for(by_server, s, main_server, p), p);
    }
}
