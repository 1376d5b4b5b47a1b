/* The place of each directive in the configuration files. */

#include <string.h>

#include <apr_fnmatch.h>
#include <apr_strings.h>

#include "httpd/conf/msd_config_place.h"

static const ap_directive_t *next_of(const ap_directive_t *d)
{
    if (d->first_child) {
        return d->first_child;
    }
    while (d && !d->next) {
        d = d->parent;
    }
    return d ? d->next : NULL;
}

/** The path of a section such as <Location "/app">; NULL if it is an expression, or not a path. */
static const char *section_path(apr_pool_t *p, const ap_directive_t *section)
{
    const char *end = strrchr(section->args, '>');
    const char *args = end ? apr_pstrmemdup(p, section->args, (apr_size_t)(end - section->args)) : section->args;
    const char *path = ap_getword_conf(p, &args);

    return *path == '/' && !apr_fnmatch_test(path) ? path : NULL;
}

static void put(msd_config_place_t *place, const ap_directive_t *d, apr_pool_t *p)
{
    const ap_directive_t *around;
    const char *args = d->args;

    memset(place, 0, sizeof(*place));
    place->directive = d;
    place->word = ap_getword_conf(p, &args);
    place->location = "";
    for (around = d->parent; around; around = around->parent) {
        if (strcasecmp(around->directive, "<VirtualHost") == 0) {
            place->host = around;
        }
        else {
            /* For other kinds of sections, and for nested ones, the location and folder are not known for sure. */
            int plain = around == d->parent;
            place->location = plain && strcasecmp(around->directive, "<Location") == 0 ? section_path(p, around) : NULL;
            place->folder = plain && strcasecmp(around->directive, "<Directory") == 0 ? section_path(p, around) : NULL;
        }
    }
}

apr_array_header_t *msd_config_place_all(apr_pool_t *p, const char *const names[])
{
    apr_array_header_t *places = apr_array_make(p, 32, sizeof(msd_config_place_t));
    const ap_directive_t *d;
    int i;

    for (d = ap_conftree; d; d = next_of(d)) {
        for (i = 0; names[i] && strcasecmp(d->directive, names[i]) != 0; i++) {
        }
        if (names[i]) {
            put(apr_array_push(places), d, p);
        }
    }
    return places;
}

int msd_config_place_is(const msd_config_place_t *place, const char *name)
{
    return strcasecmp(place->directive->directive, name) == 0;
}

int msd_config_place_covers(const char *path, const char *url)
{
    apr_size_t len = strlen(path);

    /* "/app/" also covers "/app": httpd redirects from the latter to the former. */
    while (len && path[len - 1] == '/') {
        len--;
    }
    return strncmp(path, url, len) == 0 && (!url[len] || url[len] == '/');
}

static int overlap(const char *a, const char *b)
{
    return !a || !b || msd_config_place_covers(a, b) || msd_config_place_covers(b, a);
}

int msd_config_place_may_meet(const msd_config_place_t *a, const msd_config_place_t *b)
{
    return (!a->host || !b->host || a->host == b->host) && overlap(a->location, b->location)
           && overlap(a->folder, b->folder);
}

static int is_outermost(const msd_config_place_t *place)
{
    return place->location && !*place->location;
}

int msd_config_place_holds(const msd_config_place_t *place, const msd_config_place_t *at)
{
    if (place->host && place->host != at->host) {
        return 0;
    }
    return is_outermost(place) || place->directive->parent == at->directive->parent
           || (place->location && at->location && msd_config_place_covers(place->location, at->location))
           || (place->folder && at->folder && msd_config_place_covers(place->folder, at->folder));
}

const msd_config_place_t *msd_config_place_holding(const apr_array_header_t *places, const char *name,
                                                   const msd_config_place_t *at)
{
    const msd_config_place_t *best = NULL;
    int i, rank, highest = 0;

    for (i = 0; i < places->nelts; i++) {
        const msd_config_place_t *place = &APR_ARRAY_IDX(places, i, msd_config_place_t);

        if (msd_config_place_is(place, name) && msd_config_place_holds(place, at)) {
            /* The order in which httpd merges: servers, <Directory>, <Location>; in each, a host's after the main's. */
            rank = (is_outermost(place) ? 0 : place->folder ? 2 : 4) + (place->host ? 1 : 0);
            best = rank >= highest ? place : best;
            highest = rank >= highest ? rank : highest;
        }
    }
    return best;
}
