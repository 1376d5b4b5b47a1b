/* Members of a JSON object as entries of a session, and back. */

#include <string.h>

#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "base/ddb_json.h"
#include "store/ddb_json_entries.h"

#define EXPIRY "expiry"

/* A name in the object, in its exact spelling; several members may have it. */
typedef struct name_t {
    const char *text;
    const struct member_t *last; /* the only member that readers see */
    int doubtful;                /* 1: another name differs only in case */
} name_t;

typedef struct member_t {
    ddb_json_member_t written;
    name_t *name;     /* NULL: an entry cannot have this name */
    const char *text; /* the value as an entry; NULL: an entry cannot have this name or value */
} member_t;

struct ddb_json_entries_t {
    const char *text;
    int max;
    apr_array_header_t *list; /* member_t *, in order */
    apr_hash_t *names;        /* text -> name_t */
    apr_hash_t *spellings;    /* folded text -> the first name_t with it */
    const char *doubtful;     /* one of the doubtful names; NULL: there are none */
    apr_pool_t *p;
};

/* Fold the case of ASCII letters, which APR tables ignore when they compare names. */
static const char *folded(const char *name, apr_pool_t *p)
{
    char *copy = apr_pstrdup(p, name), *c;

    for (c = copy; *c; c++) {
        *c = (char)apr_tolower(*c);
    }
    return copy;
}

/* Find a name, or add it. */
static name_t *name_of(ddb_json_entries_t *m, const char *text)
{
    name_t *name = apr_hash_get(m->names, text, APR_HASH_KEY_STRING), *other;
    const char *key;

    if (name) {
        return name;
    }
    name = apr_pcalloc(m->p, sizeof(*name));
    name->text = text;
    apr_hash_set(m->names, text, APR_HASH_KEY_STRING, name);
    key = folded(text, m->p);
    other = apr_hash_get(m->spellings, key, APR_HASH_KEY_STRING);
    if (other) {
        other->doubtful = name->doubtful = 1;
        m->doubtful = text;
    }
    else {
        apr_hash_set(m->spellings, key, APR_HASH_KEY_STRING, name);
    }
    return name;
}

static member_t *read_member(ddb_json_entries_t *m, const ddb_json_member_t *written)
{
    member_t *found = apr_pcalloc(m->p, sizeof(*found));
    const char *name = ddb_json_unquote(written->name, m->p);

    found->written = *written;
    if (name && strcasecmp(name, EXPIRY) != 0) {
        found->name = name_of(m, name);
        found->name->last = found;
        found->text = *written->value == '"' ? ddb_json_unquote(written->value, m->p) : written->value;
    }
    return found;
}

static int is_shown(const member_t *member)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a member with a text has a name. */
    return member->text && member->name->last == member && !member->name->doubtful;
}

/* All members with a repeated name, except the last. */
static int is_passed_over(const member_t *member)
{
    return member->name && member->name->last != member;
}

apr_status_t ddb_json_entries_limit(int count, int max, ddb_error_t *err)
{
    return count <= max ? APR_SUCCESS
                        : ddb_error_set(err, DDB_ETOOLARGE,
                                        "the session has %d entries, more than the %d that SessionDynamoDBMaxEntries "
                                        "allows: store fewer, or allow more",
                                        count, max);
}

apr_status_t ddb_json_entries_parse(ddb_json_entries_t **pm, const char *text, int max, apr_pool_t *p, ddb_error_t *err)
{
    ddb_json_entries_t *m = apr_pcalloc(p, sizeof(*m));
    apr_array_header_t *written;
    apr_status_t rv;
    int i;

    m->text = text && *text ? apr_pstrdup(p, text) : "{}";
    m->max = max;
    m->list = apr_array_make(p, 16, sizeof(member_t *));
    m->names = apr_hash_make(p);
    m->spellings = apr_hash_make(p);
    m->p = p;
    if (ddb_json_members(&written, m->text, p) != APR_SUCCESS) {
        return ddb_error_set(err, DDB_EBADITEM,
                             "attribute data of the stored session is not a JSON object: not written by "
                             "dynamodb-session-flask, or changed by hand");
    }
    rv = ddb_json_entries_limit(written->nelts, max, err);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (i = 0; i < written->nelts; i++) {
        APR_ARRAY_PUSH(m->list, member_t *) = read_member(m, &APR_ARRAY_IDX(written, i, ddb_json_member_t));
    }
    *pm = m;
    return APR_SUCCESS;
}

void ddb_json_entries_show(const ddb_json_entries_t *m, apr_table_t *entries)
{
    int i;

    for (i = 0; i < m->list->nelts; i++) {
        const member_t *member = APR_ARRAY_IDX(m->list, i, member_t *);
        if (is_shown(member)) {
            /* Names are unique, so add is enough: set would search the table for each. */
            apr_table_addn(entries, apr_pstrdup(apr_table_elts(entries)->pool, member->name->text),
                           apr_pstrdup(apr_table_elts(entries)->pool, member->text));
        }
    }
}

int ddb_json_entries_hidden(const ddb_json_entries_t *m)
{
    int i;

    for (i = 0; i < m->list->nelts; i++) {
        const member_t *member = APR_ARRAY_IDX(m->list, i, member_t *);
        if (!is_shown(member) && !is_passed_over(member)) {
            return 1;
        }
    }
    return 0;
}

const char *ddb_json_entries_doubtful(const ddb_json_entries_t *m)
{
    return m->doubtful;
}

const char *ddb_json_entries_value(const ddb_json_entries_t *m, const char *name)
{
    const name_t *found = apr_hash_get(m->names, name, APR_HASH_KEY_STRING);

    return found && found->doubtful ? found->last->text : NULL;
}

/* From entries to a JSON object. */
typedef struct writer_t {
    const ddb_json_entries_t *m;
    apr_hash_t *entries;       /* folded name -> apr_table_entry_t */
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
        return ddb_error_set(w->err, APR_EINVAL,
                             "the name or the value of an entry is not UTF-8, which JSON requires: encode it, or use "
                             "SessionDynamoDBFormat form");
    }
    return APR_SUCCESS;
}

static apr_hash_t *by_name(const apr_array_header_t *entries, apr_pool_t *p)
{
    apr_hash_t *found = apr_hash_make(p);
    int i;

    /* Backwards, so the first of several entries with the same name wins, as in apr_table_get. */
    for (i = entries->nelts - 1; i >= 0; i--) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(entries, i, apr_table_entry_t);
        apr_hash_set(found, folded(e->key, p), APR_HASH_KEY_STRING, e);
    }
    return found;
}

/* The value of the entry with this name, or NULL. For a doubtful name, the case must match too. */
static const char *value_of(const writer_t *w, const name_t *name)
{
    const apr_table_entry_t *e = apr_hash_get(w->entries, folded(name->text, w->p), APR_HASH_KEY_STRING);

    return e && !(name->doubtful && strcmp(e->key, name->text) != 0) ? e->val : NULL;
}

static apr_status_t write_member(writer_t *w, const member_t *member)
{
    const char *value = member->name ? value_of(w, member->name) : NULL, *written;
    apr_status_t rv = APR_SUCCESS;

    if (is_passed_over(member)) {
        /* Readers of the object do not see it, but would if only the last one were removed. */
        if (value || !is_shown(member->name->last)) {
            add(w, member->written.name, member->written.value);
        }
        return rv;
    }
    if (!value && is_shown(member)) {
        w->changed = 1;
        return rv;
    }
    if (!value || (member->text && strcmp(value, member->text) == 0)) {
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

/* 1 if the object, as it was read, has a member for this entry. */
static int is_member(const writer_t *w, const char *entry)
{
    const name_t *name = apr_hash_get(w->m->spellings, folded(entry, w->p), APR_HASH_KEY_STRING);

    return name && (!name->doubtful || apr_hash_get(w->m->names, entry, APR_HASH_KEY_STRING));
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

apr_status_t ddb_json_entries_print(const char **text, const ddb_json_entries_t *m, const apr_table_t *entries,
                                    apr_pool_t *p, ddb_error_t *err)
{
    const apr_array_header_t *elts = apr_table_elts(entries);
    writer_t w = {
        .m = m, .entries = by_name(elts, p), .parts = apr_array_make(p, 16, sizeof(const char *)), .p = p, .err = err
    };
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < m->list->nelts && rv == APR_SUCCESS; i++) {
        rv = write_member(&w, APR_ARRAY_IDX(m->list, i, const member_t *));
    }
    for (i = 0; i < elts->nelts && rv == APR_SUCCESS; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(elts, i, apr_table_entry_t);
        if (e->val && strcasecmp(e->key, EXPIRY) != 0 && !is_member(&w, e->key)) {
            rv = write_new(&w, e->key, e->val);
        }
    }
    rv = rv == APR_SUCCESS ? ddb_json_entries_limit(w.parts->nelts, m->max, err) : rv;
    if (rv == APR_SUCCESS) {
        *text = w.changed ? apr_pstrcat(p, "{", apr_array_pstrcat(p, w.parts, ','), "}", NULL) : m->text;
    }
    return rv;
}
