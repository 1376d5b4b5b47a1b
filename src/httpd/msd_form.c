/* Reading the form in which mod_session stores entries. */

#include <string.h>

#include <apr_strings.h>
#include <httpd.h>

#include "httpd/msd_entries.h"
#include "httpd/msd_form.h"

char *msd_form_next(char **rest)
{
    char *pair = *rest, *end;

    while (*pair == '&') {
        pair++;
    }
    end = strchr(pair, '&');
    *rest = end ? end + 1 : pair + strlen(pair);
    if (end) {
        *end = '\0';
    }
    return *pair ? pair : NULL;
}

int msd_form_is_escaped(const char *text)
{
    return strchr(text, '%') || strchr(text, '+');
}

static int unescape(char *text)
{
    return !msd_form_is_escaped(text) || ap_unescape_urlencoded(text) == OK;
}

/** Cut a pair into name and value. @return 0 if there is nothing to change. */
static int read_pair(msd_entries_change_t *change, char *pair, int escaped)
{
    char *value;

    while (*pair == '=') {
        pair++;
    }
    if (!*pair) {
        return 0;
    }
    value = strchr(pair, '=');
    if (value) {
        *value++ = '\0';
    }
    change->name = pair;
    change->value = value && *value ? value : NULL;
    /* mod_session does not unescape the name of an entry that it removes. */
    return !change->value || !escaped || (unescape(pair) && unescape(value));
}

void msd_form_decode(session_rec *z)
{
    apr_pool_t *p = apr_table_elts(z->entries)->pool;
    apr_array_header_t *changes;
    msd_entries_change_t change;
    int escaped;
    char *rest, *pair;

    if (!z->encoded) {
        return;
    }
    changes = apr_array_make(p, 8, sizeof(change));
    escaped = msd_form_is_escaped(z->encoded);
    rest = apr_pstrdup(p, z->encoded);
    while ((pair = msd_form_next(&rest))) {
        if (!read_pair(&change, pair, escaped)) {
            continue;
        }
        if (change.value && strcmp(change.name, MSD_ENTRIES_EXPIRY) == 0) {
            z->expiry = (apr_time_t)apr_atoi64(change.value);
        }
        else {
            APR_ARRAY_PUSH(changes, msd_entries_change_t) = change;
        }
    }
    msd_entries_change(p, z->entries, changes);
    z->encoded = NULL;
}
