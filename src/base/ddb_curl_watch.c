/* Exchanges that can be cancelled at any time: libcurl's own loop would check nothing for up to a second. */

#include "base/ddb_curl_int.h"

static CURLcode drive(CURLM *multi, ddb_cancel_t *cancel)
{
    const CURLMsg *message;
    int running = 1, left;

    while (running) {
        if (ddb_cancel_is_set(cancel)) {
            return CURLE_ABORTED_BY_CALLBACK;
        }
        if (curl_multi_perform(multi, &running) != CURLM_OK
            || (running && curl_multi_poll(multi, NULL, 0, (int)apr_time_as_msec(DDB_CANCEL_LOOK), NULL) != CURLM_OK)) {
            return CURLE_OUT_OF_MEMORY;
        }
    }
    message = curl_multi_info_read(multi, &left);
    return message && message->msg == CURLMSG_DONE ? message->data.result : CURLE_OUT_OF_MEMORY;
}

CURLcode ddb_curl_watch(CURL *easy, ddb_cancel_t *cancel)
{
    CURLM *multi = curl_multi_init();
    CURLcode code = CURLE_OUT_OF_MEMORY;

    if (multi && curl_multi_add_handle(multi, easy) == CURLM_OK) {
        code = drive(multi, cancel);
        curl_multi_remove_handle(multi, easy);
    }
    curl_multi_cleanup(multi);
    return code;
}
