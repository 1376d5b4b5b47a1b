/* Base64. */

#include <string.h>

#include "base/ddb_base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define DIGIT       0x80 /* marks a digit, beside the six bits of its value */
#define V(c, value) [c] = (DIGIT | (value))

/* Of every character; 0: no digit. */
static const unsigned char values[256] = {
    V('A', 0),  V('B', 1),  V('C', 2),  V('D', 3),  V('E', 4),  V('F', 5),  V('G', 6),  V('H', 7),
    V('I', 8),  V('J', 9),  V('K', 10), V('L', 11), V('M', 12), V('N', 13), V('O', 14), V('P', 15),
    V('Q', 16), V('R', 17), V('S', 18), V('T', 19), V('U', 20), V('V', 21), V('W', 22), V('X', 23),
    V('Y', 24), V('Z', 25), V('a', 26), V('b', 27), V('c', 28), V('d', 29), V('e', 30), V('f', 31),
    V('g', 32), V('h', 33), V('i', 34), V('j', 35), V('k', 36), V('l', 37), V('m', 38), V('n', 39),
    V('o', 40), V('p', 41), V('q', 42), V('r', 43), V('s', 44), V('t', 45), V('u', 46), V('v', 47),
    V('w', 48), V('x', 49), V('y', 50), V('z', 51), V('0', 52), V('1', 53), V('2', 54), V('3', 55),
    V('4', 56), V('5', 57), V('6', 58), V('7', 59), V('8', 60), V('9', 61), V('+', 62), V('/', 63),
};

static char digit(unsigned int bits)
{
    return digits[bits & 63];
}

void ddb_base64_encode(char *out, const void *bytes, apr_size_t len)
{
    const unsigned char *in = bytes;
    unsigned int b;

    for (; len >= 3; len -= 3, in += 3, out += 4) {
        b = (unsigned int)in[0] << 16 | (unsigned int)in[1] << 8 | in[2];
        out[0] = digit(b >> 18);
        out[1] = digit(b >> 12);
        out[2] = digit(b >> 6);
        out[3] = digit(b);
    }
    if (len) {
        b = (unsigned int)in[0] << 16 | (len > 1 ? (unsigned int)in[1] << 8 : 0);
        out[0] = digit(b >> 18);
        out[1] = digit(b >> 12);
        out[2] = '=';
        out[3] = '=';
        if (len > 1) {
            out[2] = digit(b >> 6);
        }
    }
}

/* The 24 bits of four characters. *marks keeps DIGIT as long as all are digits. */
static inline unsigned int quad(const char *text, unsigned int *marks)
{
    const unsigned char *c = (const unsigned char *)text;
    unsigned int v0 = values[c[0]], v1 = values[c[1]], v2 = values[c[2]], v3 = values[c[3]];

    *marks &= v0 & v1 & v2 & v3;
    return (v0 << 18 ^ v1 << 12 ^ v2 << 6 ^ v3) ^ (DIGIT << 18 ^ DIGIT << 12 ^ DIGIT << 6 ^ DIGIT);
}

int ddb_base64_decode(char *out, apr_size_t *bytes, const char *text, apr_size_t len)
{
    unsigned int b, marks = DIGIT;
    char last[4], *first = out;
    int i, padding = 0;

    *bytes = 0;
    if (len == 0 || len % 4) {
        return len == 0;
    }
    for (; len > 4; len -= 4, text += 4, out += 3) {
        b = quad(text, &marks);
        out[0] = (char)(b >> 16);
        out[1] = (char)(b >> 8);
        out[2] = (char)b;
    }
    memcpy(last, text, 4);
    for (; padding < 2 && last[3 - padding] == '='; padding++) {
        last[3 - padding] = digits[0];
    }
    b = quad(last, &marks);
    for (i = 0; i < 3 - padding; i++) {
        *out++ = (char)(b >> (16 - 8 * i));
    }
    *bytes = (apr_size_t)(out - first);
    /* Bits that make no byte are 0. */
    return marks && !(b & ((1U << 8 * padding) - 1));
}
