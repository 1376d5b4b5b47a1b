/* The command line: which options there are, and which command takes which. */

#include <stdio.h>
#include <string.h>

#include <apr_getopt.h>
#include <apr_strings.h>

#include "base/ddb_array.h"
#include "base/ddb_version.h"
#include "ddb_rows.h"
#include "option_values.h"
#include "options.h"

/* Of a table key: a SHA-256. */
#define BASE64URL  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#define KEY_LENGTH 43

#define CALLING (CHECK | CREATE_TABLE | SHOW | LIST | END | PURGE | TOP | VERIFY) /* commands that ask the service */
#define ANY     (CALLING | POLICY | COST)

static const struct {
    const char *name;
    command_e command;
    int takes_hash;
    const char *what;
} commands[] = {
    { "check", CHECK, 0, "check the table, permissions and clock" },
    { "verify", VERIFY, 0, "try what this software assumes of DynamoDB, on rows of its own" },
    { "create-table", CREATE_TABLE, 0, "create the table, with time to live" },
    { "show", SHOW, 1, "show a session by its hash from the logs: times and sizes, not its content" },
    { "top", TOP, 0, "show the largest, oldest or longest idle sessions of the table" },
    { "list", LIST, 0, "list the sessions of a user" },
    { "end", END, 1, "end a session; with --user all of a user, or the one with this table key" },
    { "purge", PURGE, 0, "delete rows of ended sessions where time to live is off" },
    { "policy", POLICY, 0, "print a minimal IAM policy" },
    { "cost", COST, 0, "estimate capacity units and prices" },
};
#define N_COMMANDS DDB_ARRAY_LENGTH(commands)

static const char default_table[] = "app_session";

typedef struct option_t {
    const char *name, *value; /* the placeholder for the value in the help; NULL: no value */
    int commands;             /* that take it */
    option_value_fn *set;
    apr_size_t field;
    const char *what;
} option_t;

#define AT(field) APR_OFFSETOF(options_t, field)

static const option_t all[] = {
    { "table", "NAME|ARN", ANY, option_values_table, AT(table), "table name (app_session)" },
    { "region", "REGION", ANY, option_values_region, AT(region), "AWS region (default: environment, profile or ARN)" },
    { "endpoint-url", "URL", CALLING, option_values_endpoint, AT(endpoint_url), "URL of the API, if not AWS's own" },
    { "profile", "NAME", ANY, option_values_text, AT(profile.name), "profile in the AWS files" },
    { "credentials-file", "PATH", ANY, option_values_text, AT(profile.credentials_file), "AWS credentials file" },
    { "config-file", "PATH", ANY, option_values_text, AT(profile.config_file), "AWS config file" },
    { "ca-file", "PATH", CALLING, option_values_text, AT(ca_file), "CA certificates, as SessionDynamoDBCAFile" },
    { "proxy", "URL", CALLING, option_values_proxy, AT(proxy), "proxy, as SessionDynamoDBProxy" },
    { "timeout", "SECONDS", CALLING, option_values_seconds, AT(timeout),
      "maximum time of one call, retries included (10)" },
    { "user", "NAME", LIST | END, option_values_text, AT(user), "user whose sessions are listed or ended" },
    { "realm", "REALM", LIST | END, option_values_text, AT(realm),
      "where the user logs in: form:AUTHNAME, basic:AUTHNAME, entry:NAME" },
    { "audience", "LABEL", LIST | END, option_values_text, AT(audience), "as SessionDynamoDBAudience" },
    { "user-keys", "SOURCE", LIST | END, option_values_source, AT(user_keys),
      "as SessionDynamoDBUserSessionKeys: file:PATH or env:NAME; may be repeated" },
    { "seal-keys", "SOURCE", LIST | END, option_values_source, AT(seal_keys),
      "as SessionDynamoDBSealKeys: file:PATH, env:NAME or clear; may be repeated" },
    { "hash-sid", "On|Off", SHOW | END | TOP, option_values_switch, AT(hash_sid), "as SessionDynamoDBHashSid (On)" },
    { "json", NULL, ANY, option_values_flag, AT(json), "print JSON, errors too" },
    { "progress", NULL, SHOW | END | PURGE | TOP, option_values_flag, AT(progress),
      "report progress on stderr, even if it is not a terminal" },
    { "strict", NULL, CHECK, option_values_flag, AT(strict), "exit with 1 for doubts, too" },
    { "wait", "SECONDS", CREATE_TABLE | VERIFY, option_values_seconds, AT(patience),
      "maximum wait until the table is active (120)" },
    { "by", "size|age|idle", TOP, option_values_order, AT(by),
      "what is largest: size, age or time without use (size)" },
    { "number", "N", TOP, option_values_few, AT(number), "how many sessions are shown (10)" },
    { "create", NULL, VERIFY, option_values_flag, AT(own_table), "create a table for it, and delete it in the end" },
    { "dry-run", NULL, PURGE, option_values_flag, AT(dry_run), "count only" },
    { "older-than", "SECONDS", PURGE, option_values_count, AT(older_than),
      "only rows of sessions that ended at least this long ago (900)" },
    { "account", "DIGITS", POLICY, option_values_account, AT(account), "AWS account of the table" },
    { "create-table", NULL, POLICY, option_values_flag, AT(for_creation),
      "include what httpd needs to create the table" },
    { "check", NULL, POLICY, option_values_flag, AT(for_check), "include what it takes to check the table completely" },
    { "operate", NULL, POLICY, option_values_flag, AT(for_operation),
      "add a separate statement for operators: show, top, list, end and purge" },
    { "requests", "N", COST, option_values_count, AT(requests), "total number of requests (1000000)" },
    { "read-only", "PERCENT", COST, option_values_percent, AT(read_only),
      "share of requests that only read the session (the rest of 100)" },
    { "changed", "PERCENT", COST, option_values_percent, AT(changed), "share of requests that change it (10)" },
    { "touched", "PERCENT", COST, option_values_percent, AT(touched),
      "share of the reading requests that record activity (10)" },
    { "size", "BYTES", COST, option_values_count, AT(size), "size of a row (1024)" },
    { "eventual", NULL, COST, option_values_flag, AT(eventual), "for SessionDynamoDBConsistentRead Off" },
    { "read-price", "PRICE", COST, option_values_price, AT(read_price), "price of a million read units" },
    { "write-price", "PRICE", COST, option_values_price, AT(write_price), "price of a million write units" },
    { "help", NULL, ANY, NULL, 0, "print this" },
    { "version", NULL, ANY, NULL, 0, "print the version" },
};
#define N_OPTIONS  ((int)DDB_ARRAY_LENGTH(all))
#define FIRST_CODE 256 /* APR's codes for options without a letter */

static const char *commands_of(const option_t *option, apr_pool_t *p)
{
    apr_array_header_t *names = apr_array_make(p, N_COMMANDS, sizeof(const char *));
    apr_size_t i;

    for (i = 0; i < N_COMMANDS && option->commands != ANY; i++) {
        if (option->commands & commands[i].command) {
            APR_ARRAY_PUSH(names, const char *) = apr_pstrcat(p, names->nelts ? " " : "", commands[i].name, NULL);
        }
    }
    return names->nelts ? apr_pstrcat(p, " [", apr_array_pstrcat(p, names, ','), "]", NULL) : "";
}

static void print_help(apr_pool_t *p)
{
    apr_size_t i;
    int j;

    printf(
        "Usage: session-dynamodb COMMAND [OPTIONS] [HASH]\n\nManages the DynamoDB table of mod_session_dynamodb.\n\n");
    for (i = 0; i < N_COMMANDS; i++) {
        printf("  %-13s %s%s\n", commands[i].name, commands[i].takes_hash ? "HASH: " : "", commands[i].what);
    }
    printf("\n");
    for (j = 0; j < N_OPTIONS; j++) {
        printf("  --%-24s %s%s\n", apr_pstrcat(p, all[j].name, all[j].value ? " " : "", all[j].value, NULL),
               all[j].what, commands_of(&all[j], p));
    }
    printf("\nCredentials come from the usual AWS sources, never from the command line.\nExit status: 0 good, 1 "
           "something is wrong or was not found, 2 usage error, 3 the service could not be reached.\n");
}

/* A warning and no more: APR prints its own with a program name and without a remedy. */
static void take_warning(void *text, const char *format, ...)
{
    char line[300];
    va_list args;
    apr_pool_t *p = ((void **)text)[0];

    va_start(args, format);
    apr_vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    line[strcspn(line, "\n")] = '\0';
    ((void **)text)[1] = apr_pstrdup(p, strstr(line, ": ") ? strstr(line, ": ") + 2 : line);
}

static apr_status_t take_command(options_t *o, const char *name, const char **problem, apr_pool_t *p)
{
    apr_size_t i;

    for (i = 0; i < N_COMMANDS; i++) {
        if (name && strcmp(commands[i].name, name) == 0) {
            o->command = commands[i].command;
            o->name = commands[i].name;
            return APR_SUCCESS;
        }
    }
    *problem = name ? apr_psprintf(p, "unknown command %.40s: see session-dynamodb --help", name)
                    : "no command given: see session-dynamodb --help";
    return APR_EINVAL;
}

static int is_table_key(const char *text)
{
    return strlen(text) == KEY_LENGTH && strspn(text, BASE64URL) == KEY_LENGTH;
}

static const char *check_hash(const options_t *o)
{
    if (ddb_rows_is_hash(o->hash)) {
        return NULL;
    }
    if (!o->hash_sid) {
        return "HASH must be the hash from the logs, or at least its first 32 digits: with --hash-sid Off a table key "
               "is a session ID, which must not appear on a command line";
    }
    return is_table_key(o->hash)
               ? NULL
               : "HASH must be the hash from the logs (128 hex digits, or at least the first 32) or a table key";
}

/* Whose sessions: all of it, or nothing. */
static const char *check_user(const options_t *o, apr_pool_t *p)
{
    if (!o->user || !o->realm || !o->user_keys) {
        return apr_psprintf(p, "%s needs --user, --realm and --user-keys%s", o->name,
                            o->command == END ? ", or none of the options for users" : "");
    }
    return o->hash_sid ? NULL : "the sessions of a user are listed only where SessionDynamoDBHashSid is On";
}

static apr_status_t take_user(options_t *o, int n, const char *const *rest, const char **problem, apr_pool_t *p)
{
    *problem = check_user(o, p);
    if (!*problem && n > (o->command == END)) {
        *problem = o->command == END ? "end with --user takes one table key, or none" : "list takes options only";
    }
    o->hash = n ? rest[0] : NULL;
    if (!*problem && o->hash && !is_table_key(o->hash)) {
        *problem = "with --user, a session is named by its table key, which list shows";
    }
    return *problem ? APR_EINVAL : APR_SUCCESS;
}

static const char *check_own_table(const options_t *o)
{
    return o->own_table && o->table != default_table ? "verify takes --table or --create, not both" : NULL;
}

static apr_status_t take_hash(options_t *o, int n, const char *const *rest, const char **problem, apr_pool_t *p)
{
    int wanted = (o->command & (SHOW | END)) != 0;

    if (o->command == LIST || o->user || o->realm || o->audience || o->user_keys || o->seal_keys) {
        return take_user(o, n, rest, problem, p);
    }
    if (n != wanted) {
        *problem = apr_psprintf(p, wanted ? "%s takes one HASH" : "%s takes options only", o->name);
        return APR_EINVAL;
    }
    o->hash = wanted ? rest[0] : NULL;
    *problem = wanted ? check_hash(o) : check_own_table(o);
    return *problem ? APR_EINVAL : APR_SUCCESS;
}

static apr_status_t take_option(options_t *o, const option_t *option, const char *value, const char **problem,
                                apr_pool_t *p)
{
    const char *wrong;

    if (!option->set) {
        if (strcmp(option->name, "help") == 0) {
            print_help(p);
        }
        else {
            printf("session-dynamodb %s\n", DDB_VERSION);
        }
        return APR_EOF;
    }
    wrong = option->set((char *)o + option->field, value, p);
    if (wrong) {
        *problem = apr_psprintf(p, "--%s: %s", option->name, wrong);
    }
    return wrong ? APR_EINVAL : APR_SUCCESS;
}

static apr_status_t check_fit(const options_t *o, const char *seen, const char **problem, apr_pool_t *p)
{
    int i;

    for (i = 0; i < N_OPTIONS; i++) {
        if (seen[i] && !(all[i].commands & o->command)) {
            *problem = apr_psprintf(p, "%s has no option --%s", o->name, all[i].name);
            return APR_EINVAL;
        }
    }
    return APR_SUCCESS;
}

static void set_defaults(options_t *o, int argc, const char *const *argv)
{
    int i;

    memset(o, 0, sizeof(*o));
    o->table = default_table;
    o->timeout = apr_time_from_sec(10);
    o->hash_sid = 1;
    o->patience = apr_time_from_sec(120);
    o->by = "size";
    o->number = 10;
    o->older_than = 900;
    o->requests = 1000000;
    o->size = 1024;
    o->read_only = o->changed = -1;
    o->touched = 10;
    o->read_price = o->write_price = -1;
    /* Also what is wrong with the rest of the line is to be said so. */
    for (i = 1; i < argc; i++) {
        o->json |= strcmp(argv[i], "--json") == 0;
    }
}

apr_status_t options_read(options_t *o, int argc, const char *const *argv, const char **problem, apr_pool_t *p)
{
    apr_getopt_option_t *options = apr_pcalloc(p, (N_OPTIONS + 1) * sizeof(*options));
    char *seen = apr_pcalloc(p, N_OPTIONS);
    void *warning[2] = { p, NULL };
    const char *value;
    apr_getopt_t *reader;
    apr_status_t rv;
    int code, i;

    set_defaults(o, argc, argv);
    for (i = 0; i < N_OPTIONS; i++) {
        options[i].name = all[i].name;
        options[i].optch = FIRST_CODE + i;
        options[i].has_arg = all[i].value != NULL;
    }
    rv = apr_getopt_init(&reader, p, argc, argv);
    if (rv != APR_SUCCESS) {
        *problem = "no memory";
        return APR_EINVAL;
    }
    reader->interleave = 1;
    reader->errfn = take_warning;
    reader->errarg = warning;
    while (rv == APR_SUCCESS && (rv = apr_getopt_long(reader, options, &code, &value)) == APR_SUCCESS) {
        seen[code - FIRST_CODE] = 1;
        rv = take_option(o, &all[code - FIRST_CODE], value, problem, p);
        if (rv == APR_EOF) {
            return rv;
        }
    }
    if (rv != APR_EOF) {
        *problem = *problem ? *problem : apr_pstrcat(p, warning[1], ": see session-dynamodb --help", NULL);
        return APR_EINVAL;
    }
    rv = take_command(o, reader->ind < argc ? reader->argv[reader->ind] : NULL, problem, p);
    rv = rv == APR_SUCCESS ? check_fit(o, seen, problem, p) : rv;
    return rv == APR_SUCCESS ? take_hash(o, argc - reader->ind - 1, reader->argv + reader->ind + 1, problem, p) : rv;
}
