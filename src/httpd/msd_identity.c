/* Login, logout, and another user: what a request makes of the users of its session. */

#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>
#include <http_core.h>

#include "base/ddb_array.h"
#include "httpd/msd_entries.h"
#include "httpd/msd_identity.h"

#define FORM "form"

/* No authentication type has this name. */
const ddb_marks_user_t msd_identity_imported = { .realm = "(import)", .user = "" };

/** One look at the users. */
typedef struct look_t {
    msd_session_t *s;
    apr_pool_t *p;
    int logins, logouts, changes;
    int verified; /* 1: a login that this request made, beside HTTP authentication, which every request repeats */
} look_t;

static const char *realm_of(apr_pool_t *p, const char *type, const char *name)
{
    char *lower = apr_pstrdup(p, type);

    ap_str_tolower(lower); /* AuthType is compared without regard to case, AuthName is not */
    return apr_pstrcat(p, lower, name ? ":" : "", name, NULL);
}

static void user_came(look_t *look, const char *realm, const char *user)
{
    ddb_marks_user_t *u = apr_palloc(look->p, sizeof(*u));

    u->realm = realm;
    u->user = user;
    look->s->answer.login = u;
}

/** Where sessions of users are listed, the user is in the session now. */
static void user_is_here(look_t *look, const char *realm, const char *user, int is_new)
{
    msd_session_answer_t *answer = &look->s->answer;

    if (!look->s->conf->user_sessions) {
        return;
    }
    if (!answer->users) {
        answer->users = apr_array_make(look->p, 1, sizeof(msd_session_user_t));
    }
    APR_ARRAY_PUSH(answer->users, msd_session_user_t) = (msd_session_user_t){ { realm, user }, is_new };
}

static void user_left(look_t *look, const char *realm, const char *name, const char *user)
{
    msd_session_left_t *left;

    if (!look->s->answer.left) {
        look->s->answer.left = apr_array_make(look->p, 1, sizeof(*left));
    }
    left = apr_array_push(look->s->answer.left);
    left->realm = realm;
    left->name = name;
    left->user = user;
}

/** 1 when this request set the entry, to whatever value. */
static int was_set(const msd_session_t *s, const char *name)
{
    const char *is = apr_table_get(s->z->entries, name);

    return is && is != apr_table_get(s->seen, name);
}

/** An entry that names a user: as it was loaded against as it is. */
static void look_at_entry(look_t *look, const char *entry, const char *realm, const char *name)
{
    const char *was = apr_table_get(look->s->loaded, entry), *is = apr_table_get(look->s->z->entries, entry);

    if (is) {
        user_is_here(look, realm, is, was_set(look->s, entry));
    }
    if (is && (!was || strcmp(was, is) != 0)) {
        look->changes += was != NULL;
        look->logins++;
        look->verified = 1;
        user_came(look, realm, is);
    }
    else if (was && !is) {
        look->logouts++;
        user_left(look, realm, name, was);
    }
    else if (is && name && was_set(look->s, entry)
             && was_set(look->s, apr_pstrcat(look->p, name, "-" MOD_SESSION_PW, NULL))) {
        /* mod_auth_form sets both when it has verified a password, and only then. */
        look->logins++;
        look->verified = 1;
        user_came(look, realm, is);
    }
    else if (is && !look->s->answer.login && !look->s->answer.anew) {
        /* Each write of data marks the user again, and so also in rows of versions without realms. */
        user_came(look, realm, is);
    }
}

/** mod_auth_form's entry has the AuthName of the request that logs in, which may be any of the chain of redirects. */
static void look_at_forms(look_t *look, request_rec *r)
{
    const char *name, *last = NULL;

    for (; r; r = r->next) {
        name = ap_auth_name(r);
        if (name && msd_request_session(r) == look->s && (!last || strcmp(name, last) != 0)) {
            look_at_entry(look, apr_pstrcat(look->p, name, "-" MOD_SESSION_USER, NULL), realm_of(look->p, FORM, name),
                          name);
            last = name;
        }
    }
}

/** The users of forms in an old session, whatever AuthName the request has: mod_auth_form sets both entries. */
static void look_at_imported(look_t *look)
{
    const apr_array_header_t *elts = apr_table_elts(look->s->z->entries);
    const apr_size_t end = strlen("-" MOD_SESSION_USER);
    int i;

    for (i = 0; i < elts->nelts; i++) {
        const char *entry = APR_ARRAY_IDX(elts, i, apr_table_entry_t).key, *name;
        apr_size_t len = strlen(entry);

        if (len <= end || strcmp(entry + len - end, "-" MOD_SESSION_USER) != 0) {
            continue;
        }
        name = apr_pstrmemdup(look->p, entry, len - end);
        if (apr_table_get(look->s->z->entries, apr_pstrcat(look->p, name, "-" MOD_SESSION_PW, NULL))) {
            look_at_entry(look, entry, realm_of(look->p, FORM, name), name);
        }
    }
}

static void look_at_keys(look_t *look)
{
    const apr_array_header_t *keys = look->s->conf->user_keys;
    int i;

    for (i = 0; keys && i < keys->nelts; i++) {
        const char *key = APR_ARRAY_IDX(keys, i, const char *);
        look_at_entry(look, key, realm_of(look->p, "entry", key), NULL);
    }
}

/** What the stored session knows of a user, looked up once: several hooks ask, and each look takes HMACs. */
static ddb_marks_e find_user(msd_session_t *s, const ddb_marks_user_t *user)
{
    msd_session_known_t *known = &s->known;
    ddb_marks_e found = DDB_MARKS_NOBODY;

    if (known->sid && known->sid == s->stored.sid && strcmp(known->user.realm, user->realm) == 0
        && strcmp(known->user.user, user->user) == 0) {
        return known->found;
    }
    /* Where OpenSSL fails, the user counts as new: a new ID can do no harm. */
    (void)ddb_store_find_user(&found, &s->stored, user, s->pool);
    known->sid = s->stored.sid;
    known->user.realm = apr_pstrdup(s->pool, user->realm);
    known->user.user = apr_pstrdup(s->pool, user->user);
    known->found = found;
    return found;
}

static void look_at_user(look_t *look)
{
    const ddb_marks_user_t *user = &look->s->user;
    ddb_marks_e found = find_user(look->s, user);

    if (found != DDB_MARKS_SAME) {
        look->changes += found == DDB_MARKS_OTHER;
        look->logins++;
    }
    user_is_here(look, user->realm, user->user, 1);
    user_came(look, user->realm, user->user);
}

void msd_identity_judge(msd_request_t *q, msd_session_t *s)
{
    look_t look = { .s = s, .p = s->pool };

    if (!msd_session_usable(s)) {
        return;
    }
    s->answer.login = NULL;
    s->answer.left = NULL;
    s->answer.users = NULL;
    if (s->importing) {
        look_at_imported(&look);
    }
    else {
        look_at_forms(&look, q->top);
    }
    look_at_keys(&look);
    if (s->user.user) {
        look_at_user(&look);
    }
    s->answer.verified = look.verified || s->answer.renew;
    /* A user who goes while another one comes is a change, in whatever realms. */
    s->answer.identity = s->answer.anew ? (look.logins ? MSD_LOGIN : MSD_SAME_USER) /* whoever it was, begins again */
                         : look.changes || (look.logins && look.logouts) ? MSD_USER_CHANGED
                         : look.logouts                                  ? MSD_LOGOUT
                         : look.logins                                   ? MSD_LOGIN
                                                                         : MSD_SAME_USER;
    if (s->answer.identity != MSD_SAME_USER && s->stored.sid) {
        s->z->dirty = 1; /* mod_session saves only dirty sessions */
    }
}

/** From here on the session has only what this request sets. */
static void empty(msd_session_t *s)
{
    apr_table_clear(s->z->entries);
    apr_table_clear(s->seen);
    s->z->expiry = 0;
}

/** The user of r and the realm; 0 when there is none beside what the session itself says. */
static int user_of(request_rec *r, apr_pool_t *p, ddb_marks_user_t *user)
{
    const char *type = ap_auth_type(r);

    if (!r->user || (type && strcasecmp(type, FORM) == 0) || msd_request_is_error_page(r)) {
        return 0; /* a form's user comes from the session */
    }
    /* Some modules know users without an AuthType, such as mod_ssl with SSLUserName. */
    user->realm = realm_of(p, type ? type : "user", ap_auth_name(r));
    user->user = r->user;
    return 1;
}

int msd_identity_is_other(request_rec *r, msd_session_t *s)
{
    ddb_marks_user_t user;

    return msd_session_usable(s) && user_of(r, r->pool, &user) && find_user(s, &user) == DDB_MARKS_OTHER;
}

void msd_identity_note(request_rec *r, msd_session_t *s)
{
    if (r->main || !user_of(r, s->pool, &s->user)) {
        return;
    }
    s->user.user = apr_pstrdup(s->pool, s->user.user);
    /* Once: what the request set before an internal redirect is its own. */
    if (msd_identity_is_other(r, s) && !apr_is_empty_table(s->seen)) {
        empty(s);
    }
}

/** Keep only the entries that this request set. @return 1 when there were others. */
static int keep_ours(msd_session_t *s)
{
    apr_table_t *kept = apr_table_make(s->pool, 8);
    apr_hash_t *seen = apr_hash_make(s->pool); /* by address: a table would be searched for each entry */
    const apr_array_header_t *elts = apr_table_elts(s->seen);
    int i, others = 0;

    for (i = 0; i < elts->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(elts, i, apr_table_entry_t);
        apr_hash_set(seen, &e->val, sizeof(e->val), e->val);
    }
    elts = apr_table_elts(s->z->entries);

    for (i = 0; i < elts->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(elts, i, apr_table_entry_t);
        /* mod_session's encoder has put the expiry among the entries; it does so again when it is this request's. */
        if (strcasecmp(e->key, MSD_ENTRIES_EXPIRY) != 0 && !apr_hash_get(seen, &e->val, sizeof(e->val))) {
            apr_table_addn(kept, e->key, e->val);
        }
        else {
            others = 1;
        }
    }
    /* Handlers know the table's address: its content changes, not the table. */
    apr_table_clear(s->z->entries);
    apr_table_overlap(s->z->entries, kept, APR_OVERLAP_TABLES_SET);
    return others;
}

/** The entries of the realms that were left. @return 1 when there were some. */
static int remove_left(const msd_session_t *s)
{
    static const char *const of_form[] = { "-" MOD_SESSION_USER, "-" MOD_SESSION_PW, "-site" };
    int i, removed = 0;
    apr_size_t j;

    for (i = 0; i < s->answer.left->nelts; i++) {
        const char *name = APR_ARRAY_IDX(s->answer.left, i, msd_session_left_t).name;

        for (j = 0; name && j < DDB_ARRAY_LENGTH(of_form); j++) {
            const char *entry = apr_pstrcat(s->pool, name, of_form[j], NULL);
            removed |= apr_table_get(s->z->entries, entry) != NULL;
            apr_table_unset(s->z->entries, entry);
        }
    }
    return removed;
}

int msd_identity_apply(msd_session_t *s)
{
    if (msd_session_begins_empty(s)) {
        if (s->z->expiry == s->expiry) {
            s->z->expiry = 0; /* the end that an application set was the other session's */
        }
        return keep_ours(s);
    }
    return s->answer.identity == MSD_LOGOUT && s->conf->logout == MSD_LOGOUT_KEEP ? remove_left(s) : 0;
}

int msd_identity_is_imported(const msd_session_t *s)
{
    ddb_marks_e found = DDB_MARKS_NOBODY;

    /* Where OpenSSL fails, its login is taken for an old one. */
    return s->stored.issued
           && (ddb_store_find_user(&found, &s->stored, &msd_identity_imported, s->pool) != APR_SUCCESS
               || found == DDB_MARKS_SAME);
}
