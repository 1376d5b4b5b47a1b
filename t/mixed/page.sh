#!/bin/sh
# Shows the user and the session. The query string is what it sets in the session. As "slow" it takes two seconds.
case $SCRIPT_NAME in */slow) sleep 2 ;; esac
echo "Content-Type: text/plain"
[ -z "$QUERY_STRING" ] || printf 'X-Replace-Session: %s\n' "$QUERY_STRING"
printf '\nuser=%s\nsession=%s\n' "${REMOTE_USER-}" "${HTTP_SESSION-(none)}"
