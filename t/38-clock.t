# A clock that is wrong: found out by the first request that DynamoDB refuses for it, and corrected, for signatures and
# for the ends of sessions.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Server;

my $WRONG = qr/\[session_dynamodb:warn\].*this machine's clock is (\d+) s (behind|ahead of) DynamoDB's/;
my $RIGHT = qr/\[session_dynamodb:notice\].*this machine's clock is correct again/;

# Each process learns it for itself, by a call of its own: with one child it is known from the first request on.
my $server = SessionTest::Server->start(@SessionTest::Server::ONE_CHILD, 'LogLevel notice', '<Location /maxage/>',
    'SetHandler test-session', 'SessionMaxAge 100', '</Location>');
my @HERE   = (port => $server->port);

sub said { return scalar(() = $server->log_lines($_[0])) }

# Requests while the clocks differ as the last ones did not: the first of them is refused for it, and all are answered.
sub eight_requests {
    my($id) = @_;
    my @statuses;
    my @calls = grep { $_->{op} eq 'GetItem' } calls_of {
        push @statuses, get('/test/?get=a', @HERE, cookie => $id)->status for 1 .. 8;
    };
    is "@statuses", '200 ' x 7 . 200, 'requests are answered';
    is scalar(@calls), 9, '... a call that is refused is made again';
    is join(' ', map { $_->{type} } grep { $_->{status} == 400 } @calls), 'InvalidSignatureException',
        '... one is, the first, for its signature';
    is $calls[0]{status}, 400, '... and from then on the clock is right';
    return;
}

# The table's clock is so many seconds ahead of ours.
for my $ahead (1200, -1200) {
    my $way   = $ahead > 0 ? 'behind' : 'ahead of';
    my $id    = session(a => 1);
    my $other = session(a => 2);
    my $long  = session('/maxage/', a => 3);
    # Its end is in ten minutes, or was ten minutes ago, by our clock.
    age($other, 7200 - ($ahead > 0 ? 600 : -600));

    note "A clock that is 20 minutes $way DynamoDB's";
    my $wrong = said($WRONG);
    mode(clock_offset => $ahead);
    eight_requests($id);
    is said($WRONG) - $wrong, 1, '... which is said in one line';
    like +($server->log_lines($WRONG))[-1], qr/clock is (?:1199|1200|1201) s $way DynamoDB's/, '... with the difference';

    my $new = get('/test/?set=a:4', @HERE)->cookie('id');
    my $off = seconds_of(row(key_of($new))->{created}{S}) - time;
    cmp_ok abs($off - $ahead), '<', 60, 'sessions begin by DynamoDB\'s clock';
    is get('/test/?get=a', @HERE, cookie => $other)->line('get a'), $ahead > 0 ? '(none)' : 2, '... and end by it';
    is get('/test/?get=a', @HERE, cookie => $new)->line('get a'), 4, '... a new one is there';
    is get('/test/?set=a:5', @HERE, cookie => $new)->status, 200, '... can be changed';
    is get('/test/?get=a', @HERE, cookie => $new)->line('get a'), 5, '... and is';
    my $limited = get('/maxage/?set=a:6', @HERE)->cookie('id');
    is get('/maxage/?get=a', @HERE, cookie => $limited)->line('get a'), 6, 'mod_session\'s limit goes by it, too';
    is get('/maxage/?get=a', @HERE, cookie => $long)->line('get a'), $ahead > 0 ? '(none)' : 3,
        '... for sessions from before';

    note 'The clock is set right';
    my $right = said($RIGHT);
    mode(clock_offset => 0);
    eight_requests($new);
    is said($RIGHT) - $right, 1, '... which is said';
}
$server->stop($WRONG);

note 'A signature that is refused for another reason';
{
    my $id = session(a => 1);
    fault(kind => 'error', type => 'InvalidSignatureException', message => 'm', op => 'GetItem');
    my @calls = calls_of { get('/test/?get=a', cookie => $id) };
    is res()->status, 503, 'is refused';
    is scalar(@calls), 1, '... and not made again';
}

expect_log qr/\[session_dynamodb:error\].*the session could not be read/, qr/\[session:error\].*AH01816/;

done;
