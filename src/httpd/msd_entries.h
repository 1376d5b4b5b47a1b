#ifndef MSD_ENTRIES_H
#define MSD_ENTRIES_H

#include <apr_tables.h>

/*
 * The entries of a session: a table of names and values, as mod_session keeps them; names are case-insensitive. The
 * entry "expiry" is mod_session's own bookkeeping, not the application's, and does not count as an entry here. The cost
 * of each function is linear in the number of entries. Depends on APR only.
 */

/** The name that mod_session reserves for itself. */
#define MSD_ENTRIES_EXPIRY "expiry"

/** A deep copy in p, without "expiry". */
apr_table_t *msd_entries_copy(apr_pool_t *p, const apr_table_t *entries);

/** 1 if there are no entries besides "expiry". */
int msd_entries_empty(const apr_table_t *entries);

/** The number of entries. */
int msd_entries_count(const apr_table_t *entries);

/** The number of pairs, "expiry" included, that mod_session would read from text in its own form, name=value&... */
int msd_entries_counted(const char *form);

/** 1 if both have the same names and values, in any order. p is for temporary data. */
int msd_entries_equal(apr_pool_t *p, const apr_table_t *a, const apr_table_t *b);

/** Replace the values of the entries named in names (const char *; may be NULL) by "*". */
void msd_entries_mask(apr_table_t *entries, const apr_array_header_t *names);

/** An entry that is set or removed. */
typedef struct msd_entries_change_t {
    const char *name;  /* never empty */
    const char *value; /* NULL: the entry is removed */
} msd_entries_change_t;

/** Apply changes (msd_entries_change_t) to entries: the result, its order included, is that of apr_table_setn and
 * apr_table_unset for one after the other. Names and values are not copied; p is for temporary data. */
void msd_entries_change(apr_pool_t *p, apr_table_t *entries, const apr_array_header_t *changes);

/**
 * The three-way merge, in p: the entries stored now (theirs), with every change from base to ours applied. Entries that
 * this request set or changed are set, entries that it removed are removed. If both sides changed an entry, ours wins,
 * as that of the later request.
 */
apr_table_t *msd_entries_merge(apr_pool_t *p, const apr_table_t *base, const apr_table_t *ours,
                               const apr_table_t *theirs);

#endif
