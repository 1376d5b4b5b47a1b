/* Comparing, changing and merging a session's entries. */

#include <string.h>

#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "httpd/msd_entries.h"

static int same_value(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

apr_table_t *msd_entries_copy(apr_pool_t *p, const apr_table_t *entries)
{
    apr_table_t *copy = apr_table_clone(p, entries);
    apr_table_unset(copy, MSD_ENTRIES_EXPIRY);
    return copy;
}

int msd_entries_empty(const apr_table_t *entries)
{
    return msd_entries_count(entries) <= 0;
}

int msd_entries_count(const apr_table_t *entries)
{
    return apr_table_elts(entries)->nelts - (apr_table_get(entries, MSD_ENTRIES_EXPIRY) ? 1 : 0);
}

int msd_entries_counted(const char *form)
{
    int count = 0;

    for (form += strspn(form, "&"); *form; form += strspn(form, "&")) {
        form += strcspn(form, "&");
        count++;
    }
    return count;
}

/* A name in lower case: tables ignore the case of ASCII letters. */
static const char *folded(apr_pool_t *p, const char *name)
{
    char *copy = apr_pstrdup(p, name), *c;

    for (c = copy; *c; c++) {
        *c = (char)apr_tolower(*c);
    }
    return copy;
}

/** The values by name. A table would search linearly, and so make a merge quadratic. */
static apr_hash_t *by_name(apr_pool_t *p, const apr_table_t *entries)
{
    const apr_array_header_t *elts = apr_table_elts(entries);
    apr_hash_t *values = apr_hash_make(p);
    int i;

    for (i = elts->nelts - 1; i >= 0; i--) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(elts, i, apr_table_entry_t);
        if (strcasecmp(e->key, MSD_ENTRIES_EXPIRY) != 0) {
            apr_hash_set(values, folded(p, e->key), APR_HASH_KEY_STRING, e->val);
        }
    }
    return values;
}

static const char *value_in(apr_pool_t *p, apr_hash_t *values, const char *name)
{
    return apr_hash_get(values, folded(p, name), APR_HASH_KEY_STRING);
}

int msd_entries_equal(apr_pool_t *p, const apr_table_t *a, const apr_table_t *b)
{
    apr_hash_t *in_a = by_name(p, a), *in_b = by_name(p, b);
    apr_hash_index_t *i;
    const void *name;
    void *value;

    if (apr_hash_count(in_a) != apr_hash_count(in_b)) {
        return 0;
    }
    for (i = apr_hash_first(p, in_a); i; i = apr_hash_next(i)) {
        apr_hash_this(i, &name, NULL, &value);
        if (!same_value(value, apr_hash_get(in_b, name, APR_HASH_KEY_STRING))) {
            return 0;
        }
    }
    return 1;
}

apr_table_t *msd_entries_merge(apr_pool_t *p, const apr_table_t *base, const apr_table_t *ours,
                               const apr_table_t *theirs)
{
    const apr_array_header_t *elts = apr_table_elts(theirs);
    apr_hash_t *was = by_name(p, base), *is = by_name(p, ours);
    apr_table_t *merged = apr_table_make(p, elts->nelts), *changed;
    int i;

    for (i = 0; i < elts->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(elts, i, apr_table_entry_t);
        if (strcasecmp(e->key, MSD_ENTRIES_EXPIRY) != 0 && (!value_in(p, was, e->key) || value_in(p, is, e->key))) {
            apr_table_addn(merged, apr_pstrdup(p, e->key), apr_pstrdup(p, e->val));
        }
    }
    elts = apr_table_elts(ours);
    changed = apr_table_make(p, elts->nelts);
    for (i = 0; i < elts->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(elts, i, apr_table_entry_t);
        if (strcasecmp(e->key, MSD_ENTRIES_EXPIRY) != 0 && !same_value(e->val, value_in(p, was, e->key))) {
            apr_table_addn(changed, apr_pstrdup(p, e->key), apr_pstrdup(p, e->val));
        }
    }
    apr_table_overlap(merged, changed, APR_OVERLAP_TABLES_SET);
    return merged;
}

/** The result of all changes for one name. */
typedef struct outcome_t {
    const char *value; /* NULL: removed */
    int done;
} outcome_t;

static outcome_t *outcome_of(apr_pool_t *p, apr_hash_t *outcomes, const char *name)
{
    return apr_hash_get(outcomes, folded(p, name), APR_HASH_KEY_STRING);
}

static apr_hash_t *outcomes_of(apr_pool_t *p, const apr_array_header_t *changes)
{
    apr_hash_t *outcomes = apr_hash_make(p);
    int i;

    for (i = 0; i < changes->nelts; i++) {
        const msd_entries_change_t *change = &APR_ARRAY_IDX(changes, i, msd_entries_change_t);
        outcome_t *outcome = outcome_of(p, outcomes, change->name);
        if (!outcome) {
            outcome = apr_pcalloc(p, sizeof(*outcome));
            apr_hash_set(outcomes, folded(p, change->name), APR_HASH_KEY_STRING, outcome);
        }
        outcome->value = change->value;
    }
    return outcomes;
}

/** Add the entry, unless it was removed or added before. */
static void add_outcome(apr_table_t *entries, const char *name, outcome_t *outcome)
{
    if (outcome->value && !outcome->done) {
        apr_table_addn(entries, name, outcome->value);
    }
    outcome->done = 1;
}

void msd_entries_change(apr_pool_t *p, apr_table_t *entries, const apr_array_header_t *changes)
{
    const apr_array_header_t *were = apr_table_elts(apr_table_copy(p, entries));
    apr_hash_t *outcomes = outcomes_of(p, changes);
    int i;

    apr_table_clear(entries);
    for (i = 0; i < were->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(were, i, apr_table_entry_t);
        outcome_t *outcome = outcome_of(p, outcomes, e->key);
        if (outcome) {
            add_outcome(entries, e->key, outcome);
        }
        else {
            apr_table_addn(entries, e->key, e->val);
        }
    }
    for (i = 0; i < changes->nelts; i++) {
        const msd_entries_change_t *change = &APR_ARRAY_IDX(changes, i, msd_entries_change_t);
        add_outcome(entries, change->name, outcome_of(p, outcomes, change->name));
    }
}

void msd_entries_mask(apr_table_t *entries, const apr_array_header_t *names)
{
    int i;

    for (i = 0; names && i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (apr_table_get(entries, name)) {
            apr_table_setn(entries, name, "*");
        }
    }
}
