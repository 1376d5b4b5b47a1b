# What caches may keep: nothing of a session, whatever the configuration or the program says of it, and of a page that
# was made for a guest nothing that is shown to a user. mod_cache is the cache that a test can look into.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp ();
use SessionTest;
use SessionTest::Server;

my $PUBLIC = 'public,%20max-age%3D600';
my $HTDOCS = "$SessionTest::T/htdocs";
my $CACHES = File::Temp::tempdir('/tmp/caches-XXXXXX', CLEANUP => 1);

# A page of one part, which is a page as well.
my $PART = "/test/?get=a&part=1&errheader=Cache-Control:$PUBLIC";
for my $name ('pages', 'pages/off') {
    mkdir "$CACHES/$name" or die "$CACHES/$name: $!";
    chmod 0755, $CACHES, "$CACHES/$name";
    open my $page, '>', "$CACHES/$name/parts.shtml" or die "parts.shtml: $!";
    print $page "part:\n<!--#include virtual=\"$PART\" -->";
    close $page;
}

my @AREAS = split /\n/, <<"END";
<IfModule mime_module>
    TypesConfig /dev/null
</IfModule>
AddType text/html .html .shtml
<LocationMatch "^/(?:set|always|expires|own-vary|placed|header|persistent|changed-by|excluded)/">
    SetHandler test-session
</LocationMatch>
<Location /set/>
    Header set Cache-Control "public, max-age=600"
</Location>
<Location /always/>
    Header always set Cache-Control "public, max-age=600"
</Location>
<Location /own-vary/>
    Header always set Cache-Control "public, max-age=600"
    Header set Vary Accept-Language
</Location>
<LocationMatch "^/(?:expires|changed)/">
    ExpiresActive On
    ExpiresDefault "access plus 1 hour"
</LocationMatch>
<Location /placed/>
    SetOutputFilter CACHE
    Header always set Cache-Control "public, max-age=600"
</Location>
<Location /made/off>
    SessionDynamoDB Off
    Session Off
    Header always set Cache-Control "public, max-age=600"
</Location>
<Location /header/>
    SessionDynamoDBUseHeader On
</Location>
<LocationMatch "^/(?:changed|changed-by|persistent)/">
    SessionDynamoDBNoStore changed
</LocationMatch>
<Location /persistent/>
    SetHandler none
    SessionDynamoDBCookiePersistent On
</Location>
<Location /excluded/>
    SessionExclude /excluded/
</Location>
<Location /off/>
    SetHandler test-session
    SessionDynamoDB Off
    Session Off
</Location>
Alias /static/ "$HTDOCS/static/"
Alias /changed/ "$HTDOCS/static/"
Alias /persistent/ "$HTDOCS/static/"
Alias /parts/ "$HTDOCS/ssi/"
Alias /made/ "$CACHES/pages/"
<Location /parts/>
    SessionDynamoDBNoStore changed
    SessionEnv On
</Location>
Alias /ssi/handler "$HTDOCS/static/file.html"
<Location /ssi/>
    SetHandler test-session
</Location>
<DirectoryMatch "^($HTDOCS|$CACHES/pages)">
    Require all granted
    Options +Includes
    AddOutputFilter INCLUDES .shtml
</DirectoryMatch>
END

my $server;
sub ask {
    my($path, %how) = @_;
    return get($path, port => $server->port, %how);
}

sub start {
    my($what, @lines) = @_;
    note $what;
    my $dir = "$CACHES/" . ($what =~ s/\W+/-/gr);
    mkdir $dir or die "$dir: $!";
    # httpd's children may not be who wrote this.
    chmod 0777, $dir;
    my @modules = qw(alias cache cache_disk expires headers include mime);
    $server = SessionTest::Server->start({ modules => \@modules }, @AREAS, "CacheRoot $dir", @lines);
}

# From the cache, by what mod_cache says of itself.
sub is_kept { return defined $_[0]->header('Age') }

sub varies {
    my $answer = shift;
    return join ',', map { split /\s*,\s*/ } $answer->all('Vary');
}

sub is_told_to_none {
    my($sentence, $header) = @_;
    is_deeply [res()->all('Cache-Control'), res()->header('Expires') eq res()->header('Date')], [$header, 1], $sentence
        or diag explain res();
}

# One page, public by what its place or its program says, asked for by a user, a guest, and both again.
sub nobody_gets_anothers {
    my($what, $page, $carrier) = @_;
    my $alice = session(a => 'alice');
    my @as = ref $carrier ? (headers => [$carrier->[0], $alice]) : (cookie => $alice);
    my $value = sub { res()->line('get a') };

    is ask($page, @as)->line('get a'), 'alice', "$what, a user";
    is ask($page)->line('get a'), '(none)', '... then a guest gets his own page';
    ok !is_kept(res()), '... which is made for him';
    my $header = ref $carrier ? $carrier->[0] : 'Cookie';
    like varies(res()), qr/(?:^|,)\Q$header\E(?:,|$)/i, "... and varies by $header";
    is ask($page)->line('get a'), '(none)', '... another guest gets it';
    ok is_kept(res()), '... from the cache';
    is ask($page, @as)->line('get a'), 'alice', '... but not the user';
    ok !is_kept(res()), '... whose page is made';
    is ask($page, ref $carrier ? (headers => [$carrier->[0], session(a => 'bob')]) : (cookies =>
        ['id=' . session(a => 'bob')]))->line('get a'), 'bob', '... nor another user';
    unlike res()->body, qr/alice/, '... nor has anything of the first';
    is ask($page)->line('get a'), '(none)', '... and the next guest as before';

    my @first = map { ask("$page&set=n:1") } 1, 2;
    ok !is_kept($_), '... a page that begins a session is in no cache' for @first;
    my @ids = map { ref $carrier ? $_->header($carrier->[0]) : $_->cookie('id') } @first;
    isnt $ids[0], $ids[1], '... and its ID is no other visitor\'s';
}

for my $quick (qw(On Off)) {
    start("CacheQuickHandler $quick", "CacheQuickHandler $quick", 'CacheEnable disk /', 'CacheDefaultExpire 600',
        'CacheIgnoreNoLastMod On');
    nobody_gets_anothers('the program\'s header', "/test/?get=a&errheader=Cache-Control:$PUBLIC");
    nobody_gets_anothers('a backend\'s header', "/test/?get=a&header=Cache-Control:$PUBLIC");
    nobody_gets_anothers('Header set', '/set/?get=a');
    nobody_gets_anothers('Header always set', '/always/?get=a');
    nobody_gets_anothers('mod_expires', '/expires/?get=a');
    nobody_gets_anothers('a Vary of the program\'s', "/always/?get=a&errheader=Vary:Accept-Language");
    nobody_gets_anothers('a Vary of a backend\'s', "/always/?get=a&header=Vary:Accept-Language");
    nobody_gets_anothers('a Vary by mod_headers', '/own-vary/?get=a');
    nobody_gets_anothers('a cache with a place of its own', '/placed/?get=a');
    nobody_gets_anothers('an ID in a header', "/header/?get=a&header=Cache-Control:$PUBLIC", ['x-id']);

    my $page = "/test/?get=a&in=Cookie&code=200&header=Cache-Control:$PUBLIC";
    ask($page, cookies => ['x=1']);
    is ask($page, cookies => ['x=1'])->line('in Cookie'), 'x=1', 'a guest\'s other cookies';
    ok is_kept(res()), '... are what is compared';
    ok !is_kept(ask($page, cookies => ['x=2'])), '... exactly';
    my $id = session(a => 1);
    is ask($page, cookies => ["x=1; id=$id"])->line('in Cookie'), 'x=1', '... and a user\'s handler sees no more';
    ask($page =~ s/code=200/code=203/r, cookie => $id);
    is res()->line('in Cookie'), '(none)', '... nor what we did for the cache';

    my @alice = (cookie => session(a => 'alice'));
    my $value = sub { res()->line('get a') };
    my $inside = $PART =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger;
    for my $what (['a page of a part', '/made/parts.shtml'], ['a page without a session', '/made/off/parts.shtml'],
                  ['a redirect inside httpd', "/test/?internal=$inside"]) {
        my($name, $page) = @$what;
        is ask($page, @alice)->line('get a'), 'alice', "$name, a user";
        is ask($page)->line('get a'), '(none)', '... a guest';
        is ask($page, @alice)->line('get a'), 'alice', '... and the user again';
        ask($PART) for 1, 2;
        ok is_kept(res()), '... also when the page that is meant is in the cache by itself';
        is ask($page)->line('get a'), '(none)', '... for a guest';
        is ask($page, @alice)->line('get a'), 'alice', '... and not for the user';
        is ask($page, cookie => session(a => 'bob'))->line('get a'), 'bob', '... nor another';
    }

    fault(kind => 'error', type => 'AccessDeniedException', op => 'PutItem');
    is ask("/test/?set=f:1&header=Cache-Control:$PUBLIC")->status, 503, 'a write that fails';
    clear_faults();
    is ask("/test/?set=f:1&header=Cache-Control:$PUBLIC")->status, 200, '... leaves nothing in the cache';
    ok res()->cookie('id'), '... and the next visitor has his session';

    for my $area ('/off/', '/excluded/') {
        my $page = "$area?get=a&header=Cache-Control:$PUBLIC";
        ask($page) for 1, 2;
        is_deeply [is_kept(res()), varies(res())], [1, ''], "$area: without a session nothing changes";
    }
    $server->stop(qr/the session could not be written/, qr/AH01822/);
}

start('What is sent');
{
    my $id = session(a => 1);
    ask("/test/?get=a&errheader=Cache-Control:$PUBLIC&errheader=Expires:Thu,%2001%20Jan%202099%2000:00:00%20GMT",
        cookie => $id);
    is_told_to_none('a user\'s page, against the program\'s own headers', 'no-store');
    ask("/test/?get=a&header=Cache-Control:$PUBLIC&header=Expires:Thu,%2001%20Jan%202099%2000:00:00%20GMT",
        cookie => $id);
    is_told_to_none('... and a backend\'s', 'no-store');
    ask('/expires/?get=a', cookie => $id);
    is_told_to_none('... and mod_expires\'', 'no-store');
    is varies(res()), '', '... which needs to vary by nothing';
    for my $status (304, 404, 500, 302) {
        ask("/test/?get=a&code=$status", cookie => $id);
        is res()->header('Cache-Control'), 'no-store', "... a $status too";
        ask("/test/?get=a&code=$status");
        is_deeply [res()->all('Cache-Control'), varies(res())], ['Cookie'], "... a guest's varies";
        ask("/test/?get=a&status=$status") if $status >= 400;
        is varies(res()), 'Cookie', '... also where httpd makes the page';
    }
    ask('/test/?get=a&errheader=Vary:Accept,cookie&header=Vary:Accept-Language');
    is varies(res()) =~ s/,\s*$//r, 'Accept,cookie,Accept-Language', 'nothing is said twice';

    for my $area (qw(/static/ /changed/)) {
        my $own = $area eq '/changed/' ? 'max-age=3600' : undef;
        is ask("${area}file.html")->status, 200, "${area}: a file for a guest";
        is_deeply [res()->all('Cache-Control'), varies(res())], [$own // (), ''], '... is as anywhere else';
        my $tag = res()->header('ETag');
        for my $how (['a user', 200], ['a user who has it', 304, headers => ['If-None-Match', $tag]]) {
            my($who, $status, @more) = @$how;
            is ask("${area}file.html", cookies => ["id=$id"], @more)->status, $status, "... $who";
            is res()->header('Cache-Control'), $own // 'no-store', '... as SessionDynamoDBNoStore says';
        }
        ask("${area}nothing.html", cookie => $id);
        is_deeply [res()->status, res()->all('Cache-Control')], [404, $own ? () : 'no-store'], '... no file';
    }
    ask('/changed-by/?get=a', cookie => $id);
    is res()->header('Cache-Control'), 'no-store', 'where it says "changed" a program\'s page is in no cache';
    ask('/parts/page.shtml', cookie => $id);
    like res()->body, qr/session: a=1/, '... a page of parts is a program\'s';
    is res()->header('Cache-Control'), 'no-store', '... and is in none';
    ask('/parts/page.shtml');
    is varies(res()), 'Cookie', '... and a guest\'s varies';
    ask('/persistent/file.html', cookie => $id);
    is_deeply [res()->status, res()->all('Cache-Control'), res()->set_cookies], [200], '... a file may be kept';
    age($id, 300);
    ask('/persistent/file.html', cookie => $id);
    is_deeply [res()->all('Cache-Control'), res()->cookie('id')], ['no-store', $id], '... but for one with a cookie';
    quiet();
    $server->stop;
}

# Where a proxy ends TLS, mod_cache can't tell requests that came over it from others. Its quick handler answers before
# httpd looks at who may have a page: with one that is the same for all guests, to who sends no session cookie.
for my $quick (qw(On Off)) {
    start("TLS is required, CacheQuickHandler $quick", "CacheQuickHandler $quick", 'CacheEnable disk /',
        'CacheDefaultExpire 600', 'CacheIgnoreNoLastMod On', '<Location /tls/>', 'SetHandler test-session', '</Location>',
        '<LocationMatch "^/(?:tls|static)/">', 'SessionDynamoDBRequireTLS On',
        'SessionDynamoDBTLSWhen "%{HTTP:X-Proto} == \'https\'"', '</LocationMatch>');
    my @tls  = (headers => ['X-Proto', 'https']);
    my $id   = ask('/tls/?set=a:alice', @tls)->cookie('id');
    my $page = "/tls/?get=a&header=Cache-Control:$PUBLIC";

    ask($page, @tls) for 1, 2;
    ok is_kept(res()), 'a guest\'s page is kept';
    is ask($page, @tls, cookie => $id)->line('get a'), 'alice', '... a user gets another';
    for my $cookie ($id, 'no-session') {
        calls_are { ask($page, cookie => $cookie) } [], '... who sends a session cookie without TLS';
        is_deeply [res()->status, is_kept(res())], [403, ''], '... is refused';
    }
    ask($page);
    is_deeply [res()->status, is_kept(res())], $quick eq 'On' ? [200, 1] : [403, ''],
        $quick eq 'On' ? '... who sends none gets the guest\'s page' : '... as is who sends none';
    is res()->line('get a'), '(none)', '... which has nothing of a session' if $quick eq 'On';
    ok is_kept(ask($page, @tls)), '... and guests with TLS get it as before';
    ask('/static/file.html', @tls) for 1, 2;
    ok is_kept(res()), 'a file is kept';
    is ask('/static/file.html', cookie => $id)->status, $quick eq 'On' ? 200 : 403,
        $quick eq 'On' ? '... whoever asks for it' : '... and who sends an ID without TLS is refused';
    $server->stop(qr/did not come over TLS/);
}

done;
