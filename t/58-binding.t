# SessionDynamoDBBind: a session is bound to its client's User-Agent, network or certificate, as digests in its row. A
# client that changes is told of, gets another ID, or no session.

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256 sha512_hex);
use FindBin;
use File::Temp ();
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use MIME::Base64 qw(encode_base64url);
use SessionTest;
use SessionTest::Events;
use SessionTest::Log ();
use SessionTest::Once qw(data);
use SessionTest::Server;

my $DIR = File::Temp::tempdir('/tmp/binding-XXXXXX', CLEANUP => 1);

sub as { my $agent = shift; return (headers => [defined $agent ? ('User-Agent', $agent) : ()]) }

# A request of a client that calls itself so.
sub page {
    my($path, $agent, $id) = @_;
    return get("/bound/$path", as($agent), defined $id ? (cookie => $id) : ());
}

# What a row says of its client.
sub bound { my $row = row(key_of($_[0])); return $row->{bound} ? $row->{bound}{S} : undef }
sub digest { my($id, $kind, $value) = @_; return "$kind=" . encode_base64url(substr hmac_sha256("$kind\0$value", $id), 0, 16) }

# The lines about one session.
sub lines_about { my $hash = sha512_hex($_[0]); return grep { /SessionDynamoDBBind.*$hash/ } log_lines() }

note 'What is stored';
{
    my $id;
    calls_are { $id = page('log/?set=a:1', 'Browser/1.0')->cookie('id') } ['PutItem'], 'a new session';
    is bound($id), join(' ', digest($id, 'user-agent', 'Browser/1.0'), digest($id, 'address/24,56', '127.0.0.0')),
        '... has digests of its client, under its ID';
    my $text = join ' ', %{ { map { $_ => join ' ', %{ row(key_of($id))->{$_} } } keys %{ row(key_of($id)) } } };
    unlike $text, qr/Browser|127\.0/, '... and nothing that can be read';
    calls_are { page('log/?get=a', 'Browser/1.0', $id) } ['GetItem'], 'a read costs no write';
    my($read, $update, @more) = calls_of { page('log/?set=a:2', 'Browser/1.0', $id) } 2;
    is_deeply [$update->{op}, scalar @more], ['UpdateItem', 0], 'a change is one write';
    unlike(JSON::PP->new->allow_nonref->encode($update->{body}), qr/bound/, '... which does not repeat them');
    my $plain = session(a => 1);
    is bound($plain), undef, 'where nothing is set nothing is stored';
    calls_are { page('log/?get=a', 'Browser/1.0', $plain) } ['GetItem'], 'a session that is older than the setting';
    is bound($plain), undef, '... stays so';
    calls_are { page('log/?set=a:2', 'Browser/1.0', $plain) } [qw(GetItem UpdateItem)], '... until its next change';
    like bound($plain), qr/^user-agent=\S{22} address\/24,56=\S{22}$/, '... which needs no call of its own';
    get('/test/?set=a:3', cookie => $plain);
    like bound($plain), qr/^user-agent=/, 'a change where nothing is set leaves it';
    calls_are { page('log/?set=user:ann', 'Browser/1.0', $id) } [qw(GetItem PutItem UpdateItem)], 'a login';
    my $user = res()->cookie('id');
    is((split / /, bound($user))[0], digest($user, 'user-agent', 'Browser/1.0'), '... binds the new ID');
    is bound($id), undef, '... and what is left of the old one is bound to nothing';
}

note 'log';
{
    my $id = page('log/?set=a:1', 'Browser/1.0')->cookie('id');
    calls_are { page('log/?get=a', 'Thief/1.0', $id) } ['GetItem'], 'another User-Agent';
    is_deeply [res()->line('get a'), res()->set_cookies], [1], '... is served';
    my @lines = lines_about($id);
    is scalar(@lines), 1, '... and told of';
    like $lines[0], qr/session_dynamodb:notice\].*another user-agent than it is bound to .*goes on: its cookie may be stolen/,
        '... in words';
    page('log/?get=a', 'Thief/1.0', $id) for 1 .. 3;
    is scalar(lines_about($id)), 1, '... once a minute';
    page('log/?get=a', "Thief/1.$_", $id) for 1 .. 3;
    is scalar(lines_about($id)), 1, '... whatever else it changes to';
    $id = page('log/?set=a:1', 'Browser/1.0')->cookie('id');
    page('log/?get=a', 'Browser/1.0', $id);
    is scalar(lines_about($id)), 0, 'its own is not told of';
    page('log/?get=a', undef, $id);
    is scalar(lines_about($id)), 1, '... none at all is';
}
{
    my $id = page('log/?set=a:1', 'Browser/1.0')->cookie('id');
    calls_are { page('log/?set=a:2', 'Browser/1.1', $id) } [qw(GetItem UpdateItem)], 'a change by another';
    is scalar(lines_about($id)), 1, '... is told of';
    is((split / /, bound($id))[0], digest($id, 'user-agent', 'Browser/1.1'), '... which is its client from then on');
}

note 'renew';
{
    my $id = page('renew/?set=a:1', 'Browser/1.0')->cookie('id');
    calls_are { page('renew/?get=a', 'Browser/1.1', $id) } [qw(GetItem PutItem UpdateItem)], 'another client';
    my $new = res()->cookie('id');
    is_deeply [res()->line('get a'), $new ne $id], [1, !!1], '... gets a new ID, and the page';
    is bound($new), digest($new, 'user-agent', 'Browser/1.1'), '... which is bound to it';
    is scalar(lines_about($id)), 1, '... and told of';
    calls_are { page('renew/?get=a', 'Browser/1.1', $new) } [qw(GetItem UpdateItem)], 'its next request is as any first one';
    is scalar(res()->set_cookies), 0, '... and keeps the ID';
    quiet();
    calls_are { page('renew/?get=a', 'Browser/1.0', $id) } [qw(GetItem GetItem)], 'the old ID, a moment later';
    is_deeply [res()->line('get a'), map { /^id=([^;]+)/ } res()->set_cookies], [1, $new], '... leads to the new one';
    change_row($new, sub { $_->{seen}{N} -= 40 });
    expect_log qr/refused a session ID that was replaced because of its age/;
    page('renew/?get=a', 'Browser/1.0', $id);
    is_deeply [res()->line('get a'), res()->set_cookies], ['(none)'], '... and after the grace to nothing';
}

note 'deny';
{
    my $id = page('deny/?set=a:1', 'Browser/1.0')->cookie('id');
    my $row = row(key_of($id));
    calls_are { page('deny/?get=a', 'Thief/1.0', $id) } ['GetItem'], 'another client';
    is_deeply [res()->status, res()->line('get a'), res()->set_cookies], [200, '(none)'], '... has no session, and no news of it';
    is scalar(lines_about($id)), 1, '... and is told of';
    like +(lines_about($id))[0], qr/is not given to this client/, '... in words';
    is_deeply row(key_of($id)), $row, '... while the row is left alone';
    calls_are { page('deny/?set=a:2', 'Thief/1.0', $id) } [qw(GetItem PutItem)], 'what it stores';
    isnt res()->cookie('id'), $id, '... is another session';
    calls_are { page('deny/?clear', 'Thief/1.0', $id) } ['GetItem'], 'it cannot end this one';
    is page('deny/?get=a', 'Browser/1.0', $id)->line('get a'), 1, 'its own client has it';
    is page('deny/none/?get=a', 'Thief/1.0', $id)->line('get a'), 1, 'None: all have';
    is scalar(lines_about($id)), 1, '... and nobody is told of';
    my $json = get('/bound/json/?set=a:1', as('Browser/1.0'))->cookie('id');
    is bound($json), digest($json, 'user-agent', 'Browser/1.0'), 'a JSON object';
    is page('json/?get=a', 'Thief/1.0', $json)->line('get a'), '(none)', '... is bound as well';
    is page('json/?get=a', 'Browser/1.0', $json)->line('get a'), 1, '... to its client';
}

note 'Networks and events';
{
    my $server = SessionTest::Server->start({ modules => ['remoteip'] }, 'RemoteIPHeader X-Forwarded-For',
        "SessionDynamoDBEventLog $DIR/events",
        map { ("<Location /$_->[0]/>", 'SetHandler test-session', "SessionDynamoDBBind address$_->[1] $_->[2]", '</Location>') }
            ['net', '', 'log'], ['exact', '/32,128', 'deny'], ['odd', '/20,61', 'deny']);
    my $log = SessionTest::Events->new("$DIR/events");
    my $from = sub {
        my($path, $ip, @more) = @_;
        return get($path, port => $server->port, headers => ['X-Forwarded-For', $ip], @more);
    };
    for my $case (['192.0.2.1', '192.0.2.255', '192.0.3.1'],
                  ['2001:db8:0:1ff::1', '2001:db8:0:100:1::', '2001:db8:0:200::1'],
                  ['192.0.2.1', '192.0.2.1', '2001:db8::1'], ['2001:db8::1', '2001:db8::2', '192.0.2.1']) {
        my($own, $near, $far) = @$case;
        my $id;
        $log->are(sub { $id = $from->('/net/?set=a:1', $own)->cookie('id') }, ['created new'], "a session from $own");
        $log->are(sub { $from->('/net/?get=a', $near, cookie => $id) }, [], "... $near is the same network");
        my($e) = $log->are(sub { $from->('/net/?get=a', $far, cookie => $id) }, ['changed address'], "... $far is another");
        is_deeply [@$e{qw(client status)}], [$far, 200], '... which is named';
        $log->are(sub { $from->('/net/?get=a', $far, cookie => $id) }, [], '... once a minute');
    }
    my $id = $from->('/exact/?set=a:1', '192.0.2.1')->cookie('id');
    $log->added;
    $log->are(sub { $from->('/exact/?get=a', '192.0.2.2', cookie => $id) }, ['refused address'], 'a whole address, denied');
    is res()->line('get a'), '(none)', '... has no session';
    is $from->('/exact/?get=a', '192.0.2.1', cookie => $id)->line('get a'), 1, '... and its own does';
    for my $case (['192.0.16.1', '192.0.31.1', '192.0.32.1'], ['2001:db8:0:8::', '2001:db8:0:f::', '2001:db8:0:10::']) {
        my($own, $near, $far) = @$case;
        $id = $from->('/odd/?set=a:1', $own)->cookie('id');
        is_deeply [map { $from->('/odd/?get=a', $_, cookie => $id)->line('get a') } $near, $far], [1, '(none)'],
            "the bits of $own that count";
    }
    is $from->('/net/?get=a', '192.0.16.1', cookie => $from->('/odd/?set=a:1', '192.0.16.1')->cookie('id'))->line('get a'), 1,
        'another network of the settings is not compared';
    $server->stop;
}

note 'Certificates';
SKIP: {
    my $made = system("cd $DIR && for name in server one two; do openssl req -x509 -newkey ec -pkeyopt "
        . "ec_paramgen_curve:prime256v1 -nodes -subj /CN=\$name -days 2 -keyout \$name.key -out \$name.pem "
        . '2>/dev/null || exit 1; done');
    skip 'no openssl', 8 if $made != 0;
    my $server = SessionTest::Server->start({ modules => ['ssl'] }, 'SSLEngine On', "SSLCertificateFile $DIR/server.pem",
        "SSLCertificateKeyFile $DIR/server.key", 'SSLVerifyClient optional_no_ca', 'SSLSessionCache none',
        '<Location /bound/>', 'SetHandler test-session', 'SessionDynamoDBBind tls-certificate deny', '</Location>');
    my $with = sub {
        my($name, $query, $id) = @_;
        my $cert = $name ? "--cert $DIR/$name.pem --key $DIR/$name.key" : '';
        note_secret($id) if $id;
        my $cookie = $id ? "-H 'Cookie: id=$id'" : '';
        my $text = `curl -skiS --max-time 20 $cert $cookie 'https://127.0.0.1:$server->{port}/bound/?$query' 2>&1`;
        note_secret($1) if $text =~ /^Set-Cookie: id=([^;]+)/mi;
        return $text;
    };
    my($id)  = $with->('one', 'set=a:1') =~ /^Set-Cookie: id=([^;]+)/mi;
    my($bare) = $with->('', 'set=a:1') =~ /^Set-Cookie: id=([^;]+)/mi;
    like bound($id), qr/^tls-certificate=\S{22}$/, 'a session that was made with a certificate';
    like $with->('one', 'get=a', $id), qr/^get a: 1$/m, '... is served with it';
    like $with->('two', 'get=a', $id), qr/^get a: \(none\)$/m, '... not with another';
    like $with->('', 'get=a', $id), qr/^get a: \(none\)$/m, '... nor without';
    is bound($bare), undef, 'one that was made without';
    like $with->($_, 'get=a', $bare), qr/^get a: 1$/m, '... is served with any' for '', 'one';
    $with->('one', 'set=a:2', $bare);
    is bound($bare), undef, '... and never bound to one';
    $server->stop;
}

done;
