/* What changed in a session's entries, and how two changes become one. */

#include <string.h>

#include <apr_strings.h>

#include "msd_entries.h"

#define EXPIRY "expiry"

static int same_value(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

apr_table_t *msd_entries_copy(apr_pool_t *p, const apr_table_t *entries)
{
    apr_table_t *copy = apr_table_clone(p, entries);
    apr_table_unset(copy, EXPIRY);
    return copy;
}

int msd_entries_empty(const apr_table_t *entries)
{
    int own = apr_table_get(entries, EXPIRY) ? 1 : 0;
    return apr_table_elts(entries)->nelts <= own;
}

/** 1 when every entry of a is in b with the same value. */
static int contained(const apr_table_t *a, const apr_table_t *b)
{
    const apr_array_header_t *elts = apr_table_elts(a);
    int i;

    for (i = 0; i < elts->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(elts, i, apr_table_entry_t);
        if (strcasecmp(e->key, EXPIRY) != 0 && !same_value(e->val, apr_table_get(b, e->key))) {
            return 0;
        }
    }
    return 1;
}

int msd_entries_equal(const apr_table_t *a, const apr_table_t *b)
{
    return contained(a, b) && contained(b, a);
}

apr_table_t *msd_entries_merge(apr_pool_t *p, const apr_table_t *base, const apr_table_t *ours,
                               const apr_table_t *theirs)
{
    apr_table_t *merged = msd_entries_copy(p, theirs);
    const apr_array_header_t *elts = apr_table_elts(base);
    int i;

    for (i = 0; i < elts->nelts; i++) {
        const char *name = APR_ARRAY_IDX(elts, i, apr_table_entry_t).key;
        if (!apr_table_get(ours, name)) {
            apr_table_unset(merged, name);
        }
    }
    elts = apr_table_elts(ours);
    for (i = 0; i < elts->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(elts, i, apr_table_entry_t);
        if (strcasecmp(e->key, EXPIRY) != 0 && !same_value(e->val, apr_table_get(base, e->key))) {
            apr_table_set(merged, e->key, e->val);
        }
    }
    return merged;
}
