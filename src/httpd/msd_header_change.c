/* The changes in a session header. */

#include <string.h>

#include <apr_strings.h>
#include <httpd.h>

#include "httpd/msd_form.h"
#include "httpd/msd_header_change.h"

int msd_header_change_read(msd_entries_change_t *change, const char *pair, apr_pool_t *p)
{
    const char *start = pair + strspn(pair, "=");
    const char *end = start + strcspn(start, "=");
    char *name = apr_pstrmemdup(p, start, (apr_size_t)(end - start));
    char *value = *end && end[1] ? apr_pstrdup(p, end + 1) : NULL;

    if (!*name
        || (msd_form_is_escaped(pair)
            && (ap_unescape_urlencoded(name) != OK || (value && ap_unescape_urlencoded(value) != OK)))) {
        return 0;
    }
    change->name = name;
    change->value = value;
    return 1;
}

void msd_header_change_make(session_rec *z, const char *said)
{
    apr_array_header_t *changes = apr_array_make(z->pool, 8, sizeof(msd_entries_change_t));
    char *rest = apr_pstrdup(z->pool, said), *pair;
    msd_entries_change_t change;

    while ((pair = msd_form_next(&rest))) {
        if (!msd_header_change_read(&change, pair, z->pool)) {
            continue;
        }
        if (change.value && strcmp(change.name, MSD_ENTRIES_EXPIRY) == 0) {
            z->expiry = (apr_time_t)apr_atoi64(change.value);
        }
        else {
            APR_ARRAY_PUSH(changes, msd_entries_change_t) = change;
        }
    }
    msd_entries_change(z->pool, z->entries, changes);
    z->dirty = 1;
}
