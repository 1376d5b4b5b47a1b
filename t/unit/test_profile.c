/* Profiles of the AWS files: the dialect, which section counts, how the files go together, who may read them. */

#include "aws/ddb_ini.h"
#include "aws/ddb_profile.h"
#include "tap.h"
#include "aws_files.h"

static apr_pool_t *pool;

/* --- the dialect --- */

static ddb_ini_t ini;

static apr_status_t parse(const char *text)
{
    memset(&ini, 0, sizeof(ini));
    return ddb_ini_parse(&ini, apr_pstrdup(pool, text), strlen(text), pool);
}

static const char *value(const char *section, const char *key)
{
    return ddb_ini_value(apr_hash_get(ini.sections, section, APR_HASH_KEY_STRING), key);
}

static void test_lines(void)
{
    NUM_IS(parse("[default]\nregion = eu-west-1\nOutPut:json\nempty =\nurl = http://h:8000\nx=a=b:c\n"
                 "\ty \t=\t z z \t\n"),
           APR_SUCCESS, "a file of ordinary lines is read");
    IS(value("default", "region"), "eu-west-1", "a value loses the blanks around it");
    IS(value("default", "output"), "json", "a colon separates too, and keys become lower case");
    IS(value("default", "empty"), NULL, "an empty value is none");
    IS(value("default", "url"), "http://h:8000", "the first separator of the line counts, a later one is the value's");
    IS(value("default", "x"), "a=b:c\ny \t=\t z z", "a deeper line belongs to the value before it");
    IS(value("default", "y"), NULL, "and is no key");
    IS(value("other", "x"), NULL, "a section that is not there has no value");
}

static void test_comments(void)
{
    parse("# one\n; two\n[a]\n  # three\nk = v # kept\nl = w ; kept\n");
    IS(value("a", "k"), "v # kept", "a # inside of a line is part of the value");
    IS(value("a", "l"), "w ; kept", "and so is a ;");
    parse("[a]\nk = one\n# comment\n\n  two\n\n");
    IS(value("a", "k"), "one\n\ntwo", "a comment line is left out of a value, an empty line inside is kept");
    parse("[a]\nk = one\n\n\n\nl = two\n\n[b]\nm = three\n \n");
    IS(value("a", "k"), "one", "empty lines behind a value are not part of it");
    IS(value("a", "l"), "two", "before the next section neither");
    IS(value("b", "m"), "three", "at the end neither");
}

static void test_continuation(void)
{
    parse("[a]\ns3 =\n  endpoint_url = http://s3\n  b = c\nregion = r\n");
    IS(value("a", "s3"), "\nendpoint_url = http://s3\nb = c", "a nested map is kept as text");
    IS(value("a", "endpoint_url"), NULL, "its keys are not the section's");
    IS(value("a", "region"), "r", "a line with less indentation ends it");
    parse("[a]\n    k = v\n    l = w\n  m = x\n   n\n");
    IS(value("a", "k"), "v", "the first key of a section may be indented");
    IS(value("a", "l"), "w", "a line of the same depth is a key of its own");
    IS(value("a", "m"), "x\nn", "depth is measured from the last key");
    NUM_IS(parse("  [a]\n  k = v\n [b]\n"), APR_SUCCESS, "a section may be indented");
    IS(value("a", "k"), "v", "and what stands under it is no continuation");
    NUM_IS(ini.names->nelts, 2, "a section that is less indented than the key before begins");
    parse("[a]\nk = v\n [b]\nl = w\n");
    IS(value("a", "k"), "v\n[b]", "one that is deeper continues the value");
    IS(value("a", "l"), "w", "and begins nothing");
}

static void test_line_ends(void)
{
    parse("[a]\r\nk = v\r\nl = w\r  x\r[b]\rm = y");
    IS(value("a", "k"), "v", "CR LF ends a line");
    IS(value("a", "l"), "w\nx", "CR alone as well");
    IS(value("b", "m"), "y", "and the last line needs no end");
    NUM_IS(parse("[a]\r\n\r\nk = v\r\n  w\r\n= x\r\n"), DDB_ECONFIG, "a line without a key is refused");
    NUM_IS(ini.line, 5, "CR LF counts as one line");
}

static void test_sections(void)
{
    parse("[a]b]\nk = v\n[ c ] # rest\nl = w\n[DEFAULT]\nd = 1\n[DEFAULT]\ne = 2\n");
    IS(value("a]b", "k"), "v", "a section's name reaches to the last bracket");
    IS(value(" c ", "l"), "w", "its blanks are kept, what stands behind the bracket is ignored");
    IS(value("DEFAULT", "e"), "2", "[DEFAULT] may go on later");
    NUM_IS(parse(""), APR_SUCCESS, "an empty file is a file");
    NUM_IS(ini.names->nelts, 0, "without sections");
}

static void test_refused_lines(void)
{
    static const struct {
        const char *text;
        int line;
        const char *wrong, *name;
    } cases[] = {
        { "key = value\n", 1, "expected a [section] before the first key", "a key before any section" },
        { "\xef\xbb\xbf[a]\n", 1, "expected a [section] before the first key", "a byte order mark" },
        { "[a]\nword\n", 2, "expected a [section], \"key = value\" or a comment", "a word alone" },
        { "[a]\n[]\n", 2, "expected a [section], \"key = value\" or a comment", "a section without a name" },
        { "[a]\nk = v\n[b\n", 3, "expected a [section], \"key = value\" or a comment", "an open section" },
        { "[a]\n = v\n", 2, "expected a [section], \"key = value\" or a comment", "a value without a key" },
        { "[a]\nk = 1\n\nK = 2\n", 4, "duplicate key in the section; remove one of the two", "a key twice" },
        { "[a]\nk =\nk = 2\n", 3, "duplicate key in the section; remove one of the two", "twice, first empty" },
        { "[a]\n[b]\n[a]\n", 3, "duplicate section; merge the two", "a section twice" },
    };
    apr_size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        NUM_IS(parse(cases[i].text), DDB_ECONFIG, apr_pstrcat(pool, "refused: ", cases[i].name, NULL));
        NUM_IS(ini.line, cases[i].line, "  with its line");
        IS(ini.wrong, cases[i].wrong, "  and what is wrong");
    }
    NUM_IS(parse("[a]\nk = 1\n[b]\nk = 1\n"), APR_SUCCESS, "the same key in two sections is fine");
    NUM_IS(ddb_ini_parse(&ini, apr_pmemdup(pool, "[a]\nk = \0v\n", 12), 11, pool), DDB_ECONFIG,
           "NUL bytes are refused");
    IS(ini.wrong, "not a text file: it contains NUL bytes", "and named");
}

static void test_line_limit(void)
{
    char *text = apr_palloc(pool, 20000);

    memset(text, 'x', 20000);
    memcpy(text, "[a]\nk=", 6);
    text[4 + 16384] = '\0';
    NUM_IS(parse(text), APR_SUCCESS, "a line of 16 KiB is read");
    NUM_IS(strlen(value("a", "k")), 16382, "whole");
    text[4 + 16384] = 'x';
    text[4 + 16385] = '\0';
    NUM_IS(parse(text), DDB_ECONFIG, "a longer one is refused");
    IS(ini.wrong, "the line is over 16 KiB", "and named");
}

/* --- profiles --- */

static ddb_profile_opts_t opts;
static ddb_profile_t *profile;
static ddb_error_t err;

static void reset(void)
{
    memset(&opts, 0, sizeof(opts));
    aws_reset(pool);
}

static apr_status_t read_profile(void)
{
    memset(&err, 0, sizeof(err));
    profile = NULL;
    return ddb_profile_read(&profile, &opts, pool, &err);
}

/* path:rest, as details begin. */
static const char *at(const char *file, const char *rest)
{
    return apr_pstrcat(pool, aws_path(file, pool), rest, NULL);
}

static void test_which_profile(void)
{
    reset();
    aws_write(".aws/config",
              "[default]\nregion = d\n[profile a]\nregion = a\n[profile b]\nregion = b\n[c]\nregion = c\n"
              "[profile \"two words\"]\nregion = t\n[profile 'o\"ne']\nregion = o\n[profiles d]\nregion = x\n"
              "[profile e f]\nregion = x\n[profile]\nregion = x\n",
              pool);
    NUM_IS(read_profile(), APR_SUCCESS, "the default profile is read");
    IS(ddb_profile_get(profile, "region"), "d", "when nobody names one");
    aws_set("AWS_PROFILE", "b", pool);
    read_profile();
    IS(ddb_profile_get(profile, "region"), "b", "AWS_PROFILE names one");
    aws_set("AWS_DEFAULT_PROFILE", "a", pool);
    read_profile();
    IS(ddb_profile_get(profile, "region"), "a", "AWS_DEFAULT_PROFILE goes before AWS_PROFILE");
    opts.name = "b";
    read_profile();
    IS(ddb_profile_get(profile, "region"), "b", "the option goes before both");
    opts.name = "two words";
    read_profile();
    IS(ddb_profile_get(profile, "region"), "t", "a name in double quotes");
    opts.name = "o\"ne";
    read_profile();
    IS(ddb_profile_get(profile, "region"), "o", "a name in single quotes");
    opts.name = "c";
    NUM_IS(read_profile(), DDB_ECONFIG, "the config file wants the word profile");
    opts.name = "d";
    NUM_IS(read_profile(), DDB_ECONFIG, "and no other word");
    opts.name = "e";
    NUM_IS(read_profile(), DDB_ECONFIG, "nor more than two words");
    aws_set("AWS_DEFAULT_PROFILE", "", pool);
    aws_set("AWS_PROFILE", "", pool);
    opts.name = NULL;
    read_profile();
    IS(ddb_profile_get(profile, "region"), "d", "an empty variable is as if it were not set");
}

static void test_missing_profile(void)
{
    reset();
    NUM_IS(read_profile(), APR_NOTFOUND, "no files, no profile");
    OK(profile == NULL && ddb_profile_get(NULL, "region") == NULL, "which is like an empty one");
    IS(err.detail,
       apr_psprintf(pool, "no profile \"default\" in %s or %s", aws_path(".aws/credentials", pool),
                    aws_path(".aws/config", pool)),
       "and says where it was looked for");
    aws_write(".aws/config", "[profile a]\n", pool);
    NUM_IS(read_profile(), APR_NOTFOUND, "files without a default profile neither");
    aws_set("AWS_PROFILE", "b", pool);
    NUM_IS(read_profile(), DDB_ECONFIG, "a profile that a variable names has to be there");
    IS(err.detail,
       apr_psprintf(pool, "no profile \"b\" in %s or %s; check the name", aws_path(".aws/credentials", pool),
                    aws_path(".aws/config", pool)),
       "and is named");
    aws_set("AWS_PROFILE", NULL, pool);
    opts.name = "default";
    NUM_IS(read_profile(), DDB_ECONFIG, "even if it is named default");
    opts.name = "a";
    NUM_IS(read_profile(), APR_SUCCESS, "an empty section is a profile");
    IS(ddb_profile_get(profile, "region"), NULL, "of nothing");
    NUM_IS(ddb_profile_read(&profile, &opts, pool, NULL), APR_SUCCESS, "nobody has to want the error");
}

static void test_merge(void)
{
    reset();
    aws_write(".aws/config", "[default]\nregion = config\noutput = json\nendpoint_url = x\n", pool);
    aws_write(".aws/credentials", "[default]\nregion = credentials\nendpoint_url =\n", pool);
    read_profile();
    IS(ddb_profile_get(profile, "region"), "credentials", "the credentials file wins");
    IS(ddb_profile_get(profile, "output"), "json", "key by key");
    IS(ddb_profile_get(profile, "endpoint_url"), NULL, "also with an empty value");
    aws_write(".aws/config", "[default]\nregion = old\n[profile default]\noutput = new\n", pool);
    aws_remove(".aws/credentials", pool);
    read_profile();
    IS(ddb_profile_get(profile, "output"), "new", "[profile default] is the default profile");
    IS(ddb_profile_get(profile, "region"), NULL, "of two such sections the later one counts, whole");
    aws_write(".aws/config", "[DEFAULT]\nregion = all\noutput = all\n[default]\noutput = own\n", pool);
    read_profile();
    IS(ddb_profile_get(profile, "region"), "all", "values of [DEFAULT] are every profile's");
    IS(ddb_profile_get(profile, "output"), "own", "unless it has its own");
    aws_write(".aws/config", "[DEFAULT]\nregion = all\n", pool);
    NUM_IS(read_profile(), APR_NOTFOUND, "but [DEFAULT] makes no profile");
    aws_write(".aws/credentials", "[profile a]\nregion = r\n", pool);
    opts.name = "profile a";
    NUM_IS(read_profile(), APR_SUCCESS, "the credentials file has bare names, this one's is \"profile a\"");
}

static void test_credentials_of_one_file(void)
{
    reset();
    aws_write(".aws/config", "[default]\naws_access_key_id = C\naws_secret_access_key = cs\naws_session_token = ct\n",
              pool);
    aws_write(".aws/credentials", "[default]\naws_access_key_id = K\naws_secret_access_key = ks\n", pool);
    read_profile();
    IS(ddb_profile_get(profile, "aws_access_key_id"), "K", "the credentials file's key ID counts");
    IS(ddb_profile_get(profile, "aws_secret_access_key"), "ks", "with its secret");
    IS(ddb_profile_get(profile, "aws_session_token"), NULL, "and not with the config file's token");
    aws_write(".aws/credentials", "[default]\naws_secret_access_key = ks\naws_security_token = kt\n", pool);
    read_profile();
    IS(ddb_profile_get(profile, "aws_access_key_id"), "C", "when only the config file has a key ID, it counts");
    IS(ddb_profile_get(profile, "aws_secret_access_key"), "cs", "with its secret");
    IS(ddb_profile_get(profile, "aws_session_token"), "ct", "and its token");
    IS(ddb_profile_get(profile, "aws_security_token"), NULL, "and with no other");
    aws_write(".aws/config", "[default]\n", pool);
    read_profile();
    IS(ddb_profile_get(profile, "aws_secret_access_key"), "ks", "without a key ID the half pair is left to see");
}

/* --- files --- */

static void test_paths(void)
{
    reset();
    aws_write("other", "[default]\nregion = other\n", pool);
    aws_set("AWS_CONFIG_FILE", aws_path("other", pool), pool);
    read_profile();
    IS(ddb_profile_get(profile, "region"), "other", "AWS_CONFIG_FILE names the config file");
    aws_set("AWS_CONFIG_FILE", "~/other", pool);
    read_profile();
    IS(ddb_profile_get(profile, "region"), "other", "~ is HOME");
    aws_set("AWS_CONFIG_FILE", "/nowhere", pool);
    opts.config_file = "~/other";
    read_profile();
    IS(ddb_profile_get(profile, "region"), "other", "the option goes before the variable");
    aws_set("AWS_CONFIG_FILE", NULL, pool);
    opts.config_file = NULL;
    aws_set("AWS_SHARED_CREDENTIALS_FILE", "~/other", pool);
    read_profile();
    IS(ddb_profile_get(profile, "region"), "other", "AWS_SHARED_CREDENTIALS_FILE names the credentials file");
    opts.credentials_file = "~no such user/file";
    NUM_IS(read_profile(), DDB_ECONFIG, "the home directory of nobody");
    IS(err.detail, "~no such user/file: no such home directory; write the full path", "is said to be none");
    opts.credentials_file = "~root/no such file";
    NUM_IS(read_profile(), DDB_ECONFIG, "another user's home directory");
    OK(strncmp(err.detail, "/root/no such file: ", 20) == 0, "is looked up");
    aws_remove("other", pool);
}

static void test_home_of_passwd(void)
{
    const char *home = apr_pstrdup(pool, getenv("HOME"));

    reset();
    opts.credentials_file = "~/no such file";
    aws_set("HOME", NULL, pool);
    NUM_IS(read_profile(), DDB_ECONFIG, "without HOME");
    OK(err.detail[0] == '/' && strstr(err.detail, "/no such file: "), "the user's entry has the home directory");
    aws_set("HOME", home, pool);
}

static void test_missing_files(void)
{
    reset();
    opts.config_file = aws_path("none", pool);
    NUM_IS(read_profile(), DDB_ECONFIG, "a file that is named has to be there");
    IS(err.detail,
       at("none",
          ": not found: No such file or directory; give the user that httpd runs as access, or name another file"),
       "and the reason is given");
    opts.config_file = NULL;
    aws_set("AWS_CONFIG_FILE", aws_path("none", pool), pool);
    NUM_IS(read_profile(), DDB_ECONFIG, "also when a variable names it");
    aws_set("AWS_CONFIG_FILE", getenv("HOME"), pool);
    NUM_IS(read_profile(), DDB_ECONFIG, "a directory is no file");
    IS(err.detail, apr_pstrcat(pool, getenv("HOME"), ": not a regular file", NULL), "and is called what it is not");
    aws_set("AWS_CONFIG_FILE", "/dev/null", pool);
    NUM_IS(read_profile(), APR_NOTFOUND, "/dev/null is an empty file");
    aws_set("AWS_CONFIG_FILE", aws_path("fifo", pool), pool);
    mkfifo(aws_path("fifo", pool), 0600);
    NUM_IS(read_profile(), DDB_ECONFIG, "a FIFO is refused, and waited for by nobody");
    aws_remove("fifo", pool);
}

static void test_broken_file(void)
{
    reset();
    aws_write(".aws/config", "[default]\nregion = a\nregion = b\n", pool);
    NUM_IS(read_profile(), DDB_ECONFIG, "a file that can't be parsed");
    IS(err.detail, at(".aws/config", ":3: duplicate key in the section; remove one of the two"),
       "is named with the line");
    OK(profile == NULL, "and gives no profile");
    aws_write_bytes(".aws/credentials", "[d\0]", 4, pool);
    NUM_IS(read_profile(), DDB_ECONFIG, "a file of NUL bytes");
    IS(err.detail, at(".aws/credentials", ":0: not a text file: it contains NUL bytes"), "is named too");
}

static void test_file_limit(void)
{
    apr_size_t mib = 1024 * 1024, i;
    char *text = apr_palloc(pool, mib + 1);

    reset();
    for (i = 0; i <= mib; i++) {
        text[i] = i % 100 ? '#' : '\n';
    }
    memcpy(text, "[default]\n", 10);
    aws_write_bytes(".aws/config", text, mib, pool);
    NUM_IS(read_profile(), APR_SUCCESS, "a file of 1 MiB is read");
    aws_write_bytes(".aws/config", text, mib + 1, pool);
    NUM_IS(read_profile(), DDB_ECONFIG, "a longer one is refused");
    IS(err.detail, at(".aws/config", ": larger than 1 MiB, too large for a profile file"), "and named");
}

/* Root may read everything: become somebody else for it. */
static apr_status_t read_profile_as_nobody(void)
{
    int root = geteuid() == 0;
    apr_status_t rv;

    if (root && seteuid(65534) != 0) {
        printf("# seteuid failed\n");
    }
    rv = read_profile();
    if (root && seteuid(0) != 0) {
        printf("# seteuid failed\n");
    }
    return rv;
}

static void test_unreadable_files(void)
{
    reset();
    aws_write(".aws/config", "[default]\n", pool);
    aws_chmod(".aws/config", 0, pool);
    aws_chmod(".aws", 0755, pool);
    chmod(getenv("HOME"), 0755);
    NUM_IS(read_profile_as_nobody(), DDB_ECONFIG, "a file that is there and can't be read is refused");
    IS(err.detail,
       at(".aws/config",
          ": not readable: Permission denied; give the user that httpd runs as access, or name another file"),
       "with the reason");
    aws_chmod(".aws", 0, pool);
    NUM_IS(read_profile_as_nobody(), APR_NOTFOUND, "a home directory that can't be looked into has no files");
    opts.config_file = aws_path(".aws/config", pool);
    NUM_IS(read_profile_as_nobody(), DDB_ECONFIG, "unless one in there is named");
    aws_chmod(".aws", 0700, pool);
}

static void test_permissions(void)
{
    static const struct {
        int mode, ok;
    } modes[] = {
        { 0600, 1 }, { 0400, 1 }, { 0640, 1 }, { 0440, 1 }, { 0700, 1 }, { 0750, 1 }, { 0601, 1 },
        { 0644, 0 }, { 0604, 0 }, { 0602, 0 }, { 0620, 0 }, { 0660, 0 }, { 0666, 0 }, { 0777, 0 },
    };
    apr_size_t i;

    reset();
    aws_write(".aws/credentials", "[default]\naws_secret_access_key = s\n[a]\nregion = r\n", pool);
    for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        aws_chmod(".aws/credentials", modes[i].mode, pool);
        NUM_IS(read_profile(), modes[i].ok ? APR_SUCCESS : DDB_ECONFIG,
               apr_psprintf(pool, "a secret in a file of mode %04o is %s", modes[i].mode,
                            modes[i].ok ? "fine" : "refused"));
        if (!modes[i].ok) {
            IS(err.detail,
               apr_psprintf(pool, "%s has mode %04o and holds a secret key; run: chmod g-w,o-rwx %s",
                            aws_path(".aws/credentials", pool), modes[i].mode, aws_path(".aws/credentials", pool)),
               "  with the remedy");
        }
    }
    OK(profile == NULL, "a refused file gives no profile");
    opts.name = "a";
    NUM_IS(read_profile(), APR_SUCCESS, "a profile without a secret may be in any file");
    opts.name = NULL;
    aws_write(".aws/credentials", "[DEFAULT]\naws_secret_access_key = s\n[default]\n", pool);
    aws_chmod(".aws/credentials", 0644, pool);
    NUM_IS(read_profile(), DDB_ECONFIG, "a secret of [DEFAULT] is guarded too");
    aws_remove(".aws/credentials", pool);
    aws_write(".aws/config", "[default]\naws_secret_access_key = s\n", pool);
    aws_chmod(".aws/config", 0644, pool);
    NUM_IS(read_profile(), DDB_ECONFIG, "and one in the config file");
    aws_write(".aws/config", "[default]\naws_secret_access_key =\n", pool);
    aws_chmod(".aws/config", 0644, pool);
    NUM_IS(read_profile(), APR_SUCCESS, "an empty one is none");
    aws_write(".aws/config", "[default]\ncredential_process = x\n", pool);
    aws_chmod(".aws/config", 0644, pool);
    NUM_IS(read_profile(), APR_SUCCESS, "a program to run may be read by everybody");
    aws_chmod(".aws/config", 0664, pool);
    NUM_IS(read_profile(), DDB_ECONFIG, "and not written by the group");
    IS(err.detail,
       at(".aws/config", apr_psprintf(pool, " has mode 0664 and names a program to run; run: chmod g-w,o-w %s",
                                      aws_path(".aws/config", pool))),
       "with the remedy");
    aws_chmod(".aws/config", 0646, pool);
    NUM_IS(read_profile(), DDB_ECONFIG, "nor by others");
}

static void test_life_time(void)
{
    apr_pool_t *p;

    reset();
    aws_write(".aws/credentials", "[default]\naws_secret_access_key = s\n", pool);
    apr_pool_create(&p, pool);
    NUM_IS(ddb_profile_read(&profile, &opts, p, &err), APR_SUCCESS, "a profile is read into a pool");
    aws_remove(".aws/credentials", pool);
    IS(ddb_profile_get(profile, "aws_secret_access_key"), "s", "and lives there without the file");
    apr_pool_destroy(p);
}

/* --- other sections --- */

static apr_status_t read_section(const char *kind, const char *name)
{
    memset(&err, 0, sizeof(err));
    opts.name = name;
    return ddb_profile_read_section(&profile, &opts, kind, pool, &err);
}

static void test_other_sections(void)
{
    reset();
    NUM_IS(read_section("sso-session", "s"), DDB_ECONFIG, "a section of a file that is not there");
    IS(err.detail,
       apr_psprintf(pool, "no section [sso-session s] in %s; check the name", aws_path(".aws/config", pool)),
       "is named");
    aws_write(".aws/credentials", "[sso-session s]\nsso_region = no\n[s]\nsso_region = no\n", pool);
    NUM_IS(read_section("sso-session", "s"), DDB_ECONFIG, "the credentials file has none");
    aws_write(".aws/config",
              "[sso-session s]\nsso_region = r\n[sso-session \"two words\"]\nsso_region = t\n"
              "[profile s]\nregion = p\n[default]\nregion = d\n[services s]\ndynamodb =\n endpoint_url = u\n",
              pool);
    NUM_IS(read_section("sso-session", "s"), APR_SUCCESS, "a section of another kind is read");
    IS(ddb_profile_get(profile, "sso_region"), "r", "with its values");
    IS(ddb_profile_get(profile, "region"), NULL, "and not those of a profile of this name");
    read_section("sso-session", "two words");
    IS(ddb_profile_get(profile, "sso_region"), "t", "a name in quotes");
    NUM_IS(read_section("sso-session", "default"), DDB_ECONFIG, "[default] is a profile alone");
    NUM_IS(read_section("sso", "s"), DDB_ECONFIG, "the kind is the whole word");
    opts.config_file = aws_path("none", pool);
    NUM_IS(read_section("services", "s"), DDB_ECONFIG, "a file that is named has to be there");
}

static void test_nested(void)
{
    reset();
    aws_write(".aws/config",
              "[services s]\ndynamodb =\n  endpoint_url = http://d\n  other=x\nsts =\n  # comment\n\n"
              "  endpoint_url=http://s?a=b\nsso = endpoint_url = http://no\ns3 =\n  word\n  endpoint_url =\n",
              pool);
    read_section("services", "s");
    IS(ddb_profile_get_nested(profile, "dynamodb", "endpoint_url", pool), "http://d", "a value of a nested map");
    IS(ddb_profile_get_nested(profile, "dynamodb", "other", pool), "x", "another one");
    IS(ddb_profile_get_nested(profile, "dynamodb", "none", pool), NULL, "one that is not there");
    IS(ddb_profile_get_nested(profile, "sts", "endpoint_url", pool), "http://s?a=b", "the first = separates");
    IS(ddb_profile_get_nested(profile, "sso", "endpoint_url", pool), NULL, "a value on the line of the key is no map");
    IS(ddb_profile_get_nested(profile, "s3", "endpoint_url", pool), NULL, "an empty value is none");
    IS(ddb_profile_get_nested(profile, "ec2", "endpoint_url", pool), NULL, "a map that is not there has none");
    IS(ddb_profile_get_nested(NULL, "ec2", "endpoint_url", pool), NULL, "nor has no profile");
}

static int shared_keys(const char *credentials, const char *config)
{
    aws_write(".aws/credentials", apr_pstrcat(pool, "[default]\n", credentials, NULL), pool);
    aws_write(".aws/config", apr_pstrcat(pool, "[default]\n", config, NULL), pool);
    NUM_IS(read_profile(), APR_SUCCESS, "a profile");
    return ddb_profile_has_shared_keys(profile);
}

static void test_whose_keys(void)
{
    reset();
    NUM_IS(shared_keys("aws_access_key_id = a\n", "aws_access_key_id = b\n"), 1,
           "in both files: the credentials file's");
    NUM_IS(shared_keys("aws_secret_access_key = a\n", "aws_access_key_id = b\n"), 0, "the file with the key ID counts");
    NUM_IS(shared_keys("", "aws_access_key_id = b\n"), 0, "in the config file alone");
    NUM_IS(shared_keys("aws_secret_access_key = a\n", "aws_secret_access_key = b\n"), 1, "half pairs");
    NUM_IS(shared_keys("", "aws_secret_access_key = b\n"), 0, "half a pair in the config file");
    NUM_IS(shared_keys("region = r\n", ""), 0, "nowhere");
    NUM_IS(ddb_profile_has_shared_keys(NULL), 0, "no profile");
    IS(ddb_profile_name(&opts), "default", "the profile is named default when nobody says another name");
    aws_set("AWS_PROFILE", "v", pool);
    IS(ddb_profile_name(&opts), "v", "or as the variable says");
    opts.name = "o";
    IS(ddb_profile_name(&opts), "o", "or the option");
}

TAP_MAIN(p)
{
    pool = p;
    aws_home_create(p);
    test_lines();
    test_comments();
    test_continuation();
    test_line_ends();
    test_sections();
    test_refused_lines();
    test_line_limit();
    test_which_profile();
    test_missing_profile();
    test_merge();
    test_credentials_of_one_file();
    test_paths();
    test_home_of_passwd();
    test_missing_files();
    test_broken_file();
    test_file_limit();
    test_unreadable_files();
    test_permissions();
    test_life_time();
    test_other_sections();
    test_nested();
    test_whose_keys();
}
