#!/usr/bin/perl
# Answers with an entry "long" of as many bytes as the query string says.
print "Content-Type: text/plain\nX-Replace-Session: long=", 'x' x $ENV{QUERY_STRING}, "\n\nlong\n";
