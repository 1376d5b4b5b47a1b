# The strictest settings as they are shipped (conf/session-dynamodb-hardened.conf): what a visitor, a table and a thief get.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;

use MIME::Base64 ();

my @HOST = (port => 'bulk', host => 'hardened.test', cookie_name => '__Host-id');
my @TLS  = (@HOST, headers => ['X-Forwarded-Proto', 'https']);
my @PAGE = (@HOST, headers => ['X-Forwarded-Proto', 'https', 'Sec-Fetch-Mode', 'navigate']);

sub id { my($cookie) = grep { /^__Host-id=./ } res()->set_cookies; return $cookie =~ /=([^;]*)/ ? $1 : undef }
sub ended { return [map { /^(__Host-id(?:-device)?)=; (?=.*Path=\/;).*Secure; HttpOnly; SameSite=Strict/ ? $1 : $_ } res()->set_cookies] }
sub row_of { return row(key_of($_[0])) }

note 'A visitor';
calls_are { get('/hardened/?set=cart:4711', @TLS) } ['PutItem'], 'a visitor stores something';
my($cookie) = res()->set_cookies;
like $cookie, qr/^__Host-id=[\w-]{43}\.[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/,
    '... and gets a signed ID, in a cookie of this host alone that ends with the browser';
is res()->header('Cache-Control'), 'no-store', '... which no cache keeps';
like res()->header('Secure-Session-Registration'), qr{^\(ES256 RS256\);path="/\.device-session/register";challenge="},
    '... and is invited to bind the session to its device';
my $id = id();
my $row = row_of($id);
is_deeply [@$row{qw(idle_timeout absolute_timeout encoding)}], [{ N => 1800 }, { N => 28800 }, { S => 'sealed' }],
    'the row has the shorter times, and is sealed';
unlike MIME::Base64::decode_base64($row->{data}{B}), qr/cart|4711/, '... so that nobody reads it there';

note 'A login and a logout';
calls_are { get('/hardened/?set=user:alice&set=role:admin', @TLS, cookie => $id) } [qw(GetItem PutItem UpdateItem)],
    'a login has a new ID';
my $user = id();
isnt $user, $id, '... which it sends';
is get('/hardened/?entries', @TLS, cookie => $user)->line('entries'), 'role=admin&user=alice',
    '... and has nothing of what was there before';
is get('/hardened/?get=user', @TLS, cookie => $id)->line('get user'), '(none)', '... while the old ID opens nothing';
calls_are { get('/hardened/?del=user', @TLS, cookie => $user) } [qw(GetItem DeleteItem)], 'a logout ends the session';
is res()->header('Clear-Site-Data'), '"cache", "storage"', '... and what the browser kept';
is_deeply ended(), ['__Host-id', '__Host-id-device'], '... with its cookies';
is row_of($user), undef, '... for good';

note 'Time';
{
    get('/hardened/?set=user:alice', @TLS);
    my $idle = id();
    age($idle, 1810);
    calls_are { get('/hardened/?get=user', @PAGE, cookie => $idle) } ['GetItem'], 'after half an hour without activity';
    is_deeply [res()->line('get user'), ended()], ['(none)', ['__Host-id', '__Host-id-device']], '... it is over, and the cookies go';
    get('/hardened/?set=user:alice', @TLS);
    my $aging = id();
    age($aging, 3700, created => 1);
    change_row($aging, sub { $_->{accessed}{S} = $row->{accessed}{S}; $_->{expires}{N} = $row->{expires}{N} });
    calls_are { get('/hardened/?get=user', @TLS, cookie => $aging) } [qw(GetItem PutItem UpdateItem)],
        'after an hour there is a new ID';
    is res()->line('get user'), 'alice', '... for the same session';
}

note 'What is refused';
expect_log qr/\[session_dynamodb:warn\].* refused a request for \S+ that did not come over TLS/,
    qr/\[session_dynamodb:warn\].*refused POST \S+ in a session, because another site's page may have sent it/,
    qr/\[session_dynamodb:warn\].*ignored a malformed session row.*(?:is not sealed|no key opens it here)/;
get('/hardened/?set=user:alice', @TLS);
$id = id();
calls_are { get('/hardened/?get=user', @HOST, cookie => $id) } [], 'an ID in clear costs no call';
is_deeply [res()->status, res()->set_cookies], [403], '... and gets nothing';
my($plain) = split /\./, $id;
for my $made (['without its signature', $plain], ['with another', $plain . '.' . 'A' x 43], ['of nobody', 'A' x 43]) {
    calls_are { get('/hardened/?get=user', @TLS, cookie => $made->[1]) } [], "an ID $made->[0] costs no call";
    is res()->line('get user'), '(none)', '... and opens nothing';
}
calls_are { get('/hardened/?get=user', @TLS, cookie => $id, cookie_name => 'id') } [], 'a cookie of another name is none';
for my $site (['cross-site', 403], ['same-origin', 200]) {
    http(method => 'POST', path => '/hardened/?get=user', body => '', @HOST, cookie => $id,
        headers => ['X-Forwarded-Proto', 'https', 'Sec-Fetch-Site', $site->[0]]);
    is res()->status, $site->[1], "a change that comes $site->[0]";
}
is get('/hardened/?get=user', @HOST, cookie => $id, headers => ['X-Forwarded-Proto', 'https', 'User-Agent', 'Thief/1.0'])
    ->line('get user'), 'alice', 'another browser is served';
change_row($id, sub { delete $_->{encoding}; $_->{data} = { B => MIME::Base64::encode_base64('user=root', '') } });
calls_are { get('/hardened/?get=user', @TLS, cookie => $id) } ['GetItem'], 'a row that somebody wrote into the table';
is res()->line('get user'), '(none)', '... is no session';

note 'What is told of it';
{
    my @events = map { /"event":"(\w+)","reason":"([\w-]*)"/ ? "$1 $2" : () } log_lines();
    my %told = map { $_ => 1 } @events;
    ok $told{$_}, "the log tells: $_" for 'created new', 'renewed login', 'ended logout', 'expired idle', 'renewed age',
        'refused form', 'refused tls', 'refused cross-site', 'changed user-agent', 'failed bad-item';
}

done;
