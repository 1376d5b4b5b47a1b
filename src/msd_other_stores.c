/* Directives of mod_session's other stores where sessions are in the table. */

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

#include "msd_config.h"
#include "msd_other_stores.h"

APLOG_USE_MODULE(session_dynamodb);

static const char *const others[] = {
    "SessionCookieName", "SessionCookieName2", "SessionDBDCookieName", "SessionDBDCookieName2", "SessionDBDPerUser",
    NULL
};

typedef struct found_t {
    apr_pool_t *pool;
    apr_array_header_t *ours;   /* const ap_directive_t *: SessionDynamoDB On */
    apr_array_header_t *others; /* const ap_directive_t * */
} found_t;

static int is_switch(const ap_directive_t *d, const char *position, apr_pool_t *p)
{
    const char *args = d->args;

    return strcasecmp(d->directive, "SessionDynamoDB") == 0 && strcasecmp(ap_getword_conf(p, &args), position) == 0;
}

static void find(found_t *found, const ap_directive_t *d)
{
    int i;

    for (; d; d = d->next) {
        if (is_switch(d, "On", found->pool)) {
            APR_ARRAY_PUSH(found->ours, const ap_directive_t *) = d;
        }
        for (i = 0; others[i]; i++) {
            if (strcasecmp(d->directive, others[i]) == 0) {
                APR_ARRAY_PUSH(found->others, const ap_directive_t *) = d;
            }
        }
        find(found, d->first_child);
    }
}

/** 1 when both are the same section, or two for the same place: written alike, in the same host. NULL is the
 * outermost. */
static int same_section(const ap_directive_t *a, const ap_directive_t *b)
{
    while (a && b && a != b && strcasecmp(a->directive, b->directive) == 0 && strcmp(a->args, b->args) == 0
           && strcasecmp(a->directive, "<VirtualHost") != 0) {
        a = a->parent;
        b = b->parent;
    }
    return a == b;
}

/** 1 when the section around outer holds for d too. */
static int holds_for(const ap_directive_t *outer, const ap_directive_t *d)
{
    for (d = d->parent; d; d = d->parent) {
        if (same_section(outer->parent, d)) {
            return 1;
        }
    }
    return !outer->parent;
}

/** 1 when a section from d's own up to that of outer says Off. */
static int is_off(const ap_directive_t *d, const ap_directive_t *outer, apr_pool_t *p)
{
    const ap_directive_t *one, *section;

    for (section = d->parent; section && !same_section(section, outer->parent); section = section->parent) {
        for (one = section->first_child; one; one = one->next) {
            if (is_switch(one, "Off", p)) {
                return 1;
            }
        }
    }
    return 0;
}

void msd_other_stores_check(apr_pool_t *p, server_rec *main_server)
{
    found_t found = { p, apr_array_make(p, 4, sizeof(void *)), apr_array_make(p, 4, sizeof(void *)) };
    int i, k;

    find(&found, ap_conftree);
    for (i = 0; i < found.others->nelts; i++) {
        const ap_directive_t *other = APR_ARRAY_IDX(found.others, i, const ap_directive_t *);

        for (k = 0; k < found.ours->nelts; k++) {
            const ap_directive_t *on = APR_ARRAY_IDX(found.ours, k, const ap_directive_t *);

            if (holds_for(other, on) || (holds_for(on, other) && !is_off(other, on, p))) {
                ap_log_error(APLOG_MARK, APLOG_WARNING | APLOG_STARTUP, 0, main_server, "%s (at %s:%d) names another "
                             "store where SessionDynamoDB is On (at %s:%d): sessions are in the table there, and "
                             "nowhere else. Move it to a section where SessionDynamoDB is Off, or remove it",
                             other->directive, other->filename, other->line_num, on->filename, on->line_num);
                break;
            }
        }
    }
}
