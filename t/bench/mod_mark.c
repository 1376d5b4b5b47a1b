/*
 * A place for callgrind to begin and end: GET /mark calls mark(), and valgrind runs with --dump-before=mark. For
 * benchmarks only.
 */
#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>

void mark(request_rec *r);

__attribute__((noinline)) void mark(request_rec *r)
{
    ap_set_content_type(r, "text/plain");
}

static int handler(request_rec *r)
{
    if (strcmp(r->uri, "/mark") != 0) {
        return DECLINED;
    }
    mark(r);
    ap_rputs("marked\n", r);
    return OK;
}

static void register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_FIRST);
}

AP_DECLARE_MODULE(mark) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks, AP_MODULE_FLAG_NONE
};
