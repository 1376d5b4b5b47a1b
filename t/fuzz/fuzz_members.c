/* JSON objects as entries, and back. The first line of an input is the object; every further one changes an entry:
 * "name=value" sets it, "name" removes it. */

#include <apr_tables.h>

#include "base/ddb_json.h"
#include "store/ddb_json_entries.h"
#include "fuzz.h"

#define ENTRIES_MAX 1000000

static int is_bookkeeping(const char *name)
{
    return strcasecmp(name, "expiry") == 0;
}

static apr_table_t *show(const ddb_json_entries_t *m, apr_pool_t *p)
{
    apr_table_t *entries = apr_table_make(p, 8);

    ddb_json_entries_show(m, entries);
    HOLDS(!apr_table_get(entries, "expiry"));
    return entries;
}

/* Nothing comes to light that was not there. */
static int is_entry(void *written, const char *name, const char *value)
{
    (void)value;
    HOLDS(apr_table_get(written, name));
    return 1;
}

typedef struct written_t {
    const ddb_json_entries_t *object;
    const apr_table_t *read; /* its entries */
} written_t;

/* An entry is read as it was written; or the object has its name in two spellings, and then it is no entry again. */
static int is_in(void *baton, const char *name, const char *value)
{
    const written_t *w = baton;
    const char *there = apr_table_get(w->read, name);

    there = there ? there : ddb_json_entries_value(w->object, name);
    HOLDS(is_bookkeeping(name) || (there && strcmp(there, value) == 0));
    return 1;
}

static void change(apr_table_t *entries, char *text)
{
    while (*text) {
        char *line = fuzz_line(&text), *equals = strchr(line, '=');

        if (equals) {
            *equals = '\0';
            apr_table_set(entries, line, equals + 1);
        }
        else {
            apr_table_unset(entries, line);
        }
    }
}

static int is_utf8(void *p, const char *name, const char *value)
{
    return is_bookkeeping(name) || (ddb_json_quote(name, p) && ddb_json_quote(value, p));
}

/* A text that is UTF-8 goes into JSON and comes out as it was. */
static void quote_and_back(const char *text, apr_pool_t *p)
{
    const char *quoted = ddb_json_quote(text, p);
    const char *back = quoted ? ddb_json_unquote(quoted, p) : NULL;

    HOLDS(!quoted || (back && strcmp(back, text) == 0));
}

static void write_back(const ddb_json_entries_t *m, const char *text, char *changes, apr_pool_t *p)
{
    apr_table_t *entries = show(m, p), *read;
    ddb_json_entries_t *again;
    written_t written;
    const char *printed = NULL;
    ddb_error_t err = { 0 };
    apr_status_t rv;

    HOLDS(ddb_json_entries_print(&printed, m, entries, p, &err) == APR_SUCCESS);
    HOLDS(strcmp(printed, *text ? text : "{}") == 0);
    change(entries, changes);
    rv = ddb_json_entries_print(&printed, m, entries, p, &err);
    if (!apr_table_do(is_utf8, p, entries, NULL)) {
        HOLDS(rv == APR_EINVAL && fuzz_is_loggable(err.detail) && !strstr(err.detail, FUZZ_SECRET));
        return;
    }
    HOLDS(rv == APR_SUCCESS && ddb_json_quote(printed, p));
    HOLDS(ddb_json_entries_parse(&again, printed, ENTRIES_MAX, p, &err) == APR_SUCCESS);
    read = show(again, p);
    apr_table_do(is_entry, entries, read, NULL);
    written.read = read;
    written.object = again;
    apr_table_do(is_in, &written, entries, NULL);
    HOLDS(ddb_json_entries_hidden(again) <= ddb_json_entries_hidden(m));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    char *changes = fuzz_text(data, size), *text = fuzz_line(&changes);
    ddb_json_entries_t *m;
    ddb_error_t err = { 0 };

    quote_and_back(text, p);
    quote_and_back(changes, p);
    ddb_json_unquote(text, p);
    /* What comes here was a string of a reply: UTF-8. */
    if (ddb_json_quote(text, p)) {
        if (ddb_json_entries_parse(&m, text, ENTRIES_MAX, p, &err) == APR_SUCCESS) {
            write_back(m, text, changes, p);
        }
        else {
            HOLDS(fuzz_is_loggable(err.detail) && !strstr(err.detail, FUZZ_SECRET));
        }
    }
    return fuzz_end();
}
