#ifndef MSD_ENTRIES_H
#define MSD_ENTRIES_H

#include <apr_tables.h>

/*
 * The entries of a session: a table of names and values, as mod_session keeps them; names compare without case. The
 * entry "expiry" is mod_session's own bookkeeping, not the application's, and is none here. The cost of everything
 * grows as the entries do. APR only.
 */

/** The name that mod_session keeps for itself. */
#define MSD_ENTRIES_EXPIRY "expiry"

/** A deep copy in p, without "expiry". */
apr_table_t *msd_entries_copy(apr_pool_t *p, const apr_table_t *entries);

/** 1 when there is no entry besides "expiry". */
int msd_entries_empty(const apr_table_t *entries);

/** How many there are. */
int msd_entries_count(const apr_table_t *entries);

/** How many names and values mod_session would read in a text of its own form, name=value&name=value, "expiry" too. */
int msd_entries_counted(const char *form);

/** 1 when both hold the same names and values, in any order. p is for what it needs meanwhile. */
int msd_entries_equal(apr_pool_t *p, const apr_table_t *a, const apr_table_t *b);

/** An entry that is set or removed. */
typedef struct msd_entries_change_t {
    const char *name;  /* never empty */
    const char *value; /* NULL: the entry is removed */
} msd_entries_change_t;

/** Change entries as if by one change (msd_entries_change_t) after the other. Names and values are not copied; p is
 * for what it needs meanwhile. */
void msd_entries_change(apr_pool_t *p, apr_table_t *entries, const apr_array_header_t *changes);

/**
 * The three-way merge, in p: what is stored now (theirs), with every change from base to ours applied: entries set or
 * changed here are set, entries removed here are removed. The same entry changed on both sides is ours: the later
 * request wins.
 */
apr_table_t *msd_entries_merge(apr_pool_t *p, const apr_table_t *base, const apr_table_t *ours,
                               const apr_table_t *theirs);

#endif
