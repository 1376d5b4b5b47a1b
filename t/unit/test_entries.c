/* The entries of a session: what counts as a change, and how two changes become one. */

#include <apr_strings.h>

#include "httpd/msd_entries.h"
#include "tap.h"

static apr_pool_t *pool;

/** A table from "name=value name=value". */
static apr_table_t *table(const char *text)
{
    apr_table_t *t = apr_table_make(pool, 4);
    char *copy = apr_pstrdup(pool, text), *last = NULL, *word;

    for (word = apr_strtok(copy, " ", &last); word; word = apr_strtok(NULL, " ", &last)) {
        char *equal = strchr(word, '=');
        *equal = '\0';
        apr_table_set(t, word, equal + 1);
    }
    return t;
}

static void test_copy(void)
{
    apr_table_t *from = table("a=1 expiry=5 b=2");
    apr_table_t *copy = msd_entries_copy(pool, from);

    OK(apr_table_get(copy, "expiry") == NULL, "a copy leaves mod_session's expiry out");
    IS(apr_table_get(from, "expiry"), "5", "and leaves the original as it is");
    apr_table_set(from, "a", "9");
    IS(apr_table_get(copy, "a"), "1", "a copy does not follow the original");
}

static void test_empty(void)
{
    OK(msd_entries_empty(table("")), "no entry is empty");
    OK(msd_entries_empty(table("expiry=5")), "only mod_session's expiry is empty");
    OK(!msd_entries_empty(table("a=")), "an entry with an empty value is not empty");
    OK(!msd_entries_empty(table("expiry=5 a=1")), "expiry and an entry are not empty");
}

static void test_equal(void)
{
    OK(msd_entries_equal(pool, table("a=1 b=2"), table("b=2 a=1")), "order does not matter");
    OK(msd_entries_equal(pool, table("a=1 expiry=1"), table("a=1 expiry=2")), "expiry does not matter");
    OK(msd_entries_equal(pool, table("a=1 expiry=1"), table("a=1")), "nor whether there is one");
    OK(!msd_entries_equal(pool, table("a=1"), table("a=2")), "another value is a change");
    OK(!msd_entries_equal(pool, table("a=1"), table("a=1 b=2")), "an added entry is a change");
    OK(!msd_entries_equal(pool, table("a=1 b=2"), table("a=1")), "a removed entry is a change");
    OK(msd_entries_equal(pool, table("A=1"), table("a=1")), "names compare without case, as mod_session's do");
    OK(!msd_entries_equal(pool, table("a=x"), table("a=X")), "values compare with case");
}

static const struct {
    const char *base, *ours, *theirs, *merged, *name;
} merges[] = {
    { "a=1", "a=1", "a=1", "a=1", "nothing changed" },
    { "a=1", "a=2", "a=1", "a=2", "changed here" },
    { "a=1", "a=1", "a=2", "a=2", "changed there" },
    { "a=1", "a=2", "a=3", "a=2", "changed on both sides: the later request wins" },
    { "a=1", "a=1 b=2", "a=1 c=3", "a=1 b=2 c=3", "different entries added: both stay" },
    { "a=1 b=1", "a=2 b=1", "a=1 b=2", "a=2 b=2", "different entries changed: both stay" },
    { "a=1 b=1", "b=1", "a=1 b=2", "b=2", "removed here, another changed there" },
    { "a=1", "", "a=2", "", "removed here and changed there: the later request wins" },
    { "a=1", "a=2", "", "a=2", "changed here and removed there: the later request wins" },
    { "a=1 b=1", "a=1 b=1", "b=1", "b=1", "removed there stays removed" },
    { "a=1 b=1", "b=1", "a=1", "", "one removed here, the other there" },
    { "", "a=1", "a=1", "a=1", "the same added on both sides" },
    { "a=1", "a=1 expiry=7", "a=1 expiry=8", "a=1", "expiry is no entry" },
};

static void test_merge(void)
{
    apr_size_t i;

    for (i = 0; i < sizeof(merges) / sizeof(merges[0]); i++) {
        apr_table_t *base = table(merges[i].base), *ours = table(merges[i].ours), *theirs = table(merges[i].theirs);
        apr_table_t *merged = msd_entries_merge(pool, base, ours, theirs), *want = table(merges[i].merged);
        OK(msd_entries_equal(pool, merged, want) && apr_table_elts(merged)->nelts == apr_table_elts(want)->nelts,
           merges[i].name);
        OK(msd_entries_equal(pool, theirs, table(merges[i].theirs)), "  and what was stored is left alone");
    }
}

static const struct {
    const char *before, *changes, *after, *name; /* changes: "name=" removes */
} changes[] = {
    { "a=1 b=2", "", "a=1 b=2", "no change" },
    { "a=1", "b=2 a=3", "a=3 b=2", "one set anew, one new" },
    { "a=1 b=2 c=3", "b=", "a=1 c=3", "one removed" },
    { "a=1", "a= a=2", "a=2", "removed and set: it is there" },
    { "a=1", "b=2 b= a=2 a=", "", "set and removed: it is gone" },
    { "", "a=1 a=2 a=3", "a=3", "the last one counts" },
    { "Ab=1", "aB=2", "Ab=2", "names compare without case" },
    { "Ab=1 expiry=5", "aB=", "expiry=5", "in removing, too" },
    { "a=1", "b=", "a=1", "one that is not there can't be removed" },
};

static void test_change(void)
{
    apr_size_t i;

    for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        apr_array_header_t *asked = apr_array_make(pool, 4, sizeof(msd_entries_change_t));
        char *copy = apr_pstrdup(pool, changes[i].changes), *last = NULL, *word;
        apr_table_t *entries = table(changes[i].before), *want = table(changes[i].after);

        for (word = apr_strtok(copy, " ", &last); word; word = apr_strtok(NULL, " ", &last)) {
            char *value = strchr(word, '=') + 1;
            value[-1] = '\0';
            APR_ARRAY_PUSH(asked, msd_entries_change_t) = (msd_entries_change_t){ .name = word,
                                                                                  .value = *value ? value : NULL };
        }
        msd_entries_change(pool, entries, asked);
        OK(msd_entries_equal(pool, entries, want) && apr_table_elts(entries)->nelts == apr_table_elts(want)->nelts,
           changes[i].name);
    }
}

TAP_MAIN(p)
{
    pool = p;
    test_copy();
    test_empty();
    test_equal();
    test_merge();
    test_change();
}
