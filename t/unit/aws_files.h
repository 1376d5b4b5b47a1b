#ifndef AWS_FILES_H
#define AWS_FILES_H

/* A home directory of its own for tests of what reads the AWS files and variables: nothing of the caller's is seen. */

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_env.h>
#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>

static const char *const aws_variables[] = { "AWS_ACCESS_KEY_ID",
                                             "AWS_SECRET_ACCESS_KEY",
                                             "AWS_SESSION_TOKEN",
                                             "AWS_SECURITY_TOKEN",
                                             "AWS_PROFILE",
                                             "AWS_DEFAULT_PROFILE",
                                             "AWS_CONFIG_FILE",
                                             "AWS_SHARED_CREDENTIALS_FILE",
                                             "AWS_REGION",
                                             "AWS_DEFAULT_REGION",
                                             "AWS_ACCOUNT_ID",
                                             "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                             "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                             "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                                             "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                                             "AWS_EC2_METADATA_DISABLED",
                                             "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                             "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
                                             "AWS_METADATA_SERVICE_TIMEOUT",
                                             "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
                                             "AWS_ENDPOINT_URL",
                                             "AWS_ENDPOINT_URL_DYNAMODB",
                                             "AWS_ENDPOINT_URL_STS",
                                             "AWS_ENDPOINT_URL_SSO",
                                             "AWS_ROLE_ARN",
                                             "AWS_ROLE_SESSION_NAME",
                                             "AWS_WEB_IDENTITY_TOKEN_FILE",
                                             "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
                                             "AWS_USE_FIPS_ENDPOINT",
                                             "AWS_USE_DUALSTACK_ENDPOINT",
                                             "AWS_ACCOUNT_ID_ENDPOINT_MODE",
                                             NULL };

/** The path of a file of the home directory, such as ".aws/config". */
static inline const char *aws_path(const char *file, apr_pool_t *p)
{
    return apr_pstrcat(p, getenv("HOME"), "/", file, NULL);
}

static inline void aws_write_bytes(const char *file, const void *bytes, apr_size_t len, apr_pool_t *p)
{
    const char *path = aws_path(file, p);
    apr_file_t *f;

    unlink(path);
    if (apr_file_open(&f, path, APR_FOPEN_WRITE | APR_FOPEN_CREATE, 0x600, p) != APR_SUCCESS
        || apr_file_write_full(f, bytes, len, NULL) != APR_SUCCESS || apr_file_close(f) != APR_SUCCESS) {
        printf("Bail out! can't write %s\n", path);
        exit(1);
    }
}

/** Write a file of mode 0600. */
static inline void aws_write(const char *file, const char *text, apr_pool_t *p)
{
    aws_write_bytes(file, text, strlen(text), p);
}

static inline void aws_chmod(const char *file, int mode, apr_pool_t *p)
{
    chmod(aws_path(file, p), (mode_t)mode);
}

static inline void aws_remove(const char *file, apr_pool_t *p)
{
    const char *path = aws_path(file, p);

    if (unlink(path) != 0) {
        rmdir(path);
    }
}

static inline void aws_set(const char *name, const char *value, apr_pool_t *p)
{
    if (value) {
        apr_env_set(name, value, p);
    }
    else {
        apr_env_delete(name, p);
    }
}

/** No variable is set and both files are gone. */
static inline void aws_reset(apr_pool_t *p)
{
    int i;

    for (i = 0; aws_variables[i]; i++) {
        apr_env_delete(aws_variables[i], p);
    }
    aws_remove(".aws/config", p);
    aws_remove(".aws/credentials", p);
}

static inline apr_status_t aws_home_destroy(void *pool)
{
    aws_reset(pool);
    aws_remove("token", pool);
    aws_remove(".aws", pool);
    if (rmdir(getenv("HOME")) != 0) {
        printf("Bail out! %s is not empty\n", getenv("HOME"));
        exit(1);
    }
    return APR_SUCCESS;
}

/** Make HOME an empty directory with .aws in it, until p ends. */
static inline void aws_home_create(apr_pool_t *p)
{
    char *home = apr_pstrdup(p, "/tmp/ddb_test_XXXXXX");

    if (!mkdtemp(home) || apr_env_set("HOME", home, p) != APR_SUCCESS || mkdir(aws_path(".aws", p), 0700) != 0) {
        printf("Bail out! can't make a directory in /tmp\n");
        exit(1);
    }
    apr_pool_cleanup_register(p, p, aws_home_destroy, apr_pool_cleanup_null);
    aws_reset(p);
}

#endif
