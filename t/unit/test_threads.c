/* The rooms that the threads of a child process share, under a crowd of them. Each part runs without a sanitizer too, in
 * no time; ThreadSanitizer (build/check sanitize) is what tells a race from luck. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#undef OK /* httpd's; tap.h has one too */

#include "aws_files.h"
#include "crowd.h"
#include "message.h"
#include "aws/creds/ddb_creds.h"
#include "aws/ddb_breaker.h"
#include "aws/ddb_retry.h"
#include "aws/ddb_skew.h"
#include "base/ddb_curl.h"
#include "base/ddb_json.h"
#include "httpd/child/msd_touches.h"
#include "httpd/child/msd_write_queue.h"
#include "store/ddb_item.h"
#include "store/ddb_store.h"
#include "tap.h"

#define SECOND    APR_USEC_PER_SEC
#define NOW       APR_INT64_C(1795395723000004) /* 2026-11-23 01:02:03 UTC */
#define THROTTLED "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ThrottlingException\",\"message\":\"Rate exceeded\"}"

static apr_pool_t *pool;

/* A number that each caller gets once. */
static int next(int *counter)
{
    return __atomic_add_fetch(counter, 1, __ATOMIC_ACQ_REL);
}

/* While others may still count. */
static int so_far(int *counter)
{
    return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

/* --- what httpd would give the rooms that know it --- */

module AP_MODULE_DECLARE_DATA session_dynamodb_module;

static int logged;

AP_DECLARE(void)
ap_log_error_(const char *file, int line, int module_index, int level, apr_status_t status, const server_rec *s,
              const char *format, ...)
{
    (void)file;
    (void)line;
    (void)module_index;
    (void)level;
    (void)status;
    (void)s;
    (void)format;
    next(&logged);
}

/* --- a server on the loopback that sends each body back --- */

typedef struct echo_t {
    int listener, port, connections, closed;
    pthread_t acceptor;
} echo_t;

typedef struct echo_talk_t {
    echo_t *echo;
    int fd, number;
} echo_talk_t;

/* The length of the request in buffer as soon as it is whole, else 0; *body is where its body begins. */
static size_t whole_request(const char *buffer, size_t len, const char **body)
{
    const char *end = strstr(buffer, "\r\n\r\n"), *field = strstr(buffer, "Content-Length: ");
    size_t needed;

    if (!end || !field) {
        return 0;
    }
    *body = end + 4;
    needed = (size_t)(*body - buffer) + strtoul(field + 16, NULL, 10);
    return len >= needed ? needed : 0;
}

/* Every fifth connection ends behind its third answer without a word, as a load balancer's do. */
static void *echo_talk(void *baton)
{
    echo_talk_t *t = baton;
    char buffer[8192], answer[8192];
    const char *body;
    size_t len = 0;
    ssize_t n;
    int answers = 0;

    while ((n = recv(t->fd, buffer + len, sizeof(buffer) - 1 - len, 0)) > 0) {
        len += (size_t)n;
        buffer[len] = '\0';
        if (whole_request(buffer, len, &body)) {
            n = snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", (int)strlen(body),
                         body);
            if (send(t->fd, answer, (size_t)n, MSG_NOSIGNAL) != n || (t->number % 5 == 0 && ++answers == 3)) {
                break;
            }
            len = 0;
        }
    }
    close(t->fd);
    next(&t->echo->closed);
    free(t);
    return NULL;
}

static void *echo_accept(void *baton)
{
    echo_t *e = baton;
    pthread_attr_t detached;
    pthread_t thread;
    int fd;

    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    while ((fd = accept(e->listener, NULL, NULL)) >= 0) {
        echo_talk_t *t = malloc(sizeof(*t));

        t->echo = e;
        t->fd = fd;
        t->number = next(&e->connections);
        pthread_create(&thread, &detached, echo_talk, t);
    }
    pthread_attr_destroy(&detached);
    return NULL;
}

static void echo_start(echo_t *e)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(a);

    *e = (echo_t){ .listener = socket(AF_INET, SOCK_STREAM, 0) };
    if (bind(e->listener, (struct sockaddr *)&a, len) != 0 || listen(e->listener, 64) != 0
        || getsockname(e->listener, (struct sockaddr *)&a, &len) != 0
        || pthread_create(&e->acceptor, NULL, echo_accept, e) != 0) {
        printf("Bail out! no server\n");
        exit(1);
    }
    e->port = ntohs(a.sin_port);
}

/* Only when the clients have closed all connections. @return 1 when the server saw that of each. */
static int echo_stop(echo_t *e)
{
    int i;

    shutdown(e->listener, SHUT_RDWR);
    pthread_join(e->acceptor, NULL);
    close(e->listener);
    for (i = 0; i < 2000 && so_far(&e->closed) < e->connections; i++) {
        apr_sleep(1000);
    }
    return so_far(&e->closed) == e->connections;
}

/* --- the handles of libcurl --- */

typedef struct curl_world_t {
    ddb_http_transport_t http;
    const char *url;
} curl_world_t;

/* A connection that the server has closed may fail a request that was on its way; no request gets another's answer. */
static int exchange_many(void *shared, int number, apr_pool_t *p)
{
    curl_world_t *w = shared;
    apr_pool_t *each = NULL;
    int i, wrong = 0, failed = 0;

    apr_pool_create(&each, p);
    for (i = 0; i < 50; i++) {
        ddb_http_request_t req = { .method = "POST",
                                   .url = w->url,
                                   .connect_timeout = 5 * SECOND,
                                   .timeout = 10 * SECOND,
                                   .max_response_bytes = 4096 };
        ddb_http_response_t res = { 0 };
        ddb_error_t err = { 0 };

        req.body = apr_psprintf(each, "thread %d, request %d", number, i);
        req.body_len = strlen(req.body);
        req.fresh_connection = i % 10 == 9;
        if (w->http.perform(w->http.baton, &req, each, &res, &err) != APR_SUCCESS) {
            failed++;
        }
        else if (res.status != 200 || strcmp(res.body, req.body) != 0) {
            wrong++;
        }
        apr_pool_clear(each);
    }
    return wrong + (failed > 20);
}

static void test_curl(void)
{
    curl_world_t w;
    /* Fewer than threads: some close theirs while others take one. */
    ddb_curl_opts_t o = { .max_idle_connections = CROWD_SIZE / 2 };
    ddb_curl_t *curl = NULL;
    echo_t echo;

    echo_start(&echo);
    w.url = apr_psprintf(pool, "http://127.0.0.1:%d/", echo.port);
    NUM_IS(ddb_curl_create(&curl, &w.http, &o, pool), APR_SUCCESS, "a transport is made");
    NUM_IS(crowd_work(exchange_many, &w), 0, "many threads exchange, and each gets its own answers");
    ddb_curl_destroy(curl);
    OK(echo_stop(&echo), "and at the end all connections are closed");
}

/* --- the credentials --- */

typedef struct creds_world_t {
    ddb_creds_t *creds;
    ddb_clock_t clock;
    int seconds, written;
} creds_world_t;

static apr_time_t leap(void *baton)
{
    return apr_time_from_sec(1000 + 5 * (apr_time_t)next(&((creds_world_t *)baton)->seconds));
}

/* As a tool that rotates them does: the file is whole at any time. */
static void write_pair(int n, apr_pool_t *p)
{
    aws_write(".aws/new",
              apr_psprintf(p,
                           "[default]\naws_access_key_id = AKID%d\naws_secret_access_key = secret%d\n"
                           "aws_session_token = token%d\n",
                           n, n, n),
              p);
    rename(aws_path(".aws/new", p), aws_path(".aws/credentials", p));
}

/* The first thread rotates, the second is refused again and again, all look for halves of two pairs. */
static int get_many(void *shared, int number, apr_pool_t *p)
{
    creds_world_t *w = shared;
    apr_pool_t *each = NULL;
    int i, wrong = 0;

    apr_pool_create(&each, p);
    for (i = 0; i < 200; i++) {
        ddb_credentials_t found = { 0 };
        ddb_error_t err = { 0 };

        if (number == 0) {
            write_pair(i, each);
        }
        if (ddb_creds_get(w->creds, DDB_CREDS_FOREVER, each, &found, &err) != APR_SUCCESS
            || strncmp(found.access_key_id, "AKID", 4) != 0
            || strcmp(found.access_key_id + 4, found.secret_access_key + 6) != 0
            || strcmp(found.access_key_id + 4, found.session_token + 5) != 0) {
            wrong++;
        }
        else if (number == 1) {
            ddb_creds_renew(w->creds, found.access_key_id);
        }
        apr_pool_clear(each);
    }
    return wrong;
}

static void test_creds(void)
{
    creds_world_t w = { .clock = { leap, leap, NULL, &w } };
    ddb_creds_opts_t o = { .clock = &w.clock };
    ddb_credentials_t found = { 0 };
    ddb_error_t err = { 0 };

    aws_home_create(pool);
    write_pair(1000, pool);
    NUM_IS(ddb_creds_create(&w.creds, &o, pool), APR_SUCCESS, "a chain is made");
    NUM_IS(crowd_work(get_many, &w), 0, "many threads get credentials that change, and always a whole pair");
    ddb_creds_get(w.creds, DDB_CREDS_FOREVER, pool, &found, &err);
    ddb_creds_renew(w.creds, found.access_key_id);
    ddb_creds_get(w.creds, DDB_CREDS_FOREVER, pool, &found, &err);
    IS(found.access_key_id, "AKID199", "and the last one in the end");
}

/* --- signatures --- */

/* The head of a request signed by the n-th of three generations of credentials, on one of two days. */
static const char *head_of(ddb_sigv4_slots_t *slots, int n, apr_pool_t *p)
{
    ddb_credentials_t credentials = { .access_key_id = apr_psprintf(p, "AKID%d", n % 3),
                                      .secret_access_key = apr_psprintf(p, "secret%d", n % 3),
                                      .session_token = n % 3 ? apr_psprintf(p, "token%d", n % 3) : NULL,
                                      .generation = (apr_uint32_t)(n % 3 + 1) };
    ddb_endpoint_t endpoint = { .url = "http://localhost", .host = "localhost", .region = "eu-central-1" };
    ddb_sigv4_sender_t sender = { .credentials = &credentials, .endpoint = &endpoint };
    ddb_sigv4_post_t post = { .operation = n % 5 ? "GetItem" : "PutItem", .now = NOW + (n / 3 % 2) * 86400 * SECOND };
    ddb_sigv4_message_t message = { 0 };
    apr_status_t rv;

    post.body = apr_psprintf(p, "{\"n\":%d}", n);
    post.body_len = strlen(post.body);
    rv = ddb_sigv4_write(&message, slots, credentials.generation, &post, p);
    if (rv == APR_NOTFOUND) {
        rv = ddb_sigv4_write_anew(&message, slots, &sender, &post, p);
    }
    return rv == APR_SUCCESS ? apr_pstrmemdup(p, message.text, message.head_len) : "failed";
}

static const ddb_sigv4_form_t form = {
    .service = "dynamodb", .content_type = "text/plain", .target = "T.", .unsigned_lines = ""
};

/* With slots that all threads use, and with some that nobody else has. */
static int sign_many(void *shared, int number, apr_pool_t *p)
{
    ddb_sigv4_slots_t *own;
    apr_pool_t *each = NULL;
    int i, wrong = 0;

    apr_pool_create(&each, p);
    for (i = 0; i < 200; i++) {
        /* Mostly one after the other of the same kind. */
        int n = number + i / 20;

        ddb_sigv4_slots_create(&own, &form, each);
        wrong += strcmp(head_of(shared, n, each), head_of(own, n, each)) != 0;
        apr_pool_clear(each);
    }
    return wrong;
}

static void test_signatures(void)
{
    ddb_sigv4_slots_t *slots = NULL;

    NUM_IS(ddb_sigv4_slots_create(&slots, &form, pool), APR_SUCCESS, "slots are made");
    NUM_IS(crowd_work(sign_many, slots), 0, "many threads sign as if each had slots of its own");
}

/* --- breaker, retry budget, skew --- */

static apr_time_t fixed_wall(void *baton)
{
    (void)baton;
    return NOW;
}

static apr_time_t fixed_monotonic(void *baton)
{
    (void)baton;
    return apr_time_from_sec(1000);
}

typedef struct breaker_world_t {
    ddb_breaker_t *breaker;
    ddb_clock_t clock;
    int milliseconds, opened, closed, turned_away;
} breaker_world_t;

static apr_time_t creep(void *baton)
{
    return apr_time_from_sec(1000) + apr_time_from_msec(next(&((breaker_world_t *)baton)->milliseconds));
}

/* The store comes and goes, and each thread has its own view of when. */
static int call_many(void *shared, int number, apr_pool_t *p)
{
    breaker_world_t *w = shared;
    ddb_notice_t notice = { 0 };
    int i;

    (void)p;
    for (i = 0; i < 1000; i++) {
        ddb_breaker_pass_t pass;

        if (!ddb_breaker_admit(w->breaker, &pass)) {
            next(&w->turned_away);
        }
        else if ((i + 10 * number) % 100 == 0) {
            ddb_breaker_unused(w->breaker, &pass);
        }
        else if (i % 200 < 150) {
            ddb_breaker_failed(w->breaker, &pass);
        }
        else {
            ddb_breaker_answered(w->breaker);
        }
        if (ddb_breaker_take_notice(w->breaker, &notice)) {
            next(notice.warning ? &w->opened : &w->closed);
        }
    }
    return 0;
}

static void test_breaker(void)
{
    breaker_world_t w = { .clock = { creep, creep, NULL, &w } };
    ddb_breaker_opts_t o = { .store = "the store", .limit = 5, .clock = &w.clock, .random = ddb_crypto_random };
    ddb_breaker_pass_t pass;
    ddb_notice_t notice;

    NUM_IS(ddb_breaker_create(&w.breaker, &o, pool), APR_SUCCESS, "a breaker is made");
    crowd_work(call_many, &w);
    OK(w.turned_away > 0 && w.opened > 0 && w.closed > 0, "many threads see it open and close");
    ddb_breaker_answered(w.breaker);
    OK(ddb_breaker_admit(w.breaker, &pass) && !pass.probe, "and an answer closes it in the end");
    if (ddb_breaker_take_notice(w.breaker, &notice)) {
        next(notice.warning ? &w.opened : &w.closed);
    }
    NUM_IS(w.opened, w.closed, "each change was told to one thread");
}

static int take_many(void *shared, int number, apr_pool_t *p)
{
    int i, taken = 0;

    (void)number;
    (void)p;
    for (i = 0; i < 100; i++) {
        taken += ddb_retry_budget_take(shared);
    }
    return taken;
}

static void test_budget(void)
{
    ddb_retry_budget_t *one = NULL, *many = NULL;
    int alone;

    ddb_retry_budget_create(&one, pool);
    ddb_retry_budget_create(&many, pool);
    for (alone = 0; ddb_retry_budget_take(one); alone++) {
    }
    NUM_IS(crowd_work(take_many, many), alone, "many threads can spend what one could, and no more");
}

/* Clocks of two services; whoever is refused by one reads the time as it is by then. */
static int correct_many(void *shared, int number, apr_pool_t *p)
{
    const ddb_clock_t *clock = ddb_skew_clock(shared);
    ddb_notice_t notice;
    int i, wrong = 0;

    (void)p;
    for (i = 0; i < 500; i++) {
        apr_interval_time_t offset = ddb_skew_offset(shared);

        ddb_skew_correct(shared, offset, NOW + offset, NOW + (number % 2 ? 1000 : 2000) * SECOND);
        ddb_skew_take_notice(shared, &notice);
        offset = ddb_clock_wall(clock) - NOW;
        wrong += offset != 1000 * SECOND && offset != 2000 * SECOND;
    }
    return wrong;
}

static void test_skew(void)
{
    ddb_clock_t clock = { .wall = fixed_wall, .monotonic = fixed_monotonic };
    ddb_skew_t *skew = NULL;

    ddb_skew_create(&skew, &clock, pool);
    NUM_IS(crowd_work(correct_many, skew), 0, "many threads correct the clock, and none reads half of a time");
}

/* --- client and store before a table that has every session --- */

typedef struct table_t {
    ddb_http_transport_t http;
    ddb_clock_t clock;
    ddb_store_t *store;
    msd_store_notices_t notices;
    ddb_sid_rules_t rules;
    int calls, writes; /* writes: those that were done */
} table_t;

static void no_sleep(void *baton, apr_interval_time_t t)
{
    (void)baton;
    (void)t;
}

/* The session with that key: used half an hour ago, its data names it. */
static const char *row_text(const char *key, apr_pool_t *p)
{
    ddb_item_t row = { .id = key,
                       .created = NOW - 3600 * SECOND,
                       .accessed = NOW - 1800 * SECOND,
                       .idle_timeout = 7200,
                       .absolute_timeout = 43200,
                       .version = 1 };
    ddb_json_t *json = NULL;
    const char *body;

    row.loggable = apr_pstrmemdup(p, ddb_sid_loggable(key, p), DDB_ITEM_LOGGABLE_LEN);
    row.data = apr_pstrcat(p, "k=", key, NULL);
    row.data_len = strlen(row.data);
    row.expires = apr_time_sec(row.accessed) + row.idle_timeout;
    body = ddb_item_create_body("t", &row, p);
    ddb_json_parse(&json, body, strlen(body), p);
    return apr_pstrcat(p, "{\"Item\":", ddb_json_print(ddb_json_child(json, "Item"), p), "}", NULL);
}

/* Of reads some are refused and some are lost on the way, of writes some are refused. */
static apr_status_t table_perform(void *baton, const ddb_http_request_t *req, apr_pool_t *p, ddb_http_response_t *res,
                                  ddb_error_t *err)
{
    table_t *t = baton;
    ddb_http_request_t parts = { 0 };
    const char *wrong = message_parse(&parts, req, p);
    int call = next(&t->calls), is_read;
    ddb_json_t *json = NULL;

    if (wrong) {
        return ddb_error_set(err, APR_EGENERAL, "%s", wrong);
    }
    is_read = strstr(apr_table_get(parts.headers, "X-Amz-Target"), "GetItem") != NULL;
    res->headers = apr_table_make(p, 1);
    res->status = 200;
    res->body = "{}";
    if (is_read && call % 11 == 0) {
        err->unsettled = 1;
        return ddb_error_set(err, DDB_EUNAVAILABLE, "lost");
    }
    if (call % 7 == 0) {
        res->status = 400;
        res->body = THROTTLED;
    }
    else if (is_read && ddb_json_parse(&json, parts.body, parts.body_len, p) == APR_SUCCESS) {
        res->body = row_text(ddb_json_str(ddb_json_child(ddb_json_child(json, "Key"), "id"), "S"), p);
    }
    else {
        next(&t->writes);
    }
    res->body_len = strlen(res->body);
    return APR_SUCCESS;
}

static table_t *table_create(apr_pool_t *p)
{
    static const ddb_credentials_t fixed = { .access_key_id = "AKIDEXAMPLE", .secret_access_key = "secret" };
    table_t *t = apr_pcalloc(p, sizeof(*t));
    ddb_creds_opts_t creds_opts = { .fixed = &fixed, .http = &t->http, .clock = &t->clock };
    ddb_client_opts_t o = {
        .connect_timeout = SECOND, .max_attempts = 20, .http = &t->http, .clock = &t->clock, .random = ddb_crypto_random
    };
    ddb_breaker_opts_t breaker_opts = {
        .store = "the table", .limit = 1000, .clock = &t->clock, .random = ddb_crypto_random
    };
    ddb_client_t *client = NULL;

    ddb_skew_create(&o.skew, &t->clock, p);
    ddb_breaker_create(&o.breaker, &breaker_opts, p);
    t->notices = (msd_store_notices_t){ .breaker = o.breaker, .skew = o.skew };
    t->http.perform = table_perform;
    t->http.baton = t;
    t->clock = (ddb_clock_t){ .wall = fixed_wall, .monotonic = fixed_monotonic, .sleep = no_sleep, .baton = t };
    t->rules.bytes = 32;
    t->rules.hash = 0; /* the table knows whose each row is: the key is the ID */
    o.endpoint.url = "http://localhost:8000";
    o.endpoint.host = "localhost:8000";
    o.endpoint.region = "eu-central-1";
    if (ddb_creds_create(&o.creds, &creds_opts, p) != APR_SUCCESS || ddb_client_create(&client, &o, p) != APR_SUCCESS
        || ddb_store_create(&t->store, client, "t", ddb_crypto_random, p) != APR_SUCCESS) {
        printf("Bail out! no store\n");
        exit(1);
    }
    return t;
}

/* Load, change, touch, end. @return how many steps failed, or met another's session. */
static int live(table_t *t, apr_pool_t *p)
{
    ddb_error_t err = { 0 };
    ddb_store_call_t call = { .rules = &t->rules,
                              .format = DDB_FORM,
                              .consistent = 1,
                              .now = NOW,
                              .deadline = apr_time_from_sec(1002),
                              .pool = p,
                              .err = &err };
    ddb_session_t s = { 0 }, current;
    const char *sid = NULL;
    int wrong = 0;

    ddb_sid_make(&sid, &t->rules, ddb_crypto_random, p);
    if (ddb_store_load(t->store, &call, sid, &s) != APR_SUCCESS
        || strcmp(s.data, apr_pstrcat(p, "k=", s.key, NULL)) != 0) {
        return 1;
    }
    wrong += ddb_store_touch(t->store, &call, &s) != APR_SUCCESS;
    s.data = "a=2";
    s.data_len = 3;
    wrong += ddb_store_save(t->store, &call, &s, &current) != APR_SUCCESS;
    wrong += s.version != 2;
    wrong += ddb_store_remove(t->store, &call, s.key) != APR_SUCCESS;
    return wrong;
}

static int live_often(void *shared, int number, apr_pool_t *p)
{
    apr_pool_t *each = NULL;
    int i, wrong = 0;

    (void)number;
    apr_pool_create(&each, p);
    for (i = 0; i < 25; i++) {
        wrong += live(shared, each);
        apr_pool_clear(each);
    }
    return wrong;
}

static void test_store(void)
{
    table_t *t = table_create(pool);

    NUM_IS(crowd_work(live_often, t), 0, "many threads load, touch, save and end sessions, each its own");
    NUM_IS(t->writes, CROWD_SIZE * 25 * 3, "and each write was done once");
}

/* --- the writer --- */

static msd_write_queue_job_t job_for(const table_t *t)
{
    return (msd_write_queue_job_t){
        .store = t->store, .table = "t", .clock = &t->clock, .notices = &t->notices, .timeout = 2 * SECOND
    };
}

typedef struct writer_world_t {
    table_t *table;
    msd_write_queue_t *writer;
} writer_world_t;

static int push_many(void *shared, int number, apr_pool_t *p)
{
    writer_world_t *w = shared;
    apr_pool_t *each = NULL;
    int i;

    apr_pool_create(&each, p);
    for (i = 0; i < 100; i++) {
        ddb_item_t row = { .accessed = NOW };
        msd_write_queue_job_t job = job_for(w->table);

        job.kind = i % 4 ? MSD_WRITE_QUEUE_TOUCH : MSD_WRITE_QUEUE_REMOVAL;
        job.now = NOW;
        job.session.key = apr_psprintf(each, "thread %d, row %d", number, i);
        job.session.created = job.session.accessed = NOW - 100 * SECOND;
        job.session.idle_timeout = 7200;
        job.session.absolute_timeout = 43200;
        job.session.row = &row;
        msd_write_queue_push(w->writer, &job);
        apr_pool_clear(each); /* as a request's is: the writer has its own copy */
    }
    return 0;
}

static void test_writer(void)
{
    writer_world_t w = { .table = table_create(pool) };
    server_rec s = { 0 };

    NUM_IS(msd_write_queue_create(&w.writer, &s, NULL), APR_SUCCESS, "a writer is made");
    NUM_IS(crowd_work(push_many, &w), 0, "many threads push what there is to write");
    msd_write_queue_drain(w.writer, 20 * SECOND);
    NUM_IS(so_far(&w.table->writes), CROWD_SIZE * 100, "and all of it was written when the queue is empty");
    NUM_IS(logged, 0, "none of which is worth a line in the log");
    msd_write_queue_stop(w.writer);
    NUM_IS(logged, 0, "nor is an end with nothing left to do");
}

/* A table that answers when it is let. */
static int is_open;

static apr_status_t closed_perform(void *baton, const ddb_http_request_t *req, apr_pool_t *p, ddb_http_response_t *res,
                                   ddb_error_t *err)
{
    while (!so_far(&is_open)) {
        apr_sleep(1000);
    }
    return table_perform(baton, req, p, res, err);
}

static int push(msd_write_queue_t *writer, const table_t *t, msd_touches_t *recent, int i)
{
    ddb_item_t row = { .accessed = NOW };
    msd_write_queue_job_t job = job_for(t);
    apr_pool_t *p = NULL;
    int claimed;

    apr_pool_create(&p, pool);
    job.kind = MSD_WRITE_QUEUE_TOUCH;
    job.now = NOW;
    job.recent = recent;
    job.session.key = ddb_sid_loggable(apr_psprintf(p, "session %d", i), p);
    job.session.created = job.session.accessed = NOW - 100 * SECOND;
    job.session.idle_timeout = 7200;
    job.session.absolute_timeout = 43200;
    job.session.row = &row;
    claimed = msd_touches_claim(recent, job.session.key, NOW, 60 * SECOND);
    if (claimed && writer) {
        msd_write_queue_push(writer, &job);
    }
    apr_pool_destroy(p);
    return claimed;
}

static void test_full_writer(void)
{
    table_t *t = table_create(pool);
    msd_touches_t *recent = NULL;
    msd_write_queue_t *writer = NULL;
    server_rec s = { 0 };
    int i, round;

    msd_touches_create(&recent, pool);
    msd_write_queue_create(&writer, &s, NULL);
    t->http.perform = closed_perform;
    for (round = 0; round < 2; round++) {
        logged = is_open = 0;
        /* More than it takes: one is under way, the rest waits. */
        for (i = 0; i < 1030 || !logged; i++) {
            push(writer, t, recent, 2000 * round + i);
        }
        NUM_IS(logged, 1, "a queue that is full is told once");
        OK(push(writer, t, recent, 2000 * round + i - 1), "what is dropped leaves no claim behind");
        OK(!push(writer, t, recent, 2000 * round + 1), "what waits does");
        logged = 0;
        next(&is_open);
        for (i = 0; i < 20000 && so_far(&logged) < 1; i++) {
            apr_sleep(1000);
        }
        NUM_IS(so_far(&logged), 1, "that all is written again is told as well");
    }
    is_open = logged = 0;
    for (i = 0; i < 10; i++) {
        push(writer, t, recent, 5000 + i);
    }
    apr_sleep(50000); /* the first is under way */
    msd_write_queue_drain(writer, 10000);
    NUM_IS(logged, 0, "at the end what is under way is waited for a little");
    next(&is_open);
    msd_write_queue_stop(writer);
    NUM_IS(logged, 1, "and what is given up is one line");
    OK(push(NULL, t, recent, 5009) == 1, "its claims are too");
}

/* --- who touches --- */

#define SESSIONS 50 /* none of these shares its slot with another */

static int claim_many(void *shared, int number, apr_pool_t *p)
{
    msd_touches_t *recent = shared;
    int i, claimed = 0;

    (void)number;
    for (i = 0; i < 6 * SESSIONS; i++) {
        const char *sid = apr_psprintf(p, "session %d", i % SESSIONS), *key = ddb_sid_loggable(sid, p);

        claimed += msd_touches_claim(recent, key, NOW, 60 * SECOND);
    }
    return claimed;
}

static void test_recent(void)
{
    msd_touches_t *recent = NULL;

    NUM_IS(msd_touches_create(&recent, pool), APR_SUCCESS, "a table of recent touches is made");
    NUM_IS(crowd_work(claim_many, recent), SESSIONS, "of many threads one touches each session");
}

TAP_MAIN(p)
{
    pool = p;
    test_curl();
    test_creds();
    test_signatures();
    test_breaker();
    test_budget();
    test_skew();
    test_store();
    test_writer();
    test_full_writer();
    test_recent();
}
