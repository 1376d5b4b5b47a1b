/* The few functions of httpd that parsers of ours call, for programs that are not httpd: the server exports its own
 * from its executable, which nothing can be linked to. Each does what httpd's documentation says of it, and no more. */

#include <apr_lib.h>
#include <apr_optional.h>
#include <ap_expr.h>
#include <httpd.h>
#include <ap_provider.h>
#include <ap_socache.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <mod_session.h>

#include "fuzz.h"
#include "httpd_stub.h"
#include "httpd/conf/msd_config.h"
#include "httpd/msd_request.h"

module AP_MODULE_DECLARE_DATA session_dynamodb_module = { .module_index = STUB_OURS };
module AP_MODULE_DECLARE_DATA session_module = { .module_index = STUB_SESSION };
ap_directive_t *ap_conftree;

request_rec *stub_request(apr_pool_t *p)
{
    request_rec *r = apr_pcalloc(p, sizeof(*r));
    static struct ap_logconf log = { .level = APLOG_TRACE8 };

    r->pool = p;
    r->headers_in = apr_table_make(p, 5);
    r->headers_out = apr_table_make(p, 5);
    r->err_headers_out = apr_table_make(p, 5);
    r->notes = apr_table_make(p, 5);
    r->per_dir_config = apr_pcalloc(p, STUB_MODULES * sizeof(void *));
    r->request_config = apr_pcalloc(p, STUB_MODULES * sizeof(void *));
    r->log = &log;
    r->uri = (char *)"/";
    return r;
}

/* --- text --- */

const char *ap_scan_http_token(const char *s)
{
    return s + strspn(s, FUZZ_LETTERS FUZZ_DIGITS "!#$%&'*+-.^_`|~");
}

void ap_str_tolower(char *s)
{
    for (; *s; s++) {
        *s = (char)apr_tolower(*s);
    }
}

static int hex(char c)
{
    return apr_isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

int ap_unescape_urlencoded(char *query)
{
    char *to = query;
    int rv = OK;

    for (; *query; query++, to++) {
        *to = *query == '+' ? ' ' : *query;
        if (*query == '%' && !(apr_isxdigit(query[1]) && apr_isxdigit(query[2]))) {
            rv = HTTP_BAD_REQUEST;
        }
        else if (*query == '%') {
            *to = (char)(hex(query[1]) << 4 | hex(query[2]));
            rv = *to ? rv : HTTP_NOT_FOUND;
            query += 2;
        }
    }
    *to = '\0';
    return rv;
}

apr_status_t ap_timeout_parameter_parse(const char *parameter, apr_interval_time_t *timeout, const char *unit)
{
    static const struct {
        const char *unit;
        apr_interval_time_t of;
    } units[] = {
        { "ms", 1000 },
        { "mi", APR_USEC_PER_SEC * 60 },
        { "s", APR_USEC_PER_SEC },
        { "h", APR_USEC_PER_SEC * 3600 },
    };
    char *end;
    apr_int64_t n = apr_strtoi64(parameter, &end, 10);
    apr_size_t i;

    unit = *end ? end : unit;
    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        /* As httpd does, what follows the unit's first letters is not looked at. */
        if (strncmp(unit, units[i].unit, strlen(units[i].unit)) == 0) {
            return __builtin_mul_overflow(n, units[i].of, timeout) ? APR_ERANGE : APR_SUCCESS;
        }
    }
    return APR_EGENERAL;
}

/* What an expression says is httpd's business: all are taken but those whose quotes do not match. */
ap_expr_info_t *ap_expr_parse_cmd_mi(const cmd_parms *cmd, const char *expr, unsigned int flags, const char **err,
                                     ap_expr_lookup_fn_t *lookup_fn, int module_index)
{
    static ap_expr_info_t parsed;
    const char *quote = strchr(expr, '\'');

    (void)cmd, (void)flags, (void)lookup_fn, (void)module_index;
    *err = *expr && (!quote || strchr(quote + 1, '\'')) ? NULL : "syntax error";
    return *err ? NULL : &parsed;
}

/* --- files and programs --- */

/* No configuration is walked through here: what looks for places has none. */
char *ap_getword_conf(apr_pool_t *p, const char **line)
{
    const char *word = *line + strspn(*line, " \t"), *end = word + strcspn(word, " \t");

    *line = end + strspn(end, " \t");
    return apr_pstrmemdup(p, word, (apr_size_t)(end - word));
}

/* httpd was started without -D. */
int ap_exists_config_define(const char *name)
{
    (void)name;
    return 0;
}

const char *ap_check_cmd_context(cmd_parms *cmd, unsigned forbidden)
{
    (void)cmd, (void)forbidden;
    return NULL;
}

static const char *create_cache(ap_socache_instance_t **instance, const char *arg, apr_pool_t *tmp, apr_pool_t *p)
{
    (void)tmp;
    *instance = apr_palloc(p, 1);
    return arg && !*arg ? "this cache takes no empty argument" : NULL;
}

void *ap_lookup_provider(const char *group, const char *name, const char *version)
{
    static const ap_socache_provider_t cache = { .name = "shmcb", .create = create_cache };
    int known = strcmp(group, AP_SOCACHE_PROVIDER_GROUP) == 0 && strcmp(version, AP_SOCACHE_PROVIDER_VERSION) == 0
                && (strcmp(name, "shmcb") == 0 || strcmp(name, AP_SOCACHE_DEFAULT_PROVIDER) == 0);

    return known ? (void *)&cache : NULL;
}

char *ap_server_root_relative(apr_pool_t *p, const char *file)
{
    return apr_pstrcat(p, *file == '/' ? "" : "/nowhere/", file, NULL);
}

apr_status_t ap_pcfg_openfile(ap_configfile_t **file, apr_pool_t *p, const char *name)
{
    FILE *in = fopen(name, "r");

    if (!in) {
        return APR_ENOENT;
    }
    *file = apr_pcalloc(p, sizeof(**file));
    (*file)->param = in;
    return APR_SUCCESS;
}

/* Without blanks around it; httpd's own goes on behind a backslash too. */
apr_status_t ap_cfg_getline(char *buf, apr_size_t size, ap_configfile_t *file)
{
    char *start = buf, *end;

    if (!fgets(buf, (int)size, file->param)) {
        return APR_EOF;
    }
    end = buf + strlen(buf);
    if (end == buf + size - 1 && end[-1] != '\n') {
        return APR_ENOSPC;
    }
    while (end > start && apr_isspace(end[-1])) {
        *--end = '\0';
    }
    start += strspn(start, " \t\r\v\f");
    memmove(buf, start, (apr_size_t)(end - start) + 1);
    return APR_SUCCESS;
}

int ap_cfg_closefile(ap_configfile_t *file)
{
    return fclose(file->param);
}

char *ap_get_exec_line(apr_pool_t *p, const char *program, const char *const *argv)
{
    (void)argv;
    return strstr(program, "key") ? apr_pstrdup(p, "a key that a program printed") : NULL;
}

/* --- what a request is asked --- */

/* mod_session's: the session that a target has given to the request's place. */
static apr_status_t load(request_rec *r, session_rec **z)
{
    const msd_session_t *s = msd_request_session(r);

    *z = s ? s->z : NULL;
    return APR_SUCCESS;
}

/* Before APR's, whose register of functions is made in a pool that an input ends with. */
APU_DECLARE_NONSTD(apr_opt_fn_t *) apr_dynamic_fn_retrieve(const char *name)
{
    return strcmp(name, "ap_session_load") == 0 ? (apr_opt_fn_t *)load : NULL;
}

const char *ap_auth_name(request_rec *r)
{
    (void)r;
    return "members";
}

/* The words are put together, for the sanitizers to see what is read for it. */
static void write_log(const char *fmt, va_list args)
{
    char line[1024];

    apr_vsnprintf(line, sizeof(line), fmt, args);
}

void ap_log_rerror_(const char *file, int line, int module_index, int level, apr_status_t status, const request_rec *r,
                    const char *fmt, ...)
{
    va_list args;

    (void)file, (void)line, (void)module_index, (void)level, (void)status, (void)r;
    va_start(args, fmt);
    write_log(fmt, args);
    va_end(args);
}

void ap_log_error_(const char *file, int line, int module_index, int level, apr_status_t status, const server_rec *s,
                   const char *fmt, ...)
{
    va_list args;

    (void)file, (void)line, (void)module_index, (void)level, (void)status, (void)s;
    va_start(args, fmt);
    write_log(fmt, args);
    va_end(args);
}
