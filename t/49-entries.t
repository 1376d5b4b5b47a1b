# How many entries a session may have: up to the limit it is stored; beyond it nothing is sent, and the client is told so.
# What is stored with more, by whatever hand, is not loaded, and stays as it is.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Compress::Zlib ();
use MIME::Base64 qw(encode_base64);
use SessionTest;
use SessionTest::Unavailable;

same_under_every_mpm();

my $ERROR = qr/\[session_dynamodb:error\].*could not be (?:read|written): over a size limit/;

# mod_session's own, for what it could not encode, decode, load or save.
my @ITS_OWN = (qr/\[session:error\]/);

# One request that is refused, with these calls and one line of ours.
sub refused {
    my($what, $done, $calls, $request) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $lines = () = log_lines($ERROR);
    calls_are { $request->() } $calls, "$what: " . (@$calls ? "@$calls" : 'no call');
    is_refused_for_good(res(), '...');
    my @lines = log_lines($ERROR);
    is scalar(@lines), $lines + 1, '... one line in the log';
    like $lines[-1], qr/could not be $done: .*: the session has \d+ entries, more than the \d+ that SessionDynamoDBMax/,
        '... names number, limit and directive';
    return [ $lines[-1] =~ /has (\d+) entries, more than the (\d+) that/ ];
}

sub entries { return join ' ', sort split / /, get($_[0], cookie => $_[1])->line('entries') }

note 'Writing';
for my $area ('/entries/', '/entries/json/', '/entries/crypto/', '/entries/compress/', '/entries/maxage/') {
    get("$area?set=a:1&set=b:2&set=c:3");
    my $id = res()->cookie('id');
    ok $id, "$area: three of three entries are stored";
    my $row = row(key_of($id));
    is_deeply refused('a fourth', 'written', ['GetItem'], sub { get("$area?set=d:4", cookie => $id) }), [4, 3],
        '... of the right ones';
    is_deeply row(key_of($id)), $row, '... and the row is as it was';
    is get("$area?get=b", cookie => $id)->line('get b'), 2, '... and can be read';
    is get("$area?set=c:9&get=c", cookie => $id)->status, 200, 'one of the three can be changed';
    is get("$area?del=a&set=d:4", cookie => $id)->status, 200, '... and exchanged';
    is get("$area?get=d", cookie => $id)->line('get d'), 4, '... which is stored';
    my $rows = rows();
    is_deeply refused('a new session with four', 'written', [], sub { get("$area?set=a:1&set=b:2&set=c:3&set=d:4") }),
        [4, 3], '... of the right ones';
    is scalar(rows()), $rows, '... and no row';
}
{
    my $id = session('/entries/default/', map { ("n$_" => $_) } 1 .. 500);
    my $more = join '&', map { "set=n$_:$_" } 501 .. 1000;
    is get("/entries/default/?$more", cookie => $id)->status, 200, 'a thousand are stored where nothing is set';
    is_deeply refused('one more', 'written', ['GetItem'], sub { get('/test/?set=n0:0', cookie => $id) }), [1001, 1000],
        '... which is the default';
}

note 'Reading';
my $FOUR = 'a=1&b=2&&c=3&d=4&';
for my $case (
    ['/entries/',          { B => encode_base64($FOUR, '') }],
    ['/entries/maxage/',   { B => encode_base64($FOUR, '') }],
    ['/entries/compress/', { B => encode_base64(Compress::Zlib::compress($FOUR), '') }, 'deflate'],
    ['/entries/json/',     { S => '{"a": 1, "b": 2, "c": 3, "d": 4}' }],
    ['/entries/json/',     { S => '{"a": 1, "a": 2, "a": 3, "a": 4}' }],
) {
    my($area, $data, $encoding) = @$case;
    my $id = session($area, a => 1);
    change_row($id, sub { $_->{data} = $data; $encoding ? $_->{encoding} = { S => $encoding } : delete $_->{encoding} });
    my $row = row(key_of($id));
    is_deeply refused("$area, four are there", 'read', ['GetItem'], sub { get("$area?set=x:1", cookie => $id) }), [4, 3],
        '... of the right ones';
    is_deeply row(key_of($id)), $row, '... and the row is as it was';
}
{
    my $id = session('/entries/crypto/', a => 1);
    my $other = session('/crypto/', map { ($_ => 1) } 'a' .. 'd');
    my $data = row(key_of($other))->{data};
    change_row($id, sub { $_->{data} = $data });
    is_deeply refused('encrypted', 'read', ['GetItem'], sub { get('/entries/crypto/', cookie => $id) }), [4, 3],
        '... and counted as they were decrypted';

    $id = session('/entries/', a => 1);
    change_row($id, sub { $_->{data} = { B => encode_base64($FOUR, '') } });
    is get('/entries/anonymous/?entries', cookie => $id)->line('entries'), '', 'with OnError anonymous: no session';
    is_deeply [res()->status, res()->set_cookies], [200], '... and a page that leaves the cookie alone';
    is get('/test/?get=d', cookie => $id)->line('get d'), 4, 'where more are allowed it is read';
}

note 'A request that finds more when it merges';
for my $format ('form', 'json') {
    my $area = $format eq 'form' ? '/entries/' : '/entries/json/';
    my $id = session($area, a => 1);
    my $slow = connection();
    $slow->send_request(path => "$area?meet=$format&set=b:2", headers => [['Cookie', "id=$id"]]);
    ok here($format), "$area: a request is under way";
    get("$area?set=c:3&set=d:4", cookie => $id);
    my $row = row(key_of($id));
    let_go($format);
    is_refused_for_good($slow->read_response, '... what it adds is one too many');
    is_deeply row(key_of($id)), $row, '... and the row is left alone';
}

for my $format ('form', 'json') {
    my $area = $format eq 'form' ? '/entries/' : '/entries/json/';
    my $id = session($area, a => 1);
    my $slow = connection();
    $slow->send_request(path => "$area?meet=over-$format&set=b:2", headers => [['Cookie', "id=$id"]]);
    ok here("over-$format"), "$area: a request is under way";
    change_row($id, sub {
        $_->{data} = $format eq 'form' ? { B => encode_base64($FOUR, '') } : { S => '{"a": 1, "b": 2, "c": 3, "d": 4}' };
        $_->{version}{N}++;
    });
    my $row = row(key_of($id));
    let_go("over-$format");
    is_refused_for_good($slow->read_response, '... and finds a session over the limit');
    like +(log_lines($ERROR))[-1], qr/the session has 4 entries, more than the 3 that SessionDynamoDBMaxEntries allows/,
        '... the log says so';
    is_deeply row(key_of($id)), $row, '... and the row is left alone';
}

note 'More than can be decompressed';
for my $bytes (4 << 20, 100_000_000) {
    my $id = session('/compress/', a => 1);
    my $bomb = encode_base64(Compress::Zlib::compress('a=' . 'x' x $bytes), '');
    change_row($id, sub { $_->{data} = { B => $bomb }; $_->{encoding} = { S => 'deflate' } });
    my $row = row(key_of($id));
    calls_are { get('/compress/?set=b:1', cookie => $id) } ['GetItem'], "over $bytes bytes: one read";
    is_refused_for_good(res(), '...');
    like +(log_lines($ERROR))[-1], qr/exceeds 4 MiB when decompressed, the limit of SessionDynamoDBCompress/,
        '... the log says why';
    is_deeply row(key_of($id)), $row, '... and the row is as it was';
}

expect_log $ERROR, @ITS_OWN;

done;
