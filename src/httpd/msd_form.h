#ifndef MSD_FORM_H
#define MSD_FORM_H

#include <mod_session.h>

/*
 * The form in which mod_session stores entries: name=value pairs between '&', with '+' and %-escapes. Reading only;
 * mod_session writes it.
 */

/**
 * Decode z->encoded, if there is any, and set it to NULL, as mod_session's own decoder would (httpd 2.4),
 * but in linear time: pairs change z->entries one after the other, a pair without a value removes an entry, a pair that
 * can't be unescaped counts for nothing, and "expiry" sets z->expiry. Names and values are allocated from the pool of
 * z->entries.
 */
void msd_form_decode(session_rec *z);

/** The next pair of *rest, never empty, which is cut behind it; NULL: there is none. */
char *msd_form_next(char **rest);

/** 1 if ap_unescape_urlencoded has something to do in this part of a form. */
int msd_form_is_escaped(const char *text);

#endif
