/* What each child process says of itself, in shared memory. */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <apr_atomic.h>
#include <httpd.h>
#include <ap_mpm.h>
#include <scoreboard.h>

#include "base/ddb_shared.h"
#include "httpd/child/msd_gauges.h"

/* A place is the words of one child: its process ID, or 0 if it is free, and the gauges. */
struct msd_gauges_t {
    volatile apr_uint32_t *words;
    volatile apr_uint32_t *own; /* of this child; NULL: it has no place */
    int places, n;
};

#define SPARE 8 /* places for children that end while others start */

static apr_size_t size_of_place(const msd_gauges_t *g)
{
    return 1 + (apr_size_t)MSD_GAUGES * (apr_size_t)g->n;
}

static volatile apr_uint32_t *place_at(const msd_gauges_t *g, int place)
{
    return g->words + (apr_size_t)place * size_of_place(g);
}

static apr_size_t offset_of(const msd_gauges_t *g, msd_gauge_e what, int number)
{
    return 1 + (apr_size_t)what * (apr_size_t)g->n + (apr_size_t)number;
}

apr_status_t msd_gauges_create(msd_gauges_t **pg, int n, apr_pool_t *p)
{
    msd_gauges_t *g = apr_pcalloc(p, sizeof(*g));
    void *words = NULL;
    int children = 1;
    apr_status_t rv;

    ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &children);
    g->n = n > 0 ? n : 1;
    g->places = children + SPARE;
    rv = ddb_shared_create(&words, (apr_size_t)g->places * size_of_place(g) * sizeof(*g->words), p);
    g->words = words;
    *pg = rv == APR_SUCCESS ? g : NULL;
    return rv;
}

static int is_alive(apr_uint32_t pid)
{
    return kill((pid_t)pid, 0) == 0 || errno != ESRCH;
}

void msd_gauges_claim(msd_gauges_t *g)
{
    apr_uint32_t pid = (apr_uint32_t)getpid();
    int i;
    apr_size_t word;

    for (i = 0; g && !g->own && i < g->places; i++) {
        volatile apr_uint32_t *place = place_at(g, i);
        apr_uint32_t before = apr_atomic_read32(place);

        /* This process, which has only now begun, is not the one that had the same ID. */
        if ((before == 0 || before == pid || !is_alive(before)) && apr_atomic_cas32(place, pid, before) == before) {
            g->own = place;
        }
    }
    for (word = 1; g && g->own && word < size_of_place(g); word++) {
        apr_atomic_set32(&g->own[word], 0);
    }
}

volatile apr_uint32_t *msd_gauges_word(msd_gauges_t *g, msd_gauge_e what, int number)
{
    return g && g->own && number < g->n ? &g->own[offset_of(g, what, number)] : NULL;
}

static int compare(const void *a, const void *b)
{
    apr_uint32_t x = *(const apr_uint32_t *)a, y = *(const apr_uint32_t *)b;

    return (x > y) - (x < y);
}

/** The process IDs (apr_uint32_t) of httpd's children, sorted. */
static apr_array_header_t *running(apr_pool_t *p)
{
    apr_array_header_t *pids = apr_array_make(p, 16, sizeof(apr_uint32_t));
    int i, children = 0;

    ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &children);
    for (i = 0; i < children && ap_exists_scoreboard_image(); i++) {
        const process_score *score = ap_get_scoreboard_process(i);

        if (score && score->pid > 0) {
            APR_ARRAY_PUSH(pids, apr_uint32_t) = (apr_uint32_t)score->pid;
        }
    }
    qsort(pids->elts, (size_t)pids->nelts, sizeof(apr_uint32_t), compare);
    return pids;
}

apr_array_header_t *msd_gauges_places(const msd_gauges_t *g, apr_pool_t *p)
{
    const apr_array_header_t *pids = running(p);
    apr_array_header_t *places = apr_array_make(p, 16, sizeof(int));
    int i;

    for (i = 0; g && i < g->places; i++) {
        apr_uint32_t pid = apr_atomic_read32(place_at(g, i));

        if (pid && bsearch(&pid, pids->elts, (size_t)pids->nelts, sizeof(pid), compare)) {
            APR_ARRAY_PUSH(places, int) = i;
        }
    }
    return places;
}

apr_uint32_t msd_gauges_read(const msd_gauges_t *g, int place, msd_gauge_e what, int number)
{
    return number < g->n ? apr_atomic_read32(&place_at(g, place)[offset_of(g, what, number)]) : 0;
}

int msd_gauges_numbers(const msd_gauges_t *g)
{
    return g ? g->n : 0;
}
