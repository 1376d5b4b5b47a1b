/* Entries of the session as request headers: removing the client's, setting and signing ours. */

#include <apr_lib.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>

#include "base/ddb_crypto.h"
#include "httpd/child/msd_child.h"
#include "httpd/conf/msd_reserved_names.h"
#include "httpd/msd_csrf.h"
#include "httpd/msd_forward.h"

APLOG_USE_MODULE(session_dynamodb);

/* Common servers accept header lines of up to 8190 bytes, which include the name and white space. */
#define VALUE_MAX 8000

static int is_ours(const msd_dir_config_t *conf, const char *name)
{
    int i;

    for (i = 0; i < conf->scrubbed->nelts; i++) {
        if (msd_reserved_names_same_header(name, APR_ARRAY_IDX(conf->scrubbed, i, const char *))) {
            return 1;
        }
    }
    return msd_reserved_names_same_header(name, MSD_SIGNATURE_HEADER);
}

/* A proxy removes the headers that Connection names, so a client could get ours removed by naming them. */
static void scrub_connection(request_rec *r, const msd_dir_config_t *conf)
{
    const char *list = apr_table_get(r->headers_in, "Connection");
    apr_array_header_t *kept;
    char *copy, *word, *last = NULL;
    int dropped = 0;

    if (!list) {
        return;
    }
    copy = apr_pstrdup(r->pool, list);
    kept = apr_array_make(r->pool, 4, sizeof(const char *));
    for (word = apr_strtok(copy, ", \t", &last); word; word = apr_strtok(NULL, ", \t", &last)) {
        if (is_ours(conf, word)) {
            dropped = 1;
        }
        else {
            APR_ARRAY_PUSH(kept, const char *) = word;
        }
    }
    if (dropped && kept->nelts) {
        apr_table_setn(r->headers_in, "Connection", apr_array_pstrcat(r->pool, kept, ','));
    }
    else if (dropped) {
        apr_table_unset(r->headers_in, "Connection");
    }
}

static void scrub(request_rec *r, const msd_dir_config_t *conf)
{
    const apr_array_header_t *came = apr_table_elts(apr_table_copy(r->pool, r->headers_in));
    int i;

    /* Rebuild the table: unsetting each spelling of a name would search all lines again. Keep its address, because the
     * requests of a tree share it. */
    apr_table_clear(r->headers_in);
    for (i = 0; i < came->nelts; i++) {
        const apr_table_entry_t *line = &APR_ARRAY_IDX(came, i, apr_table_entry_t);
        if (!is_ours(conf, line->key)) {
            apr_table_addn(r->headers_in, line->key, line->val);
        }
    }
    scrub_connection(r, conf);
}

/** Remove the headers that an earlier request of the tree set: this one may go to another backend. */
static void take_back(request_rec *r, const msd_request_t *q)
{
    int i;

    for (i = 0; q && q->forwarded && i < q->forwarded->nelts; i++) {
        apr_table_unset(r->headers_in, APR_ARRAY_IDX(q->forwarded, i, const char *));
    }
}

static void set_header(request_rec *r, msd_request_t *q, const char *name, const char *value)
{
    int i;

    apr_table_setn(r->headers_in, name, value);
    if (!q->forwarded) {
        q->forwarded = apr_array_make(q->top->pool, 4, sizeof(const char *));
    }
    for (i = 0; i < q->forwarded->nelts; i++) {
        if (strcasecmp(APR_ARRAY_IDX(q->forwarded, i, const char *), name) == 0) {
            return;
        }
    }
    APR_ARRAY_PUSH(q->forwarded, const char *) = name;
}

/** Write c, or %XX if it is not plain. @return the place after it. */
static char *put(char *to, unsigned char c, int plain)
{
    static const char hex[] = "0123456789ABCDEF";

    if (plain) {
        *to++ = (char)c;
        return to;
    }
    *to++ = '%';
    *to++ = hex[c >> 4];
    *to++ = hex[c & 15];
    return to;
}

/** The value, escaped for a header: %XX for all but printable ASCII, for '%', and for a space at either end. */
static const char *escape(apr_pool_t *p, const char *value)
{
    apr_size_t len = strlen(value), i;
    char *out = apr_palloc(p, 3 * len + 1), *to = out;

    for (i = 0; i < len; i++) {
        unsigned char c = (unsigned char)value[i];
        int plain = c >= 0x20 && c <= 0x7e && c != '%' && (c != ' ' || (i > 0 && i < len - 1));
        to = put(to, c, plain);
    }
    *to = '\0';
    return out;
}

/** The value of what a KEY names, unescaped; NULL: there is none. z NULL: there are no entries. */
static const char *value_of(request_rec *r, const char *key, const session_rec *z)
{
    if (msd_config_merged(r)->csrf_token == 1 && strcmp(key, MSD_CSRF_VARIABLE) == 0) {
        const msd_session_t *s = z ? msd_request_session(r) : NULL;

        return s ? msd_csrf_token(s, r->pool, ddb_crypto_random) : NULL;
    }
    return z ? msd_request_entry(r, z, key) : NULL;
}

static const char *header_value(request_rec *r, const msd_forward_t *f, const session_rec *z)
{
    const char *value = value_of(r, f->key, z);

    value = value ? escape(r->pool, value) : "";
    if (strlen(value) > VALUE_MAX) {
        ap_log_rerror(
            APLOG_MARK, APLOG_WARNING, 0, r,
            "omitted the header %s: its %" APR_SIZE_T_FMT
            " bytes exceed the limit of %d. Store less in the entry, or remove it from SessionDynamoDBForward",
            f->header, strlen(value), VALUE_MAX);
        return "";
    }
    return value;
}

/** The backend's URL in a filename or handler "proxy:...", without the path of a socket; NULL: it has no backend. */
static const char *proxied_url(const char *name)
{
    const char *url = name && strncmp(name, "proxy:", 6) == 0 ? name + 6 : NULL;
    const char *socket = url && strncmp(url, "unix:", 5) == 0 ? strchr(url, '|') : NULL;

    return socket ? socket + 1 : url;
}

/** The target as the backend receives it: from HTTP's request line, or as REQUEST_URI by CGI, FastCGI and uwsgi. */
static const char *target_of(request_rec *r)
{
    static const char *const by_line[] = { "http:", "https:", "h2:", "h2c:", "ws:", "wss:", "balancer:", NULL };
    const char *url = r->proxyreq ? proxied_url(r->filename) : NULL;
    const char *from;
    int i;

    for (i = 0; url && by_line[i]; i++) {
        if (strncasecmp(url, by_line[i], strlen(by_line[i])) == 0 && (from = strstr(url, "//")) != NULL) {
            from += 2 + strcspn(from + 2, "/?");
            return *from == '/' ? from : apr_pstrcat(r->pool, "/", from, NULL);
        }
    }
    from = r->the_request ? r->the_request : "";
    from += strcspn(from, " ");
    from += strspn(from, " ");
    return apr_pstrmemdup(r->pool, from, strcspn(from, " "));
}

/** Scheme and authority of a backend's URL, in lower case and without user and password. */
static const char *origin_of(apr_pool_t *p, const char *url)
{
    const char *mark = strstr(url, "://"), *host = mark ? mark + 3 : url, *c;
    apr_size_t scheme = (apr_size_t)(host - url), len = strcspn(host, "/?#");
    char *origin;

    for (c = host + len; c > host && c[-1] != '@'; c--) {
    }
    origin = apr_pstrcat(p, apr_pstrmemdup(p, url, scheme), apr_pstrmemdup(p, c, (apr_size_t)(host + len - c)), NULL);
    ap_str_tolower(origin);
    return origin;
}

/** The audience that the request's target gives, escaped, as a rewrite rule may put a client's bytes into the host. */
static const char *derived_audience(request_rec *r)
{
    const char *by_name = r->proxyreq ? proxied_url(r->filename) : NULL;
    const char *url = by_name ? by_name : proxied_url(r->handler), *from;
    const char *self = r->server->server_hostname ? r->server->server_hostname : "";
    char *out, *to;

    /* Not ap_get_server_name, which may be the client's Host. */
    from = origin_of(r->pool, url ? url : apr_pstrcat(r->pool, "self:", self, NULL));
    out = to = apr_palloc(r->pool, 3 * strlen(from) + 1);
    for (; *from; from++) {
        to = put(to, (unsigned char)*from, apr_isalnum(*from) || strchr("-._:/[]", *from) != NULL);
    }
    *to = '\0';
    return out;
}

/** The audience to sign for; NULL with version 1, which has none. */
static const char *audience_of(request_rec *r, const msd_dir_config_t *conf)
{
    const char *named = conf->forward_audience;

    if (conf->forward_version == MSD_FORWARD_V1) {
        return NULL;
    }
    return named && *named ? named : derived_audience(r);
}

/** Tells a backend which of its keys to use: the first bytes of the key's SHA-256 in hex. */
static const char *key_hint(apr_pool_t *p, ddb_bytes_t key)
{
    unsigned char digest[DDB_SHA256_BYTES];

    return ddb_crypto_digest(DDB_SHA256, digest, key.data, key.len) == APR_SUCCESS ? ddb_crypto_hex(p, digest, 4) : "";
}

/** The text to sign, as described in docs/directives.md. Appends the names of its headers to names (const char *). */
static const char *signed_text(request_rec *r, const msd_dir_config_t *conf, const char *when,
                               apr_array_header_t *names)
{
    apr_array_header_t *lines = apr_array_make(r->pool, 3 + conf->forward->nelts, sizeof(const char *));
    int i;

    APR_ARRAY_PUSH(lines, const char *) = when;
    APR_ARRAY_PUSH(lines, const char *) = r->method;
    APR_ARRAY_PUSH(lines, const char *) = target_of(r);
    for (i = 0; i < conf->forward->nelts; i++) {
        const msd_forward_t *f = &APR_ARRAY_IDX(conf->forward, i, msd_forward_t);
        const char *value = apr_table_get(r->headers_in, f->header);
        char *name = apr_pstrdup(r->pool, f->header);
        ap_str_tolower(name);
        APR_ARRAY_PUSH(names, const char *) = name;
        APR_ARRAY_PUSH(lines, const char *) = apr_pstrcat(r->pool, name, ":", value ? value : "", NULL);
    }
    return apr_array_pstrcat(r->pool, lines, '\n');
}

/** The value of the signature header; NULL if OpenSSL fails. */
static const char *sign(request_rec *r, const msd_dir_config_t *conf)
{
    const char *secret = APR_ARRAY_IDX(conf->forward_keys, conf->forward_keys->nelts - 1, const char *);
    ddb_bytes_t key = { .data = secret, .len = strlen(secret) }, in;
    unsigned char mac[DDB_SHA256_BYTES];
    apr_array_header_t *names = apr_array_make(r->pool, conf->forward->nelts, sizeof(const char *));
    const char *audience = audience_of(r, conf), *head = "", *when;

    when = apr_psprintf(r->pool, "%" APR_TIME_T_FMT, apr_time_sec(ddb_clock_wall(msd_child_clock(r->server))));
    in.data = signed_text(r, conf, when, names);
    if (audience) {
        in.data = apr_pstrcat(r->pool, "v=2\na=", audience, "\n", in.data, NULL);
        head = apr_pstrcat(r->pool, "v=2; a=", audience, "; ", NULL);
    }
    in.len = strlen(in.data);
    if (ddb_crypto_hmac(DDB_SHA256, mac, key, in) != APR_SUCCESS) {
        return NULL;
    }
    return apr_psprintf(r->pool, "%st=%s; k=%s; h=%s; s=%s", head, when, key_hint(r->pool, key),
                        apr_array_pstrcat(r->pool, names, ','), ddb_crypto_hex(r->pool, mac, sizeof(mac)));
}

int msd_forward_due(request_rec *r)
{
    const msd_request_t *q = msd_request_find(r);

    return msd_config_merged(r)->scrubbed || (q && q->forwarded);
}

/** Set the headers in conf, and sign them. z NULL: there are no entries. */
static void set_headers(request_rec *r, msd_request_t *q, const msd_dir_config_t *conf, const session_rec *z)
{
    const char *signature;
    int i;

    for (i = 0; i < conf->forward->nelts; i++) {
        const msd_forward_t *f = &APR_ARRAY_IDX(conf->forward, i, msd_forward_t);
        const char *value = header_value(r, f, z);
        if (*value) {
            set_header(r, q, f->header, value);
        }
    }
    signature = conf->forward_keys ? sign(r, conf) : NULL;
    if (signature) {
        set_header(r, q, MSD_SIGNATURE_HEADER, signature);
    }
}

void msd_forward(request_rec *r, const session_rec *z)
{
    const msd_dir_config_t *conf = msd_config_merged(r);
    msd_request_t *q = msd_request_get(r);
    const msd_session_t *s = z ? msd_request_session_of(q, z) : NULL;
    const session_rec *ours = s && msd_session_usable(s) ? z : NULL;

    if (r->main) {
        /* A subrequest shares its headers with the main request, whose handler may still need them. */
        r->headers_in = apr_table_copy(r->pool, r->headers_in);
    }
    take_back(r, q);
    if (conf->scrubbed) {
        scrub(r, conf);
    }
    if (conf->forward && conf->forward->nelts) {
        set_headers(r, q, conf, ours);
    }
}
