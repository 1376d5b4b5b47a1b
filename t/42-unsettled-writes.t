# Writes that may have been done: the write id tells, and the client hears the truth.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Login qw(is_tombstone live_rows);
use SessionTest::Unavailable;

my $ID = qr/^[A-Za-z0-9_-]{43}$/;

note 'It may have been done: the write id tells';
my @lost = (
    ['closed without an answer',  kind => 'close_after'],
    ['reset without an answer',   kind => 'reset_after'],
    ['"internal error"',          kind => 'did_but_500'],
    ['a damaged answer',          kind => 'crc'],
    ['half an answer',            kind => 'truncated'],
);
clear_tables();
for my $all_old (1, 0) {
    # AWS sends the row with a failed condition; a table that does not is asked for it.
    mode(all_old => $all_old);
    my @read = $all_old ? () : 'GetItem';
    for (@lost, ['no answer', kind => 'hang_after']) {
        my($what, @fault) = @$_;
        next if $what eq 'no answer' && !$all_old;   # it takes a second

        fault(@fault, op => 'PutItem');
        my @calls = calls_of { get('/test/?set=a:1') };
        is ops(@calls), "@{['PutItem', 'PutItem', @read]}", "a first store, $what: tried again";
        is_deeply $calls[1]{body}, $calls[0]{body}, '... as the same write';
        my $id = res()->cookie('id');
        is res()->status, 200, '... a success';
        like $id, $ID, '... with an ID';
        is_deeply [map { $_->{id}{S} } rows()], [key_of($id)], '... and one row';
        is row(key_of($id))->{version}{N}, 1, '... of version 1';

        fault(@fault, op => 'UpdateItem');
        @calls = calls_of { get('/test/?set=a:2&get=a', cookie => $id) };
        is ops(@calls), "@{['GetItem', 'UpdateItem', 'UpdateItem', @read]}", "a change, $what: tried again";
        is_deeply $calls[2]{body}, $calls[1]{body}, '... as the same write';
        is_deeply [res()->status, res()->set_cookies], [200], '... a success';
        is data_of(row(key_of($id))), 'a=2', '... which is stored';
        is row(key_of($id))->{version}{N}, 2, '... once';

        fault(@fault, op => 'PutItem');
        @calls = calls_of { get('/test/?renew', cookie => $id) };
        is ops(@calls), "@{[qw(GetItem PutItem PutItem), @read, 'UpdateItem']}",
            "a new ID, $what: tried again";
        my $new = res()->cookie('id');
        like $new, $ID, '... and given out';
        is_deeply [map { $_->{id}{S} } live_rows()], [key_of($new)], '... with one row';
        is_tombstone($id);

        fault(@fault, op => 'UpdateItem');
        @calls = calls_of { get('/test/?renew', cookie => $new) };
        is ops(@calls), "@{[qw(GetItem PutItem UpdateItem UpdateItem), @read]}",
            "... the end of the old one, $what: tried again";
        $id = res()->cookie('id');
        like $id, $ID, '... and the new ID given out';
        is_deeply [map { $_->{id}{S} } live_rows()], [key_of($id)], '... with one row';
        is_tombstone($new);
        is data_of(row(key_of($id))), 'a=2', '... that has it all';

        fault(@fault, op => 'DeleteItem');
        @calls = calls_of { get('/test/?end', cookie => $id) };
        is ops(@calls), 'GetItem DeleteItem DeleteItem', "an end, $what: tried again";
        is_deeply [res()->status, res()->cookie('id')], [200, ''], '... a success';
        is scalar(live_rows()), 0, '... and no row';
        clear_tables();
    }
}
mode(all_old => 1);
{
    fault(kind => 'close_after', op => 'PutItem', count => 2);
    calls_are { get('/test/?set=a:1') } [('PutItem') x 3], 'twice without an answer: tried a third time';
    my $id = res()->cookie('id');
    is_deeply [map { $_->{id}{S} } rows()], [key_of($id)], '... one row, whose ID was given out';
    fault(kind => 'did_but_500', op => 'UpdateItem', count => 2);
    calls_are { get('/test/?set=a:2', cookie => $id) } ['GetItem', ('UpdateItem') x 3], '... a change too';
    is row(key_of($id))->{version}{N}, 2, '... made once';

    # Another request writes between the two attempts: ours was done, and must not be done again.
    fault(kind => 'hang_after', op => 'UpdateItem');
    my $slow = connection();
    $slow->send_request(path => '/test/?set=b:slow', headers => [['Cookie', "id=$id"]]);
    ok eventually(sub { row(key_of($id))->{version}{N} == 3 }), 'a change is done, but not answered';
    is get('/test/?set=b:later', cookie => $id)->status, 200, '... a later request changes it again';
    is $slow->read_response->status, 200, '... the first one ends well';
    my $row = row(key_of($id));
    is join(' ', sort split /&/, data_of($row)), 'a=2 b=slow', '... as a merge, the same entry going to who saved last';
    is $row->{version}{N}, 5, '... with three writes in all';
}

note 'Never an answer: it can not be settled, and nothing is left undisclosed';
{
    clear_tables();
    fault(kind => 'did_but_500', op => 'PutItem', count => 0);
    my @calls = calls_of { get('/test/?set=a:1') } 4;
    is ops(@calls), 'PutItem PutItem PutItem DeleteItem', 'a first store: the row that may be there is taken away';
    is_unavailable(res(), '...');
    is scalar(rows()), 0, '... and is not there';
    clear_faults();

    my $id = session(a => 1);
    fault(kind => 'did_but_500', op => 'UpdateItem', count => 0);
    get('/test/?set=a:2', cookie => $id);
    is_unavailable(res(), 'a change');
    clear_faults();
    is get('/test/?get=a', cookie => $id)->line('get a'), 2, '... which was done: the client was told to try again';

    fault(kind => 'did_but_500', op => 'PutItem', count => 0);
    get('/test/?renew', cookie => $id);
    is_unavailable(res(), 'a new ID');
    clear_faults();
    ok eventually(sub { rows() == 1 }), '... whose row goes';
    is get('/test/?get=a', cookie => $id)->line('get a'), 2, '... and the old ID still is the session\'s';

    fault(kind => 'did_but_500', op => 'DeleteItem', count => 0);
    get('/test/?clear', cookie => $id);
    is_unavailable(res(), 'a logout');
    clear_faults();
    is get('/test/?get=a', cookie => $id)->line('get a'), '(none)', '... which was done';
}

note 'Throttled twice, then fine';
{
    my $id;
    fault(kind => 'throttle', op => 'PutItem', count => 2);
    calls_are { $id = session(a => 1) } [('PutItem') x 3], 'a first store takes three attempts';
    fault(kind => 'throttle', op => 'GetItem', count => 2);
    calls_are { get('/test/?get=a', cookie => $id) } [('GetItem') x 3], 'a load too';
    is res()->line('get a'), 1, '... and succeeds';
    fault(kind => 'throttle', op => 'UpdateItem', count => 2);
    calls_are { get('/test/?set=a:2', cookie => $id) } ['GetItem', ('UpdateItem') x 3], 'a change too';
    is row(key_of($id))->{version}{N}, 2, '... and is made once';
    fault(kind => 'throttle', op => 'DeleteItem', count => 2);
    calls_are { get('/test/?end', cookie => $id) } ['GetItem', ('DeleteItem') x 3], 'an end too';
    is res()->cookie('id'), '', '... and ends the cookie';
}

note 'Connections that are gone when they are used again';
{
    my $id = session(a => 1);
    get('/test/?get=a', cookie => $id) for 1 .. 4;
    close_connections();
    calls_are { get('/test/?get=a', cookie => $id) } ['GetItem'], 'closed while idle: replaced in silence';
    is res()->line('get a'), 1, '... and the session is there';
    fault(kind => 'close_before', op => 'UpdateItem', reused => JSON::PP::true());
    calls_are { get('/test/?set=a:2', cookie => $id) } [qw(GetItem UpdateItem UpdateItem)],
        'closed in the face of a write: tried again, by us and not behind our back';
    is row(key_of($id))->{version}{N}, 2, '... and done once';
    is res()->status, 200, '... a success';

    # The other attempt is one that reaches the table: libcurl 8.7 to 8.15 made it fail unsent.
    my $retries = sub { get('/server-status?auto')->body =~ /^SessionDynamoDBRetries: (\d+)$/m ? $1 : undef };
    my $before  = $retries->();
    for (1 .. 10) {
        fault(kind => 'close_before', op => 'GetItem', reused => JSON::PP::true());
        get('/test/?get=a', cookie => $id) for 1 .. 2;
    }
    clear_faults();
    my @dropped = calls_of { get('/test/?get=a', cookie => $id) };
    is ops(@dropped), 'GetItem', 'ten that were dropped leave nothing behind';
    is $retries->() - $before, 10, '... and cost ten retries';
}

expect_log qr/\[session_dynamodb:error\].*the session could not be written/, qr/\[session:error\].*AH01822/;

done;
