/* SipHash-2-4, with the values that its authors give. */

#include "base/ddb_siphash.h"
#include "tap.h"

TAP_MAIN(p)
{
    /* The key and the input are the numbers from 0 on. "SipHash: a fast short-input PRF", appendix A, has the hash of 15
     * bytes; the authors' test vectors have the others. */
    static const struct {
        apr_size_t len;
        apr_uint64_t hash;
    } expected[] = {
        { 0, APR_UINT64_C(0x726fdb47dd0e0e31) },  { 1, APR_UINT64_C(0x74f839c593dc67fd) },
        { 7, APR_UINT64_C(0xab0200f58b01d137) },  { 8, APR_UINT64_C(0x93f5f5799a932462) },
        { 15, APR_UINT64_C(0xa129ca6149be45e5) }, { 63, APR_UINT64_C(0x958a324ceb064572) },
    };
    unsigned char key[DDB_SIPHASH_KEY], input[64];
    apr_size_t i;

    (void)p;
    for (i = 0; i < sizeof(input); i++) {
        input[i] = (unsigned char)i;
    }
    memcpy(key, input, sizeof(key));
    for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        OK(ddb_siphash(key, input, expected[i].len) == expected[i].hash, "a hash is as it should be");
    }
    key[15] ^= 0x80;
    OK(ddb_siphash(key, input, 15) != expected[4].hash, "under another key it is another one");
}
