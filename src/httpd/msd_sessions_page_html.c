/* The page itself. */

#include <apr_strings.h>
#include <httpd.h>
#include <http_protocol.h>

#include "httpd/msd_csrf.h"
#include "httpd/msd_sessions_page_int.h"

#define STYLE                                                                                                          \
    ":root{color-scheme:light dark}"                                                                                   \
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:0 auto;padding:1rem}"                              \
    "ul{list-style:none;padding:0}"                                                                                    \
    "li{border:1px solid;border-radius:.5rem;padding:1rem;margin:1rem 0;overflow-wrap:anywhere}"                       \
    "h2{font-size:1rem;margin:0}"                                                                                      \
    "p{margin:.5rem 0}"                                                                                                \
    "button{font:inherit;padding:.5rem 1rem;min-height:2.75rem}"                                                       \
    "button:focus-visible{outline:3px solid;outline-offset:2px}"
/* Content Security Policy, "Hash usage for <script> and <style> elements": of STYLE. */
#define STYLE_HASH "AAF8snP9uLhXMk/tmT35SwHZJw84H9J0cxJWwN8Q6BI="

static void begin(request_rec *r)
{
    apr_table_t *headers = r->headers_out;

    ap_set_content_type(r, "text/html; charset=utf-8");
    apr_table_setn(headers, "Content-Security-Policy",
                   "default-src 'none'; style-src 'sha256-" STYLE_HASH
                   "'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
    apr_table_setn(headers, "X-Frame-Options", "DENY"); /* browsers that do not know frame-ancestors */
    apr_table_setn(headers, "X-Content-Type-Options", "nosniff");
    apr_table_setn(headers, "Referrer-Policy", "same-origin"); /* others would take Origin from the form's POST */
    ap_rputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Your sessions</title>\n"
             "<meta name=\"viewport\" content=\"width=device-width\">\n<style>" STYLE "</style>\n</head>\n<body>\n"
             "<main>\n<h1>Your sessions</h1>\n",
             r);
}

static void end(request_rec *r)
{
    ap_rputs("</main>\n</body>\n</html>\n", r);
}

static const char *shown_time(request_rec *r, apr_time_t t)
{
    apr_time_exp_t e;

    apr_time_exp_gmt(&e, t);
    return apr_psprintf(r->pool, "<time datetime=\"%04d-%02d-%02dT%02d:%02dZ\">%04d-%02d-%02d %02d:%02d UTC</time>",
                        e.tm_year + 1900, e.tm_mon + 1, e.tm_mday, e.tm_hour, e.tm_min, e.tm_year + 1900, e.tm_mon + 1,
                        e.tm_mday, e.tm_hour, e.tm_min);
}

static void show_row(request_rec *r, const msd_sessions_page_row_t *row, int number)
{
    const ddb_user_session_t *s = &row->session;
    const char *agent = *s->agent ? ap_escape_html(r->pool, s->agent) : "unknown browser";

    ap_rprintf(r, "<li>\n<h2 id=\"s%d\">%s%s</h2>\n", number, row->is_own ? "This session: " : "", agent);
    ap_rprintf(r, "<p>Signed in %s, last used %s", shown_time(r, apr_time_from_sec(s->created)),
               shown_time(r, row->accessed));
    if (*s->address) {
        ap_rprintf(r, ", from the network %s", ap_escape_html(r->pool, s->address));
    }
    ap_rprintf(r,
               "</p>\n<button name=\"" BUTTON "\" value=\"%s\" aria-describedby=\"s%d\">Sign out%s</button>\n</li>\n",
               ap_escape_html(r->pool, s->key), number, row->is_own ? " here" : "");
}

void msd_sessions_page_show(request_rec *r, const apr_array_header_t *rows, const char *token)
{
    int i;

    begin(r);
    ap_rprintf(r, "<form method=\"post\">\n<input type=\"hidden\" name=\"" MSD_CSRF_FIELD "\" value=\"%s\">\n<ul>\n",
               ap_escape_html(r->pool, token));
    for (i = 0; i < rows->nelts; i++) {
        show_row(r, &APR_ARRAY_IDX(rows, i, msd_sessions_page_row_t), i);
    }
    ap_rputs("</ul>\n<p>If you do not know one of them, sign out everywhere and change your password.</p>\n<p>", r);
    if (rows->nelts > 1) {
        ap_rputs("<button name=\"" BUTTON "\" value=\"" BUTTON_OTHERS "\">Sign out all others</button>\n", r);
    }
    ap_rputs("<button name=\"" BUTTON "\" value=\"" BUTTON_ALL "\">Sign out everywhere</button></p>\n</form>\n", r);
    end(r);
}

void msd_sessions_page_say(request_rec *r, const char *sentence)
{
    begin(r);
    ap_rprintf(r, "<p role=\"status\">%s</p>\n", sentence);
    end(r);
}
