# SessionDynamoDBDeviceBound in a real browser: Chromium, with keys in software, because it has no others on Linux.

use strict;
use warnings;
use FindBin;
use File::Temp ();
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Browser;
use SessionTest::Log ();
use SessionTest::Recipe ();
use SessionTest::Server;

same_under_every_mpm();
plan skip_all => 'no Chromium (Debian: chromium; or name the program in CHROMIUM)' if !SessionTest::Browser->program;

my $SHORT = 8;                # seconds that a proof counts, in /short/ and /lax/; a quarter more for slow networks
my $TLS = SessionTest::Recipe::free_port();
my $DIR = File::Temp::tempdir('/tmp/device-browser-XXXXXX', CLEANUP => 1);
sub place {
    my($name, @lines) = @_;
    return ("<Location /$name/>", 'SetHandler test-session', "SessionDynamoDBDevicePath /$name/d/", @lines, '</Location>');
}
# Cookies of all kinds, each on a host of its own.
my %KIND = (none => ['id', 'SessionDynamoDBCookieSameSite None'], path => ['id', 'SessionDynamoDBCookiePath /path/'],
    prefix => ['__Host-id', 'SessionDynamoDBCookieName __Host-id'],
    http => ['__Http-id', 'SessionDynamoDBCookieName __Http-id'],
    strict => ['__Host-Http-id', 'SessionDynamoDBCookieName __Host-Http-id', 'SessionDynamoDBCookieSameSite Lax']);
my @lax = ("SessionDynamoDBDeviceLifetime $SHORT", 'SessionDynamoDBCookieSameSite Lax');
my $H2 = setting('mpm') ne 'prefork' && -e `${\setting('apxs')} -q LIBEXECDIR` =~ s/\n//r . '/mod_http2.so';
my $server = SessionTest::Server->start({ modules => [qw(ssl log_config setenvif rewrite), $H2 ? 'http2' : ()] },
    'Define SESSION_DYNAMODB_SHORT_LIFETIMES', 'SessionDynamoDBDeviceBound On', 'SessionDynamoDBUserKey user',
    'SetEnvIf Cookie "(?:^|; )id=" WITH_ID', "CustomLog $DIR/access \"%V %m %U %>s %{WITH_ID}e\"", 'UseCanonicalName Off',
    place('long'), place('short', "SessionDynamoDBDeviceLifetime $SHORT"), place('lax', @lax),
    map({ my(undef, @lines) = @{ $KIND{$_} }; place($_, @lines) } sort keys %KIND), place('persistent', 'SessionDynamoDBCookiePersistent On'),
    # What //evil.test/ is as a path.
    '<Location /evil.test/>', 'SetHandler test-session', 'SessionDynamoDBDevicePath /lax/d/', @lax, '</Location>',
    '<Location /off/>', 'SetHandler test-session', 'SessionDynamoDB Off', 'Session Off', '</Location>', "Listen 127.0.0.1:$TLS",
    "<VirtualHost *:$TLS>", 'SSLEngine On', $H2 ? 'Protocols h2 http/1.1' : (), "SSLCertificateFile $SessionTest::T/conf/tls.crt",
    "SSLCertificateKeyFile $SessionTest::T/conf/tls.key", 'RewriteEngine On',
    "RewriteRule ^/login\$ https://lax.test:$TLS/lax/?set=user:ann&set=a:1 [R,L,NE]", '</VirtualHost>');

my $PROFILE = File::Temp::tempdir("$SessionTest::T/state/device-XXXXXX", CLEANUP => 1);
sub browser {
    # Without its quota, six signatures in nine minutes, for all hosts of a site.
    return SessionTest::Browser->start(profile => $PROFILE, features => ['DeviceBoundSessions:RefreshQuota/false',
        'EnableBoundSessionCredentialsSoftwareKeysForManualTesting'])->tell_devices;
}
my $BROWSER = browser();
note 'Chromium ' . $BROWSER->version . ($H2 ? ', HTTP/2' : ', HTTP/1.1');

# Each part has a host of its own, which is a site of its own.
sub url   { my($host, $path) = @_; return "https://$host.test:$TLS$path" }
sub visit { return $BROWSER->open(url(@_)) }
sub shows {
    my($value, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is $BROWSER->text =~ /^get a: (.*)$/m ? $1 : '', $value, $sentence;
}
sub cookie_of {
    my($host, $name) = @_;
    my @found = grep { $_->{domain} eq "$host.test" } $BROWSER->cookies($name);
    return @found == 1 ? $found[0]{value} : undef;
}
sub proof_is_over {
    my($host, $name, $path) = @_;
    $BROWSER->forget_cookie($name || 'id-device', url($host, $path || '/'));
    return;
}

# What the browser has sent to the folders of that host, and the answers: 'register 200', 'refresh 204'. The rest of the
# line is 1 where the session's cookie came along.
sub sent {
    my($host) = @_;
    return map { m{^\Q$host.test\E POST /\w+/d/(\w+ \d+ \S+)$} ? $1 : () }
        split /\n/, SessionTest::Log::slurp("$DIR/access");
}
my %SEEN;
sub sent_since { my($host) = @_; my @all = sent($host); my @new = splice @all, $SEEN{$host} || 0; $SEEN{$host} += @new; return map { s/ \S+$//r } @new }
# Meanwhile it sends exactly these.
sub sends (&$$$) {
    my($block, $host, $expected, $sentence) = @_;
    sent_since($host);
    $block->();
    eventually(sub { sent($host) >= $SEEN{$host} + @$expected });
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_deeply [sent_since($host)], $expected, $sentence;
}
sub binds {
    my($host, $sentence, $name) = @_;
    my $is = eventually(sub { (grep { /^register 200/ } sent($host)) && cookie_of($host, $name || 'id-device') }, 10);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok $is, $sentence or diag join "\n", sent($host);
    sent_since($host);
    return;
}
# So many requests at once: how many have the session.
sub have_session {
    my($count, $path) = @_;
    return $BROWSER->value("Promise.all(Array.from({ length: $count }, () => fetch('$path').then(r => r.text())))"
        . ".then(all => all.filter(t => t.includes('get a: 1')).length)");
}
sub tabs_have_session { my($host, $path) = @_; return scalar grep { /^get a: 1$/m } $BROWSER->texts_of_tabs((url($host, $path)) x 2) }
# From a page of another site.
sub comes_by_link {
    my($to) = @_;
    visit('other', '/off/');
    $BROWSER->value(qq(document.body.innerHTML = `<a href="$to">go</a>`));
    return $BROWSER->arrives(sub { $BROWSER->press('Tab', 'Enter') });
}

note 'A session is bound';
{
    visit('long', '/long/?set=a:1');
    binds('long', 'after its first page');
    my($made) = map { $_->{creationEventDetails} || () } $BROWSER->device_events;
    is_deeply [$made->{fetchResult}, map { $_->{name} } @{ $made->{newSession}{cookieCravings} }], ['Success', 'id-device'],
        '... says the browser, too';
    is $made->{newSession}{inclusionRules}{origin}, "https://long.test:$TLS", '... for this origin';
    is length(row(key_of(cookie_of('long', 'id')))->{device_key}{B}), 88, 'its row has the key';
    # Were the cookie of the answer not the one of the instructions, each request would be held up by a proof.
    sends {
        visit('long', '/long/?get=a') for 1 .. 5;
        shows(1, 'the session is there');
        is have_session(20, '/long/?get=a'), 20, '... for 20 requests at once, too';
    } 'long', [], '... and no request waits for a proof';
    proof_is_over('long');
    sends { visit('long', '/long/?get=a'); shows(1, 'without its proof, a page waits for one') } 'long', ['refresh 204'], '... for one';
    proof_is_over('long');
    sends { is have_session(20, '/long/?get=a'), 20, '20 requests at once have the session' } 'long', ['refresh 204'], '... for one proof';
    proof_is_over('long');
    sends { is tabs_have_session('long', '/long/?get=a'), 2, 'two tabs have it' } 'long', ['refresh 204'], '... for one proof';
}

note 'Cookies of all kinds';
for my $host (sort keys %KIND) {
    my $name = $KIND{$host}[0] =~ s/^__Host-Http-/__Host-/r . '-device';
    visit($host, "/$host/?set=a:1");
    binds($host, "$host: binds", $name);
    sends { is have_session(5, "/$host/?get=a"), 5, '... and goes on' } $host, [], '... without a proof for each request';
    proof_is_over($host, $name, "/$host/");
    sends { is have_session(5, "/$host/?get=a"), 5, '... and goes on' } $host, ['refresh 204'], '... with one when that is over';
}

note 'Right after a login';
{
    visit('race', '/off/');
    # Some of these requests leave the browser before it has its proof, and arrive when the session is bound.
    my $said = $BROWSER->value(<<'JS');
(async () => {
    await fetch('/long/?set=user:ann&set=a:1')
    const end = Date.now() + 1500
    let all = 0, without = 0
    await Promise.all(Array.from({ length: 20 }, async () => {
        while (Date.now() < end) {
            const text = await (await fetch('/long/?get=a')).text()
            all++
            without += !text.includes('get a: 1')
        }
    }))
    return { all, without }
})()
JS
    cmp_ok $said->{all}, '>=', 20, "a login, and at once $said->{all} requests";
    is $said->{without}, 0, '... all of which have the session';
    is tabs_have_session('race', '/long/?get=a'), 2, '... and so have two tabs';
    binds('race', '... which is bound meanwhile');
    visit('race', '/long/?set=user:bob&set=a:1');
    is have_session(20, '/long/?get=a'), 20, 'another user logs in: 20 requests have the session';
    ok eventually(sub { 1 < grep { /^register 200/ } sent('race') }), '... which is bound anew';
    sent_since('race');
    proof_is_over('race');
    visit('race', '/long/?get=a');
    shows(1, '... and proved again');
    # The browser has both until it has asked for the older one, if it asks for that one first.
    is_deeply [grep { $_ ne 'refresh 401' } sent_since('race')], ['refresh 204'], '... by the key of the new one alone';
}

note 'A new ID';
{
    my($id, $proof) = map { cookie_of('long', $_) } 'id', 'id-device';
    sends { visit('long', '/long/?renew') } 'long', [], 'is no new registration';
    isnt cookie_of('long', 'id'), $id, '... although it is new';
    sends { visit('long', '/long/?get=a'); shows(1, 'the proof counts') } 'long', [], '... without another one';
    proof_is_over('long');
    sends { visit('long', '/long/?get=a'); shows(1, 'the next one does') } 'long', ['refresh 204'], '... by the same key';
}

note 'The table fails';
{
    proof_is_over('long');
    fault(kind => '500', op => 'GetItem', count => 0);
    sends { visit('long', '/long/?get=a') } 'long', ['refresh 503'], 'a proof that cannot be judged';
    clear_faults();
    sends { visit('long', '/long/?get=a'); shows(1, '... does not end the session') } 'long', ['refresh 204'], '... which is proved later';
}

note 'A login that begins on another site';
{
    comes_by_link(url('short', '/short/?set=user:ann&set=a:1'));
    binds('short', 'by a link: binds');
    is_deeply [(sent('short'))[0]], ['register 200 -'], '... by a request without the cookie of the session';
    comes_by_link(url('other', '/login'));
    binds('lax', 'by a redirect');
    is_deeply [(sent('lax'))[0]], ['register 200 -'], '... the same';
    comes_by_link(url('linked', '/lax/?set=user:ann&set=a:1'));
    binds('linked', 'with SameSite=Lax by a link');
    is_deeply [(sent('linked'))[0]], ['register 200 -'], '... the same';
}

note 'Proofs of short life';
{
    for my $time ('first', 'second') {
        my $proof = cookie_of('short', 'id-device') // '';
        visit('short', '/short/?get=a');
        shows(1, "the $time page");
        # Ahead of time where the browser thinks of it, by the next request otherwise.
        ok eventually(sub {
            my $now = cookie_of('short', 'id-device') // '';
            return 1 if length $now && $now ne $proof;
            visit('short', '/short/?get=a');
            return 0;
        }, 2 * $SHORT), '... brings another proof';
        select undef, undef, undef, 1.1;
    }
    ok eventually(sub { !cookie_of('short', 'id-device') }, 2 * $SHORT), 'a proof that is over is no cookie';
    sent_since('short');
    visit('short', '/short/?get=a');
    shows(1, 'a request after a rest has the session');
    # The challenge is over, too: half of the lifetime.
    is_deeply [(sent_since('short'))[0, 1]], ['refresh 403', 'refresh 204'], '... and waited for the proof';
}

note 'New IDs while proofs are under way';
{
    # The browser sends both at once. The reads of both are held, and that of the proof comes second; if not, once more.
    sent_since('short');
    for (1 .. 5) {
        my $id = cookie_of('short', 'id');
        fault(kind => 'hold', op => 'GetItem', count => 2);
        $BROWSER->value("window.renewed = fetch('/short/?renew').then(r => r.text()); 1");
        held(2);
        release(1);
        eventually(sub { cookie_of('short', 'id') ne $id || sent('short') > $SEEN{short} }, 1);
        release();
        clear_faults();
        like $BROWSER->value('renewed'), qr/^renew: ok$/m, 'the session gets a new ID';
        last if eventually(sub { grep { /^refresh 503/ } sent('short') }, 1);
    }
    my @answers = sent_since('short');
    is $answers[-1], 'refresh 503', '... a proof that comes with the old one is put off';
    proof_is_over('short');
    visit('short', '/short/?get=a');
    shows(1, '... the session goes on');
    # The challenge may be over, too. When this proof is judged another one may be under way.
    is_deeply [grep { $_ ne 'refresh 204' && $_ ne 'refresh 403' } sent_since('short')], [], '... by the same key';
    ok cookie_of('short', 'id-device'), '... and is proved again';
}

note 'From another site, with a proof that is over';
{
    ok eventually(sub { !cookie_of('lax', 'id-device') }, 2 * $SHORT), 'with SameSite=Lax';
    sent_since('lax');
    comes_by_link(url('lax', '/lax/?get=a'));
    ok eventually(sub { $BROWSER->text =~ /^get a: 1$/m }), 'the page loads itself again, and has the session' or diag $BROWSER->text;
    like join(' ', sent_since('lax')), qr/^refresh 403 refresh 204\b/, '... and waited for the proof';
    proof_is_over('lax');
    comes_by_link(url('lax', '//evil.test/?get=a'));
    ok eventually(sub { $BROWSER->text =~ /^get a: 1$/m }), 'a path that looks like a host' or diag $BROWSER->text;
    is $BROWSER->value('location.href'), url('lax', '//evil.test/?get=a'), '... is none';
}

note 'A copied cookie';
{
    visit('short', '/short/?get=a');
    my @copy = (port => $server->port, cookies => [join '; ', map { "$_=" . cookie_of('short', $_) } 'id', 'id-device']);
    is get('/short/?get=a', @copy)->line('get a'), 1, 'works at once in other hands';
    my $over = time + 3 * $SHORT;
    my $pages = 0;
    my $has = 0;
    until (get('/short/?get=a', @copy)->line('get a') eq '(none)' || time > $over) {
        visit('short', '/short/?get=a');
        $pages++;
        $has++ if $BROWSER->text =~ /^get a: 1$/m;
        select undef, undef, undef, 1;
    }
    cmp_ok time, '<=', $over, '... and no more when its proof is over';
    is $has, $pages, "... while the browser goes on: $pages pages";
    visit('short', '/short/?get=a');
    shows(1, '... and on');
    is get('/short/?get=a', port => $server->port, cookie => cookie_of('short', 'id'))->line('get a'), '(none)', 'the ID alone is worth nothing';
}

note 'Logout';
{
    visit('long', '/long/?end');
    is_deeply [grep { $_->{domain} eq 'long.test' } $BROWSER->cookies], [], 'both cookies are gone';
    sends { visit('long', '/long/?get=a'); shows('(none)', '... and so is the session') } 'long', ['refresh 401'], '... for which a last proof is tried';
    sends { visit('long', '/long/?get=a') for 1, 2 } 'long', [], '... and no other one';
}

note 'The browser is restarted';
{
    visit('persistent', '/persistent/?set=a:1');
    binds('persistent', 'a persistent session is bound');
    $BROWSER->stop;
    $BROWSER = browser();
    proof_is_over('persistent');
    sends { visit('persistent', '/persistent/?get=a'); shows(1, '... goes on after a restart') } 'persistent',
        ['refresh 403', 'refresh 204'], '... by the same key, for another challenge';
}

$BROWSER->stop;
$server->stop(qr/could not be read/, qr/AH01816/);
done;
