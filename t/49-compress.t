# Compressed sessions: what is stored, that it is read whatever the setting is, and that a damaged or monstrous one is no
# session and no harm.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Compress::Zlib qw(compress uncompress);
use MIME::Base64 qw(decode_base64 encode_base64);
use SessionTest;
use SessionTest::Unavailable;

same_under_every_mpm();

my $ID = qr/^[A-Za-z0-9_-]{43}$/;

sub row_of  { return row(key_of($_[0])) }
sub packed  { my $row = row_of($_[0]); return $row->{encoding} ? length decode_base64($row->{data}{B}) : undef }
sub value   { my($id, $area) = @_; return get(($area || '/compress/') . '?get=a', cookie => $id)->line('get a') }

note 'From the threshold on';
{
    my $id = session('/compress/', a => 1);
    is packed($id), undef, 'a short session is stored as it is';
    calls_are { get('/compress/?big=a:1021', cookie => $id) } [qw(GetItem UpdateItem)], 'one of 1023 bytes';
    is packed($id), undef, '... too';
    my @calls = calls_of { get('/compress/?big=a:1022', cookie => $id) } 2;
    is_deeply [map { $_->{op} } @calls], [qw(GetItem UpdateItem)], 'one of 1024';
    cmp_ok packed($id), '<', 50, '... is compressed';
    my $row = row_of($id);
    is_deeply $row->{encoding}, { S => 'deflate' }, '... which the row says';
    is uncompress(decode_base64($row->{data}{B})), 'a=' . 'x' x 1022, '... and any zlib reads';
    is $calls[1]{body}{ExpressionAttributeNames}{'#z'}, 'encoding', '... named by a placeholder';
    like $calls[1]{body}{UpdateExpression}, qr/^SET .*#z=:z.* REMOVE #u$/, '... in the same write';
    is value($id), 'x' x 1022, '... and it is read';
    is value($id, '/compress/off/'), 'x' x 1022, '... also where nothing is compressed';
    is value($id, '/test/'), 'x' x 1022, '... and where nothing is said of it';

    calls_are { get('/compress/?big=a:1022', cookie => $id) } ['GetItem'], 'to store the same again is no write';
    @calls = calls_of { get('/compress/?set=a:2', cookie => $id) } 2;
    like $calls[1]{body}{UpdateExpression}, qr/ REMOVE #u,#z$/, 'one that became short';
    is_deeply [row_of($id)->{encoding}, data_of(row_of($id))], [undef, 'a=2'], '... is stored as it is';
    get('/compress/?big=a:5000', cookie => $id);
    ok packed($id), '(compressed again)';
    get('/compress/off/?set=b:1', cookie => $id);
    is_deeply [packed($id), value($id)], [undef, 'x' x 5000], 'where it is Off a change stores it as it is';
    get('/compress/?set=b:2', cookie => $id);
    ok packed($id), '... and where it is on, compressed';
    calls_are { get('/compress/?end', cookie => $id) } [qw(GetItem DeleteItem)], '... and it can end';
}
{
    calls_are { get('/compress/?big=a:100000') } ['PutItem'], 'a new session';
    my $id = res()->cookie('id');
    cmp_ok packed($id), '<', 500, '... is compressed';
    is value($id), 'x' x 100_000, '... and read';
    my $before = row_of($id);
    age($id, 300);
    calls_are { get('/compress/?get=a', cookie => $id) } [qw(GetItem UpdateItem)], 'its use is recorded';
    is_deeply [@{ row_of($id) }{qw(data encoding version)}], [@$before{qw(data encoding version)}],
        '... which leaves the data alone';
    calls_are { get('/compress/?renew&get=a', cookie => $id) }
        [qw(GetItem PutItem UpdateItem)], 'it gets a new ID';
    my $new = res()->cookie('id');
    like $new, $ID, '... handed out';
    isnt $new, $id, '... another one';
    ok packed($new), '... compressed';
    is value($new), 'x' x 100_000, '... with all that was in it';
}
{
    my $id = session('/compress/always/', a => 1);
    is_deeply [packed($id), data_of(row_of($id))], [undef, 'a=1'], 'what would not become smaller stays as it is';
    my $noise = join '', map { ('a' .. 'z', 'A' .. 'Z', 0 .. 9, '-', '_')[rand 64] } 1 .. 100;
    get("/compress/always/?set=a:$noise", cookie => $id);
    is data_of(row_of($id)), "a=$noise", 'what has no pattern is as it was, too';
}

note 'Parallel changes';
{
    my $id = session('/compress/', a => 1);
    my $slow = connection();
    $slow->send_request(path => '/compress/?meet=packed&big=first:3000', headers => [['Cookie', "id=$id"]]);
    ok here('packed'), 'a request is under way';
    is get('/compress/?big=second:4000', cookie => $id)->status, 200, '... while another changes the session';
    let_go('packed');
    is $slow->read_response->status, 200, '... and both succeed';
    ok packed($id), '... compressed';
    get('/compress/?get=a&get=first&get=second', cookie => $id);
    is_deeply [map { res()->line("get $_") } qw(a first second)], [1, 'x' x 3000, 'x' x 4000], '... and both are kept';
}

note 'A lost answer';
{
    my $id = session('/compress/', a => 1);
    fault(kind => 'reset_after', op => 'UpdateItem', count => 1);
    is get('/compress/?big=a:3000', cookie => $id)->status, 200, 'a write whose answer is lost';
    clear_faults();
    is row_of($id)->{version}{N}, 2, '... is done once';
    is value($id), 'x' x 3000, '... and is known again';
}

note 'The size that counts';
{
    calls_are { get('/compress/?big=a:1000000') } ['PutItem'], 'a million bytes that shrink are stored';
    my $id = res()->cookie('id');
    is length value($id), 1_000_000, '... and read';
    is get('/compress/small/?big=a:100000', cookie => $id)->status, 200, 'a limit of 2K is one of what is stored';

    expect_log qr/could not be written: over a size limit: the item would have \d+ bytes, more than the 409600 that SessionDynamoDBMaxSize allows/, qr/AH01822/;
    my $before = row_of($id);
    calls_are { get('/compress/off/?big=a:500000', cookie => $id) } ['GetItem'], 'where it is Off, it is one of the data';
    is_refused_for_good(res(), '...');
    is_deeply row_of($id), $before, '... and the row is as it was';

    calls_are { get('/compress/?big=a:4194302', cookie => $id) } [qw(GetItem UpdateItem)], '4 MiB are the most';
    is length value($id), 4_194_302, '... that is read again';
    $before = row_of($id);
    calls_are { get('/compress/?big=a:4194303', cookie => $id) } ['GetItem'], '... a byte more is not stored';
    is_refused_for_good(res(), '...');
    is_deeply row_of($id), $before, '... and the row is as it was';
}

note 'Encrypted';
{
    get('/compress/crypto/?big=a:9000');
    my $id = res()->cookie('id');
    my $plain = length data_of(row_of($id));
    cmp_ok $plain, '>', 9000, 'what was encrypted';
    my $share = packed($id) / $plain;
    cmp_ok $share, '>', 0.7, '... shrinks by a quarter at most';
    cmp_ok $share, '<', 1, '... which is what base64 made it longer';
    is value($id, '/compress/crypto/'), 'x' x 9000, '... and is read';
}

note 'Together with json';
{
    expect_log qr/\[session_dynamodb:error\].*SessionDynamoDBFormat json can't be compressed.*Compress Off/, qr/AH01816/;
    calls_are { get('/compress/json/?set=a:1') } [], 'what meets in a request only';
    is res()->status, 500, '... is refused there';
    is_deeply [res()->set_cookies], [], '... and nothing is stored';
}

note 'Damaged; t/49-entries.t has what is too much';
{
    my $good = encode_base64(compress('a=1&' . 'b=2&' x 500), '');
    for my $case (
        ['plain data that is called compressed', 'deflate', encode_base64('a=1', ''),        "cannot be decompressed"],
        ['no data',                       'deflate', '',                                     "cannot be decompressed"],
        ['cut off',                       'deflate', encode_base64(substr(decode_base64($good), 0, -1), ''),
                                                                                             "cannot be decompressed"],
        ['something behind it',           'deflate', encode_base64(decode_base64($good) . 'x', ''), "cannot be decompressed"],
        ['another encoding',              'br',      $good,                              'encoding .* names an unknown one'],
        ['a NUL in it',                   'deflate', encode_base64(compress("a=1\0"), ''),   'contains a NUL'],
    ) {
        my($what, $encoding, $data, $fault) = @$case;
        my $id = session('/compress/', a => 1);
        my $strange = change_row($id, sub { $_->{data} = { B => $data }; $_->{encoding} = { S => $encoding } });
        my $pattern = qr/\[session_dynamodb:warn\].*ignored a malformed session row: .*$fault/;
        my $lines = () = log_lines($pattern);
        expect_log $pattern;
        calls_are { get('/compress/?entries', cookie => $id) } ['GetItem'], "$what: one read";
        is_deeply [res()->status, res()->line('entries'), res()->set_cookies], [200, ''], '... and a page without a session';
        is scalar(() = log_lines($pattern)), $lines + 1, '... one warning says why';
        is_deeply row_of($id), $strange, '... and the row is left alone';
    }
    my $id = session('/compress/', a => 1);
    change_row($id, sub { $_->{data} = { B => $good }; $_->{encoding} = { S => 'deflate' } });
    is value($id), 1, 'and what another zlib compressed is a session';
}

done;
