# mod_session_crypto between mod_session and the table: what is stored is encrypted, and anew with each encoding. So
# nothing may be concluded from the stored text: whether a session changed, and how, its entries tell.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;

use MIME::Base64 ();

sub row_of { return row(key_of($_[0])) }

# The entries as the server decrypts them.
sub entries { return get('/crypto/?entries', cookie => $_[0])->line('entries') }

note 'There and back';
{
    my @calls = calls_of { get('/crypto/?set=a:a-plain-text') } 1;
    is join(' ', map { $_->{op} } @calls), 'PutItem', 'a first store is one write';
    my $id = res()->cookie('id');
    my $stored = data_of(row_of($id));
    unlike $stored, qr/plain-text|a=/, '... of what nobody can read';
    like $stored, qr/^[\w+\/=-]{40,}$/, '... without the key';
    calls_are { get('/crypto/?get=a', cookie => $id) } ['GetItem'], 'a page that reads is one read';
    is res()->line('get a'), 'a-plain-text', '... of what was stored';

    my $before = row_of($id);
    for my $op ('get=a', 'dirty', 'set=a:a-plain-text', 'set=b:2&del=b') {
        calls_are { get("/crypto/?$op", cookie => $id) } ['GetItem'], "$op changes nothing and writes nothing";
    }
    is_deeply row_of($id), $before, '... so that the row is as it was';

    calls_are { get('/crypto/?set=a:2&set=b:3', cookie => $id) } [qw(GetItem UpdateItem)], 'a change is one write';
    is_deeply [res()->set_cookies], [], '... without a cookie';
    is entries($id), 'a=2&b=3', '... and what was set is there';
    age($id, 300);
    calls_are { get('/crypto/?get=a', cookie => $id) } [qw(GetItem UpdateItem)], 'a due touch is one write';
    is entries($id), 'a=2&b=3', '... and leaves the data alone';
    calls_are { get('/crypto/?renew', cookie => $id) } [qw(GetItem PutItem UpdateItem)], 'a new ID';
    $id = res()->cookie('id');
    is entries($id), 'a=2&b=3', '... keeps the data';
    unlike data_of(row_of($id)), qr/a=2/, '... unreadable';
    calls_are { get('/crypto/?del=a&del=b', cookie => $id) } [qw(GetItem DeleteItem)], 'an emptied session is ended';
}

note 'Programs';
{
    calls_are { get('/crypto-cgi/session.pl?replace=a%3D1') } ['PutItem'], 'a program begins a session';
    my $id = res()->cookie('id');
    unlike data_of(row_of($id)), qr/a=1/, '... unreadable in the table';
    calls_are { get('/crypto-cgi/session.pl', cookie => $id) } ['GetItem'], '... and reads it';
    is res()->line('HTTP_SESSION'), 'a=1', '... decrypted';
    calls_are { get('/crypto-cgi/session.pl?replace=a%3D1', cookie => $id) } ['GetItem'], '... and sets the same again';
    is entries($id), 'a=1', '... as modules see it';
}

note 'Changes at the same time';
for my $case (['in the answer', 1, 'UpdateItem'], ['by a read', 0, 'UpdateItem GetItem']) {
    my($how, $all_old, $failed) = @$case;
    mode(all_old => $all_old);
    my $id = session('/crypto/', a => 1, b => 1, c => 1);
    my $slow = connection();
    my @calls = calls_of {
        $slow->send_request(path => "/crypto/?meet=m$all_old&set=a:slow&del=b&set=d:slow",
                            headers => [['Cookie', "id=$id"]]);
        ok here("m$all_old"), 'one request is under way';
        is get('/crypto/?set=c:fast&set=e:fast', cookie => $id)->status, 200, '... another one changes the session';
        let_go("m$all_old");
        is $slow->read_response->status, 200, '... the first one too';
    } 5;
    is join(' ', map { $_->{op} } @calls), "GetItem GetItem UpdateItem $failed UpdateItem",
        "... finding the other's change $how";
    is entries($id), 'a=slow&c=fast&d=slow&e=fast', '... and no change of either is lost';
    is row_of($id)->{version}{N}, 3, '... in two changes';
    unlike data_of(row_of($id)), qr/slow|fast/, '... unreadable';
}
mode(all_old => 1);
{
    my $id = session('/crypto/', start => 1);
    my @answers = parallel(map { [path => "/crypto/?set=k$_:$_", cookie => $id] } 1 .. 8);
    is_deeply [map { $_->status } @answers], [(200) x 8], 'eight at once: all of them end well';
    is entries($id), join('&', (map { "k$_=$_" } 1 .. 8), 'start=1'), '... and no change is lost';
}

note 'What can not be decrypted';
{
    expect_log qr/\[session_crypto:error\]/, qr/\[session_dynamodb:warn\].*the data can't be decoded/;
    my $id = session('/crypto/', a => 1);
    my $good = row_of($id);
    my $text = data_of($good);
    my $bytes = MIME::Base64::decode_base64($text);
    substr($bytes, 40, 1) ^= "\x01";
    my %wrong = (
        'altered'       => MIME::Base64::encode_base64($bytes, ''),
        'cut off'       => substr($text, 0, length($text) / 2),
        'not encrypted' => 'a=1',
        'not base64'    => '!!!!',
    );
    my $n = 0;
    for my $what (sort keys %wrong) {
        change_row($id, sub { $_[0]{data} = { B => MIME::Base64::encode_base64($wrong{$what}, '') } });
        my $before = row_of($id);
        calls_are { get('/crypto/?get=a', cookie => $id) } ['GetItem'], "data that is $what is no session";
        is_deeply [res()->status, res()->line('get a'), res()->set_cookies], [200, '(none)'], '... and no error';
        is_deeply row_of($id), $before, '... and stays as it is';
    }
    change_row($id, sub { %{ $_[0] } = %$good });
    is entries($id), 'a=1', 'The data as it was is the session as it was';

    calls_are { get('/crypto-other/?get=a', cookie => $id) } ['GetItem'], 'with another passphrase there is no session';
    is_deeply [res()->status, res()->line('get a'), res()->set_cookies], [200, '(none)'], '... and no error';
    calls_are { get('/crypto-other/?set=a:other&get=a', cookie => $id) } [qw(GetItem PutItem)], '... but a new one';
    is res()->line('get a'), 'other', '... in the same request';
    my $other = res()->cookie('id');
    isnt $other, $id, '... under another ID';
    is get('/crypto-other/?get=a', cookie => $other)->line('get a'), 'other', '... which stays there';
    is_deeply row_of($id), $good, '... while the first is untouched';

    note 'Another request stored meanwhile what can not be decrypted';
    expect_log qr/\[session_dynamodb:error\].*can't be decoded/, qr/\[session:error\].*AH01822/;
    my $slow = connection();
    $slow->send_request(path => '/crypto/?meet=bad&set=b:2', headers => [['Cookie', "id=$id"]]);
    ok here('bad'), 'a request is under way';
    my $bad = change_row($id, sub { @{ $_[0] }{qw(data version)} = ({ B => 'YWJj' }, { N => 7 }) });
    let_go('bad');
    my $answer = $slow->read_response;
    is $answer->status, 503, '... and answers 503: it could not keep what it was told';
    is_deeply [$answer->set_cookies], [], '... without a cookie';
    is_deeply row_of($id)->{data}, $bad->{data}, '... and overwrites nothing';
}

done;
