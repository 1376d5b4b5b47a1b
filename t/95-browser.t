# What a real browser makes of the module's cookies and of its page, not what the standards say that it would.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Browser;

plan skip_all => 'the same under every MPM' if setting('mpm') ne 'event';
plan skip_all => 'no Chromium (Debian: chromium; or name the program in CHROMIUM)' if !SessionTest::Browser->program;

my $ID      = qr/^[A-Za-z0-9_-]{43}$/;
my $BROWSER = SessionTest::Browser->start;
note 'Chromium ' . $BROWSER->version;

sub url { my($path, $host) = @_; return 'https://' . ($host || '127.0.0.1') . ':' . port('tls') . $path }
sub visit { return $BROWSER->open(url(@_)) }
sub shows { my($what, $value, $sentence) = @_; return is $BROWSER->text =~ /^\Q$what\E: (.*)$/m ? $1 : '', $value, $sentence }
sub escaped { return $_[0] =~ s/([^A-Za-z0-9:])/sprintf '%%%02X', ord $1/ger }
sub the_cookie { my @found = $BROWSER->cookies($_[0] || 'id'); return @found == 1 ? $found[0] : undef }
sub anew { $BROWSER->forget_cookies; return }

# Whoever stands on a page of `from` goes to `to`, by a link or by a form.
sub goes {
    my($how, $from, $to) = @_;
    $BROWSER->open($from);
    $BROWSER->value(sprintf 'document.body.innerHTML = `' . ($how eq 'link' ? '<a href="%s">go</a>'
        : '<form method="post" action="%s"><button>go</button></form>') . '`', $to);
    return $BROWSER->arrives(sub { $BROWSER->press('Tab', 'Enter') });
}

note 'A cookie as it is kept';
{
    my %default = (name => 'id', domain => '127.0.0.1', path => '/', secure => 1, httpOnly => 1, sameSite => 'Strict', session => 1);
    my @areas = (
        ['/test/', 'by default', {}],
        ['/cookie-host/', 'with the name of the strictest settings', { name => '__Host-id' }],
        ['/cookie-host-http/', 'with a newer prefix', { name => '__Host-Http-id' }],
        ['/cookie-none/', 'for frames of other sites', { sameSite => 'None' }],
        ['/persistent/', 'beyond the end of the browser', { session => '' }],
        ['/cookie/', 'with nothing as it is by default', { name => 'sess', domain => '.example.test', path => '/cookie/',
            secure => '', httpOnly => '', sameSite => 'Lax' }, 'www.example.test'],
    );
    for my $area (@areas) {
        my($path, $sentence, $other, $host) = @$area;
        anew();
        visit("$path?set=a:1", $host);
        my @cookies = $BROWSER->cookies;
        is scalar(@cookies), 1, "$path: one cookie, $sentence";
        my %is = map { ($_ => ref $cookies[0]{$_} ? $cookies[0]{$_} ? 1 : '' : $cookies[0]{$_}) } keys %default;
        is_deeply \%is, { %default, %$other }, '... of just these attributes';
        like $cookies[0]{value}, $ID, '... with an ID';
        is $BROWSER->value('document.cookie'), $is{httpOnly} ? '' : "sess=$cookies[0]{value}",
            $is{httpOnly} ? '... which no script sees' : '... which a script sees then';
        visit("$path?get=a", $host);
        shows('get a', 1, '... and it comes back');
    }
    anew();
    visit('/persistent/?set=a:1');
    my $expires = the_cookie()->{expires};
    my $row = row(key_of(the_cookie()->{value}));
    cmp_ok abs($expires - $row->{expires}{N}), '<', 5, 'a persistent one ends with its session';
}

note 'What scripts of the site can do to it';
{
    anew();
    visit('/test/?set=a:1');
    my $id = the_cookie()->{value};
    $BROWSER->value("document.cookie = '$_'") for 'id=evil; path=/; secure', 'id=; path=/; max-age=0; secure', '__Host-id=evil';
    is_deeply [map { $_->{value} } $BROWSER->cookies], [$id], 'neither read nor replace nor delete it';
    $BROWSER->value("document.cookie = '__Host-Http-id=evil; path=/; secure'");
    is scalar($BROWSER->cookies), 1, '... nor make one with a prefix of httpd\'s own';
    visit('/test/?renew');
    my $new = the_cookie()->{value};
    ok $new && $new ne $id, 'a new ID takes the place of the old one';
    visit('/test/?get=a');
    shows('get a', 1, '... and is sent');
}

note 'Whoever comes from another site';
{
    my $there = url('/test/?get=a');
    anew();
    visit('/test/?set=a:1');
    for my $how ('link', 'form') {
        goes($how, url('/plain/page.html', 'localhost'), $there);
        shows('get a', '(none)', "by a $how: has no session");
        like +{ $BROWSER->withheld_cookies }->{id} || '', qr/SameSiteStrict/, '... because the cookie stays at home';
        goes($how, url('/plain/page.html'), $there);
        shows('get a', 1, '... but has within the site');
    }
    visit('/test/?get=a');
    shows('get a', 1, '... and by its address');
    anew();
    visit('/test/?set=a:1', 'shop.test');
    goes('link', url('/plain/page.html', 'www.shop.test'), url('/test/?get=a', 'shop.test'));
    shows('get a', 1, 'another host of the domain is the same site');
    visit('/test/?get=a', 'www.shop.test');
    shows('get a', '(none)', '... but does not get the cookie itself');
    visit('/cookie/?set=a:1', 'www.example.test');
    visit('/cookie/?get=a', 'example.test');
    shows('get a', 1, '... unless it has a domain');
    my %lax = (link => 1, form => '(none)');
    for my $how (sort keys %lax) {
        # What is younger than two minutes would be sent with forms, but for a SameSite that was told.
        goes($how, url('/plain/page.html', 'localhost'), url('/cookie/?get=a', 'www.example.test'));
        shows('get a', $lax{$how}, "with SameSite=Lax, by a $how");
    }
}

note 'A form of somebody else, where the cookie goes to all sites';
{
    anew();
    visit('/cookie-none/?set=a:1', 'shop.test');
    for my $case (['localhost', '', 1], ['localhost', 'site/', ''], ['localhost', 'strict/', ''], ['www.shop.test', 'site/', 1],
                  ['www.shop.test', 'strict/', ''], ['shop.test', 'strict/', 1]) {
        my($from, $area, $served) = @$case;
        goes('form', url('/plain/page.html', $from), url("/csrf/$area?get=a", 'shop.test'));
        is_deeply [$BROWSER->response->{status}, $BROWSER->text =~ /^(get a: 1)$/m], $served ? [200, 'get a: 1'] : [403],
            "$from: /csrf/$area " . ($served ? 'serves it, with the session' : 'refuses it');
    }
    expect_log qr/\[session_dynamodb:warn\].* refused POST \S+ in a session, because another site's page may have sent it/;
}

note 'Logout';
{
    anew();
    visit('/plain/handler?header=Set-Cookie:other%3D1');
    visit('/test/?set=a:1');
    visit('/test/?get=a');
    visit('/test/?end');
    is join(' ', map { $_->{name} } $BROWSER->cookies), 'other', 'the cookie is gone, and no other one';
    $BROWSER->arrives(sub { $BROWSER->value('history.back()') });
    shows('get a', '(none)', 'the way back shows nothing of the session');
    visit('/cookie/?set=a:1', 'www.example.test');
    is scalar($BROWSER->cookies('sess')), 1, 'one with a domain and a path';
    visit('/cookie/?end', 'www.example.test');
    is scalar($BROWSER->cookies('sess')), 0, '... goes as well';
    for my $area ('/clears/', '/clears/none/') {
        visit("$area?set=a:1");
        $BROWSER->value(q(localStorage.setItem('left', 1)));
        visit("$area?end");
        is $BROWSER->value(q(localStorage.getItem('left'))), $area =~ /none/ ? 1 : undef,
            "$area: the site's data " . ($area =~ /none/ ? 'stays' : 'goes');
        is join(' ', map { $_->{name} } $BROWSER->cookies), 'other', '... beside the cookie';
    }
}

note 'A session that has expired';
for my $case (['/expire/', 'page', undef], ['/expire/', 'script', 1], ['/expire/off/', 'page', 1]) {
    my($area, $what, $stays) = @$case;
    anew();
    visit("$area?set=a:1");
    my $id = the_cookie()->{value};
    age($id, 100_000, created => 1);
    my $said = $what eq 'page' ? visit("$area?get=a")->text : $BROWSER->value("fetch('$area?get=a').then(r => r.text())");
    is $said, "get a: (none)\n", "$area: opens nothing for a $what";
    is the_cookie() && the_cookie()->{value}, $stays && $id, '... which ' . ($stays ? 'leaves' : 'loses') . ' the cookie';
}

note 'Cookies that configtest warns of or refuses, because browsers do not take them';
{
    my @refused = (
        ['__Host-a=1; Path=/x; Secure', 'a path'], ['__Host-b=1; Path=/', 'not Secure'],
        ['__Host-c=1; Path=/; Secure; Domain=shop.test', 'a domain'], ['__Secure-d=1; Path=/', 'not Secure'],
        ['__Http-e=1; Path=/; Secure', 'not HttpOnly'], ['__Host-Http-f=1; Path=/; Secure', 'not HttpOnly'],
        ['__Host-Http-g=1; Path=/x; Secure; HttpOnly', 'a path'], ['h=1; SameSite=None', 'SameSite=None, not Secure'],
        ['i=1; Domain=other.test', "another's domain"], ['j=' . 'x' x 4096, 'name and value of more than 4096 bytes'],
    );
    my @taken = ('__Host-k=1; Path=/; Secure', '__Secure-l=1; Path=/x; Secure; Domain=shop.test',
        '__Http-m=1; Secure; HttpOnly', '__Host-Http-n=1; Path=/; Secure; HttpOnly', 'o=' . 'x' x 4095,
        'p=1; SameSite=None; Secure');
    anew();
    my %why;
    # In two requests: a request line has 8190 bytes at most.
    for my $some ([map({ $_->[0] } @refused)], \@taken) {
        visit('/plain/handler?' . join('&', map { 'header=Set-Cookie:' . escaped($_) } @$some), 'shop.test');
        %why = (%why, $BROWSER->refused_cookies);
    }
    my %has = map { ($_->{name} => 1) } $BROWSER->cookies;
    for my $case (@refused) {
        my($cookie, $sentence) = @$case;
        ok !$has{ $cookie =~ s/=.*//rs } && $why{$cookie}, sprintf '%.60s: %s', $cookie, $sentence;
        note $why{$cookie} || 'not refused';
    }
    for my $cookie (@taken) {
        ok $has{ $cookie =~ s/=.*//rs }, sprintf '%.60s is taken', $cookie;
    }
}

$BROWSER->stop;
is_deeply [SessionTest::Browser::processes_of($BROWSER->{pid})], [], 'nothing of the browser is left';

done;
