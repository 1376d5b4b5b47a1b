/* Reading mod_session's form: each line of an input is a payload, decoded into the entries of those before it by
 * msd_form and by the decoder of httpd's mod_session.so. The results are the same. */

#include <dlfcn.h>

#include <apr_general.h>
#include <apr_hooks.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_session.h>
#include <util_filter.h>

#include "fuzz.h"
#include "httpd_stub.h"
#include "httpd/msd_form.h"

#define MOD_SESSION HTTPD_MODULES "/mod_session.so"

static int (*decode)(request_rec *r, session_rec *z);

/* --- what mod_session asks for when it is opened: it hooks into no other part of httpd here --- */

#define HOOK(name)                                                                                                     \
    void ap_hook_##name(ap_HOOK_##name##_t *pf, const char *const *before, const char *const *after, int order)        \
    {                                                                                                                  \
        (void)pf, (void)before, (void)after, (void)order;                                                              \
    }

HOOK(fixups)
HOOK(insert_filter)
HOOK(insert_error_filter)

ap_filter_rec_t *ap_register_output_filter(const char *name, ap_out_filter_func filter, ap_init_filter_func init,
                                           ap_filter_type type)
{
    (void)name, (void)filter, (void)init, (void)type;
    return NULL;
}

ap_filter_t *ap_add_output_filter(const char *name, void *ctx, request_rec *r, conn_rec *c)
{
    (void)name, (void)ctx, (void)r, (void)c;
    abort();
}

void ap_remove_output_filter(ap_filter_t *f)
{
    (void)f;
    abort();
}

apr_status_t ap_pass_brigade(ap_filter_t *f, apr_bucket_brigade *bb)
{
    (void)f, (void)bb;
    abort();
}

char *ap_escape_urlencoded_buffer(char *copy, const char *buffer)
{
    (void)copy, (void)buffer;
    abort();
}

/* --- the comparison --- */

/* Before the first input, with which a pool's blocks end. */
static void open_mod_session(void)
{
    apr_pool_t *p = NULL;
    void *so = dlopen(MOD_SESSION, RTLD_NOW | RTLD_LOCAL);
    const module *m = so ? dlsym(so, "session_module") : NULL;
    void *run = so ? dlsym(so, "ap_run_session_decode") : NULL;

    if (!m || !run) {
        fprintf(stderr, "cannot open " MOD_SESSION ": %s\n", dlerror());
        abort();
    }
    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&p, NULL) != APR_SUCCESS) {
        abort();
    }
    apr_hook_global_pool = p;
    m->register_hooks(p);
    apr_hook_sort_all();
    memcpy(&decode, &run, sizeof(run));
}

static session_rec *blank(apr_pool_t *p)
{
    session_rec *z = apr_pcalloc(p, sizeof(*z));

    z->pool = p;
    z->entries = apr_table_make(p, 10);
    return z;
}

static void are_same(const session_rec *ours, const session_rec *theirs)
{
    const apr_array_header_t *a = apr_table_elts(ours->entries), *b = apr_table_elts(theirs->entries);
    int i;

    HOLDS(!ours->encoded && !theirs->encoded);
    HOLDS(ours->expiry == theirs->expiry);
    HOLDS(a->nelts == b->nelts);
    for (i = 0; i < a->nelts; i++) {
        const apr_table_entry_t *one = &APR_ARRAY_IDX(a, i, apr_table_entry_t);
        const apr_table_entry_t *other = &APR_ARRAY_IDX(b, i, apr_table_entry_t);

        HOLDS(strcmp(one->key, other->key) == 0);
        HOLDS(strcmp(one->val, other->val) == 0);
        HOLDS(one->key_checksum == other->key_checksum);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    session_rec *ours, *theirs;
    request_rec *r;
    apr_pool_t *p;
    char *text;

    if (!decode) {
        open_mod_session();
    }
    p = fuzz_begin();
    r = stub_request(p);
    ours = blank(p);
    theirs = blank(p);
    text = fuzz_text(data, size);
    do {
        ours->encoded = theirs->encoded = fuzz_line(&text);
        msd_form_decode(ours);
        HOLDS(decode(r, theirs) == OK);
        are_same(ours, theirs);
    } while (*text);
    return fuzz_end();
}
