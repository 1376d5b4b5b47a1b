/* Flags in shared memory for one-time actions. */

#include <apr_atomic.h>
#include <http_main.h>

#include "base/ddb_shared.h"
#include "httpd/child/msd_once.h"
#include "httpd/conf/msd_config.h"

struct msd_once_t {
    volatile apr_uint32_t *flags; /* MSD_ONCE_COUNT for each host, in the order of the configuration */
};

/** The number of hosts before s; the number of all hosts if s is NULL. */
static apr_size_t number_of(const server_rec *s, const server_rec *main_server)
{
    apr_size_t n = 0;

    for (; main_server && main_server != s; main_server = main_server->next) {
        n++;
    }
    return n;
}

apr_status_t msd_once_create(msd_once_t **po, const server_rec *main_server, apr_pool_t *p)
{
    msd_once_t *o = apr_pcalloc(p, sizeof(*o));
    apr_size_t size = number_of(NULL, main_server) * MSD_ONCE_COUNT * sizeof(*o->flags);
    void *flags = NULL;
    apr_status_t rv = ddb_shared_create(&flags, size, p);

    o->flags = flags;
    if (rv == APR_SUCCESS) {
        *po = o;
    }
    return rv;
}

int msd_once_first(const server_rec *s, msd_once_e what)
{
    /* Flags are per host, not per record: hosts without directives of this module share the main server's record. */
    const msd_once_t *o = msd_config_server(s)->once;

    return o && apr_atomic_cas32(&o->flags[number_of(s, ap_server_conf) * MSD_ONCE_COUNT + what], 1, 0) == 0;
}
