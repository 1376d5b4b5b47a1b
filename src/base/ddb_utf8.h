#ifndef DDB_UTF8_H
#define DDB_UTF8_H

#include <apr.h>

/** Bytes (1 to 4) of the well-formed UTF-8 sequence at in, which has left bytes, at least one; 0: none is there. RFC
 * 3629 section 4: no surrogates, nothing past U+10FFFF, no longer form than needed. */
apr_size_t ddb_utf8_sequence(const char *in, apr_size_t left);

#endif
