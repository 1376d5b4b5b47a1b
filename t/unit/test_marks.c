/* ddb_marks: what a session knows of its users, realm by realm, and what a reader of the table doesn't. */

#include <apr_strings.h>

#include "base/ddb_array.h"
#include "store/ddb_marks.h"
#include "tap.h"

#define SID   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define OTHER "HBobGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEAHx4"

/* As Python's hmac and base64 make it of SID: the key encrypted, then the unit of alice in this realm. */
#define STAFF    "Basic staff"
#define OF_ALICE "K4RQXvJXK3BG9eoXY9Y9yBPuEQlTesxordu3IT3C9eug4vd9Lhd2YKLBUdb6mSVhNLClQCh5qLr8nn2g63Ql7A"

static const ddb_marks_user_t alice = { .realm = STAFF, .user = "alice" };
static const ddb_marks_user_t bob = { .realm = STAFF, .user = "bob" };
static const ddb_marks_user_t root = { .realm = "Digest admin", .user = "root" };

static ddb_marks_e found(const char *marks, const char *sid, const ddb_marks_user_t *user, apr_pool_t *p)
{
    ddb_marks_e answer = DDB_MARKS_OTHER;

    OK(ddb_marks_find(&answer, marks, sid, user, p) == APR_SUCCESS, "the marks are asked");
    return answer;
}

static void test_users(apr_pool_t *p)
{
    const char *marks = NULL;

    NUM_IS(found(NULL, SID, &alice, p), DDB_MARKS_NOBODY, "a session without marks knows nobody");
    OK(ddb_marks_set(&marks, SID, &alice, p) == APR_SUCCESS, "a user is marked");
    IS(marks, OF_ALICE, "... as the format says");
    NUM_IS(found(marks, SID, &alice, p), DDB_MARKS_SAME, "... and known");
    NUM_IS(found(marks, SID ".signature", &alice, p), DDB_MARKS_SAME, "... whatever key signs the ID");
    NUM_IS(found(marks, SID, &bob, p), DDB_MARKS_OTHER, "... from another user of the realm");
    NUM_IS(found(marks, SID, &root, p), DDB_MARKS_NOBODY, "... and not in another realm");
    NUM_IS(found(marks, OTHER, &alice, p), DDB_MARKS_NOBODY, "another ID tells nothing");
    ddb_marks_set(&marks, SID, &root, p);
    NUM_IS(found(marks, SID, &alice, p), DDB_MARKS_SAME, "a second realm leaves the first");
    NUM_IS(found(marks, SID, &root, p), DDB_MARKS_SAME, "... and is known");
    ddb_marks_set(&marks, SID, &bob, p);
    NUM_IS(found(marks, SID, &alice, p), DDB_MARKS_OTHER, "another user replaces the one of the realm");
    NUM_IS(strlen(marks), 128, "... in the same room");
    ddb_marks_drop(&marks, SID, STAFF, p);
    NUM_IS(found(marks, SID, &bob, p), DDB_MARKS_NOBODY, "a realm is forgotten");
    NUM_IS(found(marks, SID, &root, p), DDB_MARKS_SAME, "... and the other stays");
    ddb_marks_drop(&marks, SID, "unknown", p);
    NUM_IS(found(marks, SID, &root, p), DDB_MARKS_SAME, "... also when a realm goes that was not there");
    ddb_marks_drop(&marks, SID, root.realm, p);
    IS(marks, NULL, "nobody is left");
    OK(ddb_marks_drop(&marks, SID, STAFF, p) == APR_SUCCESS && !marks, "... and nobody goes");
}

static void test_new_id(apr_pool_t *p)
{
    const char *marks = NULL, *before;

    ddb_marks_set(&marks, SID, &alice, p);
    before = marks;
    OK(ddb_marks_move(&marks, SID, OTHER, p) == APR_SUCCESS, "a new ID");
    NUM_IS(found(marks, OTHER, &alice, p), DDB_MARKS_SAME, "... keeps the user");
    NUM_IS(found(marks, OTHER, &bob, p), DDB_MARKS_OTHER, "... from another");
    NUM_IS(found(marks, SID, &alice, p), DDB_MARKS_NOBODY, "... and the old one tells nothing");
    OK(strncmp(marks, before, 42) != 0, "the key is encrypted anew");
    ddb_marks_set(&marks, OTHER, &root, p);
    ddb_marks_move(&marks, OTHER, SID, p);
    NUM_IS(found(marks, SID, &alice, p) + found(marks, SID, &root, p), 2 * DDB_MARKS_SAME, "... as often as it comes");
    marks = NULL;
    OK(ddb_marks_move(&marks, SID, OTHER, p) == APR_SUCCESS && !marks, "without marks there is nothing to do");
}

static void test_many(apr_pool_t *p)
{
    const char *marks = NULL;
    ddb_marks_user_t u = { .user = "alice" };
    int i;

    for (i = 0; i <= DDB_MARKS_REALMS_MAX; i++) {
        u.realm = apr_psprintf(p, "realm %d", i);
        ddb_marks_set(&marks, SID, &u, p);
    }
    NUM_IS(found(marks, SID, &u, p), DDB_MARKS_SAME, "of more realms than there is room for the last is known");
    u.realm = "realm 1";
    NUM_IS(found(marks, SID, &u, p), DDB_MARKS_SAME, "... and the second");
    u.realm = "realm 0";
    NUM_IS(found(marks, SID, &u, p), DDB_MARKS_NOBODY, "... the first one made room");
}

/* Rows can be changed by hand. */
static void test_damage(apr_pool_t *p)
{
    static const char *const damaged[] = { "",
                                           "?",
                                           "AAAA",
                                           "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
                                           OF_ALICE "A",
                                           OF_ALICE "AAAA",
                                           OF_ALICE "\xc3\xa4" };
    char *much = apr_palloc(p, 5001);
    apr_size_t i;

    for (i = 0; i < DDB_ARRAY_LENGTH(damaged); i++) {
        const char *marks = damaged[i];
        NUM_IS(found(marks, SID, &alice, p), DDB_MARKS_NOBODY, "a damaged text knows nobody");
        ddb_marks_set(&marks, SID, &alice, p);
        IS(marks, OF_ALICE, "... and is made anew");
    }
    memset(much, 'A', 5000);
    much[5000] = '\0';
    NUM_IS(found(much, SID, &alice, p), DDB_MARKS_NOBODY, "a text of any length, too");
}

TAP_MAIN(p)
{
    test_users(p);
    test_new_id(p);
    test_many(p);
    test_damage(p);
}
