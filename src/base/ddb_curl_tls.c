/* The CAs that connections trust: one store for all of them where libcurl lets us, else as libcurl reads them. */

#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "base/ddb_array.h"
#include "base/ddb_curl_int.h"

#define NULL_IS_DEFAULT 0x081100

/* libcurl asks the same for the TLS of a proxy, which is another peer and has CAs of its own. */
static int has_tls_proxy(const ddb_curl_opts_t *o)
{
    return o->proxy && strncasecmp(o->proxy, "https:", 6) == 0;
}

apr_status_t ddb_curl_share_cas(ddb_curl_opts_t *o, apr_pool_t *p)
{
    const curl_version_info_data *libcurl = curl_version_info(CURLVERSION_NOW);
    ddb_tls_opts_t cas = { .ca_file = o->ca_file };

    if (!o->ca_file) {
        cas = (ddb_tls_opts_t){ .ca_file = libcurl->cainfo, .ca_directory = libcurl->capath };
    }
    o->tls = NULL;
    if (o->separate_cas || has_tls_proxy(o) || !(cas.ca_file || cas.ca_directory)
        || !ddb_tls_is_ours(libcurl->ssl_version)) {
        return APR_SUCCESS;
    }
    return ddb_tls_create(&o->tls, &cas, p);
}

/* libcurl calls it when it has set up a connection's SSL_CTX. What it sets after that is the host's name. */
static CURLcode prepare(CURL *easy, void *ssl_ctx, void *tls)
{
    char peer[DDB_TLS_PEER_MAX] = "";
    const char *url = NULL;
    apr_status_t rv;

    if (curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url) == CURLE_OK && url
        && ddb_curl_origin_length(url) < sizeof(peer)) {
        memcpy(peer, url, ddb_curl_origin_length(url));
    }
    rv = ddb_tls_prepare(tls, ssl_ctx, peer);
    return rv == APR_SUCCESS    ? CURLE_OK
           : rv == DDB_ECONFIG  ? CURLE_SSL_CACERT_BADFILE
           : rv == APR_ENOTIMPL ? CURLE_NOT_BUILT_IN
                                : CURLE_OUT_OF_MEMORY;
}

/* libcurl's own loop waits for the socket before it asks OpenSSL: this is for connections that it only makes. */
static CURLcode prepare_reading_ahead(CURL *easy, void *ssl_ctx, void *tls)
{
    CURLcode code = prepare(easy, ssl_ctx, tls);

    if (code == CURLE_OK) {
        ddb_tls_read_ahead(ssl_ctx);
    }
    return code;
}

CURLcode ddb_curl_read_ahead(CURL *easy, const ddb_curl_opts_t *o)
{
    return o->tls ? curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, prepare_reading_ahead) : CURLE_OK;
}

/* libcurl from 8.17 on takes NULL for its own default, which it would read for each connection, in vain. One of the CAs
 * instead costs next to nothing. */
static CURLcode set_one_ca(CURL *easy, ddb_tls_t *tls)
{
#if LIBCURL_VERSION_NUM >= 0x074d00
    char pem[8192];
    struct curl_blob blob = { .data = pem, .flags = CURL_BLOB_COPY };

    if (curl_version_info(CURLVERSION_NOW)->version_num >= NULL_IS_DEFAULT) {
        blob.len = ddb_tls_copy_ca(tls, pem, sizeof(pem));
        return blob.len ? curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob) : CURLE_OK;
    }
#endif
    (void)easy;
    (void)tls;
    return CURLE_OK;
}

static CURLcode set_shared(CURL *easy, ddb_tls_t *tls)
{
    const CURLcode codes[] = {
        curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, prepare),
        curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, tls),
        curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L), /* it would be the handle's */
        curl_easy_setopt(easy, CURLOPT_CAINFO, NULL),
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL),
        set_one_ca(easy, tls),
    };

    return ddb_curl_first_failure(codes, DDB_ARRAY_LENGTH(codes));
}

/* A place without CAs. NULL is none, or libcurl's default: then, for OpenSSL, a file, in which it looks in vain. */
static const char *no_directory(const ddb_curl_opts_t *o)
{
    const curl_version_info_data *libcurl = curl_version_info(CURLVERSION_NOW);

    return libcurl->version_num >= NULL_IS_DEFAULT && libcurl->ssl_version
                   && strncmp(libcurl->ssl_version, "OpenSSL/", 8) == 0
               ? o->ca_file
               : NULL;
}

CURLcode ddb_curl_set_cas(CURL *easy, const ddb_curl_opts_t *o)
{
    CURLcode code;

    if (o->tls) {
        return set_shared(easy, o->tls);
    }
    if (!o->ca_file) {
        return CURLE_OK;
    }
    code = curl_easy_setopt(easy, CURLOPT_CAINFO, o->ca_file);
    /* else the system's CAs are trusted beside it */
    return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_CAPATH, no_directory(o)) : code;
}

void ddb_curl_explain_tls(const ddb_curl_opts_t *o, CURLcode code, char *why)
{
    if (o->tls && code == CURLE_SSL_CACERT_BADFILE) {
        apr_snprintf(why, CURL_ERROR_SIZE, "error reading CA certificates: %s", ddb_tls_place(o->tls));
    }
    if (o->tls && code == CURLE_NOT_BUILT_IN) {
        apr_cpystrn(why, "libcurl has an OpenSSL of its own, beside the one of this program", CURL_ERROR_SIZE);
    }
}
