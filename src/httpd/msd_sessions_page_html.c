/* The page itself. */

#include <string.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_protocol.h>

#include "httpd/msd_csrf.h"
#include "httpd/msd_sessions_page_int.h"

#define STYLE                                                                                                          \
    ":root{color-scheme:light dark;--page:#f5f6f8;--card:#fff;--line:#cdd3da;--text:#1c2127;--dim:#555e68;"            \
    "--edge:#717b86;--strong:#a3231b;--focus:#0b57d0}"                                                                 \
    "@media(prefers-color-scheme:dark){:root{--page:#14171a;--card:#1f2328;--line:#3c444d;--text:#e7eaed;"             \
    "--dim:#a7b0b9;--edge:#87919b;--strong:#ff9a90;--focus:#8ab4f8}}"                                                  \
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:46rem;margin:0 auto;padding:1.5rem 1rem 3rem;"                  \
    "background:var(--page);color:var(--text)}"                                                                        \
    "h1{font-size:1.75rem;line-height:1.2;margin:0 0 .75rem}"                                                          \
    "p{margin:0 0 1.5rem}"                                                                                             \
    "ul{list-style:none;margin:0;padding:0}"                                                                           \
    "li{display:flex;flex-wrap:wrap;gap:1rem;align-items:flex-start;margin:0 0 1rem;padding:1.25rem;"                  \
    "background:var(--card);border:1px solid var(--line);border-radius:.75rem}"                                        \
    "li>div{flex:1 1 20rem;min-width:0}"                                                                               \
    "h2{font-size:1.125rem;line-height:1.4;margin:0 0 .5rem}"                                                          \
    "em{display:inline-block;font:.875rem/1.4 system-ui,sans-serif;margin-left:.25rem;padding:0 .6rem;"                \
    "border:1px solid var(--edge);border-radius:1rem}"                                                                 \
    "dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.125rem 1rem;margin:0}"                       \
    "dt{color:var(--dim)}"                                                                                             \
    "dd{margin:0;overflow-wrap:anywhere}"                                                                              \
    ".agent{font-size:.875rem;line-height:1.7;color:var(--dim)}"                                                       \
    "button{font:inherit;min-height:2.75rem;padding:.5rem 1.25rem;color:var(--text);background:var(--card);"           \
    "border:1px solid var(--edge);border-radius:.5rem;cursor:pointer}"                                                 \
    "button:hover{background:var(--page);border-color:var(--text)}"                                                    \
    "button:focus-visible{outline:3px solid var(--focus);outline-offset:2px}"                                          \
    ".all{display:flex;flex-wrap:wrap;gap:1rem;margin:1.5rem 0 0}"                                                     \
    "button.everywhere{color:var(--strong);border-color:var(--strong)}"                                                \
    "@media(max-width:34rem){button{width:100%}}"
/* Content Security Policy, "Hash usage for <script> and <style> elements": of STYLE. */
#define STYLE_HASH "xLS51jwaRxjb/DRbMC8TZkOpoIzFHeolMAvtdR1QrzM="

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
             "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<style>" STYLE
             "</style>\n</head>\n<body>\n"
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

/**
 * The kind of device, as the User-Agent says in its first half. (The browser may come after what the list keeps of it,
 * and all say that they are several.) An iPad says that it is a Mac.
 */
static const char *device_of(const char *agent)
{
    static const struct {
        const char *word, *name;
    } devices[] = {
        { "iPhone", "iPhone" }, { "iPad", "iPad" },       { "Android", "Android" },
        { "CrOS", "ChromeOS" }, { "Windows", "Windows" }, { "Macintosh", "Mac or iPad" },
        { "Linux", "Linux" },
    };
    size_t i;

    for (i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        if (strstr(agent, devices[i].word)) {
            return devices[i].name;
        }
    }
    return "Unknown device";
}

/** What describes a button, beside its text: device, time and browser of its session. */
static void show_row(request_rec *r, const msd_sessions_page_row_t *row, int number)
{
    const ddb_user_session_t *s = &row->session;

    ap_rprintf(r, "<li>\n<div>\n<h2 id=\"s%d\">%s%s</h2>\n<dl>\n", number, device_of(s->agent),
               row->is_own ? " <em>this session</em>" : "");
    ap_rprintf(r, "<dt>Signed in</dt><dd id=\"t%d\">%s</dd>\n", number, shown_time(r, apr_time_from_sec(s->created)));
    ap_rprintf(r, "<dt>Last used</dt><dd>%s</dd>\n", shown_time(r, row->accessed));
    if (*s->address) {
        ap_rprintf(r, "<dt>Network</dt><dd>%s</dd>\n", ap_escape_html(r->pool, s->address));
    }
    if (row->is_bound) {
        ap_rputs("<dt>Device</dt><dd>bound: copied cookies do not work elsewhere</dd>\n", r);
    }
    ap_rprintf(r, "<dt>Browser</dt><dd id=\"a%d\" class=\"agent\">%s</dd>\n</dl>\n</div>\n", number,
               *s->agent ? ap_escape_html(r->pool, s->agent) : "unknown");
    ap_rprintf(r,
               "<button name=\"" BUTTON "\" value=\"%s\" aria-describedby=\"s%d t%d a%d\">Sign out%s</button>\n</li>\n",
               ap_escape_html(r->pool, s->key), number, number, number, row->is_own ? " here" : "");
}

void msd_sessions_page_show(request_rec *r, const apr_array_header_t *rows, const char *token)
{
    int i;

    begin(r);
    ap_rputs(
        "<p>These browsers and programs are signed in as you. If you do not recognise one, sign out everywhere and "
        "change your password.</p>\n",
        r);
    ap_rprintf(r, "<form method=\"post\">\n<input type=\"hidden\" name=\"" MSD_CSRF_FIELD "\" value=\"%s\">\n",
               ap_escape_html(r->pool, token));
    ap_rputs("<ul role=\"list\">\n", r); /* a role that Safari takes from lists without bullets */
    for (i = 0; i < rows->nelts; i++) {
        show_row(r, &APR_ARRAY_IDX(rows, i, msd_sessions_page_row_t), i);
    }
    ap_rputs("</ul>\n<div class=\"all\">\n", r);
    if (rows->nelts > 1) {
        ap_rputs("<button name=\"" BUTTON "\" value=\"" BUTTON_OTHERS "\">Sign out all others</button>\n", r);
    }
    ap_rputs("<button name=\"" BUTTON "\" value=\"" BUTTON_ALL "\" class=\"everywhere\">Sign out everywhere</button>\n"
             "</div>\n</form>\n",
             r);
    end(r);
}

void msd_sessions_page_say(request_rec *r, const char *sentence)
{
    begin(r);
    ap_rprintf(r, "<p role=\"status\">%s</p>\n", sentence);
    end(r);
}
