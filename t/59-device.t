# SessionDynamoDBDeviceBound: a session is bound to a key of the browser's device, which it proves again and again. A copied
# cookie is worth nothing when the last proof is over.

use strict;
use warnings;
use Digest::SHA qw(sha256 sha512_hex);
use FindBin;
use File::Temp ();
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use MIME::Base64 qw(encode_base64url);
use SessionTest;
use SessionTest::Device;
use SessionTest::Events;
use SessionTest::Login qw(form);
use SessionTest::Server;

same_under_every_mpm();

my $DIR = File::Temp::tempdir('/tmp/device-XXXXXX', CLEANUP => 1);
my $server = SessionTest::Server->start({ modules => [qw(authn_core authn_file auth_basic auth_form request authz_user log_config)] },
    'Define SESSION_DYNAMODB_SHORT_LIFETIMES', "SessionDynamoDBEventLog $DIR/events", 'LogLevel session_dynamodb:info',
    'SessionDynamoDBDeviceBound On', 'ErrorDocument 417 /test/?get=a', 'SessionDynamoDBUserKey user', 'SessionDynamoDBControlHeader X-Session-Control',
    '<Location /require/>', 'SetHandler test-session', 'SessionDynamoDBDeviceBound Require', 'SessionDynamoDBDeviceWindow 60',
    'SessionDynamoDBCookieName strict', 'SessionDynamoDBDevicePath /require/device/', '</Location>',
    '<Location /lax/>', 'SetHandler test-session', 'SessionDynamoDBCookieSameSite Lax', 'SessionDynamoDBCookieName lax',
    'SessionDynamoDBDevicePath /lax/d/', '</Location>',
    '<Location /short/>', 'SetHandler test-session', 'SessionDynamoDBDeviceLifetime 2', 'SessionDynamoDBCookieName short',
    'SessionDynamoDBDevicePath /short/d/', '</Location>',
    "CustomLog $DIR/access \"%m %U %>s %{Secure-Session-Response}i %{Sec-Secure-Session-Id}i\"",
    '<Location /metrics>', 'SetHandler session-dynamodb-metrics', '</Location>',
    '<Location /members/>', 'SetHandler test-session', 'AuthType Basic', 'AuthName members', "AuthUserFile $SessionTest::T/conf/users",
    'Require valid-user', 'SessionDynamoDBCookieName members', 'SessionDynamoDBDevicePath /members/d/', '</Location>',
    '<Location /form/>', 'SetHandler test-session', 'AuthType form', 'AuthName area', 'AuthFormProvider file',
    "AuthUserFile $SessionTest::T/conf/users", 'AuthFormLoginRequiredLocation /login.html', 'Require valid-user',
    'SessionDynamoDBCookieName form', 'SessionDynamoDBDevicePath /form/d/', '</Location>',
    '<Location /form/login>', 'SetHandler form-login-handler', 'AuthFormLoginSuccessLocation /form/', '</Location>',
    '<Location /strict/>', 'SetHandler test-session', 'SessionDynamoDBCookieName __Host-Http-id', 'SessionDynamoDBDevicePath /strict/d/',
    '</Location>', '<Location /off/>', 'SetHandler test-session', 'SessionDynamoDBDeviceBound Off', '</Location>');
my $log = SessionTest::Events->new("$DIR/events");

sub browser { return SessionTest::Device->new(port => $server->port, @_) }
sub row_of { my($browser, $name) = @_; return row(key_of($browser->{jar}{ $name || 'id' })) }
# As long ago as that: without waiting for it.
sub earlier { my($browser, $seconds, $name) = @_; change_row($browser->{jar}{ $name || 'id' }, sub { $_->{device_until}{N} -= $seconds }) }
sub bound_browser {
    my($path, @more) = @_;
    my $browser = browser(@more);
    $browser->get($path || '/test/?set=a:1');
    $browser->register;
    return $browser;
}

note 'A whole life';
{
    my $browser = browser();
    calls_are { $browser->get('/test/?set=a:1') } ['PutItem'], 'a new session';
    like $browser->{invitation}, qr/^[\w-]{43}\.\d+\.[\w-]{22}$/, '... with an invitation';
    is $browser->{path}, '/.device-session/register', '... to the default folder';
    is res()->header('Cache-Control'), 'no-store', '... which nobody keeps';
    my $row = row_of($browser);
    is_deeply [length $row->{device_secret}{B}, defined $row->{device_key}, $row->{device_until}{N} - time > 55], [24, '', 1],
        'its row has a secret, and no key';
    calls_are { $browser->get('/test/?get=a') } ['GetItem'], 'a request that reads costs one read';
    is_deeply [res()->line('get a'), scalar res()->header('Secure-Session-Registration')], [1, undef], '... and invites no more';

    calls_are { $browser->register } [qw(GetItem UpdateItem)], 'a registration: one read, one write';
    is res()->status, 200, '... is accepted';
    is_deeply [map { res()->header($_) } 'Content-Type', 'Cache-Control', 'X-Content-Type-Options', 'Cross-Origin-Resource-Policy'],
        ['application/json', 'no-store', 'nosniff', 'same-origin'], '... by an answer for this site alone';
    my $said = JSON::PP::decode_json(res()->body);
    is_deeply $said, { session_identifier => $browser->{id}, refresh_url => '/.device-session/refresh',
        scope => { include_site => JSON::PP::false }, credentials => [{ type => 'cookie', name => 'id-device',
        attributes => 'Path=/; Secure; HttpOnly; SameSite=Strict' }] }, '... says what to do';
    my($cookie) = res()->set_cookies;
    like $cookie, qr/^id-device=\d+\.[\w-]{22}; Max-Age=600; \Q$said->{credentials}[0]{attributes}\E$/, '... and gives the cookie';
    $row = row_of($browser);
    is_deeply [length $row->{device_key}{B}, $row->{version}{N}, $row->{device_until}{N} - time < 11], [88, 1, 1],
        'the row has the key, and no other version';

    earlier($browser, 20);
    calls_are { $browser->get('/test/?get=a') } ['GetItem'], 'with its cookie it goes on, for one read';
    is res()->line('get a'), 1, '... indeed';
    calls_are { $browser->get('/test/?set=a:2') } [qw(GetItem UpdateItem)], 'a change is one write';
    is row_of($browser)->{device_key}{B}, $row->{device_key}{B}, '... which leaves the key';

    calls_are { $browser->refresh } ['GetItem'], 'a proof costs one read and no write';
    is_deeply [res()->status, res()->body], [204, ''], '... and is accepted';
    like +(res()->set_cookies)[0], qr/^id-device=\d+\.[\w-]{22}; Max-Age=600; Path/, '... for another cookie';
    my $challenge = $browser->{challenge};
    calls_are { $browser->post('/.device-session/refresh') } ['GetItem'], 'without a proof';
    is res()->status, 403, '... there is a challenge';
    isnt $browser->{challenge}, $challenge, '... another one each time';
    is scalar(res()->set_cookies), 0, '... and no cookie';
    is $browser->refresh->status, 204, '... and a proof of it is accepted';

    calls_are { $browser->get('/test/?end') } [qw(GetItem DeleteItem)], 'a logout';
    is_deeply $browser->{jar}, {}, '... ends both cookies';
    $browser->{jar} = { id => 'x' x 43 };
    is $browser->refresh->status, 401, 'a proof for nothing: the browser is to forget it';
}

note 'A name to which browsers bind nothing';
{
    my $browser = browser();
    $browser->get('/strict/?set=a:1');
    ok $browser->{jar}{'__Host-Http-id'}, 'of the session\'s cookie';
    is $browser->register->status, 200, 'a registration';
    is JSON::PP::decode_json(res()->body)->{credentials}[0]{name}, '__Host-id-device', '... names one to which they do';
    is_deeply [map { /^([^=]+)/ } res()->set_cookies], ['__Host-id-device'], '... which comes';
    earlier($browser, 20, '__Host-Http-id');
    is $browser->get('/strict/?get=a')->line('get a'), 1, '... and counts';
    is $browser->get('/strict/?in=Cookie')->line('in Cookie'), '(none)', '... and is hidden from programs';
    $browser->get('/strict/?end');
    is_deeply $browser->{jar}, {}, '... and goes at a logout';
}

note 'RSA';
{
    my $browser = browser();
    $browser->get('/test/?set=a:1');
    is $browser->register(alg => 'RS256')->status, 200, 'a key of RSA';
    is length(row_of($browser)->{device_key}{B}), 344, '... is stored';
    is $browser->refresh(alg => 'RS256')->status, 204, '... and proves';
    is $browser->refresh->status, 400, 'another algorithm does not';
}

note 'Copies';
{
    my $browser = bound_browser();
    my $thief = $browser->copy;
    earlier($browser, 20);
    is $thief->get('/test/?get=a')->line('get a'), 1, 'a copy of both cookies works';
    is $thief->post('/.device-session/refresh')->status, 403, '... gets challenges';
    is $thief->refresh->status, 400, '... but has no key';
    is $thief->refresh(register => 1)->status, 400, '... nor can it bring one';
    is scalar(res()->set_cookies), 0, '... and gets no cookie';
    my $half = $browser->copy;
    delete $half->{jar}{'id-device'};
    my $before = row_of($browser);
    $log->added;
    calls_are { $log->are(sub { $half->get('/test/?get=a') }, ['refused device'], 'a copy of one cookie') } ['GetItem'], '... costs a read';
    is_deeply [res()->status, res()->line('get a'), res()->set_cookies], [200, '(none)'], '... has no session, and no news of it';
    is_deeply row_of($browser), $before, '... and the row stays as it is';
    $log->are(sub { $half->get('/test/?get=a') for 1 .. 3 }, [], '... which is told once a minute');
    is scalar(grep { /without proof of its device/ } $server->log_lines(qr/SHA-512 of the ID: @{[sha512_hex($browser->{jar}{id})]}/)), 1,
        '... in the log, too';
    calls_are { $half->get('/test/?set=b:1') } [qw(GetItem PutItem)], 'what it stores';
    is_deeply [data_of(row_of($half)), $half->{jar}{id} ne $browser->{jar}{id}], ['b=1', !!1], '... is another session';
    is $browser->get('/test/?get=a')->line('get a'), 1, 'the browser goes on';
    my @error = ('/.device-session/refresh', method => 'POST', headers => ['Expect', 'x']);
    is $browser->ask(path => @error)->line('get a'), 1, 'an error page has the session, for a request with a path of ours, too';
    is $browser->copy->ask(path => @error, without => { 'id-device' => 1 })->line('get a'), '(none)', '... but not without proof';
    for my $case (['forged', '9' x 10 . '.' . 'A' x 22], ['over', $browser->{jar}{'id-device'} =~ s/^\d+/time - 1/er], ['empty', ''],
                  ['of another session', bound_browser()->{jar}{'id-device'}]) {
        is $browser->copy->ask(path => '/test/?get=a', without => { 'id-device' => 1 }, headers => ['Cookie', "id-device=$case->[1]"])
            ->line('get a'), '(none)', "a cookie that is $case->[0]";
    }
    is $browser->get('/test/?get=a', headers => ['Cookie', 'id-device=x'])->line('get a'), '(none)', 'two cookies are none';
    my $log_of = $browser->copy;
    is $log_of->get('/off/?get=a', without => { 'id-device' => 1 })->line('get a'), 1, 'a place that does not ask takes any';
}

note 'Two sessions at once';
{
    my($browser, $other) = (browser(), browser());
    $_->get('/test/?set=a:1') for $browser, $other;
    $_->register for $browser, $other;
    earlier($_, 20) for $browser, $other;
    my $good = $browser->{jar}{'id-device'};
    $browser->{jar}{'id-device'} = $other->{jar}{'id-device'};
    is $browser->get('/test/?get=a')->line('get a'), '(none)', 'the cookie of another session is none';
    is_deeply [res()->header('Cache-Control'), map { s/=.*//r } res()->set_cookies], ['no-store', 'id-device'],
        '... and is deleted, so that the browser renews it';
    is_deeply [sort keys %{ $browser->{jar} }], ['id'], '... but not the session';
    is $browser->refresh->status, 204, '... which it can';
    is $browser->get('/test/?get=a')->line('get a'), 1, '... and goes on';
    my @two = (without => { id => 1, 'id-device' => 1 }, headers => ['Cookie', "id=$browser->{jar}{id}; id=$other->{jar}{id}; id-device=$good"]);
    is $browser->get('/test/?get=a', @two)->line('get a'), '(none)', 'two sessions are none';
    is $browser->refresh(@two)->status, 503, '... and no reason to forget the device';
    change_row($other->{jar}{id}, sub { $_->{version}{N} = 0 });
    is $other->refresh->status, 503, 'nor is a row that nobody can read';
}

note 'Registrations that are refused';
{
    my $browser = browser();
    $browser->get('/test/?set=a:1');
    my $row = row_of($browser);
    for my $case (['another challenge', jti => 'x'], ['no form', jti => 'A' x 43 . '.1.' . 'A' x 22],
                  ['its time changed', jti => $browser->{invitation} =~ s/\.(\d+)\./'.' . ($1 + 1) . '.'/er],
                  ['signed by another key', sign => 'thief'], ['a signature in DER', der => JSON::PP::true],
                  ['no type', header => { typ => 'JWT' }], ['no algorithm', header => { alg => 'none' }],
                  ['another algorithm', header => { alg => 'RS256' }]) {
        my($what, @how) = @$case;
        is $browser->register(@how)->status, 400, $what;
        is scalar(res()->set_cookies), 0, '... no cookie';
    }
    for my $case (['no proof', undef], ['no JWS', 'x'], ['a long one', 'x' x 5000]) {
        calls_are { is $browser->post('/.device-session/register', $case->[1])->status, 400, $case->[0] } [], '... no call';
    }
    is_deeply row_of($browser), $row, 'nothing of it is stored';
    calls_are { is $browser->get('/.device-session/register')->status, 405, 'GET' } [], '... no call';
    is res()->header('Allow'), 'POST', '... is not allowed';
    is $browser->ask(path => '/.device-session/other')->status, 404, 'another path is not ours';

    is $browser->register(without => { id => 1 })->status, 200, 'a registration without cookies, as after a login on another site';
    is $browser->register->status, 200, 'once more, as after an answer that was lost';
    my $thief = $browser->copy;
    $log->added;
    $log->are(sub { $thief->register }, ['refused device-key'], 'a second key');
    is_deeply [res()->status, scalar res()->header('Secure-Session-Challenge')], [403, undef], '... is refused for good';
    is scalar($server->log_lines(qr/refused a second device for a session that is bound.*table key of the session: \Q@{[key_of($browser->{jar}{id})]}\E/)), 1,
        '... and reported';
    my $late = browser();
    $late->get('/test/?set=a:1');
    earlier($late, 100);
    is $late->register->status, 400, 'after the window';
    my $gone = browser();
    $gone->get('/test/?set=a:1');
    delete_row(key_of($gone->{jar}{id}));
    is $gone->register->status, 400, 'a session that has ended';
}

note 'Proofs that are refused';
{
    my $browser = bound_browser();
    my $first = $browser->{challenge};
    is $browser->refresh->status, 204, 'a proof';
    is $browser->refresh(jti => $first)->status, 204, '... the same challenge again, for as long as it counts';
    is $browser->refresh(jti => 'x')->status, 403, 'a challenge that is none';
    like res()->header('Secure-Session-Challenge'), qr/^"[^"]+";id="\Q$browser->{id}\E"$/, '... gets another one';
    is $browser->refresh(jti => $first =~ s/\.(\d+)\./'.' . ($1 - 1) . '.'/er)->status, 403, 'a changed one, too';
    is $browser->refresh(sign => 'thief')->status, 400, 'another key';
    is $browser->refresh(der => JSON::PP::true)->status, 400, 'a signature in DER';
    is $browser->post('/.device-session/refresh', 'x')->status, 400, 'no JWS';
    my $id = $browser->{id};
    $browser->{id} = 'A' x 22;
    is $browser->refresh->status, 401, 'another identifier';
    $browser->{id} = undef;
    is $browser->refresh->status, 401, 'none';
    $browser->{id} = qq("$id");
    is $browser->refresh->status, 204, 'one in quotes, as the draft has it';
    $browser->{id} = $id;
    is $browser->refresh(without => { id => 1 })->status, 401, 'no session';
    is $browser->get('/.device-session/refresh')->status, 405, 'GET';
    my $unbound = browser(id => 'A' x 22, challenge => 'x');
    $unbound->get('/test/?set=a:1');
    is $unbound->refresh->status, 503, 'a session that may be bound at this moment';
    earlier($unbound, 100);
    is $unbound->refresh->status, 401, '... and will never be';
}

note 'Lifetimes';
{
    my $browser = bound_browser('/short/?set=a:1', folder => '/short/d/');
    like +(res()->set_cookies)[0], qr/; Max-Age=2;/, 'a cookie of short life';
    my $thief = $browser->copy;
    earlier($browser, 20, 'short');
    is $thief->get('/short/?get=a')->line('get a'), 1, 'a copied cookie works at once';
    ok eventually(sub { $thief->get('/short/?get=a')->line('get a') eq '(none)' }, 10), '... and no more after its lifetime';
    is $browser->refresh->status, 403, 'the challenge is over, too';
    is $browser->refresh->status, 204, '... the next one is proved';
    is $browser->get('/short/?get=a')->line('get a'), 1, '... and the browser goes on';
}

note 'Require';
{
    my $browser = browser(folder => '/require/device/');
    $browser->get('/require/?set=a:1');
    is $browser->get('/require/?get=a')->line('get a'), 1, 'a session that is not bound yet';
    earlier($browser, 20, 'strict');
    my $until = row_of($browser, 'strict')->{device_until}{N};
    $browser->get('/require/?renew');
    ok res()->header('Secure-Session-Registration'), '... is invited again with a new ID';
    is row_of($browser, 'strict')->{device_until}{N}, $until, '... for no longer time';
    earlier($browser, 100, 'strict');
    is $browser->get('/require/?get=a')->line('get a'), '(none)', '... is none after the window';
    my $bound = bound_browser('/require/?set=a:1', folder => '/require/device/');
    is res()->status, 200, 'one that is bound';
    earlier($bound, 100, 'strict');
    is $bound->get('/require/?get=a')->line('get a'), 1, '... goes on';
    my $plain = browser();
    $plain->get('/off/?set=a:1');
    is $plain->{invitation}, undef, 'where it is off nobody is invited';
}

note 'New IDs';
{
    my $browser = bound_browser('/test/?set=user:ann&set=a:1');
    my($id, $key) = ($browser->{id}, row_of($browser)->{device_key}{B});
    earlier($browser, 20);
    my $old = $browser->copy;
    calls_are { $browser->get('/test/?renew') } [qw(GetItem PutItem UpdateItem)], 'a new ID for the same user';
    is scalar(res()->header('Secure-Session-Registration')), undef, '... no invitation';
    is row_of($browser)->{device_key}{B}, $key, '... the key goes along';
    is $browser->get('/test/?get=a')->line('get a'), 1, '... and the cookie stays good';
    is $browser->refresh->status, 204, '... and so does the binding';
    is $browser->{id}, $id, '... by its name';
    is $old->refresh->status, 503, 'a proof that comes with the old ID at the same time is to come again';
    my $row = row(key_of($old->{jar}{id}));
    ok !grep(/device/, keys %$row), '... whose row has nothing of it';

    $browser->get('/test/?set=user:bob');
    like res()->header('Secure-Session-Registration'), qr/^\(ES256 RS256\);/, 'another user is invited';
    is_deeply [data_of(row_of($browser)), row_of($browser)->{device_key}], ['user=bob', undef], '... and begins without a key';
    is $browser->register(key => 'another')->status, 200, '... and binds one';
    isnt $browser->{id}, $id, '... under another name';

    my $login = bound_browser();
    earlier($login, 20);
    $login->get('/test/?set=user:ann');
    is_deeply [row_of($login)->{device_key}, !!res()->header('Secure-Session-Registration')], [undef, !!1],
        'a login begins anew: the session may be somebody else\'s';
}

note 'A registration while the ID changes';
{
    my $browser = browser();
    $browser->get('/test/?set=user:ann&set=a:1');
    my $thread = $browser->copy(key => $browser->{key});
    $thread->{$_} = $browser->{$_} for qw(invitation path);
    fault(kind => 'hold', op => 'PutItem', count => 1);
    my $renewal = SessionTest::HTTP->connect($server->port);
    $renewal->send_request(path => '/test/?renew', headers => [['Cookie', "id=$browser->{jar}{id}"]]);
    ok held(1), 'a renewal has read the session';
    is $thread->register->status, 200, '... and meanwhile it is bound';
    release();
    my $answer = $renewal->read_response;
    my($id) = map { /^id=([^;]+)/ } $answer->set_cookies;
    ok $id, 'the renewal goes on';
    ok row(key_of($id))->{device_key}, '... and takes the key along';
    is scalar($answer->header('Secure-Session-Registration')), undef, '... and invites to no other one';
}

note 'The table fails';
for my $op (qw(GetItem UpdateItem)) {
    my $browser = browser();
    $browser->get('/test/?set=a:1');
    fault(kind => '500', op => $op, count => 0);
    is $browser->register->status, 503, "a registration, without $op";
    clear_faults();
    is $browser->register->status, 200, '... and later';
    next if $op ne 'GetItem';
    fault(kind => '500', op => $op, count => 0);
    is $browser->refresh->status, 503, 'a proof';
    is scalar(res()->set_cookies), 0, '... no cookie is taken';
    clear_faults();
    is $browser->refresh->status, 204, '... and later';
}

note 'Behind access control';
{
    my $browser = browser(folder => '/members/d/', headers => ['Authorization', 'Basic ' . MIME::Base64::encode_base64('alice:secret-of-alice', '')]);
    $browser->get('/members/?set=a:1');
    is res()->line('get a') // res()->status, '200', 'a page for members';
    $browser->{headers} = [];
    is $browser->get('/members/?get=a')->status, 401, '... asks for a password';
    is $browser->register->status, 200, '... a registration does not';
    is $browser->refresh->status, 204, '... nor a proof';
    is $browser->post('/members/d/refresh')->status, 403, '... nor one without';

    $browser = browser(folder => '/form/d/');
    my @form = (method => 'POST', headers => ['Content-Type', 'application/x-www-form-urlencoded'], body => form('alice'));
    $browser->ask(path => '/form/login', @form);
    ok $browser->{invitation}, 'a login by mod_auth_form invites';
    is $browser->register->status, 200, '... a registration behind it';
    earlier($browser, 20, 'form');
    is $browser->get('/form/?get=a')->status, 200, '... opens the page';
    is $browser->get('/form/?get=a', without => { 'form-device' => 1 })->status, 302, '... which a copied cookie does not';
    like res()->header('Location'), qr{/login\.html$}, '... but leads to the form';
    is $browser->refresh->status, 204, 'a proof is no page';
    is $browser->ask(path => '/form/login', @form, without => { 'form-device' => 1 })->status, 302, 'a login that has lost its proof';
    is $browser->register->status, 200, '... begins a new session, and binds it';
}

note 'What programs and logs see';
{
    my $browser = bound_browser();
    earlier($browser, 20);
    my @more = (headers => ['Secure-Session-Response', 'proof', 'Sec-Secure-Session-Id', 'x', 'Secure-Session-Skipped', 'y']);
    is $browser->get('/test/?in=Cookie&in=Secure-Session-Response&in=Sec-Secure-Session-Id&env=SESSION_DYNAMODB_DEVICE', @more)
        ->body =~ s/^(?!in |env ).*\n//mgr, "in Cookie: (none)\nin Secure-Session-Response: (none)\n"
        . "in Sec-Secure-Session-Id: (none)\nenv SESSION_DYNAMODB_DEVICE: bound\n", 'a program sees no proof, but that there is one';
    is $browser->get('/test/?env=SESSION_DYNAMODB_DEVICE', without => { 'id-device' => 1 })->line('env SESSION_DYNAMODB_DEVICE'), 'stale',
        '... or none';
    is browser()->get('/test/?set=a:1&env=SESSION_DYNAMODB_DEVICE')->line('env SESSION_DYNAMODB_DEVICE'), '(none)', 'a new one is not judged';
    my $unbound = browser();
    $unbound->get('/test/?set=a:1');
    is $unbound->get('/test/?env=SESSION_DYNAMODB_DEVICE')->line('env SESSION_DYNAMODB_DEVICE'), 'unbound', 'the next request is';
    my $access = SessionTest::Log::slurp("$DIR/access");
    unlike $access, qr/proof|eyJ/, 'the access log has no proof';
    like $access, qr/^POST \S+register 200 - -$/m, '... but the requests';
}

note 'Counters and events';
{
    my %metric = map { /^session_dynamodb_device_proofs_total\{.*result="(\w+)"\} (\d+)/ ? ($1 => $2) : () }
        split /\n/, get('/metrics', port => $server->port)->body;
    my @now = @metric{qw(registered refreshed refused stale skipped)};
    ok !grep({ !$_ } @now), "all kinds are counted: @now";
    my $browser = browser();
    $browser->get('/test/?set=a:1');
    $log->are(sub { $browser->register }, ['bound device'], 'a registration is an event');
    $browser->refresh;
    $browser->refresh(sign => 'thief');
    earlier($browser, 20);
    $browser->get('/test/?get=a', without => { 'id-device' => 1 }, headers => ['Secure-Session-Skipped', 'unreachable']);
    my %then = map { /^session_dynamodb_device_proofs_total\{.*result="(\w+)"\} (\d+)/ ? ($1 => $2) : () }
        split /\n/, get('/metrics', port => $server->port)->body;
    is_deeply [map { $then{$_} - $metric{$_} } qw(registered refreshed refused stale skipped)], [1, 1, 1, 1, 1], 'each kind once more';
}

note 'From another site';
{
    my $browser = bound_browser('/lax/?set=a:1', folder => '/lax/d/');
    earlier($browser, 20, 'lax');
    my @from = ('Sec-Fetch-Mode', 'navigate', 'Sec-Fetch-Site', 'cross-site');
    my @without = (without => { 'lax-device' => 1 });
    is $browser->get('/lax/?get=a', headers => \@from)->line('get a'), 1, 'with the proof it is a page';
    calls_are { $browser->get('/lax/?get=a', @without, headers => \@from) } ['GetItem'], 'without it';
    like res()->body, qr/<meta http-equiv="refresh" content="0">/, '... it loads itself again';
    is_deeply [res()->status, res()->header('Cache-Control'), res()->set_cookies], [200, 'no-store'], '... and changes nothing';
    is $browser->get('/lax/?get=a', @without, headers => ['Sec-Fetch-Mode', 'navigate', 'Sec-Fetch-Site', 'same-origin'])
        ->line('get a'), '(none)', '... once';
    is $browser->ask(path => '/lax/?get=a', method => 'POST', @without, headers => \@from)->line('get a'), '(none)', 'not a POST';
    is browser()->get('/lax/?get=a', headers => \@from)->line('get a'), '(none)', 'nor a visitor without a session';
    is bound_browser()->get('/test/?get=a', without => { 'id-device' => 1 }, headers => \@from)->status, 200, 'nor with SameSite=Strict';
}

$server->stop(qr/could not be (?:read|written)/, qr/refused a (?:second device|proof)/, qr/malformed session row|ignored the cookies/, qr/\[session:error\]|AH018/);
done;
