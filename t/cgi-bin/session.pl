#!/usr/bin/perl
# Shows the session and answers with what the query string asks for:
#   replace=FORM    X-Replace-Session: FORM (url-encoded once more in the query string); may be repeated
#   status=NUMBER   Status:           location=URL   Location: (a local path is a local redirect)
#   header=N:V      any other header  sleep=SECONDS  wait first   meet=NAME  wait for state/NAME.go (see mod_test_session)
#   fill=BYTES      a longer body
use strict;
use warnings;

my(@headers, $fill);
my $decode = sub { my $text = shift; $text =~ tr/+/ /; $text =~ s/%([0-9a-fA-F]{2})/chr hex $1/ge; $text };

for (split /&/, $ENV{QUERY_STRING} || '') {
    my($name, $value) = map { $decode->($_) } split /=/, $_, 2;
    $value = '' unless defined $value;
    push @headers, "X-Replace-Session: $value" if $name eq 'replace';
    push @headers, "Status: $value"            if $name eq 'status';
    push @headers, "Location: $value"          if $name eq 'location';
    push @headers, $value =~ s/:/: /r          if $name eq 'header';
    select undef, undef, undef, $value         if $name eq 'sleep';
    meet($value)                               if $name eq 'meet';
    $fill = $value                             if $name eq 'fill';
}

$| = 1;
print map { "$_\n" } 'Content-Type: text/plain', @headers, '';
print "HTTP_SESSION=", defined $ENV{HTTP_SESSION} ? $ENV{HTTP_SESSION} : '(none)', "\n";
print "$_=$ENV{$_}\n" for sort grep { /^(?:SESSION|REDIRECT_|HTTP_COOKIE|HTTP_X_|REMOTE_USER)/ } keys %ENV;
print '.' x $fill, "\n" if $fill;

sub meet {
    my $base = "$ENV{SERVER_ROOT}/state/$_[0]";
    open my $here, '>', "$base.here" or die "$base.here: $!";
    for (1 .. 1000) {
        return if -e "$base.go";
        select undef, undef, undef, 0.01;
    }
}
