#!/usr/bin/perl
# The backend behind the proxy: tells what reached it.
use strict;
use warnings;

print "Content-Type: text/plain\n";
for (split /&/, $ENV{QUERY_STRING} || '') {
    my($name, $value) = split /=/, $_, 2;
    next unless defined $value;
    $value =~ s/%([0-9a-fA-F]{2})/chr hex $1/ge;
    print "X-Replace-Session: $value\n" if $name eq 'replace';
    print "Status: $value\n"            if $name eq 'status';
}
print "\n";
print "$_=$ENV{$_}\n" for sort grep { /^(?:HTTP_|REQUEST_|QUERY_|REMOTE_USER)/ } keys %ENV;
