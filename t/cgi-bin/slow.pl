#!/usr/bin/perl
# Takes seconds=N (1) before it answers, then with replace=FORM changes the session.
use strict;
use warnings;

my %query = map { split /=/, $_, 2 } grep { /=/ } split /&/, $ENV{QUERY_STRING} || '';
select undef, undef, undef, defined $query{seconds} ? $query{seconds} : 1;
(my $replace = $query{replace} || '') =~ s/%([0-9a-fA-F]{2})/chr hex $1/ge;

print "Content-Type: text/plain\n";
print "X-Replace-Session: $replace\n" if length $replace;
print "\nHTTP_SESSION=", defined $ENV{HTTP_SESSION} ? $ENV{HTTP_SESSION} : '(none)', "\n";
