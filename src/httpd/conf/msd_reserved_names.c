/* Reserved names of headers and variables. The lists of families contain prefixes. */

#include <string.h>

#include <apr_lib.h>

#include "httpd/conf/msd_config.h"
#include "httpd/conf/msd_reserved_names.h"

static const char *const headers[] = {
    /* HTTP, and headers that browsers obey */
    "Accept", "Age", "Allow", "Alt-Svc", "Alt-Used", "Authentication-Info", "Authorization", "Cache-Control",
    "Cache-Status", "CDN-Cache-Control", "Clear-Site-Data", "Close", "Connection", "Cookie", "Cookie2", "Date",
    "Early-Data", "ETag", "Expect", "Expires", "Forwarded", "From", "Host", "HTTP2-Settings", "Keep-Alive",
    "Last-Modified", "Link", "Location", "Max-Forwards", "Origin", "Pragma", "Priority", "Proxy", "Range", "Referer",
    "Refresh", "Retry-After", "Server", "Set-Cookie", "Set-Cookie2", "Strict-Transport-Security", "TE", "Trailer",
    "Transfer-Encoding", "Upgrade", "User-Agent", "Vary", "Via", "Warning", "WWW-Authenticate",
    "X-Content-Type-Options", "X-Frame-Options", "X-HTTP-Method-Override", "X-Requested-With",
    /* WebDAV */
    "DAV", "Depth", "Destination", "If", "Lock-Token", "Overwrite", "Timeout",
    /* CGI's status line, commands of a program to the server, and headers of mod_session and this module */
    "Status", "X-Sendfile", "Session", "X-Replace-Session", MSD_SIGNATURE_HEADER,
    /* a request's origin, set by proxies; names for the user, such as X-Forwarded-User, are allowed */
    "X-Forwarded", "X-Forwarded-By", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix",
    "X-Forwarded-Proto", "X-Forwarded-Scheme", "X-Forwarded-Server", "X-Forwarded-Ssl", "X-Real-IP", NULL
};
static const char *const header_families[] = { "Accept-", "Access-Control-", "Content-", "Cross-Origin-",
                                               "If-",     "Proxy-",          "Sec-",     "X-Accel-",
                                               NULL };

static const char *const variables[] = {
    /* CGI and httpd */
    "AUTH_TYPE", "GATEWAY_INTERFACE", "HTTPS", "nokeepalive", "PATH_INFO", "PATH_TRANSLATED", "QUERY_STRING",
    "UNIQUE_ID", "SESSION_CSRF",
    /* shells and libc */
    "CDPATH", "ENV", "GCONV_PATH", "GLOBIGNORE", "HOME", "HOSTALIASES", "IFS", "LANG", "LANGUAGE", "LIBPATH",
    "LOCALDOMAIN", "LOCPATH", "LOGNAME", "NLSPATH", "OLDPWD", "PATH", "POSIXLY_CORRECT", "PS4", "PWD", "RES_OPTIONS",
    "SHELL", "SHELLOPTS", "SHLIB_PATH", "TEMP", "TMP", "TMPDIR", "TZ", "TZDIR", "USER",
    /* interpreters, programs that other programs start, and proxies for their own requests */
    "CLASSPATH", "EDITOR", "PAGER", "VISUAL", "ALL_PROXY", "FTP_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", NULL
};
static const char *const variable_families[] = {
    "AWS_",   "BASH",      "CONTENT_", "CONTEXT_", "CURL_",    "DOCUMENT_", "DYLD_",   "FCGI_",
    "GIT_",   "GLIBC_",    "HTTP_",    "HTTPS_",   "JAVA_",    "JDK_",      "_JAVA_",  "LC_",
    "LD_",    "LUA_",      "MALLOC_",  "NODE_",    "OPENSSL_", "ORIG_",     "PERL",    "PHP",
    "PYTHON", "REDIRECT_", "REMOTE_",  "REQUEST_", "RUBY",     "SCRIPT_",   "SERVER_", "SESSION_DYNAMODB_",
    "SSL_",   "_RLD",      NULL
};

/** The length of the common prefix of a and b, compared as in msd_reserved_names_same_header. */
static apr_size_t same_until(const char *a, const char *b)
{
    apr_size_t i;

    for (i = 0; a[i] && b[i]; i++) {
        if ((apr_isalnum(a[i]) || apr_isalnum(b[i])) && apr_tolower(a[i]) != apr_tolower(b[i])) {
            break;
        }
    }
    return i;
}

int msd_reserved_names_same_header(const char *a, const char *b)
{
    apr_size_t until = same_until(a, b);

    return !a[until] && !b[until];
}

/** 1 if name is one of names, or begins with one of families. */
static int is_among(const char *name, const char *const names[], const char *const families[])
{
    int i;

    for (i = 0; names[i]; i++) {
        if (msd_reserved_names_same_header(names[i], name)) {
            return 1;
        }
    }
    for (i = 0; families[i]; i++) {
        if (!families[i][same_until(families[i], name)]) {
            return 1;
        }
    }
    return 0;
}

int msd_reserved_names_header(const char *name)
{
    return is_among(name, headers, header_families);
}

int msd_reserved_names_variable(const char *name)
{
    return is_among(name, variables, variable_families);
}
