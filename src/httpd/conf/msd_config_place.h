#ifndef MSD_CONFIG_PLACE_H
#define MSD_CONFIG_PLACE_H

#include <apr_tables.h>
#include <httpd.h>
#include <http_config.h>

/*
 * Where directives stand in the configuration files, as far as that tells for which requests they hold: by virtual host
 * and by URL. What a <Directory>, an expression or a .htaccess file decides is only known in a request.
 */
typedef struct msd_config_place_t {
    const ap_directive_t *directive;
    const char *word;           /* its first argument, without quotes; "" for none */
    const ap_directive_t *host; /* the <VirtualHost> around it; NULL: the main server's */
    const char *location;       /* path of the <Location> around it; "" when it holds for all URLs; NULL: not known */
    const char *folder;         /* path of the <Directory> around it; NULL: none, or not known */
} msd_config_place_t;

/** All directives of these names (NULL at the end) in the order read, msd_config_place_t, in p. Before httpd forks
 * only. */
apr_array_header_t *msd_config_place_all(apr_pool_t *p, const char *const names[]);

/** 1 when place has this name. */
int msd_config_place_is(const msd_config_place_t *place, const char *name);

/** 1 when there may be a request for which both hold; 0 when there is none. */
int msd_config_place_may_meet(const msd_config_place_t *a, const msd_config_place_t *b);

/** 1 when place holds wherever `at` does, if nothing nearer takes its place. */
int msd_config_place_holds(const msd_config_place_t *place, const msd_config_place_t *at);

/**
 * The directive of this name among places that holds wherever `at` does, by the rules of merging: the virtual host's
 * before the main server's, a <Directory>'s before those, a <Location>'s before all, and of several the last. NULL when
 * there is none for sure.
 */
const msd_config_place_t *msd_config_place_holding(const apr_array_header_t *places, const char *name,
                                                   const msd_config_place_t *at);

/** 1 when a URL path lies in the one of a <Location> or of a cookie (RFC 6265 section 5.1.4), which may be "". */
int msd_config_place_covers(const char *path, const char *url);

#endif
