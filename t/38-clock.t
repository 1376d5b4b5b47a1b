# A clock that is wrong: found out by the first request that DynamoDB refuses for it, and corrected, for signatures and
# for the ends of sessions.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Process;

my $PARENT = SessionTest::Process::parent($SessionTest::T);
my $WRONG  = qr/\[session_dynamodb:warn\].*this machine's clock is (\d+) s (behind|ahead of) DynamoDB's/;
my $RIGHT  = qr/\[session_dynamodb:notice\].*this machine's clock is correct again/;

sub children { return SessionTest::Process::children($PARENT, setting('mpm')) }

# Children that know nothing of what was before.
sub renew_children {
    my %old = map { $_ => 1 } children();
    kill USR1 => $PARENT;
    return eventually(sub { my @now = children(); @now && !grep { $old{$_} } @now }, 20);
}

# The table's clock is so many seconds ahead of ours.
for my $ahead (1200, -1200) {
    clear_tables();
    my $way   = $ahead > 0 ? 'behind' : 'ahead of';
    my $id    = session(a => 1);
    my $other = session(a => 2);
    my $long  = session('/maxage/', a => 3);
    # Ten minutes before its end, or after it, by our clock.
    # Its end is in ten minutes, or was ten minutes ago, by our clock.
    age($other, 7200 - ($ahead > 0 ? 600 : -600));
    my $lines = () = log_lines($WRONG);
    my $most  = setting('mpm') eq 'prefork' ? 12 : 2;   # children

    note "A clock that is 20 minutes $way DynamoDB's";
    mode(clock_offset => $ahead);
    my @statuses;
    my @calls   = grep { $_->{op} eq 'GetItem' } calls_of {
        push @statuses, get('/test/?get=a', cookie => $id)->status for 1 .. 8;
    };
    my @refused = grep { $_->{status} == 400 } @calls;
    is "@statuses", '200 ' x 7 . 200, 'requests are answered';
    is scalar(@calls), 8 + @refused, '... a call that is refused is made again';
    is join(' ', map { $_->{type} } @refused), join(' ', ('InvalidSignatureException') x @refused),
        '... for its signature alone';
    cmp_ok scalar(@refused), '<=', $most, '... once in each child';
    cmp_ok scalar(@refused), '>=', 1, '... that has a request';
    my @said = log_lines($WRONG);
    is scalar(@said) - $lines, scalar(@refused), '... which is said in one line each';
    like $said[-1], qr/clock is (?:1199|1200|1201) s $way DynamoDB's/, '... with the difference';

    my $new = session(a => 4);
    my $off = seconds_of(row(key_of($new))->{created}{S}) - time;
    cmp_ok abs($off - $ahead), '<', 60, 'sessions begin by DynamoDB\'s clock';
    is get('/test/?get=a', cookie => $other)->line('get a'), $ahead > 0 ? '(none)' : 2, '... and end by it';
    is get('/test/?get=a', cookie => $new)->line('get a'), 4, '... a new one is there';
    is get('/test/?set=a:5', cookie => $new)->status, 200, '... can be changed';
    is get('/test/?get=a', cookie => $new)->line('get a'), 5, '... and is';
    my $limited = session('/maxage/', a => 6);
    is get('/maxage/?get=a', cookie => $limited)->line('get a'), 6, 'mod_session\'s limit goes by it, too';
    is get('/maxage/?get=a', cookie => $long)->line('get a'), $ahead > 0 ? '(none)' : 3, '... for sessions from before';

    note 'The clock is set right';
    mode(clock_offset => 0);
    @statuses = map { get('/test/?get=a', cookie => $new)->status } 1 .. 8;
    is "@statuses", '200 ' x 7 . 200, 'requests are answered';
    ok scalar(log_lines($RIGHT)), '... and it is said';
    ok renew_children(), 'the other children end';
}

note 'A signature that is refused for another reason';
{
    my $id = session(a => 1);
    fault(kind => 'error', type => 'InvalidSignatureException', message => 'm', op => 'GetItem');
    my @calls = calls_of { get('/test/?get=a', cookie => $id) };
    is res()->status, 503, 'is refused';
    is scalar(@calls), 1, '... and not made again';
}

expect_log $WRONG, qr/\[session_dynamodb:error\].*the session could not be read/, qr/\[session:error\].*AH01816/;

done;
