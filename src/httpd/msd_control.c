/* The control header: its words, and what they do. */

#include <apr_lib.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>

#include "httpd/msd_control.h"

APLOG_USE_MODULE(session_dynamodb);

#define SEPARATORS " \t,"

/** The seconds of name=SECONDS; 0 if the word is something else. */
static apr_int64_t seconds_of(const char *word, const char *name)
{
    apr_size_t len = strlen(name);
    apr_int64_t seconds;
    char *end;

    if (strncasecmp(word, name, len) != 0 || word[len] != '=' || !apr_isdigit(word[len + 1])) {
        return 0;
    }
    seconds = apr_strtoi64(word + len + 1, &end, 10);
    return *end || seconds > MSD_SECONDS_MOST ? 0 : seconds;
}

/** @return 0 if the word is none. */
static int apply_word(msd_session_t *s, const char *word)
{
    apr_int64_t idle = seconds_of(word, "idle"), absolute = seconds_of(word, "absolute");

    if (idle || absolute) {
        msd_session_set_timeouts(s, idle ? idle : s->stored.idle_timeout,
                                 absolute ? absolute : s->stored.absolute_timeout);
    }
    else if (strcasecmp(word, "renew") == 0) {
        msd_session_renew(s);
    }
    else if (strcasecmp(word, "create") == 0) {
        msd_session_begin_anew(s);
    }
    else if (strcasecmp(word, "abandon") == 0) {
        msd_session_abandon(s);
    }
    else if (s->conf->user_sessions && strcasecmp(word, "revoke-others") == 0) {
        msd_session_revoke(s, MSD_REVOKE_OTHERS);
    }
    else if (s->conf->user_sessions && strcasecmp(word, "revoke-user") == 0) {
        msd_session_revoke(s, MSD_REVOKE_ALL);
    }
    else {
        return 0;
    }
    return 1;
}

void msd_control_apply(request_rec *r, msd_session_t *s, const char *said)
{
    char *last = NULL, *word = apr_strtok(apr_pstrdup(s->pool, said), SEPARATORS, &last);
    const char *unknown = NULL;

    for (; word; word = apr_strtok(NULL, SEPARATORS, &last)) {
        unknown = apply_word(s, word) ? unknown : word;
    }
    if (unknown) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "ignored '%.32s' in the header %s of %s: use renew, create, abandon, idle=SECONDS or "
                      "absolute=SECONDS, up to ten years; with SessionDynamoDBUserSessions On also revoke-others and "
                      "revoke-user",
                      unknown, s->conf->control_header, r->uri);
    }
}
