#ifndef FUZZ_H
#define FUZZ_H

/* What the fuzz targets share. A target fuzz_NAME.c is a LLVMFuzzerTestOneInput; its inputs are in corpus/NAME, words
 * that help to find more in NAME.dict. make check plays the corpus back (replay.c), build/fuzz looks for more. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_pools.h>
#include <apr_strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** A pool for one input. In it every block that is asked for is one of malloc's own, so that a tool sees a step over
 * its end. */
apr_pool_t *fuzz_begin(void);

/** Clear it. @return 0, for the target to return. */
int fuzz_end(void);

/** The input as a text, NUL added, in the input's pool. */
char *fuzz_text(const uint8_t *data, size_t size);

/** Cut the first line off *text: what is before the line feed; *text is behind it, or at the end. */
char *fuzz_line(char **text);

/** Stands for what must never be repeated in an error's detail. Seeds have it where secrets are. */
#define FUZZ_SECRET "s3cr3t"

/** 1 when s is one line of printable ASCII, as all that goes into the log has to be. */
int fuzz_is_loggable(const char *s);

/** 1 when s is not empty and has only characters of alphabet. */
int fuzz_is_of(const char *s, const char *alphabet);

#define FUZZ_LETTERS   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define FUZZ_DIGITS    "0123456789"
#define FUZZ_BASE64URL FUZZ_LETTERS FUZZ_DIGITS "-_"

/** A sentence about the parser that has to be true of every input. */
#define HOLDS(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: this does not hold: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

#endif
