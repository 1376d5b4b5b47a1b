/* Values of directives: a configuration, a directive in a line, given to the setters of the module's own table; then
 * what is judged when all of it is there. Behind a line ".htaccess" it is a folder's. Behind a line "%%%" comes a file of keys, which "file:KEYS" stands for. */

#include <sys/stat.h>
#include <unistd.h>

#include <util_cfgtree.h>

#include "fuzz.h"
#include "httpd_stub.h"
#include "httpd/conf/msd_config.h"
#include "httpd/conf/msd_config_check.h"
#include "httpd/conf/msd_directives.h"
#include "httpd/msd_carrier.h"

#define WORDS_MAX 16
#define LOWER     "abcdefghijklmnopqrstuvwxyz"
#define TOKEN     FUZZ_LETTERS FUZZ_DIGITS "!#$%&'*+-.^_`|~"

typedef struct line_t {
    char *word[WORDS_MAX]; /* directive and arguments, NULL behind the last */
    int words;
} line_t;

static line_t split(char *text)
{
    line_t line = { { NULL }, 0 };
    char *last = NULL, *word = apr_strtok(text, " ", &last);

    for (; word && line.words < WORDS_MAX - 1; word = apr_strtok(NULL, " ", &last)) {
        line.word[line.words++] = word;
    }
    return line;
}

/* A file without a name: nothing is left behind. */
static const char *write_keys(const char *keys, apr_pool_t *p)
{
    static FILE *file;
    apr_size_t len = strlen(keys);

    if (!file) {
        file = tmpfile();
        HOLDS(file && fchmod(fileno(file), 0600) == 0);
    }
    HOLDS(ftruncate(fileno(file), 0) == 0 && pwrite(fileno(file), keys, len, 0) == (ssize_t)len);
    return apr_psprintf(p, "file:/dev/fd/%d", fileno(file));
}

static void put_keys(line_t *line, const char *keys)
{
    int i;

    for (i = 1; i < line->words; i++) {
        line->word[i] = strcmp(line->word[i], "file:KEYS") == 0 ? (char *)keys : line->word[i];
    }
}

static const command_rec *find_command(const char *name)
{
    const command_rec *c;

    for (c = msd_directives; c->name && strcasecmp(c->name, name) != 0; c++) {
    }
    return c->name ? c : NULL;
}

/* As httpd calls it, when it does: with the number of arguments that the table asks for. *called: 1 when it was. */
static const char *call(cmd_parms *cmd, msd_dir_config_t *conf, const line_t *line, int *called)
{
    const command_rec *c = cmd->cmd;
    int args = line->words - 1, on = args == 1 && strcasecmp(line->word[1], "on") == 0;

    *called = c->args_how == TAKE_ARGV || args == 1 || (c->args_how == TAKE12 && args == 2);
    switch (c->args_how) {
    case FLAG:
        *called = on || (args == 1 && strcasecmp(line->word[1], "off") == 0);
        return *called ? c->AP_FLAG(cmd, conf, on) : NULL;
    case TAKE1:
        return *called ? c->AP_TAKE1(cmd, conf, line->word[1]) : NULL;
    case TAKE12:
        return *called ? c->AP_TAKE2(cmd, conf, line->word[1], args == 2 ? line->word[2] : NULL) : NULL;
    case TAKE_ARGV:
        return c->AP_TAKE_ARGV(cmd, conf, args, (char *const *)line->word + 1);
    default:
        HOLDS(!"the table has a kind of directive that this target does not call");
        return NULL;
    }
}

/* What is said of a value begins with the directive. An argument that may be a key is not repeated; one that says where
 * keys are is. */
static void is_sentence(const char *problem, const line_t *line, const command_rec *c)
{
    int i, says_where = 0;

    HOLDS(strncmp(problem, c->name, strlen(c->name)) == 0 && strlen(problem) > strlen(c->name) + 10);
    for (i = 1; i < line->words; i++) {
        const char *arg = line->word[i];
        says_where |= strncasecmp(arg, "file:", 5) == 0 || strncasecmp(arg, "exec:", 5) == 0
                      || strncasecmp(arg, "env:", 4) == 0;
    }
    HOLDS(!strstr(c->name, "Keys") || says_where || !strstr(problem, FUZZ_SECRET));
}

/* --- what settings may be --- */

static void is_within(apr_int64_t value, apr_int64_t least, apr_int64_t most)
{
    HOLDS(value == MSD_UNSET || (value >= least && value <= most));
}

static void forwards_plainly(const apr_array_header_t *forward)
{
    int i, j;

    for (i = 0; forward && i < forward->nelts; i++) {
        const msd_forward_t *f = &APR_ARRAY_IDX(forward, i, msd_forward_t);

        HOLDS(*f->key && fuzz_is_of(f->header, FUZZ_LETTERS FUZZ_DIGITS "-"));
        HOLDS(strcasecmp(f->header, "Cookie") != 0 && strcasecmp(f->header, "Host") != 0);
        HOLDS(strncasecmp(f->header, "Content-", 8) != 0 && strcasecmp(f->header, MSD_SIGNATURE_HEADER) != 0);
        for (j = 0; j < i; j++) {
            HOLDS(strcasecmp(f->header, APR_ARRAY_IDX(forward, j, msd_forward_t).header) != 0);
        }
    }
}

static void shows_plainly(const apr_array_header_t *env)
{
    int i;

    for (i = 0; env && i < env->nelts; i++) {
        const msd_env_t *e = &APR_ARRAY_IDX(env, i, msd_env_t);

        HOLDS(*e->key && strcasecmp(e->key, "expiry") != 0);
        HOLDS(fuzz_is_of(e->name, FUZZ_LETTERS FUZZ_DIGITS "_") && !strchr(FUZZ_DIGITS, *e->name));
        HOLDS(strncasecmp(e->name, "HTTP_", 5) != 0 && strncasecmp(e->name, "SESSION_DYNAMODB_", 17) != 0);
        HOLDS(strncasecmp(e->name, "LD_", 3) != 0 && strcasecmp(e->name, "PATH") != 0);
        HOLDS(i == 0 || strcmp(e->name, APR_ARRAY_IDX(env, i - 1, msd_env_t).name) != 0);
    }
}

/* A key is a line of the file, and a configuration has a few. */
static void are_keys(const apr_array_header_t *keys)
{
    int i;

    HOLDS(!keys || keys->nelts <= 16);
    for (i = 0; keys && i < keys->nelts; i++) {
        HOLDS(*APR_ARRAY_IDX(keys, i, const char *) && !strchr(APR_ARRAY_IDX(keys, i, const char *), '\n'));
    }
}

static void are_lengths(const apr_array_header_t *lengths)
{
    int i;

    for (i = 0; lengths && i < lengths->nelts; i++) {
        is_within(APR_ARRAY_IDX(lengths, i, int), DDB_SID_BYTES_MIN, DDB_SID_BYTES_MAX);
    }
}

static void are_settings(const msd_dir_config_t *c)
{
    const apr_int64_t ten_years = APR_INT64_C(10) * 365 * 24 * 3600;

    is_within(c->idle_timeout, 1, ten_years);
    is_within(c->absolute_timeout, 1, ten_years);
    is_within(c->touch_interval, 0, ten_years);
    is_within(c->idle_limit, 1, ten_years);
    is_within(c->absolute_limit, 1, ten_years);
    is_within(c->touch_limit, 0, ten_years);
    is_within(c->sid_byte_length, DDB_SID_BYTES_MIN, DDB_SID_BYTES_MAX);
    are_lengths(c->sid_older_lengths);
    is_within(c->sid_digest, DDB_SHA1, DDB_SHA256);
    is_within(c->cookie_same_site, MSD_STRICT, MSD_SAME_SITE_NONE);
    is_within(c->on_error, MSD_DENY, MSD_ANONYMOUS);
    is_within(c->format, DDB_FORM, DDB_JSON);
    is_within(c->max_size, 1024, 400 * 1024);
    HOLDS(!c->cookie_name || fuzz_is_of(c->cookie_name, TOKEN));
    HOLDS(!c->header_name || fuzz_is_of(c->header_name, TOKEN));
    HOLDS(!c->cookie_path || (*c->cookie_path == '/' && fuzz_is_loggable(c->cookie_path)));
    HOLDS(!c->cookie_path || !strpbrk(c->cookie_path, " ;,"));
    HOLDS(!c->cookie_domain || !*c->cookie_domain || fuzz_is_of(c->cookie_domain, FUZZ_LETTERS FUZZ_DIGITS ".-"));
    is_within(c->compress, 0, 400 * 1024);
    are_keys(c->sid_keys);
    are_keys(c->forward_keys);
    HOLDS(!c->header_name || strncasecmp(c->header_name, "Content-", 8) != 0);
    forwards_plainly(c->forward);
    is_within(c->forward_version, MSD_FORWARD_V1, MSD_FORWARD_V2);
    HOLDS(!c->forward_audience
          || (fuzz_is_of(c->forward_audience, FUZZ_LETTERS FUZZ_DIGITS "-._:/") && strlen(c->forward_audience) <= 64));
    HOLDS((c->forward ? c->forward->nelts : 0) == (c->scrubbed ? c->scrubbed->nelts : 0));
    shows_plainly(c->env);
}

static void are_server_settings(const msd_server_config_t *c, apr_pool_t *p)
{
    is_within(c->timeout, apr_time_from_msec(100), apr_time_from_sec(8));
    is_within(c->connect_timeout, apr_time_from_msec(100), apr_time_from_sec(8));
    is_within(c->max_attempts, 1, 10);
    is_within(c->breaker, 0, 1000);
    is_within(c->cache, 0, 30);
    HOLDS(c->cache <= 0 || (c->cache_provider && c->cache_instance));
    HOLDS(!c->table
          || (fuzz_is_of(c->table, FUZZ_LETTERS FUZZ_DIGITS "_.-:/") && strlen(c->table) >= 3
              && strlen(c->table) <= 400));
    HOLDS(!c->endpoint_url || !ddb_endpoint_check_url(c->endpoint_url, p));
    HOLDS(!c->region || fuzz_is_of(c->region, LOWER FUZZ_DIGITS "-"));
    HOLDS(!c->profile || *c->profile);
}

/* Settings that passed make one cookie that browsers take, with no attribute that was not asked for. */
static void makes_a_cookie(const msd_dir_config_t *c, apr_pool_t *p)
{
    request_rec *r = stub_request(p);
    const char *line, *at;
    int attributes = 0;

    msd_carrier_issue(r, c, "AAAAAAAAAAAAAAAAAAAAAA", apr_time_from_sec(1795395723), 1795395724);
    line = apr_table_get(r->err_headers_out, c->use_header ? c->header_name : "Set-Cookie");
    HOLDS(line && fuzz_is_loggable(line));
    for (at = line; (at = strchr(at, ';')); at++) {
        attributes++;
    }
    HOLDS(c->use_header
          || attributes
                 == 2 + !!*c->cookie_domain + !!c->cookie_persistent + !!c->cookie_secure + !!c->cookie_http_only);
    HOLDS(strlen(c->cookie_name) + 215 <= 4096 && strlen(c->cookie_path) <= 1024 && strlen(c->cookie_domain) <= 1024);
    if (!c->use_header
        && (strncasecmp(c->cookie_name, "__Host-Http-", 12) == 0 || strncasecmp(c->cookie_name, "__Http-", 7) == 0)) {
        HOLDS(c->cookie_secure && c->cookie_http_only);
    }
    if (!c->use_header && strncasecmp(c->cookie_name, "__Host-", 7) == 0) {
        HOLDS(c->cookie_secure && !*c->cookie_domain && strcmp(c->cookie_path, "/") == 0);
    }
    HOLDS(c->use_header || c->cookie_same_site != MSD_SAME_SITE_NONE || c->cookie_secure);
}

/* What a folder says lengthens no time and unmasks nothing, in whatever order sections are merged. */
static void keeps_to_the_server(const msd_dir_config_t *folder, apr_pool_t *p)
{
    msd_dir_config_t *server = msd_config_create_dir(p, NULL), *section = msd_config_create_dir(p, NULL), *c;
    apr_array_header_t *mask = apr_array_make(p, 1, sizeof(const char *));
    int i;

    APR_ARRAY_PUSH(mask, const char *) = "members-pw";
    server->mask = mask;
    server->idle_timeout = 600;
    section->absolute_timeout = 1200;
    for (i = 0; i < 2; i++) {
        c = i ? msd_config_merge_dir(p, msd_config_merge_dir(p, server, section), (void *)folder)
              : msd_config_merge_dir(p, server, msd_config_merge_dir(p, section, (void *)folder));
        c = msd_config_resolve(c, p);
        HOLDS(c->idle_timeout <= 600 && c->absolute_timeout <= 1200 && c->touch_interval <= 60);
        HOLDS(c->mask && strcmp(APR_ARRAY_IDX(c->mask, 0, const char *), "members-pw") == 0);
        HOLDS(c->hash_sid && c->cookie_secure && c->cookie_http_only && !c->env && !c->forward && !c->sid_keys);
        HOLDS(c->require_tls == 0 && !c->tls_when);
    }
}

static void judge_all(const msd_dir_config_t *conf, apr_pool_t *p)
{
    msd_dir_config_t *outer = msd_config_create_dir(p, NULL);
    msd_dir_config_t *resolved = msd_config_resolve(msd_config_merge_dir(p, outer, (void *)conf), p);
    int cookie = 0;
    const char *problem = msd_config_check_dir(resolved, &cookie, p);

    if (!problem) {
        HOLDS(!cookie && (resolved->format != DDB_JSON || resolved->compress <= 0));
        makes_a_cookie(resolved, p);
    }
    else {
        HOLDS(strlen(problem) > 20);
    }
}

/* httpd stops at the first directive that is refused. @return 1 when none was. */
static int read_all(char *text, const char *keys, cmd_parms *cmd, msd_dir_config_t *conf, apr_pool_t *p)
{
    while (*text) {
        line_t line = split(fuzz_line(&text));
        const char *problem;
        int called = 0;

        put_keys(&line, keys);
        if (line.words && strcmp(line.word[0], "SessionCryptoPassphrase") == 0) {
            ap_conftree->directive = "SessionCryptoPassphrase"; /* mod_session_crypto's: it stands beside the others */
        }
        if (line.words && strcmp(line.word[0], ".htaccess") == 0) {
            cmd->temp_pool = cmd->pool; /* how httpd reads one */
        }
        cmd->cmd = line.words ? find_command(line.word[0]) : NULL;
        if (cmd->cmd && (!msd_config_in_htaccess(cmd) || (cmd->cmd->req_override & OR_AUTHCFG))) {
            cmd->info = cmd->cmd->cmd_data;
            problem = call(cmd, conf, &line, &called);
            if (problem) {
                is_sentence(problem, &line, cmd->cmd);
                return 0;
            }
        }
        if (called) {
            are_settings(conf);
            are_server_settings(msd_config_server(cmd->server), p);
        }
    }
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    char *text = fuzz_text(data, size), *keys = strstr(text, "%%%\n");
    void *server_config[STUB_MODULES] = { msd_config_create_server(p, NULL) };
    server_rec server = { .module_config = (void *)server_config };
    ap_directive_t directive = { .filename = "httpd.conf", .line_num = 1, .directive = "SessionDynamoDB" };
    cmd_parms cmd = { .pool = p, .server = &server, .directive = &directive };
    msd_dir_config_t *conf = msd_config_create_dir(p, NULL);

    ap_conftree = &directive;
    HOLDS(apr_pool_create(&cmd.temp_pool, p) == APR_SUCCESS);
    if (keys) {
        *keys = '\0';
        keys += 4;
    }
    if (read_all(text, write_keys(keys ? keys : "", p), &cmd, conf, p)) {
        judge_all(conf, p);
        if (size >= 10 && memcmp(data, ".htaccess\n", 10) == 0) {
            keeps_to_the_server(conf, p);
        }
    }
    return fuzz_end();
}
