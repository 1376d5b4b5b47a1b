#ifndef MSD_LOGIN_AGE_H
#define MSD_LOGIN_AGE_H

#include <apr_pools.h>

/*
 * "Require session-login-age SECONDS": a condition on the last login of the session's user, for what asks for the
 * password again (OWASP ASVS 5.0 sections 7.5.1 and 7.5.2; NIST SP 800-63B section 5.2). A login gives the session a
 * new creation time, and that is what is compared. The request that logs in by mod_auth_form meets the condition.
 */

/** The provider of mod_authz_core; called by register_hooks. */
void msd_login_age_register(apr_pool_t *p);

#endif
