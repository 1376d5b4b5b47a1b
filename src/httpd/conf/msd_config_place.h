#ifndef MSD_CONFIG_PLACE_H
#define MSD_CONFIG_PLACE_H

#include <apr_tables.h>
#include <httpd.h>
#include <http_config.h>

/*
 * The place of a directive in the configuration files, as far as it determines the requests to which the directive
 * applies: by virtual host and by URL. What a <Directory>, an expression or a .htaccess file decides is only known in a
 * request.
 */
typedef struct msd_config_place_t {
    const ap_directive_t *directive;
    const char *word;           /* its first argument, without quotes; "": no argument */
    const ap_directive_t *host; /* the <VirtualHost> around it; NULL: the main server's */
    const char *location;       /* path of the <Location> around it; "": it applies to all URLs; NULL: not known */
    const char *folder;         /* path of the <Directory> around it; NULL: absent, or not known */
} msd_config_place_t;

/** All directives of these names (terminated by NULL), as msd_config_place_t in the order read; allocated from p. Only
 * before httpd forks. */
apr_array_header_t *msd_config_place_all(apr_pool_t *p, const char *const names[]);

/** 1 if place is of the directive of this name. */
int msd_config_place_is(const msd_config_place_t *place, const char *name);

/** 1 if both may apply to the same request; 0 if they never do. */
int msd_config_place_may_meet(const msd_config_place_t *a, const msd_config_place_t *b);

/** 1 if place applies wherever `at` does, unless a more specific one overrides it. */
int msd_config_place_holds(const msd_config_place_t *place, const msd_config_place_t *at);

/**
 * The directive of this name among places that applies wherever `at` does, by the rules of merging: a virtual host's
 * overrides the main server's, a <Directory>'s overrides both, a <Location>'s overrides all, and the last of several
 * wins. NULL if no directive is sure to apply.
 */
const msd_config_place_t *msd_config_place_holding(const apr_array_header_t *places, const char *name,
                                                   const msd_config_place_t *at);

/** 1 if path, of a <Location> or a cookie (RFC 6265 section 5.1.4), covers the URL path url. path may be "". */
int msd_config_place_covers(const char *path, const char *url);

#endif
