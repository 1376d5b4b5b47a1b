#ifndef MOD_SESSION_DYNAMODB_INT_H
#define MOD_SESSION_DYNAMODB_INT_H

/** Register the functions of mod_session_dynamodb.h. Call in register_hooks. */
void session_dynamodb_register_functions(void);

#endif
