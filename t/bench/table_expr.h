#ifndef TABLE_EXPR_H
#define TABLE_EXPR_H

#include <cjson/cJSON.h>

/** What an expression of a call refers to. */
typedef struct table_expr_t {
    const cJSON *names;  /* ExpressionAttributeNames or NULL */
    const cJSON *values; /* ExpressionAttributeValues or NULL */
    const cJSON *item;   /* the attributes of the row as it is, NULL if there is none */
} table_expr_t;

/**
 * Judge a condition: comparisons, attribute_exists, attribute_not_exists, AND, OR, NOT and parentheses over attributes
 * of the top level.
 * @return 1 it holds, 0 it does not, -1 for what this does not understand.
 */
int table_expr_condition(const table_expr_t *x, const char *text);

/**
 * Apply an update (SET name = value, ... REMOVE name, ...) to attrs; what is set is also added to updated, an object, if
 * it is not NULL.
 * @return 0, or -1 for what this does not understand; attrs and updated may then be half changed.
 */
int table_expr_update(const table_expr_t *x, const char *text, cJSON *attrs, cJSON *updated);

#endif
