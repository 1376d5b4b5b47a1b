/* JSON objects as entries over a pipe, for json_entries_oracle.py. Each line of input is fields in hex: an object, then
 * names and values of entries to set (a value of "-": to remove). The answer is the object afterwards and then its entries as
 * they were before, in hex; "refused" when it is no object or can't be written. */

#include <apr_strings.h>

#include "store/ddb_json_entries.h"
#include "pipe.h"

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
            apr_table_unset(entries, pipe_text(name, p));
        }
        else {
            apr_table_set(entries, pipe_text(name, p), pipe_text(value, p));
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
    if (ddb_json_entries_parse(&m, pipe_text(line, p), 1000, p, NULL) != APR_SUCCESS) {
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
    fputs(pipe_hex(text, p), stdout);
    for (i = 0; i < elts->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(elts, i, apr_table_entry_t);
        putchar(' ');
        fputs(pipe_hex(e->key, p), stdout);
        putchar(' ');
        fputs(pipe_hex(e->val, p), stdout);
    }
    putchar('\n');
}

int main(void)
{
    return pipe_serve(answer);
}
