#ifndef DDB_ADVICE_H
#define DDB_ADVICE_H

#include "store/ddb_table.h"

/*
 * Properties of a table with which sessions work, but not as well, as safely or as cheaply as they could. Findings are
 * added as ddb_table_check has them, with the remedy; what could not be checked is unseen.
 */

/** Replicas, capacity, deletion protection, encryption and table class. description: as of ddb_table_check; NULL: these
 * are unseen, for lack of permission. */
void ddb_advice_describe(apr_array_header_t *findings, const ddb_json_t *description, apr_pool_t *p);

/**
 * Point-in-time recovery: one call, dynamodb:DescribeContinuousBackups. A service or a policy that does not answer is a
 * finding. @return a failure to reach the service.
 */
apr_status_t ddb_advice_recovery(apr_array_header_t *findings, const ddb_table_t *t, apr_pool_t *p, ddb_error_t *err);

#endif
