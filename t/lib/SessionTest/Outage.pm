package SessionTest::Outage;

# Of the failures of one kind one a second is a line of the log, which tells the number of the others.

use strict;
use warnings;

use Exporter qw(import);
use POSIX ();
use Time::HiRes ();

our @EXPORT = qw(failures_told all_told another_second);

my $REST_AFTER = 2.05;   # seconds after a line in which a request tells the rest

my $LINE = qr/\[session_dynamodb:\w+\].*(?:the session could not be (?:read|written|ended)|queued .* failed: )/;
my $REST = qr/(\d+) more (?:since the last line of this kind|failures or refusals)/;

# The failures that these lines, or the log since the file began, tell of.
sub failures_told {
    my @lines = @_ ? @_ : SessionTest::log_lines();
    my $told  = grep { /$LINE/ } @lines;
    $told += $_ for map { /$REST/ ? $1 : () } @lines;
    return $told;
}

# 1 when that many failures are told of in a while: what no line has told is told by a request, two seconds later.
sub all_told {
    my $all = shift;
    return SessionTest::eventually(sub {
        return 1 if failures_told() >= $all;
        Time::HiRes::sleep(0.2);
        SessionTest::get('/test/', @_);
        return 0;
    });
}

# Let the failures of the file before this one, which these lines are of, be told now and not in this file's lines.
sub settle {
    return if !grep { /$LINE/ } @_;
    my $past = _since_last(@_);
    Time::HiRes::sleep($REST_AFTER - $past) if $past < $REST_AFTER;
    my $from = SessionTest::Log::size($SessionTest::T);
    SessionTest::get('/test/');
    # Behind the answer the log is written: what is told, and then the story of the request.
    SessionTest::eventually(sub {
        grep { /\bsession: 0 cookies received/ } SessionTest::Log::lines($SessionTest::T, $from);
    });
    return;
}

# Seconds since the last line of a failure, by its time of day; there is one.
sub _since_last {
    my($last) = (grep { /$LINE/ } @_)[-1];
    my($h, $m, $s) = $last =~ /(\d\d):(\d\d):(\d\d\.\d+)/ or return 0;
    my $now  = Time::HiRes::time();
    my @now  = localtime $now;
    my $today = $now[2] * 3600 + $now[1] * 60 + $now[0] + $now - int($now);
    return POSIX::fmod($today - ($h * 3600 + $m * 60 + $s) + 86400, 86400);
}

# Wait until the next failure is a line: of whatever kind, or of the one that these lines (none: the log since the file
# began) are of.
sub another_second {
    my @lines = @_ ? @_ : SessionTest::log_lines();
    return if !grep { /$LINE/ } @lines;
    my $past = _since_last(@lines);
    Time::HiRes::sleep(1.05 - $past) if $past < 1.05;
    return;
}

1;
