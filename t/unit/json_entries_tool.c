/* JSON objects as entries over a pipe, for json_entries_oracle.py. Each line of input is fields in hex: an object, then
 * names and values of entries to set (a value of "-": to remove). The answer is the object afterwards and then its entries as
 * they were before, in hex; "refused" when it is no object or can't be written. */

#include <stdio.h>
#include <string.h>

#include <apr_encode.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "store/ddb_json_entries.h"

static const char *text_of(const char *hex, apr_pool_t *p)
{
    /* APR gives NULL for an empty text. */
    return *hex ? apr_pdecode_base16(p, hex, APR_ENCODE_STRING, APR_ENCODE_NONE, NULL) : "";
}

static void put(const char *text, apr_pool_t *p)
{
    fputs(*text ? apr_pencode_base16(p, text, APR_ENCODE_STRING, APR_ENCODE_LOWER, NULL) : "", stdout);
}

static void change(apr_table_t *entries, char *rest, apr_pool_t *p)
{
    char *name, *value;

    while ((name = rest) && (value = strchr(name, ' '))) {
        *value++ = '\0';
        rest = strchr(value, ' ');
        if (rest) {
            *rest++ = '\0';
        }
        if (strcmp(value, "-") == 0) {
            apr_table_unset(entries, text_of(name, p));
        }
        else {
            apr_table_set(entries, text_of(name, p), text_of(value, p));
        }
    }
}

static void answer(char *line, apr_pool_t *p)
{
    char *rest = strchr(line, ' ');
    apr_table_t *before = apr_table_make(p, 8), *entries;
    const apr_array_header_t *elts = apr_table_elts(before);
    ddb_json_entries_t *m;
    const char *text;
    int i;

    if (rest) {
        *rest++ = '\0';
    }
    if (ddb_json_entries_parse(&m, text_of(line, p), 1000, p, NULL) != APR_SUCCESS) {
        puts("refused");
        return;
    }
    ddb_json_entries_show(m, before);
    entries = apr_table_clone(p, before);
    change(entries, rest, p);
    if (ddb_json_entries_print(&text, m, entries, p, NULL) != APR_SUCCESS) {
        puts("refused");
        return;
    }
    put(text, p);
    for (i = 0; i < elts->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(elts, i, apr_table_entry_t);
        putchar(' ');
        put(e->key, p);
        putchar(' ');
        put(e->val, p);
    }
    putchar('\n');
}

int main(void)
{
    static char line[1 << 20];
    apr_pool_t *p;

    apr_initialize();
    apr_pool_create(&p, NULL);
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        answer(line, p);
        apr_pool_clear(p);
    }
    apr_pool_destroy(p);
    apr_terminate();
    return 0;
}
