/* The security events of a request's sessions. */

#include <string.h>

#include <httpd.h>

#include "httpd/child/msd_counts.h"
#include "httpd/child/msd_event_log.h"
#include "httpd/msd_event.h"
#include "store/ddb_event.h"

/* ---- while the request is served --------------------------------------------------------------------------------- */

/** The session's user; if there is none any more, the one who left. */
static ddb_marks_user_t user_now(const msd_session_t *s)
{
    const apr_array_header_t *left = s->answer.left;

    if (s->answer.login) {
        return *s->answer.login;
    }
    if (left && left->nelts) {
        return (ddb_marks_user_t){ .realm = APR_ARRAY_IDX(left, 0, msd_session_left_t).realm,
                                   .user = APR_ARRAY_IDX(left, 0, msd_session_left_t).user };
    }
    return (ddb_marks_user_t){ .user = NULL };
}

void msd_event_note(msd_session_t *s, const char *event, const char *reason, const char *sid, const char *previous)
{
    if (strcmp(event, "revoked") != 0) { /* whoever revokes counts the sessions */
        msd_counts_add_event(s->server, event, reason, 1);
    }
    if (!msd_config_server(s->server)->events) {
        return;
    }
    if (!s->events) {
        s->events = apr_array_make(s->pool, 2, sizeof(msd_session_event_t));
    }
    APR_ARRAY_PUSH(s->events, msd_session_event_t) = (msd_session_event_t){
        .event = event, .reason = reason, .sid = sid, .previous = previous, .user = user_now(s)
    };
}

static void note_over(msd_session_t *s, const char *sid)
{
    static const struct {
        const char *event, *reason;
    } words[] = {
        [DDB_OVER_IDLE] = { "expired", "idle" },  [DDB_OVER_ABSOLUTE] = { "expired", "absolute" },
        [DDB_OVER_MOVED] = { "reused", "login" }, [DDB_OVER_LEFT] = { "reused", "left" },
        [DDB_OVER_RENEWED] = { "reused", "age" }, [DDB_OVER_APPLICATION] = { "expired", "application" },
    };

    msd_event_note(s, words[s->ids.over].event, words[s->ids.over].reason, sid, NULL);
}

void msd_event_note_refused(msd_session_t *s, const char *sid)
{
    static const struct {
        const char *event, *reason;
    } words[] = {
        [DDB_MISS_NONE] = { "failed", "bad-item" },   [DDB_MISS_FORM] = { "refused", "form" },
        [DDB_MISS_ABSENT] = { "refused", "unknown" }, [DDB_MISS_FOREIGN] = { "refused", "foreign" },
        [DDB_MISS_MOVED] = { "reused", "login" },     [DDB_MISS_LEFT] = { "reused", "left" },
        [DDB_MISS_RENEWED] = { "reused", "age" },     [DDB_MISS_REUSED] = { "reused", "age" },
        [DDB_MISS_KNOWN] = { "refused", "repeated" }, [DDB_MISS_KNOWN_OVER] = { "refused", "repeated" },
        [DDB_MISS_BOUND] = { "refused", "changed" },
    };

    if (s->ids.miss == DDB_MISS_OVER) {
        note_over(s, sid);
    }
    else {
        msd_event_note(s, words[s->ids.miss].event, words[s->ids.miss].reason, sid, NULL);
    }
}

const char *msd_event_why_renewed(const msd_session_t *s)
{
    switch (s->answer.identity) {
    case MSD_LOGIN:
        return "login";
    case MSD_LOGOUT:
        return "logout-keep";
    case MSD_USER_CHANGED:
        return "user-changed";
    case MSD_SAME_USER:
        break;
    }
    return "program";
}

const char *msd_event_why_ended(const msd_session_t *s)
{
    if (s->answer.abandon || s->answer.anew) {
        return "program";
    }
    return s->answer.identity == MSD_LOGOUT         ? "logout"
           : s->answer.identity == MSD_USER_CHANGED ? "user-changed"
           : s->answer.identity == MSD_LOGIN        ? "login"
                                                    : "emptied";
}

/* ---- at its end -------------------------------------------------------------------------------------------------- */

/** Note what kept s from being used, or its changes from being stored. */
static void note_failure(const msd_request_t *q, msd_session_t *s)
{
    const msd_session_answer_t *a = &s->answer;
    const apr_array_header_t *came = s->outcome == MSD_WITHOUT_TLS ? msd_request_came(q, s->conf) : NULL;

    if (came) {
        msd_event_note(s, "refused", "tls", APR_ARRAY_IDX(came, 0, const char *), NULL);
    }
    if (s->outcome == MSD_MISCONFIGURED) {
        msd_event_note(s, "failed", ddb_error_word(DDB_ECONFIG), NULL, NULL);
    }
    if (msd_session_is_denied(s)) {
        /* mod_session does not say why an encoder failed. */
        msd_event_note(s, "failed",
                       a->written == MSD_OVER_LIMIT ? "limit"
                       : a->failure                 ? ddb_error_word(a->failure)
                                                    : "encoder",
                       s->stored.sid ? s->stored.sid : s->ids.opened, NULL);
    }
}

/** What all events of the tree have in common. */
static ddb_event_t describe(const request_rec *top)
{
    const request_rec *last = top;
    const char *unique = apr_table_get(top->subprocess_env, "UNIQUE_ID");

    while (last->next) {
        last = last->next;
    }
    return (ddb_event_t){ .time = apr_time_now(),
                          .client = top->useragent_ip,
                          .method = top->method,
                          .host = top->server->server_hostname,
                          .path = top->uri,
                          .agent = apr_table_get(top->headers_in, "User-Agent"),
                          .status = last->status,
                          .request = top->log_id ? top->log_id : unique };
}

static void write_events(const msd_request_t *q, const msd_session_t *s, ddb_event_t e)
{
    const msd_event_log_t *log = msd_config_server(s->server)->events;
    int i;

    for (i = 0; s->events && i < s->events->nelts; i++) {
        const msd_session_event_t *happened = &APR_ARRAY_IDX(s->events, i, msd_session_event_t);

        e.event = happened->event;
        e.reason = happened->reason;
        e.session = happened->sid;
        e.previous = happened->previous;
        e.user = happened->user.user ? happened->user : s->user; /* HTTP authentication came after the load */
        msd_event_log_write(log, s->server, ddb_event_line(&e, msd_event_log_key(log), q->top->pool));
    }
}

void msd_event_write(msd_request_t *q)
{
    msd_session_t *s;
    int any = 0;

    for (s = &q->session; s; s = s->next) {
        note_failure(q, s);
        any |= s->events != NULL;
    }
    for (s = &q->session; s && any; s = s->next) {
        write_events(q, s, describe(q->top));
    }
}
