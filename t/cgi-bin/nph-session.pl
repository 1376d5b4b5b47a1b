#!/usr/bin/perl
# A program whose answer httpd does not read: it makes all of it itself.
use strict;
use warnings;
print "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Replace-Session: b=2\r\n\r\nby itself\n";
