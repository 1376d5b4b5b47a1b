# What a real browser makes of the module's cookies and of its page, not what the standards say that it would.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Browser;

same_under_every_mpm();
plan skip_all => 'no Chromium (Debian: chromium; or name the program in CHROMIUM)' if !SessionTest::Browser->program;

my $ID      = qr/^[A-Za-z0-9_-]{43}$/;
my $BROWSER = SessionTest::Browser->start;
note 'Chromium ' . $BROWSER->version;

sub url { my($path, $host) = @_; return 'https://' . ($host || '127.0.0.1') . ':' . port('tls') . $path }
sub visit { return $BROWSER->open(url(@_)) }
sub shows {
    my($what, $value, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is $BROWSER->text =~ /^\Q$what\E: (.*)$/m ? $1 : '', $value, $sentence;
}
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
    my %default = (name => 'id', domain => '127.0.0.1', path => '/', secure => 1, httpOnly => 1, sameSite => 'Strict',
        session => 1);
    my @areas = (
        ['/test/', 'by default', {}],
        ['/cookie-host/', 'with the name of the strictest settings', { name => '__Host-id' }],
        ['/cookie-host-http/', 'with a newer prefix', { name => '__Host-Http-id' }],
        ['/cookie-none/', 'for frames of other sites', { sameSite => 'None' }],
        ['/persistent/', 'beyond the end of the browser', { session => '' }],
        ['/cookie/', 'with nothing as it is by default', { name => 'sess', domain => '.example.test',
            path => '/cookie/', secure => '', httpOnly => '', sameSite => 'Lax' }, 'www.example.test'],
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
    $BROWSER->value("document.cookie = '$_'") for 'id=evil; path=/; secure', 'id=; path=/; max-age=0; secure',
        '__Host-id=evil';
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
    anew();
    visit('/test/?set=a:1');
    my $id = the_cookie()->{value};
    goes('link', url('/plain/page.html', 'localhost'), url('/test/?set=b:2'));
    isnt the_cookie()->{value}, $id, 'a page that begins a session for them replaces that of the user';
}

note 'A form of somebody else, where the cookie goes to all sites';
{
    anew();
    visit('/cookie-none/?set=a:1', 'shop.test');
    for my $case (['localhost', '', 1], ['localhost', 'site/', ''], ['localhost', 'strict/', ''],
                  ['www.shop.test', 'site/', 1], ['www.shop.test', 'strict/', ''], ['shop.test', 'strict/', 1]) {
        my($from, $area, $served) = @$case;
        goes('form', url('/plain/page.html', $from), url("/csrf/$area?get=a", 'shop.test'));
        is_deeply [$BROWSER->response->{status}, $BROWSER->text =~ /^(get a: 1)$/m],
            $served ? [200, 'get a: 1'] : [403],
            "$from: /csrf/$area " . ($served ? 'serves it, with the session' : 'refuses it');
    }
    expect_log qr/\[session_dynamodb:warn\].* refused POST \S+ in a session, because another site's page may have/;
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
    my $said = $what eq 'page' ? visit("$area?get=a")->text
        : $BROWSER->value("fetch('$area?get=a').then(r => r.text())");
    is $said, "get a: (none)\n", "$area: opens nothing for a $what";
    is the_cookie() && the_cookie()->{value}, $stays && $id, '... which leaves ' . ($stays ? 'the' : 'no') . ' cookie';
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

# Keys alone: to the button of that description, or of that text.
sub tab_to {
    my($text, $browser) = @_;
    for (1 .. 20) {
        my($at) = grep { $_->{focused} } ($browser || $BROWSER)->press('Tab')->accessible('button');
        return $at if $at && "$at->{name} $at->{description}" =~ /$text/;
    }
    return;
}

sub another { get('/mine/?set=user:ann', headers => ['User-Agent', $_[0]]); return res()->cookie('id') }
sub user_of { return get('/test/?get=user', cookie => $_[0])->line('get user') }

note 'The page of a user\'s sessions';
{
    anew();
    visit('/mine/?set=user:ann');
    my $own     = the_cookie()->{value};
    my $windows = another('Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0');
    my $phone   = another('Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15');
    my $long    = another('x' x 100);
    visit('/mine/sessions');
    is_deeply [$BROWSER->complaints], [], 'neither an error nor a violation of its policy';
    is $BROWSER->value('document.scripts.length'), 0, '... no script';
    is $BROWSER->value('getComputedStyle(document.querySelector("li")).borderTopLeftRadius'), '12px',
        '... and its style is applied';
    my @buttons = map { "$_->{name}: $_->{description}" } $BROWSER->accessible('button');
    my %different = map { ($_ => 1) } @buttons;
    is scalar(keys %different), 6, 'the buttons differ for readers of screens';
    is scalar(grep { /^Sign out: (?:Windows|iPhone|Unknown device) 20\d\d-/ } @buttons), 3,
        '... and each tells which session it ends';
    is scalar(grep { /^Sign out here: \w+ this session / } @buttons), 1, '... which is this one';

    ok tab_to('iPhone'), 'Tab leads to the button of another session';
    is $BROWSER->value('getComputedStyle(document.activeElement).outlineStyle'), 'solid', '... which shows it';
    for my $scheme ('light', 'dark') {
        my $seen = $BROWSER->media('prefers-color-scheme' => $scheme)->contrast;
        cmp_ok $seen->{least}{ratio}, '>=', 4.5, "... in $scheme colours each of $seen->{texts} texts can be read"
            or diag $seen->{least}{text};
        cmp_ok $seen->{focus}, '>=', 3, '... and the focus be seen';
        ok $scheme eq 'light' ? $seen->{page} > .8 : $seen->{page} < .2, "... and they are $scheme ones";
    }
    for my $width (320, 360, 1280) {
        $BROWSER->size($width, 800);
        cmp_ok $BROWSER->value('document.documentElement.scrollWidth'), '<=', $BROWSER->value('innerWidth'),
            "nothing is wider than a window of $width pixels";
        $BROWSER->screenshot("$SessionTest::T/logs/sessions-$width.png");
    }
    cmp_ok $BROWSER->value('Math.min(...[...document.querySelectorAll("button")].map(b => b.offsetHeight))'), '>=', 44,
        'each button is large enough for a finger';

    tab_to('iPhone');
    $BROWSER->arrives(sub { $BROWSER->press('Enter') });
    is user_of($phone), '(none)', 'Enter ends that session';
    is_deeply [map { user_of($_) } $own, $windows, $long], [('ann') x 3], '... and no other';
    unlike $BROWSER->text, qr/iPhone/, '... and it is gone from the page';
    tab_to('Windows');
    $BROWSER->arrives(sub { $BROWSER->press('Space') });
    is user_of($windows), '(none)', 'so does Space';
    $BROWSER->arrives(sub { $BROWSER->value('location.reload()') });
    is_deeply [map { user_of($_) } $own, $long], [('ann') x 2], 'a reload ends nothing';
    is_deeply [$BROWSER->complaints], [], '... and there was nothing to complain of';
}

note 'Out everywhere';
{
    my $second = SessionTest::Browser->start;
    for ($BROWSER, $second) {
        $_->open(url('/mine/?set=user:ann'));
        is $_->open(url('/mine/?get=user'))->text, "get user: ann\n", 'a browser of the user';
    }
    visit('/mine/sessions');
    ok tab_to('Sign out everywhere'), 'the last button';
    $BROWSER->arrives(sub { $BROWSER->press('Enter') });
    like $BROWSER->text, qr/You are signed out everywhere\./, '... says what it did';
    is_deeply [$BROWSER->complaints, $BROWSER->cookies], [], '... and no cookie is left';
    is $_->open(url('/mine/?get=user'))->text, "get user: (none)\n", '... and who was in is out' for $BROWSER, $second;

    visit('/mine-form/sessions');
    $BROWSER->press('Tab', 'alice', 'Tab', 'secret-of-alice');
    $BROWSER->arrives(sub { $BROWSER->press('Enter') });
    like $BROWSER->text, qr/this session/, 'a login by a form leads to the page';
    is scalar($BROWSER->cookies), 1, '... with a cookie';

    kill KILL => $second->{pid};
    ok !eval { $second->text; 1 } && $@ =~ /^the browser has ended/, 'a browser that ends is noticed' or diag $@;
    $second->stop;
}

$BROWSER->stop;
is_deeply [SessionTest::Browser::processes_of($BROWSER->{pid})], [], 'nothing of the browser is left';

done;
