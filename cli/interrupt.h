#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <apr.h>

/**
 * From now on Ctrl-C and SIGTERM ask for an end instead of being one; a second Ctrl-C ends the program at once. A call
 * that is under way is finished. @return the flag, which is set atomically.
 */
volatile apr_uint32_t *interrupt_listen(void);

#endif
