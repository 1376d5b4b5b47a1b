# Connections that are open before the first request, and what a dead table does to that.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Server;

# Where threads share a process one child is enough; prefork gives each its own.
my @ONE = @SessionTest::Server::ONE_CHILD;

note 'Opened by the child';
{
    close_connections();
    my $before = connections();
    my $server = SessionTest::Server->start(@ONE, 'SessionDynamoDBWarmConnections 3');
    ok eventually(sub { connections()->{accepted} == $before->{accepted} + 3 }), 'three connections are opened'
        or diag explain connections();
    is_deeply [calls { select undef, undef, undef, 0.2 } 0], [], '... and the table is not asked';
    my $id = session(a => 1);
    my $accepted = connections()->{accepted};
    calls_are { get('/test/?get=a', cookie => $id, port => $server->port) } ['GetItem'], 'the first session is read';
    is res()->line('get a'), 1, '... and is there';
    is connections()->{accepted}, $accepted, '... on a connection that was open';
    $server->stop;
}

note 'Not to be had';
{
    my $server = SessionTest::Server->start(@ONE, 'SessionDynamoDBEndpointURL http://127.0.0.1:1',
        'SessionDynamoDBWarmConnections 3');
    is get('/test/', port => $server->port)->status, 200, 'a dead table does not keep the child from its work';
    ok eventually(sub { SessionTest::Log::slurp($server->{log}) =~ /0 of 3 connections/ }), '... and the log tells';
    $server->stop(qr{SessionDynamoDBWarmConnections: 0 of 3 connections to http://127\.0\.0\.1:1 are open});
}

done;
