#ifndef MSD_CHILD_INT_H
#define MSD_CHILD_INT_H

#include "httpd/child/msd_child.h"
#include "httpd/child/msd_write_queue.h"

/* Between the files of msd_child. */

/** The queue for background writes of this child, which has a store for s. */
msd_write_queue_t *msd_child_writer(const server_rec *s);

#endif
