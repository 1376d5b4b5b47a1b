#!/bin/sh
# The same in a few lines of shell: the whole query string becomes the session.
echo "Content-Type: text/plain"
[ -n "$QUERY_STRING" ] && echo "X-Replace-Session: $QUERY_STRING"
echo
echo "HTTP_SESSION=${HTTP_SESSION-(none)}"
