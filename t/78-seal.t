# Rows whose data is sealed: nobody reads them in the table, and what somebody changes, moves or puts back there is no
# session. Keys come and go without a logout.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;

use MIME::Base64 ();

sub row_of { return row(key_of($_[0])) }
sub stored { return MIME::Base64::decode_base64(row_of($_[0])->{data}{B}) }
sub entries { my($place, $id) = @_; return get("/seal/$place?entries", cookie => $id)->line('entries') }

sub is_sealed {
    my($id, $encoding, $what) = @_;
    is row_of($id)->{encoding}{S}, $encoding, $what;
    unlike stored($id), qr/a=|plain/, '... and nobody can read the data';
}

# One read, no session, no error, no change.
sub is_no_session {
    my($place, $id, $what) = @_;
    my $before = row_of($id);
    calls_are { get("/seal/$place?get=a", cookie => $id) } ['GetItem'], $what;
    is_deeply [res()->status, res()->line('get a'), res()->set_cookies], [200, '(none)'], '... without an error';
    is_deeply row_of($id), $before, '... and the row stays as it is';
}

note 'There and back';
{
    my @calls = calls_of { get('/seal/?set=a:plain') } 1;
    is join(' ', map { $_->{op} } @calls), 'PutItem', 'a first store is one write';
    my $id = res()->cookie('id');
    unlike MIME::Base64::decode_base64($calls[0]{body}{Item}{data}{B}), qr/plain/, '... in which nobody can read it';
    is_sealed($id, 'sealed', 'the row says that it is sealed');
    is length stored($id), length('a=plain') + 28, '... and has nonce and tag';
    calls_are { get('/seal/?get=a', cookie => $id) } ['GetItem'], 'a page that reads is one read';
    is res()->line('get a'), 'plain', '... of what was stored';
    my $before = row_of($id);
    calls_are { get('/seal/?set=a:plain', cookie => $id) } ['GetItem'], 'setting the same writes nothing';
    is_deeply row_of($id), $before, '... so that the row is as it was';
    calls_are { get('/seal/?set=b:2', cookie => $id) } [qw(GetItem UpdateItem)], 'a change is one write';
    is_sealed($id, 'sealed', '... sealed');
    is entries('', $id), 'a=plain&b=2', '... and both are there';
    age($id, 300);
    calls_are { get('/seal/?get=a', cookie => $id) } [qw(GetItem UpdateItem)], 'a due touch is one write';
    is entries('', $id), 'a=plain&b=2', '... and leaves the data alone';
    calls_are { get('/seal/?renew', cookie => $id) } [qw(GetItem PutItem UpdateItem)], 'a new ID';
    my $new = res()->cookie('id');
    is entries('', $new), 'a=plain&b=2', '... keeps the data';
    is_sealed($new, 'sealed', '... sealed for the new row');
    is row_of($id)->{encoding}{S}, 'sealed', '... and the row of the old one is sealed, too';
    calls_are { get('/seal/?get=a', cookie => $id) } ['GetItem'], '... which tells that it moved';
    is res()->line('get a'), '(none)', '... and opens nothing';
    calls_are { get('/seal/?del=a&del=b', cookie => $new) } [qw(GetItem DeleteItem)], 'an emptied session is ended';
}
{
    calls_are { get('/seal-cgi/session.pl?replace=a%3Dplain') } ['PutItem'], 'a program begins a session';
    my $id = res()->cookie('id');
    is_sealed($id, 'sealed', '... sealed');
    is get('/seal-cgi/session.pl', cookie => $id)->line('HTTP_SESSION'), 'a=plain', '... and reads it opened';
}
{
    my $id = session('/seal/compressed/', a => 'plain' x 200);
    is_sealed($id, 'deflate sealed', 'compressed data is sealed after that');
    cmp_ok length stored($id), '<', 200, '... and small';
    is get('/seal/compressed/?get=a', cookie => $id)->line('get a'), 'plain' x 200, '... and read as it was';
    is get('/seal/?get=a', cookie => $id)->line('get a'), 'plain' x 200, '... also where nothing is compressed';
}
for my $place (qw(label/ unhashed/)) {
    my $id = session("/seal/$place", a => 'plain');
    is get("/seal/$place?get=a", cookie => $id)->line('get a'), 'plain', "$place: there and back";
}
{
    my $id = session('/seal/', start => 1);
    my @answers = parallel(map { [path => "/seal/?set=k$_:$_", cookie => $id] } 1 .. 8);
    is_deeply [map { $_->status } @answers], [(200) x 8], 'eight changes at once: all of them end well';
    is entries('', $id), join('&', (map { "k$_=$_" } 1 .. 8), 'start=1'), '... and none is lost';
}
{
    my $id = session('/seal/renewal/', a => 'plain');
    age($id, 1100, created => 1);
    calls_are { get('/seal/renewal/?get=a', cookie => $id) } [qw(GetItem PutItem UpdateItem)], 'an ID is replaced by age';
    my $new = res()->cookie('id');
    calls_are { get('/seal/renewal/?get=a', cookie => $id) } [qw(GetItem GetItem)], '... the old one leads to it';
    is res()->line('get a'), 'plain', '... and to its data';
    is get('/seal/renewal/?get=a', cookie => $new)->line('get a'), 'plain', '... which the new one opens';
}

note 'Keys come and go without a logout';
{
    my @steps = (
        ['none/',     undef,    'clear'],
        ['before/',   undef,    'all servers know the key, none seals'],
        ['changing/', 'sealed', 'new data is sealed, old data is read'],
        ['',          'sealed', 'all is sealed'],
        ['next/',     'sealed', 'all servers know the next key'],
        ['both/',     'sealed', 'it seals'],
        ['other/',    'sealed', 'the first one is gone'],
    );
    my $id = session('/seal/none/', a => 'plain');
    for my $n (0 .. $#steps) {
        my($place, $encoding, $what) = @{ $steps[$n] };
        calls_are { get("/seal/$place?get=a", cookie => $id) } ['GetItem'], "$what: the session of the step before is read";
        is res()->line('get a'), $n ? "step" . ($n - 1) : 'plain', '... as it was';
        is get("/seal/$place?set=a:step$n", cookie => $id)->status, 200, '... and changed';
        is row_of($id)->{encoding} ? row_of($id)->{encoding}{S} : undef, $encoding,
            '... ' . ($encoding ? 'sealed' : 'clear');
        next if !$n;
        my $before = $steps[$n - 1][0];
        is get("/seal/$before?get=a", cookie => $id)->line('get a'), "step$n", '... so that servers of that step read it';
    }
}

note 'What is no session';
{
    expect_log qr/\[session_dynamodb:warn\].*ignored a malformed session row.*is sealed, and no key opens it here/,
        qr/\[session_dynamodb:warn\].*ignored a malformed session row.*is not sealed, and 'clear' is not among/,
        qr/\[session_dynamodb:warn\].*ignored a malformed session row.*names an unknown one/;
    my $id    = session('/seal/', a => 'plain', b => 1);
    my $other = session('/seal/', a => 'of-another-session', c => 1);
    my $older = row_of($id);
    is get('/seal/?set=a:newer', cookie => $id)->status, 200, 'a session, in its second version';
    my $good = row_of($id);
    my $bytes = stored($id);
    my %changed = (
        'altered'                          => substr($bytes, 0, 20) . (substr($bytes, 20, 1) ^ "\x01") . substr($bytes, 21),
        'altered in its tag'               => substr($bytes, 0, -1) . (substr($bytes, -1) ^ "\x01"),
        'altered in its nonce'             => ($bytes ^ "\x01"),
        'cut'                              => substr($bytes, 0, -1),
        'cut to less than a seal'          => substr($bytes, 0, 27),
        'nothing'                          => '',
        'longer'                           => "$bytes\0",
        'not sealed, but said to be'       => 'a=forged',
        'of another session'               => stored($other),
        'older'                            => MIME::Base64::decode_base64($older->{data}{B}),
    );
    for my $what (sort keys %changed) {
        change_row($id, sub { $_->{data} = { B => MIME::Base64::encode_base64($changed{$what}, '') } });
        is_no_session('', $id, "data that is $what is no session");
    }
    my %rows = (
        'a clear row'                      => sub { delete $_->{encoding}; $_->{data} = { B => 'YT1mb3JnZWQ=' } },
        'sealed data called clear'         => sub { delete $_->{encoding} },
        'sealed data called compressed'    => sub { $_->{encoding} = { S => 'deflate' } },
        'sealed data called both'          => sub { $_->{encoding} = { S => 'deflate sealed' } },
        'sealed data called something'     => sub { $_->{encoding} = { S => 'sealed deflate' } },
        'another version'                  => sub { $_->{version} = { N => 3 } },
        'the version before'               => sub { $_->{version} = { N => 1 } },
        'the older state as this version'  => sub { %$_ = (%$older, version => { N => 2 }) },
    );
    for my $what (sort keys %rows) {
        change_row($id, sub { %$_ = %$good; $rows{$what}->() });
        is_no_session('', $id, "$what is no session");
    }
    change_row($id, sub { %$_ = %$good });
    is get('/seal/?get=a', cookie => $id)->line('get a'), 'newer', 'the row as it was is the session as it was';

    is_no_session('other/', $id, 'without its key it is none');
    is_no_session('none/', $id, '... nor without any');
    calls_are { get('/seal/other/?set=a:new&get=a', cookie => $id) } [qw(GetItem PutItem)], '... but a new one can begin';
    isnt res()->cookie('id'), $id, '... under another ID';
    is_deeply row_of($id), $good, '... while the first is untouched';
    my $clear = session('/seal/none/', a => 'plain');
    is_no_session('', $clear, 'a clear row where clear is not listed is none');

    note 'Somebody puts such a row there while a request is under way';
    expect_log qr/\[session_dynamodb:error\].*could not be written.*no key opens it here/, qr/\[session:error\].*AH01822/;
    my $slow = connection();
    $slow->send_request(path => '/seal/?meet=sealed&set=b:2', headers => [['Cookie', "id=$id"]]);
    ok here('sealed'), 'a request is under way';
    my $bad = change_row($id, sub { $_->{data} = { B => 'YWJj' }; $_->{version} = { N => 7 } });
    let_go('sealed');
    is $slow->read_response->status, 503, '... and answers 503: it could not keep what it was told';
    is_deeply row_of($id), $bad, '... and overwrites nothing';
}

done;
