#!/usr/bin/perl
# Answers with a body of size=BYTES (200000) and, with replace=FORM, a changed session: in the way of a failed save.
use strict;
use warnings;

my %query = map { split /=/, $_, 2 } grep { /=/ } split /&/, $ENV{QUERY_STRING} || '';
my $size = $query{size} || 200_000;
(my $replace = $query{replace} || '') =~ s/%([0-9a-fA-F]{2})/chr hex $1/ge;

print "Content-Type: text/plain\n";
print "X-Replace-Session: $replace\n" if length $replace;
print "\n";
print 'x' x 99, "\n" for 1 .. $size / 100;
