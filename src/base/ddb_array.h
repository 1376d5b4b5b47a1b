#ifndef DDB_ARRAY_H
#define DDB_ARRAY_H

/** The number of elements of an array, which is not a pointer: sizeof could not tell. */
#define DDB_ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
