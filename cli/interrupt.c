/* Ctrl-C. */

#include <signal.h>
#include <string.h>

#include <apr_atomic.h>

#include "interrupt.h"

/* The one thing that a signal handler can reach. */
static volatile apr_uint32_t interrupted;

static void interrupt(int number)
{
    (void)number;
    apr_atomic_set32(&interrupted, 1);
}

volatile apr_uint32_t *interrupt_listen(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = interrupt;
    action.sa_flags = (int)SA_RESETHAND | SA_RESTART;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return &interrupted;
}
