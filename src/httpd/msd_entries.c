/* Comparing, changing and merging a session's entries. */

#include <string.h>

#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "httpd/msd_entries.h"

#define FEW 64 /* entries and changes: a table, which searches linearly, is faster than a hash */

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

/** The place of the first entry at or after place i that is not "expiry"; nelts: none. */
static int skip_expiry(const apr_array_header_t *elts, int i)
{
    while (i < elts->nelts && strcasecmp(APR_ARRAY_IDX(elts, i, apr_table_entry_t).key, MSD_ENTRIES_EXPIRY) == 0) {
        i++;
    }
    return i;
}

/** 1 if a and b have the same entries in the same order; 0 if both have a name first in the same place, but not its
 * value; -1 if only a search by name can tell. */
static int equal_in_order(const apr_table_t *a, const apr_table_t *b)
{
    const apr_array_header_t *in_a = apr_table_elts(a), *in_b = apr_table_elts(b);
    int i = skip_expiry(in_a, 0), j = skip_expiry(in_b, 0), before;

    for (; i < in_a->nelts && j < in_b->nelts; i = skip_expiry(in_a, i + 1), j = skip_expiry(in_b, j + 1)) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(in_a, i, apr_table_entry_t);
        const apr_table_entry_t *other = &APR_ARRAY_IDX(in_b, j, apr_table_entry_t);
        if (strcasecmp(e->key, other->key) != 0) {
            return -1;
        }
        if (!same_value(e->val, other->val)) {
            for (before = 0; strcasecmp(APR_ARRAY_IDX(in_a, before, apr_table_entry_t).key, e->key) != 0; before++) {
            }
            return before == i ? 0 : -1;
        }
    }
    return i == in_a->nelts && j == in_b->nelts ? 1 : -1;
}

static int equal_by_name(apr_pool_t *p, const apr_table_t *a, const apr_table_t *b)
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

int msd_entries_equal(apr_pool_t *p, const apr_table_t *a, const apr_table_t *b)
{
    int equal = equal_in_order(a, b);

    return equal < 0 ? equal_by_name(p, a, b) : equal;
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

/** What becomes of a name. */
typedef struct outcome_t {
    const char *value; /* NULL: there is no entry of this name */
    int place;         /* the change that adds the entry at the end; OLD_PLACE: it stays where it was */
    int is_set;        /* 1: by a change */
} outcome_t;

#define OLD_PLACE (-1)

/** The outcome for a name; on its first use, that it has none but this value. */
static outcome_t *outcome_of(apr_pool_t *p, apr_hash_t *outcomes, const char *name, const char *value)
{
    const char *key = folded(p, name);
    outcome_t *outcome = apr_hash_get(outcomes, key, APR_HASH_KEY_STRING);

    if (!outcome) {
        outcome = apr_pcalloc(p, sizeof(*outcome));
        outcome->value = value;
        outcome->place = OLD_PLACE;
        apr_hash_set(outcomes, key, APR_HASH_KEY_STRING, outcome);
    }
    return outcome;
}

/** The outcomes of all changes. of_entries, of_changes: those for the name of each entry and each change. */
static void find_outcomes(apr_pool_t *p, const apr_array_header_t *were, const apr_array_header_t *changes,
                          outcome_t **of_entries, outcome_t **of_changes)
{
    apr_hash_t *outcomes = apr_hash_make(p);
    int i;

    for (i = 0; i < were->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(were, i, apr_table_entry_t);
        of_entries[i] = outcome_of(p, outcomes, e->key, e->val);
    }
    for (i = 0; i < changes->nelts; i++) {
        const msd_entries_change_t *change = &APR_ARRAY_IDX(changes, i, msd_entries_change_t);
        outcome_t *outcome = of_changes[i] = outcome_of(p, outcomes, change->name, NULL);
        outcome->place = change->value && !outcome->value ? i : outcome->place;
        outcome->value = change->value;
        outcome->is_set = 1;
    }
}

static void change_many(apr_pool_t *p, apr_table_t *entries, const apr_array_header_t *changes)
{
    const apr_array_header_t *were = apr_table_elts(apr_table_copy(p, entries));
    outcome_t **of_entries = apr_palloc(p, (apr_size_t)were->nelts * sizeof(*of_entries));
    outcome_t **of_changes = apr_palloc(p, (apr_size_t)changes->nelts * sizeof(*of_changes));
    int i;

    find_outcomes(p, were, changes, of_entries, of_changes);
    apr_table_clear(entries);
    for (i = 0; i < were->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(were, i, apr_table_entry_t);
        outcome_t *outcome = of_entries[i];
        if (!outcome->is_set) {
            apr_table_addn(entries, e->key, e->val);
        }
        else if (outcome->value && outcome->place == OLD_PLACE) {
            apr_table_addn(entries, e->key, outcome->value);
            outcome->value = NULL; /* once, like apr_table_setn */
        }
    }
    for (i = 0; i < changes->nelts; i++) {
        if (of_changes[i]->value && of_changes[i]->place == i) {
            apr_table_addn(entries, APR_ARRAY_IDX(changes, i, msd_entries_change_t).name, of_changes[i]->value);
        }
    }
}

void msd_entries_change(apr_pool_t *p, apr_table_t *entries, const apr_array_header_t *changes)
{
    int i;

    if (apr_table_elts(entries)->nelts + changes->nelts > FEW) {
        change_many(p, entries, changes);
        return;
    }
    for (i = 0; i < changes->nelts; i++) {
        const msd_entries_change_t *change = &APR_ARRAY_IDX(changes, i, msd_entries_change_t);
        if (change->value) {
            apr_table_setn(entries, change->name, change->value);
        }
        else {
            apr_table_unset(entries, change->name);
        }
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
