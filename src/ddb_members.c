/* Members of a JSON object as entries of a session, and back. */

#include <string.h>

#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "ddb_json.h"
#include "ddb_members.h"

#define EXPIRY "expiry"

typedef struct member_t {
    ddb_json_member_t written;
    const char *name;      /* NULL: it can't be an entry's */
    const char *shown;     /* the value of the entry; NULL: the member is none */
    struct member_t *last; /* the last member of the same name; NULL: this is it */
} member_t;

struct ddb_members_t {
    const char *text;
    apr_array_header_t *list; /* member_t *, in order */
    apr_hash_t *named;        /* folded name -> the member that an entry of that name stands for */
};

/* As tables compare the names of their entries: without the case of ASCII letters. */
static const char *folded(const char *name, apr_pool_t *p)
{
    char *copy = apr_pstrdup(p, name), *c;

    for (c = copy; *c; c++) {
        *c = (char)apr_tolower(*c);
    }
    return copy;
}

static member_t *member_named(const ddb_members_t *m, const char *name, apr_pool_t *p)
{
    return apr_hash_get(m->named, folded(name, p), APR_HASH_KEY_STRING);
}

static member_t *read_member(const ddb_json_member_t *written, apr_pool_t *p)
{
    member_t *found = apr_pcalloc(p, sizeof(*found));

    found->written = *written;
    found->name = ddb_json_unquote(written->name, p);
    if (found->name && strcasecmp(found->name, EXPIRY) == 0) {
        found->name = NULL;
    }
    if (found->name) {
        found->shown = *written->value == '"' ? ddb_json_unquote(written->value, p) : written->value;
    }
    return found;
}

/* Find the member's place among those of the same name. */
static void settle_name(ddb_members_t *m, member_t *found, apr_pool_t *p)
{
    const char *key = folded(found->name, p);
    member_t *first = apr_hash_get(m->named, key, APR_HASH_KEY_STRING);

    if (first && strcmp(first->name, found->name) != 0) {
        found->name = found->shown = NULL;
        return;
    }
    if (first) {
        first->shown = NULL;
        first->last = found;
    }
    apr_hash_set(m->named, key, APR_HASH_KEY_STRING, found);
}

apr_status_t ddb_members_parse(ddb_members_t **pm, const char *text, apr_pool_t *p, ddb_error_t *err)
{
    ddb_members_t *m = apr_pcalloc(p, sizeof(*m));
    apr_array_header_t *written;
    int i;

    m->text = text && *text ? apr_pstrdup(p, text) : "{}";
    m->list = apr_array_make(p, 16, sizeof(member_t *));
    m->named = apr_hash_make(p);
    if (ddb_json_members(&written, m->text, p) != APR_SUCCESS) {
        return ddb_error_set(err, DDB_EBADITEM, "attribute data of the stored session is no JSON object: not written by"
                             " dynamodb-session-flask, or changed by hand");
    }
    for (i = 0; i < written->nelts; i++) {
        member_t *found = read_member(&APR_ARRAY_IDX(written, i, ddb_json_member_t), p);
        if (found->name) {
            settle_name(m, found, p);
        }
        APR_ARRAY_PUSH(m->list, member_t *) = found;
    }
    *pm = m;
    return APR_SUCCESS;
}

void ddb_members_show(const ddb_members_t *m, apr_table_t *entries)
{
    int i;

    for (i = 0; i < m->list->nelts; i++) {
        const member_t *member = APR_ARRAY_IDX(m->list, i, member_t *);
        if (member->shown) {
            apr_table_set(entries, member->name, member->shown);
        }
    }
}

int ddb_members_hidden(const ddb_members_t *m)
{
    int i;

    for (i = 0; i < m->list->nelts; i++) {
        const member_t *member = APR_ARRAY_IDX(m->list, i, member_t *);
        if (!member->shown && !member->last) {
            return 1;
        }
    }
    return 0;
}

/* The way back. */
typedef struct writer_t {
    const apr_table_t *entries;
    apr_array_header_t *parts; /* "name":value */
    int changed;
    apr_pool_t *p;
    ddb_error_t *err;
} writer_t;

static void add(writer_t *w, const char *name, const char *value)
{
    APR_ARRAY_PUSH(w->parts, const char *) = apr_pstrcat(w->p, name, ":", value, NULL);
}

static apr_status_t quote(const char **written, const char *text, writer_t *w)
{
    *written = ddb_json_quote(text, w->p);
    if (!*written) {
        return ddb_error_set(w->err, APR_EINVAL, "the name or the value of an entry is not UTF-8, and JSON holds"
                             " nothing else: encode it, or keep the session with SessionDynamoDBFormat form");
    }
    return APR_SUCCESS;
}

static const member_t *last_of(const member_t *member)
{
    while (member->last) {
        member = member->last;
    }
    return member;
}

static apr_status_t write_member(writer_t *w, const member_t *member)
{
    const char *value = member->name ? apr_table_get(w->entries, member->name) : NULL, *written;
    apr_status_t rv = APR_SUCCESS;

    if (member->last) {
        /* Nobody who reads the object sees it; but it would come to light if only the last one were removed. */
        if (value || !last_of(member)->shown) {
            add(w, member->written.name, member->written.value);
        }
        return rv;
    }
    if (!value && member->shown) {
        w->changed = 1;
        return rv;
    }
    if (!value || (member->shown && strcmp(value, member->shown) == 0)) {
        add(w, member->written.name, member->written.value);
        return rv;
    }
    rv = quote(&written, value, w);
    if (rv == APR_SUCCESS) {
        add(w, member->written.name, written);
        w->changed = 1;
    }
    return rv;
}

static apr_status_t write_new(writer_t *w, const char *entry, const char *text)
{
    const char *name, *value;
    apr_status_t rv = quote(&name, entry, w);

    rv = rv == APR_SUCCESS ? quote(&value, text, w) : rv;
    if (rv == APR_SUCCESS) {
        add(w, name, value);
        w->changed = 1;
    }
    return rv;
}

apr_status_t ddb_members_print(const char **text, const ddb_members_t *m, const apr_table_t *entries, apr_pool_t *p,
                               ddb_error_t *err)
{
    const apr_array_header_t *elts = apr_table_elts(entries);
    writer_t w = { entries, apr_array_make(p, 16, sizeof(const char *)), 0, p, err };
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < m->list->nelts && rv == APR_SUCCESS; i++) {
        rv = write_member(&w, APR_ARRAY_IDX(m->list, i, const member_t *));
    }
    for (i = 0; i < elts->nelts && rv == APR_SUCCESS; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(elts, i, apr_table_entry_t);
        if (e->val && strcasecmp(e->key, EXPIRY) != 0 && !member_named(m, e->key, p)) {
            rv = write_new(&w, e->key, e->val);
        }
    }
    if (rv == APR_SUCCESS) {
        *text = w.changed ? apr_pstrcat(p, "{", apr_array_pstrcat(p, w.parts, ','), "}", NULL) : m->text;
    }
    return rv;
}
