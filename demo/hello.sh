#!/bin/sh
# A CGI program in shell. It counts its own visits: httpd passes it the session in HTTP_SESSION ("key=value&..."), and
# merges its response header X-Replace-Session, with the new count, into the session key by key.
count=$(printf '%s' "$HTTP_SESSION" | tr '&' '\n' | sed -n 's/^hello=\([1-9][0-9]\{0,8\}\)$/\1/p')
count=$((${count:-0} + 1))

printf 'Content-Type: text/plain; charset=utf-8\r\n'
printf 'X-Replace-Session: hello=%s\r\n\r\n' "$count"
printf 'Hello from sh. This is visit %s in this session.\n\n' "$count"
printf 'HTTP_SESSION was: %s\n' "${HTTP_SESSION:-(empty)}"
