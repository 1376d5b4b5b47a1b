/* Requests of one form, signed again and again: texts in which only the changing parts are written, and the slots that
 * keep them. */

#include <string.h>

#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "aws/ddb_sigv4_int.h"
#include "base/ddb_crypto.h"

#define HASH_LEN       (2 * DDB_SHA256_BYTES) /* of a hash or a signature, in hex */
#define LENGTH_LINE    "\r\nContent-Length: "
#define LENGTH_MAX_LEN 20 /* digits of the largest apr_size_t */
#define HEAD_END       "\r\n\r\n"

#define SECONDS_OF_DAY 86400

/* A text that has the time of signing in it. */
typedef struct timed_t {
    char *data;
    apr_size_t len;
    char *timestamp;
} timed_t;

/* What the requests of one operation have in common, and the hashes of it. */
typedef struct operation_t {
    struct operation_t *next;
    const char *name;
    timed_t canonical; /* request; up to the hash of the body, its last line */
    apr_time_t second; /* that canonical names */
    ddb_prefix_t *canonical_hash;
    ddb_repeated_t *body_hash;
} operation_t;

typedef struct slot_t {
    struct slot_t *next;
    apr_pool_t *pool; /* of the slot and nothing else */
    apr_uint32_t generation;
    apr_time_t day, second; /* since 1970; the second that the texts name */
    const char *url, *access_key_id, *provider;
    ddb_hmac_t *key;
    timed_t canonical;         /* request; up to the operation, which is the last header's end */
    const char *canonical_end; /* between operation and the hash of the body */
    operation_t *operations;   /* that it has signed */
    timed_t to_sign;           /* with room for the hash at its end */
    timed_t head;              /* up to the operation; has room for the signature */
    apr_size_t signature_at;
    int has_token;
} slot_t;

struct ddb_sigv4_slots_t {
    ddb_sigv4_form_t form;
    apr_thread_mutex_t *mutex; /* of free */
    slot_t *free;              /* the one used last comes first */
};

static apr_time_t day_of(apr_time_t now)
{
    return apr_time_sec(now) / SECONDS_OF_DAY;
}

/* --- the slots --- */

static apr_status_t wipe(void *baton)
{
    slot_t *slot = baton;
    operation_t *o;

    ddb_crypto_wipe(slot->head.data, slot->head.len);
    ddb_crypto_wipe(slot->canonical.data, slot->canonical.len);
    for (o = slot->operations; o; o = o->next) {
        ddb_crypto_wipe(o->canonical.data, o->canonical.len);
    }
    return APR_SUCCESS;
}

static apr_status_t destroy_all(void *baton)
{
    ddb_sigv4_slots_t *slots = baton;
    slot_t *slot, *next;

    for (slot = slots->free; slot; slot = next) {
        next = slot->next;
        apr_pool_destroy(slot->pool); /* and slot */
    }
    return APR_SUCCESS;
}

apr_status_t ddb_sigv4_slots_create(ddb_sigv4_slots_t **ps, const ddb_sigv4_form_t *form, apr_pool_t *p)
{
    ddb_sigv4_slots_t *slots = apr_pcalloc(p, sizeof(*slots));
    apr_status_t rv = apr_thread_mutex_create(&slots->mutex, APR_THREAD_MUTEX_DEFAULT, p);

    slots->form = *form;
    if (rv == APR_SUCCESS) {
        apr_pool_cleanup_register(p, slots, destroy_all, apr_pool_cleanup_null);
    }
    *ps = rv == APR_SUCCESS ? slots : NULL;
    return rv;
}

static slot_t *take_any(ddb_sigv4_slots_t *slots)
{
    slot_t *slot;

    apr_thread_mutex_lock(slots->mutex);
    slot = slots->free;
    if (slot) {
        slots->free = slot->next;
    }
    apr_thread_mutex_unlock(slots->mutex);
    return slot;
}

/* NULL when there is none. */
static slot_t *take(ddb_sigv4_slots_t *slots, apr_uint32_t generation, apr_time_t day)
{
    slot_t *slot = take_any(slots);

    while (slot && (slot->generation != generation || slot->day != day)) {
        apr_pool_destroy(slot->pool);
        slot = take_any(slots);
    }
    return slot;
}

static void give_back(ddb_sigv4_slots_t *slots, slot_t *slot)
{
    apr_thread_mutex_lock(slots->mutex);
    slot->next = slots->free;
    slots->free = slot;
    apr_thread_mutex_unlock(slots->mutex);
}

/* --- a new slot --- */

static apr_status_t keep_key(slot_t *slot, const char *secret, const ddb_sigv4_scope_t *scope, apr_pool_t *p)
{
    unsigned char key[DDB_SHA256_BYTES];
    ddb_bytes_t bytes = { .data = key, .len = sizeof(key) };
    apr_status_t rv = ddb_sigv4_derive_key(key, secret, scope, p);

    if (rv == APR_SUCCESS) {
        rv = ddb_crypto_hmac_create(&slot->key, DDB_SHA256, bytes, slot->pool);
    }
    ddb_crypto_wipe(key, sizeof(key));
    return rv;
}

/* The room for the hash of the body is not in it: that is behind the operation. */
static void keep_canonical(slot_t *slot, const ddb_sigv4_steps_t *steps)
{
    static const char before[] = "\nx-amz-date:";
    const char *text = steps->canonical_request;

    slot->canonical_end = apr_pstrcat(slot->pool, "\n\n", steps->signed_headers, "\n", NULL);
    slot->canonical.len = strlen(text) - HASH_LEN - strlen(slot->canonical_end);
    slot->canonical.data = apr_pstrmemdup(slot->pool, text, slot->canonical.len);
    slot->canonical.timestamp = strstr(slot->canonical.data, before) + strlen(before);
}

static void keep_to_sign(slot_t *slot, const ddb_sigv4_steps_t *steps)
{
    slot->to_sign.data = apr_pstrdup(slot->pool, steps->string_to_sign);
    slot->to_sign.len = strlen(slot->to_sign.data);
    slot->to_sign.timestamp = slot->to_sign.data + strlen(DDB_SIGV4_ALGORITHM "\n");
}

static void keep_head(slot_t *slot, const ddb_sigv4_form_t *form, const ddb_sigv4_sender_t *sender,
                      const ddb_sigv4_steps_t *steps)
{
    static const char room[HASH_LEN + 1] = "0000000000000000000000000000000000000000000000000000000000000000";
    const char *token = sender->credentials->session_token;
    const char *authorization = ddb_sigv4_authorization(slot->access_key_id, steps, room, slot->pool);
    const char *date = apr_pstrcat(slot->pool, "\r\nX-Amz-Date: ", steps->timestamp, NULL);
    const char *target = apr_pstrcat(slot->pool, "\r\nX-Amz-Target: ", form->target, NULL);

    slot->head.data = apr_pstrcat(slot->pool, "POST / HTTP/1.1\r\nHost: ", sender->endpoint->host, "\r\n",
                                  form->unsigned_lines, "Content-Type: ", form->content_type,
                                  token ? "\r\nX-Amz-Security-Token: " : "", token ? token : "",
                                  "\r\nAuthorization: ", authorization, date, target, NULL);
    slot->head.len = strlen(slot->head.data);
    slot->has_token = token != NULL;
    slot->head.timestamp = slot->head.data + slot->head.len - strlen(target) - DDB_SIGV4_TIMESTAMP_LEN;
    slot->signature_at = slot->head.len - strlen(target) - strlen(date) - HASH_LEN;
}

static apr_status_t fill(slot_t *slot, const ddb_sigv4_form_t *form, const ddb_sigv4_sender_t *sender, apr_time_t now,
                         apr_pool_t *p)
{
    ddb_sigv4_signer_t signer = { .credentials = sender->credentials, .now = now };
    apr_table_t *headers = apr_table_make(p, 2);
    ddb_sigv4_request_t req = { .method = "POST",
                                .host = sender->endpoint->host,
                                .path = "/",
                                .query = "",
                                .headers = headers,
                                .region = sender->endpoint->region,
                                .service = form->service };
    ddb_sigv4_steps_t steps = { .canonical_request = NULL };
    apr_status_t rv;

    apr_table_setn(headers, "Content-Type", form->content_type);
    apr_table_setn(headers, "X-Amz-Target", form->target);
    rv = ddb_sigv4_take_steps(&steps, &req, &signer, p);
    if (rv == APR_SUCCESS) {
        rv = keep_key(slot, signer.credentials->secret_access_key, &steps.scope, p);
    }
    if (rv == APR_SUCCESS) {
        keep_canonical(slot, &steps);
        keep_to_sign(slot, &steps);
        keep_head(slot, form, sender, &steps);
        apr_pool_cleanup_register(slot->pool, slot, wipe, apr_pool_cleanup_null);
    }
    if (steps.canonical_request) {
        /* It has the session token, and p is the pool of a request's attempt. */
        ddb_crypto_wipe((char *)steps.canonical_request, strlen(steps.canonical_request));
    }
    return rv;
}

/* A line break would begin another header. */
static int is_clean(const char *text)
{
    return !text || !strpbrk(text, "\r\n");
}

static apr_status_t create(slot_t **ps, const ddb_sigv4_form_t *form, const ddb_sigv4_sender_t *sender, apr_time_t now,
                           apr_pool_t *p)
{
    const ddb_credentials_t *credentials = sender->credentials;
    apr_pool_t *pool;
    slot_t *slot;
    apr_status_t rv;

    if (!is_clean(credentials->access_key_id) || !is_clean(credentials->session_token)
        || !is_clean(sender->endpoint->host)) {
        return APR_EINVAL;
    }
    /* Nobody's child, with its own allocator: threads use it in turn, and no other pool with them. */
    rv = apr_pool_create_unmanaged_ex(&pool, apr_pool_abort_get(p), NULL);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    slot = apr_pcalloc(pool, sizeof(*slot));
    slot->pool = pool;
    slot->generation = credentials->generation;
    slot->day = day_of(now);
    slot->second = -1;
    slot->url = apr_pstrcat(pool, sender->endpoint->url, "/", NULL);
    slot->access_key_id = apr_pstrdup(pool, credentials->access_key_id);
    slot->provider = credentials->provider;
    rv = fill(slot, form, sender, now, p);
    if (rv != APR_SUCCESS) {
        apr_pool_destroy(pool);
    }
    *ps = rv == APR_SUCCESS ? slot : NULL;
    return rv;
}

/* --- operations --- */

static operation_t *remember(slot_t *slot, const char *name)
{
    operation_t *o = apr_pcalloc(slot->pool, sizeof(*o));

    o->name = apr_pstrdup(slot->pool, name);
    o->canonical.data = apr_pstrcat(slot->pool, slot->canonical.data, name, slot->canonical_end, NULL);
    o->canonical.len = strlen(o->canonical.data);
    o->canonical.timestamp = o->canonical.data + (slot->canonical.timestamp - slot->canonical.data);
    o->second = -1;
    o->next = slot->operations;
    slot->operations = o;
    if (ddb_crypto_prefix_create(&o->canonical_hash, DDB_SHA256, slot->pool) != APR_SUCCESS
        || ddb_crypto_repeated_create(&o->body_hash, DDB_SHA256, slot->pool) != APR_SUCCESS) {
        return NULL; /* the slot is given up */
    }
    return o;
}

static operation_t *operation_of(slot_t *slot, const char *name)
{
    operation_t *o;

    for (o = slot->operations; o && strcmp(o->name, name) != 0; o = o->next) {
    }
    return o ? o : remember(slot, name);
}

/* --- a request --- */

static apr_status_t set_second(slot_t *slot, operation_t *o, apr_time_t now)
{
    apr_time_t second = apr_time_sec(now);
    char timestamp[DDB_SIGV4_TIMESTAMP_LEN + 1];

    if (second == slot->second && second == o->second) {
        return APR_SUCCESS;
    }
    ddb_sigv4_print_timestamp(timestamp, now);
    memcpy(slot->to_sign.timestamp, timestamp, DDB_SIGV4_TIMESTAMP_LEN);
    memcpy(slot->head.timestamp, timestamp, DDB_SIGV4_TIMESTAMP_LEN);
    memcpy(o->canonical.timestamp, timestamp, DDB_SIGV4_TIMESTAMP_LEN);
    slot->second = o->second = second;
    return ddb_crypto_prefix_set(o->canonical_hash, o->canonical.data, o->canonical.len);
}

static char *append(char *to, const char *bytes, apr_size_t len)
{
    memcpy(to, bytes, len);
    return to + len;
}

/* HASH_LEN characters at signature. */
static apr_status_t sign(char *signature, const slot_t *slot, const operation_t *o, const ddb_sigv4_post_t *post)
{
    unsigned char hash[DDB_SHA256_BYTES];
    char hex[HASH_LEN];
    ddb_bytes_t to_sign = { .data = slot->to_sign.data, .len = slot->to_sign.len };
    apr_status_t rv = ddb_crypto_repeated_digest(o->body_hash, hash, post->body, post->body_len);

    if (rv == APR_SUCCESS) {
        ddb_crypto_hex_to(hex, hash, sizeof(hash));
        rv = ddb_crypto_prefix_digest(o->canonical_hash, hash, hex, sizeof(hex));
    }
    if (rv == APR_SUCCESS) {
        ddb_crypto_hex_to(slot->to_sign.data + slot->to_sign.len - HASH_LEN, hash, sizeof(hash));
        rv = ddb_crypto_hmac_again(slot->key, hash, to_sign);
    }
    if (rv == APR_SUCCESS) {
        ddb_crypto_hex_to(signature, hash, sizeof(hash));
    }
    return rv;
}

static char *append_number(char *to, apr_size_t n)
{
    char digits[LENGTH_MAX_LEN], *first = digits + sizeof(digits);

    do {
        *--first = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    return append(to, first, (apr_size_t)(digits + sizeof(digits) - first));
}

static apr_status_t write_with(ddb_sigv4_message_t *out, slot_t *slot, const ddb_sigv4_post_t *post, apr_pool_t *p)
{
    apr_size_t operation_len = strlen(post->operation);
    operation_t *operation = operation_of(slot, post->operation);
    apr_status_t rv = operation ? set_second(slot, operation, post->now) : APR_EGENERAL;
    char *at;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    out->text = apr_palloc(p, slot->head.len + operation_len + strlen(LENGTH_LINE) + LENGTH_MAX_LEN + strlen(HEAD_END)
                                  + post->body_len);
    at = append(out->text, slot->head.data, slot->head.len);
    at = append(at, post->operation, operation_len);
    at = append(at, LENGTH_LINE, strlen(LENGTH_LINE));
    at = append_number(at, post->body_len);
    at = append(at, HEAD_END, strlen(HEAD_END));
    out->head_len = (apr_size_t)(at - out->text);
    append(at, post->body, post->body_len);
    out->len = out->head_len + post->body_len;
    out->has_token = slot->has_token;
    /* Copies: the slot may be another thread's, or gone, when they are read. */
    out->url = apr_pstrdup(p, slot->url);
    out->access_key_id = apr_pstrdup(p, slot->access_key_id);
    out->provider = slot->provider;
    return sign(out->text + slot->signature_at, slot, operation, post);
}

static apr_status_t write_and_give_back(ddb_sigv4_message_t *out, ddb_sigv4_slots_t *slots, slot_t *slot,
                                        const ddb_sigv4_post_t *post, apr_pool_t *p)
{
    apr_status_t rv = write_with(out, slot, post, p);

    if (rv == APR_SUCCESS) {
        give_back(slots, slot);
    }
    else {
        apr_pool_destroy(slot->pool); /* it may have stopped halfway */
    }
    return rv;
}

apr_status_t ddb_sigv4_write(ddb_sigv4_message_t *out, ddb_sigv4_slots_t *slots, apr_uint32_t generation,
                             const ddb_sigv4_post_t *post, apr_pool_t *p)
{
    slot_t *slot = take(slots, generation, day_of(post->now));

    return slot ? write_and_give_back(out, slots, slot, post, p) : APR_NOTFOUND;
}

apr_status_t ddb_sigv4_write_anew(ddb_sigv4_message_t *out, ddb_sigv4_slots_t *slots, const ddb_sigv4_sender_t *sender,
                                  const ddb_sigv4_post_t *post, apr_pool_t *p)
{
    slot_t *slot = NULL;
    apr_status_t rv = create(&slot, &slots->form, sender, post->now, p);

    return rv == APR_SUCCESS ? write_and_give_back(out, slots, slot, post, p) : rv;
}
