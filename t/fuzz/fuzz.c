/* What the fuzz targets share: the pool of an input, and its blocks. */

#include <apr_general.h>

#include "fuzz.h"

static apr_pool_t *pool;

typedef struct block_t {
    struct block_t *next;
    void *unused; /* what follows is aligned as malloc aligns */
} block_t;

static block_t *blocks; /* of the input at hand */
static block_t *kept;   /* from before the first; listed so that no tool takes them for lost */
static int armed;

/* APR carves allocations out of blocks of 8 KiB, within which no tool sees an overrun. These go before APR's own, for
 * the program and for libapr itself. */
static void *allocate(apr_size_t size)
{
    block_t *block = malloc(sizeof(*block) + size), **list = armed ? &blocks : &kept;

    if (!block) {
        abort();
    }
    block->next = *list;
    *list = block;
    return block + 1;
}

APR_DECLARE(void *) apr_palloc(apr_pool_t *p, apr_size_t size)
{
    (void)p;
    return allocate(size);
}

#undef apr_pcalloc
APR_DECLARE(void *) apr_pcalloc(apr_pool_t *p, apr_size_t size);

APR_DECLARE(void *) apr_pcalloc(apr_pool_t *p, apr_size_t size)
{
    return memset(apr_palloc(p, size), 0, size);
}

apr_pool_t *fuzz_begin(void)
{
    if (!pool && (apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS)) {
        abort();
    }
    armed = 1;
    return pool;
}

int fuzz_end(void)
{
    block_t *next;

    apr_pool_clear(pool); /* first: its cleanups look at what is in the blocks */
    for (; blocks; blocks = next) {
        next = blocks->next;
        free(blocks);
    }
    armed = 0;
    return 0;
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = apr_palloc(pool, size + 1);

    if (size) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    return text;
}

char *fuzz_line(char **text)
{
    char *line = *text;

    *text += strcspn(line, "\n");
    if (**text) {
        *(*text)++ = '\0';
    }
    return line;
}

int fuzz_is_loggable(const char *s)
{
    for (; *s >= ' ' && *s <= '~'; s++) {
    }
    return !*s;
}

int fuzz_is_of(const char *s, const char *alphabet)
{
    return *s && !s[strspn(s, alphabet)];
}
