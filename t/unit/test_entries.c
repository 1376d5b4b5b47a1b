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
    apr_table_t *again, *other;

    OK(msd_entries_equal(pool, table("a=1 b=2"), table("b=2 a=1")), "order does not matter");
    OK(msd_entries_equal(pool, table("a=1 expiry=1"), table("a=1 expiry=2")), "expiry does not matter");
    OK(msd_entries_equal(pool, table("a=1 expiry=1"), table("a=1")), "nor whether there is one");
    OK(!msd_entries_equal(pool, table("a=1"), table("a=2")), "another value is a change");
    OK(!msd_entries_equal(pool, table("a=1"), table("a=1 b=2")), "an added entry is a change");
    OK(!msd_entries_equal(pool, table("a=1 b=2"), table("a=1")), "a removed entry is a change");
    OK(msd_entries_equal(pool, table("A=1"), table("a=1")), "names compare without case, as mod_session's do");
    OK(!msd_entries_equal(pool, table("a=x"), table("a=X")), "values compare with case");
    OK(!msd_entries_equal(pool, table("expiry=1 a=1 b=2"), table("a=1 b=3 expiry=2")), "and behind an expiry, too");
    OK(!msd_entries_equal(pool, table("b=2 a=1"), table("a=1 b=3")), "and in another order");
    again = table("a=1 b=2");
    apr_table_addn(again, "A", "3");
    other = table("a=1 b=2");
    apr_table_addn(other, "a", "4");
    OK(msd_entries_equal(pool, again, other), "of several entries with one name, the first counts");
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

/** Changes of many entries give the same as apr_table_setn and apr_table_unset, one after the other. */
static void test_change_many(void)
{
    static const char *const values[] = { "1", "2", "3", NULL };
    unsigned seed = 1, i, times, differ = 0;

    for (times = 0; times < 200; times++) {
        apr_array_header_t *asked = apr_array_make(pool, 4, sizeof(msd_entries_change_t));
        apr_table_t *entries = table("n0=a N1=b n2=c"), *want = table("n0=a N1=b n2=c");
        const apr_array_header_t *a = apr_table_elts(entries), *b = apr_table_elts(want);

        apr_table_addn(entries, "n0", "again");
        apr_table_addn(want, "n0", "again");
        for (i = 0; i < 100; i++) {
            msd_entries_change_t change;

            seed = seed * 1103515245 + 12345;
            change.name = apr_psprintf(pool, seed & 0x100000 ? "n%u" : "N%u", seed >> 24 & 31);
            change.value = values[seed >> 16 & 3];
            APR_ARRAY_PUSH(asked, msd_entries_change_t) = change;
            if (change.value) {
                apr_table_setn(want, change.name, change.value);
            }
            else {
                apr_table_unset(want, change.name);
            }
        }
        msd_entries_change(pool, entries, asked);
        differ += a->nelts != b->nelts;
        for (i = 0; i < (unsigned)b->nelts && a->nelts == b->nelts; i++) {
            const apr_table_entry_t *one = &APR_ARRAY_IDX(a, i, apr_table_entry_t);
            const apr_table_entry_t *other = &APR_ARRAY_IDX(b, i, apr_table_entry_t);
            differ += strcmp(one->key, other->key) != 0 || strcmp(one->val, other->val) != 0;
        }
    }
    OK(differ == 0, "many changes do what a table does with one after the other, in the same order");
}

TAP_MAIN(p)
{
    pool = p;
    test_copy();
    test_empty();
    test_equal();
    test_merge();
    test_change();
    test_change_many();
}
