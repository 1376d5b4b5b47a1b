# How large a session may become: up to the limit it is stored, to the byte that dynalite has it; beyond it nothing is
# sent, the client is told so, and what is stored stays whole.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use MIME::Base64 qw(decode_base64);
use SessionTest;
use SessionTest::Unavailable;

same_under_every_mpm();

my $LIMIT = 400 * 1024;
my $TOO_LARGE = qr/\[session_dynamodb:error\].*could not be written: over a size limit/;

expect_log qr/AH01822/;   # mod_session's, behind ours

# --- DynamoDB's way of counting, by its documentation -------------------------------------------------------------------

sub number_size {
    my $digits = shift;
    1 while $digits =~ s/^(\d*\d)00$/$1/ && $digits =~ /[1-9]/;
    return $digits eq '0' ? 1 : 1 + int((length($digits) + 1) / 2);
}

sub size_of {
    my $row = shift;
    my $size = 0;
    for my $name (keys %$row) {
        my($type, $value) = %{ $row->{$name} };
        $size += length $name;
        $size += $type eq 'N' ? number_size($value) : $type eq 'B' ? length decode_base64($value) : length $value;
    }
    return $size;
}

# An end that is a multiple of 100 seconds has a byte less: not in the seconds that a comparison takes.
sub no_round_end { sleep 1 while (time + 7200) % 100 > 94 || (time + 7200) % 100 == 0; return }

sub refused_by_table {
    my $row = shift;
    return !eval { put_row($row); 1 } && $@ =~ /ValidationException: Item size has exceeded/;
}

# The row with a byte more in its data.
sub byte_more {
    my $row = { %{ $_[0] } };
    my($type) = keys %{ $row->{data} };
    $row->{data} = { $type => $type eq 'S' ? "$row->{data}{S} " :
        MIME::Base64::encode_base64(decode_base64($row->{data}{B}) . 'x', '') };
    return $row;
}

# What a request that wants too much comes to; the sizes that the log names.
sub too_large {
    my($what, $calls, $request, $answer) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $lines = () = log_lines($TOO_LARGE);
    calls_are { $request->() } $calls, "$what: " . (@$calls ? "@$calls" : 'no call') . ', and no more';
    is_refused_for_good($answer ? $$answer : res(), '...');
    my @lines = log_lines($TOO_LARGE);
    is scalar(@lines), $lines + 1, '... one line in the log';
    like $lines[-1], qr/: the item would have \d+ bytes, more than the \d+ that SessionDynamoDBMaxSize allows: store less/,
        '... says size, limit and remedy';
    like $lines[-1], qr/\(no call, type -, HTTP status 0, request ID -, 0 attempts\)/, '... and that nothing was asked';
    expect_log $TOO_LARGE;
    return $lines[-1] =~ /have (\d+) bytes, more than the (\d+) that/;
}

note 'To the byte';
for my $shape (
    ['a session',            '/size/',         ''],
    ['other timeouts',       '/size/',         'timeouts=1000:123456&'],
    ['round timeouts',       '/size/',         'timeouts=10000:1000000&'],
    ['the longest ID',       '/size/long-id/', ''],
    ['JSON',                 '/size/json/',    ''],
) {
    my($what, $area, $ops) = @$shape;
    no_round_end();
    get("$area?${ops}big=a:1000");
    my $small = res()->cookie('id');
    my $key   = $area eq '/size/long-id/' ? $small : key_of($small);
    my $bytes = 1000 + $LIMIT - size_of(row($key));

    calls_are { get("$area?${ops}big=a:$bytes") } ['PutItem'], "$what: a new one of exactly 400 KB is stored";
    my $id  = res()->cookie('id');
    my $row = row($area eq '/size/long-id/' ? $id : key_of($id));
    is size_of($row), $LIMIT, '... in a row of 409600 bytes';
    SKIP: {
        skip lacks('a limit of 400 KB'), 1 if lacks('a limit of 400 KB');
        ok refused_by_table(byte_more($row)), '... to which the table allows no byte more';
    }
    my $more = $bytes + 1;
    is_deeply [too_large('a byte more', [], sub { get("$area?${ops}big=a:$more") })], [$LIMIT + 1, $LIMIT],
        '... of 409601 bytes';
    is res()->cookie('id'), undef, '... and no ID is handed out';

    no_round_end();
    my $before = row($key);
    is_deeply [too_large('to change one so', ['GetItem'], sub { get("$area?${ops}big=a:$more", cookie => $small) })],
        [$LIMIT + 1, $LIMIT], '... of 409601 bytes';
    is_deeply row($key), $before, '... and the row is as it was';
    calls_are { get("$area?${ops}big=a:$bytes", cookie => $small) } [qw(GetItem UpdateItem)], 'to 400 KB it can be changed';
    is size_of(row($key)), $LIMIT, '... exactly';
    SKIP: {
        skip lacks('a limit of 400 KB'), 1 if lacks('a limit of 400 KB');
        ok refused_by_table(byte_more(row($key))), '... to which the table allows no byte more';
    }
    is get("$area?get=a", cookie => $small)->status, 200, '... and can be read';
    is length res()->line('get a'), $bytes, '... whole';
}

note 'A limit of one\'s own';
{
    my $id = session('/size/', a => 1);
    my($size, $limit) = too_large('2K', ['GetItem'], sub { get('/size/small/?big=a:1900', cookie => $id) });
    is $limit, 2048, '... K is 1024';
    cmp_ok $size, '>', 2048, '... and more than that';
    is get('/size/small/large/?big=a:1900', cookie => $id)->status, 200, 'further in another one holds';
    is get('/size/small/?get=a', cookie => $id)->line('get a'), 'x' x 1900, 'what is larger already can be read';
    too_large('and not be changed', ['GetItem'], sub { get('/size/small/?set=b:1', cookie => $id) });
    my $before = row(key_of($id));
    age($id, 300);
    calls_are { get('/size/small/?get=a', cookie => $id) } [qw(GetItem UpdateItem)], '... its use is recorded';
    is row(key_of($id))->{data}{B}, $before->{data}{B}, '... which leaves the data alone';
    calls_are { get('/size/small/?set=a:1', cookie => $id) } [qw(GetItem UpdateItem)], '... it can become smaller';
    is get('/size/?big=a:5000', cookie => $id)->status, 200, '(larger again)';
    calls_are { get('/size/small/?end', cookie => $id) } [qw(GetItem DeleteItem)], '... and end';
    is row(key_of($id)), undef, '... which it did';
}

note 'A new ID';
{
    my $id = session('/size/', a => 1);
    my $before = row(key_of($id));
    too_large('one with too much', ['GetItem'], sub { get("/size/?renew&big=b:$LIMIT", cookie => $id) });
    is_deeply row(key_of($id)), $before, '... and the session stays under the old one';
    calls_are { get('/size/?renew&big=b:300000', cookie => $id) }
        [qw(GetItem PutItem UpdateItem)], 'one with less is given';
}

note 'Two changes, too large together';
{
    my $id = session('/size/', a => 1);
    my($slow, $answer) = connection();
    $slow->send_request(path => '/size/?meet=size&big=first:250000', headers => [['Cookie', "id=$id"]]);
    ok here('size'), 'a request is under way';
    is get('/size/?big=second:250000', cookie => $id)->status, 200, '... another one fills the session';
    my $before = row(key_of($id));
    # The write meets the other's; the merge of both is not sent.
    too_large('... the first would have to be added', ['UpdateItem'], sub {
        let_go('size');
        $answer = $slow->read_response;
    }, \$answer);
    is_deeply row(key_of($id)), $before, '... and the row is as the other left it';
}

note 'What others put into the row';
{
    my $id = session('/size/', a => 1);
    change_row($id, sub { $_->{note} = { S => 'x' x 300_000 } });
    my $before = row(key_of($id));
    expect_log qr/could not be written.*400 KB/;
    calls_are { get('/size/?big=a:200000', cookie => $id) } [qw(GetItem UpdateItem)], 'is not known: the table is asked';
    is_refused_for_good(res(), '... and says no');
    is_deeply row(key_of($id)), $before, '... and the row is as it was';
    is get('/size/?big=a:50000', cookie => $id)->status, 200, 'less has room';
}

done;
