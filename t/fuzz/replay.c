/* Plays the corpus of a fuzz target back: fuzz_NAME [DIRECTORY]. TAP; an input that breaks the target breaks off. */

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_general.h>

#include "fuzz.h"

static const char *corpus_of(const char *program, apr_pool_t *p)
{
    const char *source = getenv("srcdir"); /* automake says it */
    const char *name = strrchr(program, '/');

    name = name ? name + 1 : program;
    name = strncmp(name, "lt-", 3) == 0 ? name + 3 : name;
    name = strncmp(name, "fuzz_", 5) == 0 ? name + 5 : name;
    return apr_psprintf(p, "%s/t/fuzz/corpus/%s", source ? source : ".", name);
}

/* 1 when it was read and played. */
static int play(const char *path, apr_size_t size, apr_pool_t *p)
{
    apr_file_t *file;
    uint8_t *data = malloc(size ? size : 1); /* of the exact size: nothing behind it */
    int read = data && apr_file_open(&file, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, p) == APR_SUCCESS;

    if (read) {
        read = apr_file_read_full(file, data, size, NULL) == APR_SUCCESS || size == 0;
        apr_file_close(file);
    }
    if (read) {
        printf("# %s\n", path); /* the last line names the one that broke off */
        fflush(stdout);
        LLVMFuzzerTestOneInput(data, size);
    }
    free(data);
    return read;
}

/* How many were played; -1 for one that can't be. */
static int play_all(const char *directory, apr_pool_t *p)
{
    apr_dir_t *dir;
    apr_finfo_t info;
    int played = 0;

    if (apr_dir_open(&dir, directory, p) != APR_SUCCESS) {
        return -1;
    }
    while (played >= 0 && apr_dir_read(&info, APR_FINFO_NAME | APR_FINFO_TYPE | APR_FINFO_SIZE, dir) == APR_SUCCESS) {
        if (info.filetype == APR_REG) {
            played = play(apr_pstrcat(p, directory, "/", info.name, NULL), (apr_size_t)info.size, p) ? played + 1 : -1;
        }
    }
    apr_dir_close(dir);
    return played;
}

int main(int argc, char **argv)
{
    apr_pool_t *p;
    const char *directory;
    int played;

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&p, NULL) != APR_SUCCESS) {
        return 1;
    }
    directory = argc > 1 ? argv[1] : corpus_of(argv[0], p);
    played = play_all(directory, p);
    printf("%sok 1 - every input of %s\n# %d inputs replayed\n1..1\n", played > 0 ? "" : "not ", directory, played);
    return played <= 0;
}
