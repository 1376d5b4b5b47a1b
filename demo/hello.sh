#!/bin/sh
# A CGI program in shell: it counts its own visits in the session that httpd hands it in HTTP_SESSION ("key=value&..."),
# and stores the new count with X-Replace-Session, which is merged into the session key by key.
count=$(printf '%s' "$HTTP_SESSION" | tr '&' '\n' | sed -n 's/^hello=\([1-9][0-9]\{0,8\}\)$/\1/p')
count=$((${count:-0} + 1))

printf 'Content-Type: text/plain; charset=utf-8\r\n'
printf 'X-Replace-Session: hello=%s\r\n\r\n' "$count"
printf 'Hello from sh, for the %s. time in this session.\n\n' "$count"
printf 'HTTP_SESSION was: %s\n' "${HTTP_SESSION:-(empty)}"
