# Child processes that end: killed amid a write, restarted at once, and gracefully with writes still to do.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Process;

my $PARENT  = SessionTest::Process::parent($SessionTest::T);
my $RESTART = qr/SIGUSR1 received|Graceful restart requested/;   # each MPM has its words

sub children { return SessionTest::Process::children($PARENT, setting('mpm')) }

# None of these is left, and others have taken their places.
sub replaced {
    my %old = map { $_ => 1 } @_;
    return eventually(sub { my @now = children(); @now && !grep { $old{$_} } @now }, 20);
}

# A request under way whose call of that kind waits at the table, and a session that it has.
sub amid {
    my($query, %fault) = @_;
    my $id = session(a => 1);
    fault(%fault);
    my $connection = connection();
    $connection->send_request(path => "/test/?$query", headers => [['Cookie', "id=$id"]]);
    ok eventually(sub { my $c = connections(); $c->{held} + $c->{hung} }), "$query: the $fault{op} is under way";
    return ($id, $connection);
}

sub is_unharmed {
    my($id, @values) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $row = row(key_of($id));
    is_deeply [sort keys %{ $row || {} }],
        [sort qw(id data created accessed expires idle_timeout absolute_timeout version write_id loggable)],
        '... the row is whole';
    my $answer;
    # Who connects while a child dies may be dropped by it.
    ok eventually(sub { $answer = eval { get('/test/?get=a', cookie => $id) } }, 20), '... a next request is answered';
    my $value = $answer->line('get a');
    ok scalar(grep { $value eq $_ } @values), "... and has the session (a=$value)";
}

note 'Killed';
for my $case (['before the write arrived', 'hang', 1], ['after it was done', 'hang_after', 2],
              ['while it is on its way', 'hold', 1, 2]) {
    my($when, $kind, @values) = @$case;
    clear_tables();
    my @children = children();
    my($id, $connection) = amid('set=a:2', kind => $kind, op => 'UpdateItem');
    kill KILL => @children;
    is $connection->read_response, undef, "... the child is killed $when";
    clear_faults();
    quiet();
    is_unharmed($id, @values);
    is scalar(rows()), 1, '... and there is no other row';
    ok replaced(@children), '... in a new child';
}
{
    clear_tables();
    my @children = children();
    my($id, $connection) = amid('renew', kind => 'hang', op => 'UpdateItem');
    kill KILL => @children;
    is $connection->read_response, undef, '... the child is killed between the new row and the end of the old one';
    clear_faults();
    is_unharmed($id, 1);
    # Nobody was told the new ID. Its row goes when its time is over.
    is scalar(rows()), 2, '... and the new row waits for its end';
    ok replaced(@children), '... in a new child';
}

note 'Restarted at once';
{
    clear_tables();
    my @children = children();
    my($id) = amid('set=a:2', kind => 'hold', op => 'UpdateItem');
    kill HUP => $PARENT;
    ok replaced(@children), '... all children are new';
    clear_faults();
    is_unharmed($id, 1, 2);
}

note 'Stopped gracefully, with activity still to be recorded';
{
    clear_tables();
    my @ids      = map { session(a => $_) } 1 .. 12;
    my %before   = map { $_ => age($_, 300)->{accessed}{S} } @ids;
    my @children = children();
    fault(kind => 'hold', op => 'UpdateItem', count => 0);
    is get('/test/?get=a', cookie => $_)->status, 200, 'a request with a touch due' for @ids;
    ok held(1), '... is answered, and the touch under way';
    kill USR1 => $PARENT;
    ok eventually(sub { log_lines($RESTART) }), '... when the restart begins';
    # Time enough for the children to end, if they would not wait.
    eventually(sub { my %now = map { $_ => 1 } children(); !grep { $now{$_} } @children },
        0.5 / setting('slow'));
    clear_faults();
    ok replaced(@children), '... all children are new';
    quiet();
    my @missed = grep { row(key_of($_))->{accessed}{S} eq $before{$_} } @ids;
    is scalar(@missed), 0, '... and all activity is recorded';
}

note 'Stopped gracefully, with a request under way';
{
    my @children = children();
    my($id, $connection) = amid('set=a:2', kind => 'hold', op => 'UpdateItem');
    kill USR1 => $PARENT;
    ok eventually(sub { 2 == log_lines($RESTART) }), '... when the restart begins';
    release();
    is $connection->read_response->status, 200, '... it is answered';
    is get('/test/?get=a', cookie => $id)->line('get a'), 2, '... and its session saved';
    ok replaced(@children), '... all children are new';
    is get('/test/?get=a', cookie => $id)->line('get a'), 2, '... and have it';
}

done;
