#ifndef MSD_EVENT_LOG_H
#define MSD_EVENT_LOG_H

#include <httpd.h>

#include "base/ddb_crypto.h"

/*
 * Where the security events of a server go: a file, a program, or httpd's error log. Opened in the parent process
 * before fork, as httpd opens its own logs, and used by all children: each line is one write.
 */
typedef struct msd_event_log_t msd_event_log_t;

/**
 * Open the logs of all servers that have SessionDynamoDBEventLog, and put them into the servers' records. Servers that
 * name the same one share it. Call in post_config; p is the configuration's pool, which closes them. Logs a failure.
 */
apr_status_t msd_event_log_open_all(apr_pool_t *p, server_rec *main_server);

/** The key of the hashes in the lines: the newest of SessionDynamoDBEventKeys, or one of this start. */
ddb_bytes_t msd_event_log_key(const msd_event_log_t *log);

/** Write a line, which ends with a line feed, for an event in s. Logs the first failure of each host and start. */
void msd_event_log_write(const msd_event_log_t *log, const server_rec *s, const char *line);

#endif
