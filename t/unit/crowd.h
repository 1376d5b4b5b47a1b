#ifndef CROWD_H
#define CROWD_H

/* Many threads that begin at the same moment and all do the same. What a thread finds wrong it counts: TAP is for one
 * thread. Under ThreadSanitizer the test is what it says of the rooms they share. */

#include <pthread.h>

#include <apr_pools.h>

#ifndef CROWD_SIZE
#define CROWD_SIZE 8
#endif

/** One thread's part, in a pool of its own. @return how much was wrong. */
typedef int crowd_work_fn(void *shared, int number, apr_pool_t *p);

typedef struct crowd_t {
    crowd_work_fn *work;
    void *shared;
    pthread_barrier_t start;
} crowd_t;

typedef struct crowd_member_t {
    crowd_t *crowd;
    pthread_t thread;
    int number, wrong;
} crowd_member_t;

static inline void *crowd_run(void *baton)
{
    crowd_member_t *m = baton;
    apr_pool_t *p = NULL;

    m->wrong = apr_pool_create(&p, NULL) == APR_SUCCESS ? 0 : 1;
    pthread_barrier_wait(&m->crowd->start);
    if (p) {
        m->wrong = m->crowd->work(m->crowd->shared, m->number, p);
        apr_pool_destroy(p);
    }
    return NULL;
}

/** Let CROWD_SIZE threads work and wait for them. @return how much was wrong in all. */
static inline int crowd_work(crowd_work_fn *work, void *shared)
{
    crowd_t crowd = { .work = work, .shared = shared };
    crowd_member_t members[CROWD_SIZE];
    int i, wrong = 0;

    pthread_barrier_init(&crowd.start, NULL, CROWD_SIZE);
    for (i = 0; i < CROWD_SIZE; i++) {
        members[i].crowd = &crowd;
        members[i].number = i;
        if (pthread_create(&members[i].thread, NULL, crowd_run, &members[i]) != 0) {
            printf("Bail out! no thread\n");
            exit(1);
        }
    }
    for (i = 0; i < CROWD_SIZE; i++) {
        pthread_join(members[i].thread, NULL);
        wrong += members[i].wrong;
    }
    pthread_barrier_destroy(&crowd.start);
    return wrong;
}

#endif
