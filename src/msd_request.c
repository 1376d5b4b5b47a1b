/* The memory of one request tree. */

#include <apr_strings.h>
#include <http_core.h>
#include <http_request.h>

#include "msd_request.h"
#include "msd_transport.h"

/* Subrequests hang below main, redirected requests below prev; the first of all outlives the rest and so keeps the
 * state. Both ways have to be walked: a subrequest may belong to a redirected request. */
static request_rec *topmost(request_rec *r)
{
    while (r->main || r->prev) {
        r = r->main ? r->main : r->prev;
    }
    return r;
}

msd_request_t *msd_request_find(request_rec *r)
{
    return ap_get_module_config(topmost(r)->request_config, &session_dynamodb_module);
}

msd_request_t *msd_request_get(request_rec *r)
{
    request_rec *top = topmost(r);
    msd_request_t *q = ap_get_module_config(top->request_config, &session_dynamodb_module);

    if (!q) {
        q = apr_pcalloc(top->pool, sizeof(*q));
        q->top = top;
        ap_set_module_config(top->request_config, &session_dynamodb_module, q);
    }
    return q;
}

void msd_request_take(request_rec *r, msd_request_t *q, const msd_dir_config_t *conf)
{
    const char *name = conf->use_header ? conf->header_name : conf->cookie_name;
    const char *sid = NULL;
    int n = msd_transport_take(r, conf, &sid);

    /* The requests of a tree share the client's headers: who looks first finds it, and the others must not find
     * nothing and forget it. */
    if (n > 0 && !q->taken) {
        q->taken = n;
        q->taken_sid = apr_pstrdup(q->top->pool, sid);
        q->taken_name = apr_pstrdup(q->top->pool, name);
    }
}

int msd_request_is_error_page(const request_rec *r)
{
    for (; r; r = r->main ? r->main : r->prev) {
        if (r->prev && ap_is_HTTP_ERROR(r->prev->status)) {
            return 1;
        }
    }
    return 0;
}

int msd_request_usable(const msd_request_t *q)
{
    return q->z && (q->outcome == MSD_NEW || q->outcome == MSD_LOADED);
}

const char *msd_request_user(const request_rec *r, const msd_request_t *q)
{
    const char *realm = ap_auth_name((request_rec *)r);
    const char *user = NULL;

    if (realm) {
        user = apr_table_get(q->z->entries, apr_pstrcat(r->pool, realm, "-" MOD_SESSION_USER, NULL));
    }
    return user ? user : q->user;
}

int msd_request_user_changed(const request_rec *r, const msd_request_t *q)
{
    const char *user = q->session.sid ? msd_request_user(r, q) : NULL;

    return user && !ddb_store_same_user(&q->session, user, r->pool);
}

const session_dir_conf *msd_request_session_conf(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &session_module);
}
