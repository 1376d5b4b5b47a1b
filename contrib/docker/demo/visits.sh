#!/bin/sh
# Counts the visits of a session, and says which server answered.
count=$(printf '%s' "$HTTP_SESSION" | tr '&' '\n' | sed -n 's/^visits=\([1-9][0-9]\{0,8\}\)$/\1/p')
count=$((${count:-0} + 1))

printf 'Content-Type: text/plain; charset=utf-8\r\n'
printf 'X-Replace-Session: visits=%s\r\n\r\n' "$count"
printf 'visit %s, answered by %s\n' "$count" "$(hostname)"
