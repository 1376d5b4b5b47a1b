# Rows that are no sessions: halves, strange types, data that nobody can read. None of them is an error page, none of
# them is used, and none is overwritten.
#
# Not shown here: an attribute of type B that is not base64. dynalite, like DynamoDB, stores and sends bytes.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use MIME::Base64 qw(encode_base64);
use SessionTest;

same_under_every_mpm();

my $ID      = qr/^[A-Za-z0-9_-]{43}$/;
my $WARNING = qr/\[session_dynamodb:warn\]/;

# No late call comes: a session that is none is not touched.
@SessionTest::QUIET = (5, 10);

# The lines of level warn or above that came while the block ran.
sub warnings (&) {
    my $block  = shift;
    my $before = () = SessionTest::Log::noteworthy(log_lines());
    $block->();
    my @lines = SessionTest::Log::noteworthy(log_lines());
    return @lines[$before .. $#lines];
}

# What a request makes of the row of this ID: no session, but one that it may begin.
sub is_no_session {
    my($what, $id, $log, $area, @also) = @_;
    $area ||= '/test/';
    my $strange = row(key_of($id));
    my $rows    = rows();

    my @lines = warnings { calls_are { get("${area}?entries&env=SESSION_DYNAMODB_NEW", cookie => $id) } ['GetItem'],
        "$what: one read" };
    is res()->status, 200, '... and a page';
    is res()->line('entries'), '', '... without a session';
    is res()->line('env SESSION_DYNAMODB_NEW'), 1, '... or a new one';
    is_deeply [res()->set_cookies], [], '... which is nobody\'s yet';
    is scalar(@lines), @also ? 2 : 1, '... one warning' or diag "@lines";
    like $lines[-1], qr/$WARNING.*table app_session: ignored a malformed session row: .*$log/, '... says why';

    calls_are { get("${area}?set=b:2", cookie => $id) } [qw(GetItem PutItem)], '... a page that stores something';
    my $new = res()->cookie('id');
    like $new, $ID, '... gets a new ID';
    isnt $new, $id, '... not the one that came';
    ok row(key_of($new)), '... under which it is stored';
    is scalar(rows()), $rows + 1, '... in a row more';
    is_deeply row(key_of($id)), $strange, '... and the strange one is left alone';
}

sub strange {
    my($what, $change, $log, $area, @also) = @_;
    my $id = session($area || '/test/', a => 1);
    change_row($id, $change);
    is_no_session($what, $id, $log, $area, @also);
}

note 'Half a row';
for my $name (qw(data created accessed expires idle_timeout absolute_timeout version write_id loggable)) {
    strange("no $name", sub { delete $_->{$name} }, qr/attribute $name of the stored session is missing/);
}
strange('nothing but a key', sub { my $row = shift; delete @$row{ grep { $_ ne 'id' } keys %$row } }, qr/is missing/);

note 'Strange types';
for my $case (
    [data             => { S => 'a=1' },          'is not of type B'],
    [data             => { M => { a => { S => '1' } } }, 'is not of type B'],
    [data             => { NULL => JSON::PP::true() }, 'is not of type B'],
    [created          => { N => 1764000000 },     'is not of type S'],
    [created          => { S => 'yesterday' },    'is not a time in UTC'],
    [created          => { S => '2026-02-30T00:00:00+00:00' }, 'is not a time in UTC'],
    [accessed         => { S => '2026-01-01T00:00:00+01:00' }, 'is not a time in UTC'],
    [accessed         => { L => [] },             'is not of type S'],
    [expires          => { S => '1764000000' },   'is not of type N'],
    [expires          => { N => '1.5' },          'is not a whole number'],
    [expires          => { N => '-1' },           'is not a whole number'],
    [expires          => { N => '1E+40' },        'is not a whole number'],
    [idle_timeout     => { N => '0' },            'is a number out of range'],
    [idle_timeout     => { S => '7200' },         'is not of type N'],
    [absolute_timeout => { N => '-5' },           'is not a whole number'],
    [absolute_timeout => { BOOL => JSON::PP::true() }, 'is not of type N'],
    [version          => { N => '0' },            'is a number out of range'],
    [version          => { S => '1' },            'is not of type N'],
    [write_id         => { S => 'x' x 16 },       'is not of type B'],
    [write_id         => { B => encode_base64('short', '') }, 'has another length'],
    [user_mark        => { N => '1' },            'is not of type S'],
) {
    my($name, $value, $fault) = @$case;
    my($type) = keys %$value;
    strange("$name as $type", sub { $_->{$name} = $value }, qr/attribute $name of the stored session \Q$fault\E/);
}

note 'Another ID\'s row';
{
    # What no area may do with it: use it, end it, change it, or tell the log that something is wrong with the row.
    my $opens_nothing = sub {
        my($what, $area, $id, $key) = @_;
        my $row = row($key);
        my @lines = warnings { calls_are { get("$area?entries", cookie => $id) } ['GetItem'], "$what: one read" };
        is_deeply [res()->status, res()->line('entries')], [200, ''], '... and no session';
        get("$area?set=b:2", cookie => $id);
        isnt res()->cookie('id'), $id, '... but another one for who stores something';
        is_deeply row($key), $row, '... and the row is as it was';
        is_deeply \@lines, [], '... without a warning, for the client has done it';
    };
    my $id = session(a => 1);
    $opens_nothing->('a table key as the ID where keys are IDs', '/unhashed/', key_of($id), key_of($id));
    is get('/test/?get=a', cookie => $id)->line('get a'), 1, '... while its own ID opens it, also after that';
    $id = session('/signed/', a => 1);
    my($unsigned) = $id =~ /^([^.]+)\./;
    $opens_nothing->('a signed ID without its signature', '/test/', $unsigned, key_of($id));
    is get('/signed/?get=a', cookie => $id)->line('get a'), 1, '... which with it opens it';
    $id = session(a => 1);
    change_row($id, sub { $_->{loggable}{S} =~ tr/0-9a-f/1-9a-f0/ });
    $opens_nothing->('a row with another mark', '/test/', $id, key_of($id));
    my $from_flask = session('/flask/', a => 1);
    my $row = row($from_flask);
    delete $row->{loggable};
    put_row($row);
    is get('/flask/?get=a', cookie => $from_flask)->line('get a'), 1,
        'a row that dynamodb-session-flask may have written needs none: its key is the ID';
    $row->{loggable} = { S => '0' x 32 };
    put_row($row);
    is get('/flask/?get=a', cookie => $from_flask)->line('get a'), '(none)', '... and one that has another is not its';
}

note 'Data that nobody can read';
for my $data ("a=1\0&b=2", "\0") {
    strange('a NUL in ' . length($data) . ' bytes of data', sub { $_->{data} = { B => encode_base64($data, '') } },
        qr/data of the stored session contains a NUL/);
}
strange('a decoder that fails', sub { }, qr/can't be decoded/, '/codec-fail-decode/');
{
    my $id = session('/crypto/', a => 1);
    is_no_session('another passphrase', $id, qr/can't be decoded/, '/crypto-other/',
        'and a line of mod_session_crypto\'s');
    is get('/crypto/?get=a', cookie => $id)->line('get a'), 1,
        '... and where the passphrase is right the session is there';
    strange('not encrypted', sub { $_->{data} = { B => encode_base64('a=1', '') } }, qr/can't be decoded/, '/crypto/',
        'and a line of mod_session_crypto\'s');
    strange('cut off', sub { $_->{data}{B} = encode_base64(substr(data_of($_), 0, 40), '') }, qr/can't be decoded/,
        '/crypto/', 'and a line of mod_session_crypto\'s');
}

note 'Strange, and yet a session';
{
    my $id = session(a => 1);
    change_row($id, sub { @$_{qw(note of)} = ({ S => 'somebody' }, { L => [{ NULL => JSON::PP::true() }] }) });
    my @lines = warnings { is get('/test/?get=a', cookie => $id)->line('get a'), 1, 'attributes that we do not know' };
    is_deeply \@lines, [], '... are no reason for a warning';
    get('/test/?set=a:2', cookie => $id);
    is row(key_of($id))->{note}{S}, 'somebody', '... and survive a change';

    change_row($id, sub { $_->{data} = { B => encode_base64("&&=&%zz&a&=b&\xff=1&a=%00&c=3", '') } });
    @lines = warnings { get('/test/?get=c', cookie => $id) };
    is_deeply [res()->status, res()->line('get c')], [200, 3], 'data with odd places: what can be read is';
    is_deeply \@lines, [], '... as mod_session has it: without a word';
    is get('/test/?set=c:4', cookie => $id)->status, 200, '... and can be changed';
}

note 'A row that goes bad while a request works with it';
{
    my $id = session(a => 1);
    my $slow = connection();
    $slow->send_request(path => '/test/?meet=bad&set=a:2', headers => [['Cookie', "id=$id"]]);
    ok here('bad'), 'a request is under way';
    my $strange = change_row($id, sub { delete $_->{created}; $_->{version}{N} = '7' });
    let_go('bad');
    my $answer = $slow->read_response;
    is $answer->status, 503, '... what it stores can not be merged: 503';
    is_deeply [$answer->set_cookies], [], '... without a cookie';
    is_deeply row(key_of($id)), $strange, '... and the row is left alone';
}

expect_log qr/$WARNING.*ignored a malformed session row/, qr/\[session_crypto:error\].*AH0184[0-9]/,
    qr/\[session_dynamodb:error\].*the session could not be written/, qr/\[session:error\].*AH01822/;

done;
