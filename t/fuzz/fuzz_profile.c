/* The AWS shared files: the credentials file, then, behind a line "%%%", the config file. */

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aws/creds/ddb_creds.h"
#include "aws/ddb_ini.h"
#include "aws/ddb_profile.h"
#include "base/ddb_process.h"
#include "fuzz.h"

/* --- the text --- */

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static void is_stripped(const char *s)
{
    HOLDS(!*s || (!is_blank(*s) && !is_blank(s[strlen(s) - 1])));
}

static void is_within(const char *s, const char *text, apr_size_t len)
{
    HOLDS(s >= text && s + strlen(s) <= text + len);
}

static int count_lines(const char *text)
{
    int n = 1;

    for (; *text; text++) {
        n += *text == '\n' || (*text == '\r' && text[1] != '\n');
    }
    return n;
}

/* What is read, before and after it is cut up. */
typedef struct text_t {
    const char *in, *text;
    apr_size_t len;
} text_t;

/* The section as a text again. */
static const char *print_section(const char *name, apr_hash_t *values, const text_t *t, apr_pool_t *p)
{
    const char *printed = apr_pstrcat(p, "[", name, "]\n", NULL);
    apr_hash_index_t *i;

    for (i = apr_hash_first(p, values); i; i = apr_hash_next(i)) {
        const char *key = apr_hash_this_key(i);
        char *value = apr_pstrdup(p, apr_hash_this_val(i)), *line;

        is_within(key, t->text, t->len);
        is_within(apr_hash_this_val(i), t->text, t->len);
        is_stripped(key);
        HOLDS(*key
              && !strpbrk(key, "=:\r\n"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
              && !strchr(value, '\r'));
        printed = apr_pstrcat(p, printed, key, " =", NULL);
        do {
            line = fuzz_line(&value);
            is_stripped(line);
            HOLDS(strstr(t->in, line)); /* lines stay lines */
            printed = apr_pstrcat(p, printed, " ", line, "\n", NULL);
        } while (*value);
    }
    return printed;
}

static const char *print(const ddb_ini_t *ini, const text_t *t, apr_pool_t *p)
{
    const char *printed = "";
    int i;

    HOLDS((int)apr_hash_count(ini->sections) == ini->names->nelts);
    for (i = 0; i < ini->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(ini->names, i, const char *);

        is_within(name, t->text, t->len);
        printed = apr_pstrcat(p, printed,
                              print_section(name, apr_hash_get(ini->sections, name, APR_HASH_KEY_STRING), t, p), NULL);
    }
    return printed;
}

static void same_values(apr_hash_t *a, apr_hash_t *b, apr_pool_t *p)
{
    apr_hash_index_t *i;

    HOLDS(b && apr_hash_count(a) == apr_hash_count(b));
    for (i = apr_hash_first(p, a); i; i = apr_hash_next(i)) {
        const char *value = apr_hash_get(b, apr_hash_this_key(i), APR_HASH_KEY_STRING);
        HOLDS(value && strcmp(value, apr_hash_this_val(i)) == 0);
    }
}

/* What was read comes back from what is printed of it. @return 0 for a text that is refused. */
static int read_text(ddb_ini_t *ini, const char *in, apr_size_t len, apr_pool_t *p)
{
    char *text = apr_pstrmemdup(p, in, len), *printed;
    text_t t = { apr_pstrmemdup(p, in, len), text, len };
    int lines = count_lines(text), i;
    ddb_ini_t again;

    memset(ini, 0, sizeof(*ini));
    if (ddb_ini_parse(ini, text, len, p) != APR_SUCCESS) {
        HOLDS(ini->line >= 0 && ini->line <= lines && fuzz_is_loggable(ini->wrong));
        HOLDS(!strstr(ini->wrong, FUZZ_SECRET));
        return 0;
    }
    HOLDS(!memchr(in, '\0', len));
    printed = apr_pstrdup(p, print(ini, &t, p));
    HOLDS(ddb_ini_parse(&again, printed, strlen(printed), p) == APR_SUCCESS);
    HOLDS(again.names->nelts == ini->names->nelts);
    for (i = 0; i < ini->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(ini->names, i, const char *);
        same_values(apr_hash_get(ini->sections, name, APR_HASH_KEY_STRING),
                    apr_hash_get(again.sections, name, APR_HASH_KEY_STRING), p);
    }
    return 1;
}

/* --- the files --- */

/* Files without a name: nothing is left behind. */
static const char *write_file(int which, const char *text, apr_size_t len, apr_pool_t *p)
{
    static FILE *files[2];
    int fd;

    if (!files[which]) {
        files[which] = tmpfile();
        HOLDS(files[which] && fchmod(fileno(files[which]), 0600) == 0);
    }
    fd = fileno(files[which]);
    HOLDS(ftruncate(fd, 0) == 0 && pwrite(fd, text, len, 0) == (ssize_t)len);
    return apr_psprintf(p, "/dev/fd/%d", fd);
}

static const char *own(const ddb_ini_t *ini, const char *section, const char *key)
{
    const char *value = ddb_ini_value(apr_hash_get(ini->sections, section, APR_HASH_KEY_STRING), key);

    return value ? value : ddb_ini_value(apr_hash_get(ini->sections, DDB_INI_DEFAULTS, APR_HASH_KEY_STRING), key);
}

static int same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* A pair of keys is of one file, the credentials file's if that has an ID. */
static void is_of_one_file(const ddb_profile_t *profile, const ddb_ini_t *credentials)
{
    const char *id = ddb_ini_value(apr_hash_get(credentials->sections, "default", APR_HASH_KEY_STRING),
                                   "aws_access_key_id");

    if (id) {
        HOLDS(same_text(ddb_profile_get(profile, "aws_access_key_id"), id));
        HOLDS(same_text(ddb_profile_get(profile, "aws_secret_access_key"),
                        own(credentials, "default", "aws_secret_access_key")));
        HOLDS(
            same_text(ddb_profile_get(profile, "aws_session_token"), own(credentials, "default", "aws_session_token")));
    }
}

static void says_nothing_secret(const ddb_error_t *err)
{
    HOLDS(memchr(err->detail, '\0', sizeof(err->detail)) && !strstr(err->detail, FUZZ_SECRET));
}

/* 1 when it is, in a file that can be read, the value of a key that holds no secret, such as the name of a profile. */
static int is_public(const char *text, apr_size_t len, apr_pool_t *p)
{
    apr_hash_index_t *i, *j;
    ddb_ini_t ini;

    if (ddb_ini_parse(&ini, apr_pstrmemdup(p, text, len), len, p) != APR_SUCCESS) {
        return 0;
    }
    for (i = apr_hash_first(p, ini.sections); i; i = apr_hash_next(i)) {
        for (j = apr_hash_first(p, apr_hash_this_val(i)); j; j = apr_hash_next(j)) {
            if (strstr(apr_hash_this_val(j), FUZZ_SECRET) && strncmp(apr_hash_this_key(j), "aws_", 4) != 0) {
                return 1;
            }
        }
    }
    return 0;
}

static void is_visible(const char *s)
{
    for (; s && *s; s++) {
        HOLDS(*s >= '!' && *s <= '~');
    }
}

/* Through the whole chain, as the module asks. Providers that ask others have nobody to ask here. */
static apr_status_t nobody(void *baton, const ddb_http_request_t *req, apr_pool_t *p, ddb_http_response_t *res,
                           ddb_error_t *err)
{
    (void)baton, (void)req, (void)p, (void)res;
    return ddb_error_set(err, DDB_EUNAVAILABLE, "nobody there");
}

static apr_time_t now(void *baton)
{
    (void)baton;
    return APR_INT64_C(1795395723000004);
}
static void no_sleep(void *baton, apr_interval_time_t t)
{
    (void)baton, (void)t;
}

static void fetch(const ddb_profile_opts_t *profile, int has_public, apr_pool_t *p)
{
    const ddb_http_transport_t http = { nobody, NULL };
    const ddb_clock_t fixed_clock = { now, now, no_sleep, NULL };
    ddb_creds_opts_t o = { .profile = *profile, .http = &http, .clock = &fixed_clock };
    ddb_creds_t *c;
    ddb_credentials_t found;
    ddb_error_t err = { 0 };

    HOLDS(ddb_creds_create(&c, &o, p) == APR_SUCCESS);
    if (ddb_creds_get(c, DDB_CREDS_FOREVER, p, &found, &err) == APR_SUCCESS) {
        HOLDS(found.access_key_id && found.secret_access_key);
        is_visible(found.access_key_id);
        is_visible(found.secret_access_key);
        is_visible(found.session_token);
    }
    if (!has_public) {
        says_nothing_secret(&err);
    }
}

/* Between double quotes, with a backslash before what means something there. */
static char *quote(char *to, const char *word)
{
    *to++ = ' ';
    *to++ = '"';
    for (; *word; word++) {
        if (*word == '"' || *word == '\\') {
            *to++ = '\\';
        }
        *to++ = *word;
    }
    *to++ = '"';
    return to;
}

/* The words of a command line, each quoted, are the same words again. */
static void split(const char *line, apr_pool_t *p)
{
    char *quoted = apr_pcalloc(p, 5 * strlen(line) + 1), *to = quoted;
    char **words, **again;
    int i;

    if (ddb_process_split(&words, line, p) != APR_SUCCESS) {
        return;
    }
    for (i = 0; words[i]; i++) {
        to = quote(to, words[i]);
    }
    HOLDS(ddb_process_split(&again, quoted, p) == APR_SUCCESS);
    for (i = 0; words[i]; i++) {
        HOLDS(again[i] && strcmp(again[i], words[i]) == 0);
    }
    HOLDS(!again[i]);
}

/* Nothing that the machine has is seen. */
static void clean_environment(void)
{
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    setenv("HOME", "/nonexistent", 1);
    unsetenv("AWS_PROFILE");
    unsetenv("AWS_DEFAULT_PROFILE");
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    unsetenv("AWS_WEB_IDENTITY_TOKEN_FILE");
}

/* credential_process would run a program. Keys are in any case. */
static int names_a_program(const char *text, apr_pool_t *p)
{
    char *lower = apr_pstrdup(p, text), *c;

    for (c = lower; *c; c++) {
        *c |= 0x20; /* '_' becomes DEL, which is why the word behind it is looked for */
    }
    return strstr(lower, "process") != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *p = fuzz_begin();
    const char *text = fuzz_text(data, size), *cut = strstr(text, "\n%%%\n");
    apr_size_t len = cut ? (apr_size_t)(cut + 1 - text) : size, config_len = cut ? size - len - 4 : 0;
    const char *config = cut ? cut + 5 : "";
    ddb_profile_opts_t o = { NULL, write_file(0, text, len, p), write_file(1, config, config_len, p) };
    ddb_profile_t *profile;
    ddb_error_t err = { 0 };
    ddb_ini_t ini;
    int good;

    clean_environment();
    good = read_text(&ini, text, len, p);
    if (ddb_profile_read(&profile, &o, p, &err) == APR_SUCCESS) {
        HOLDS(good && profile);
        is_of_one_file(profile, &ini);
        split(ddb_profile_get(profile, "credential_process") ? ddb_profile_get(profile, "credential_process") : "", p);
    }
    says_nothing_secret(&err);
    if (!names_a_program(text, p) && !names_a_program(config, p)) {
        fetch(&o, is_public(text, len, p) || is_public(config, config_len, p), p);
    }
    return fuzz_end();
}
