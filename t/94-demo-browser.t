# The demo in a browser: its main path by keyboard, and whether everybody can read it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Browser;
use SessionTest::Demo;

same_under_every_mpm();
plan skip_all => 'no Chromium (Debian: chromium; or name the program in CHROMIUM)' if !SessionTest::Browser->program;
plan skip_all => SessionTest::Demo->missing if SessionTest::Demo->missing;

my $DEMO    = SessionTest::Demo->start;
my $BROWSER = SessionTest::Browser->start;
my $SITE    = 'http://' . $DEMO->host;

sub visit { return $BROWSER->open("$SITE$_[0]") }
# By the keyboard alone: to the field, button or link of that name, from wherever the focus is.
sub tab_to {
    my($name) = @_;
    for (1 .. 40) {
        $BROWSER->press('Tab');
        return 1 if $BROWSER->value('(e => (e.labels?.[0] ?? e).innerText.trim())(document.activeElement)') eq $name;
    }
    return fail("Tab leads to '$name'");
}
sub presses { my($name) = @_; tab_to($name); return $BROWSER->arrives(sub { $BROWSER->press('Enter') }) }
sub enters  { my($name, $text) = @_; tab_to($name); return $BROWSER->press($text) }
sub ask     { return http(path => '/', port => $DEMO->port, host => $DEMO->host, @_) }
sub shows {
    my($pattern, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return like $BROWSER->text, $pattern, $what;
}
# Of both servers, as the page shows it.
sub counter {
    my $cells = "[...document.querySelectorAll('[data-counter\$=\".$_[0]\"]')]";
    return $BROWSER->value("$cells.reduce((sum, e) => sum + Number(e.textContent), 0)");
}

# What holds for each page.
my $STRUCTURE = <<'JS';
(() => {
    const levels = [...document.querySelectorAll('h1, h2, h3')].map(h => Number(h.tagName[1]))
    const ids = [...document.querySelectorAll('[id]')].map(e => e.id)
    const described = [...document.querySelectorAll('[aria-describedby], [aria-labelledby]')]
        .map(e => e.getAttribute('aria-describedby') || e.getAttribute('aria-labelledby'))
    return {
        'one h1': levels.filter(l => l === 1).length === 1,
        'no level of headings left out': levels.every((l, i) => !i || l <= levels[i - 1] + 1),
        'a language and a title': document.documentElement.lang === 'en' && document.title.length > 3,
        'one of each landmark': ['header', 'nav', 'main'].every(name => document.querySelectorAll(name).length === 1),
        'each heading of a table has a scope': [...document.querySelectorAll('th')].every(th => th.scope),
        'no ID twice': new Set(ids).size === ids.length,
        'no ID missing': described.every(id => ids.includes(id)),
    }
})()
JS
sub is_sound {
    my($page) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $structure = $BROWSER->value($STRUCTURE);
    is join(', ', grep { !$structure->{$_} } sort keys %$structure), '', "$page: its structure";
    is scalar(grep { $_->{name} eq '' && $_->{role} =~ /^(?:textbox|button|link|region)$/ } $BROWSER->accessible), 0,
        '... each field, button, link and section has a name';
    $BROWSER->press('Tab');
    for my $scheme ('light', 'dark') {
        my $seen = $BROWSER->media('prefers-color-scheme' => $scheme)->contrast;
        cmp_ok $seen->{least}{ratio}, '>=', 4.5, "... in $scheme colours each of $seen->{texts} texts can be read"
            or diag $seen->{least}{text};
        cmp_ok $seen->{focus}, '>=', 3, '... and the focus be seen';
        ok $scheme eq 'light' ? $seen->{page} > .8 : $seen->{page} < .2, '... on a ground of that kind';
    }
    for my $width (320, 360, 768, 1440) {
        $BROWSER->size($width, 800);
        cmp_ok $BROWSER->value('document.documentElement.scrollWidth'), '<=', $width,
            "... nothing is wider than $width pixels";
        $BROWSER->screenshot("$SessionTest::T/logs/demo-$page-$width.png") if $width == 360;
    }
    my $heights = '[...document.querySelectorAll("button, .button")].map(b => b.offsetHeight)';
    cmp_ok $BROWSER->value("Math.min(99, ...$heights)"), '>=', 44, '... each button is large enough for a finger';
    return;
}

note 'A visitor logs in';
visit('/');
shows qr/You have no session yet/, 'no session';
is scalar($BROWSER->cookies), 0, '... and no cookie';
$BROWSER->press('Tab');
is $BROWSER->value('document.activeElement.className'), 'skip', 'the first Tab leads past the head of the page';
is_sound('visitor');
visit('/');
enters('Name', 'alice');
enters('Password', 'wrong');
presses('Log in');
is $BROWSER->response->{status}, 403, 'a wrong password';
like $BROWSER->value('document.title'), qr/^Name or password is wrong/, '... is the first thing that is said';
is +($BROWSER->accessible('textbox'))[0]{description}, 'Name or password is wrong.', '... and goes with the field';
is_sound('wrong');
visit('/');
presses('Count a visit');
my($visitor) = $BROWSER->cookies;
enters('Name', 'alice');
enters('Password', 'secret-of-alice');
presses('Log in');
shows qr/Logged in as alice/, 'the right one logs in';
my($cookie) = $BROWSER->cookies;
isnt $cookie->{value}, $visitor->{value}, '... with a new ID';
ok $cookie->{httpOnly} && $cookie->{secure} && $cookie->{sameSite} eq 'Strict', '... in a cookie of the strict kind';
is index($BROWSER->value('document.documentElement.outerHTML'), $cookie->{value} =~ s/\..*//r), -1,
    '... which the page does not show';
shows qr/^visits\t1/m, '... and the entries are there';
my %by;
for (1 .. 4) {
    presses('load the page again');
    $by{ $BROWSER->text =~ /Server (\w) answered this/ ? $1 : '' }++;
    shows qr/Logged in as alice/, 'again';
}
is_deeply \%by, { A => 2, B => 2 }, 'the servers take turns, and the session stays';
is_sound('user');
is_deeply [$BROWSER->complaints], [], 'there was nothing to complain of';

note 'Counters, live and not';
{
    visit('/store');
    is_sound('store');
    visit('/store');
    my $before = counter('reads');
    my $loads  = $BROWSER->{loads};
    ask(cookie => $cookie->{value});
    ok eventually(sub { counter('reads') == $before + 1 }), 'a request of another browser is counted';
    is $BROWSER->{loads}, $loads, '... without another page';
    like +($BROWSER->accessible('status'))[0]{live} // '', qr/^polite$/, '... and said to readers of screens';
    tab_to('Stop updating');
    $BROWSER->press('Enter');
    is $BROWSER->value('document.activeElement.textContent'), 'Update every two seconds', 'that can be stopped';
    ask(cookie => $cookie->{value});
    ok !eventually(sub { counter('reads') > $before + 1 }, 2.5), '... and is';
    $BROWSER->ask('Emulation.setScriptExecutionDisabled', value => JSON::PP::true);
    visit('/store');
    presses('Refresh');
    shows qr/reads \d+, writes \d+, failed calls 0/, 'without scripts, a link does it';
    $BROWSER->ask('Emulation.setScriptExecutionDisabled', value => JSON::PP::false);
}

note 'An outage';
visit('/');
presses('Pause the table');
shows qr/The table is paused/, 'the table is paused by a button';
presses('Try one');
is $BROWSER->response->{status}, 503, 'a request in a session gets a 503';
like $BROWSER->response->{headers}{'retry-after'} // '', qr/^\d+$/, '... with Retry-After';
shows qr/You are not logged out/, '... and a page that says what it means';
is_sound('unavailable');
presses('Let the table answer again');
shows qr/The table is answering/, 'it is back by another';
ok eventually(sub { visit('/'); $BROWSER->response->{status} == 200 }), '... and so is the session';
shows qr/Logged in as alice/, '... with its user';

note 'Signed out everywhere';
{
    my $other = do {
        ask(method => 'POST', body => 'action=login&name=alice&password=secret-of-alice',
            headers => ['User-Agent', 'x (iPhone)']);
        res()->cookie('id');
    };
    visit('/');
    presses('your sessions');
    shows qr/Linux.*this session.*iPhone|iPhone.*Linux.*this session/s, 'the page of sessions has a telephone, too';
    visit('/');
    presses('Sign out everywhere');
    shows qr/Signed out everywhere\..*You have no session yet/s, 'signed out here';
    is scalar($BROWSER->cookies), 0, '... the cookie is gone';
    unlike ask(cookie => $other)->body, qr/Logged in/, '... and there';
    is_deeply [$BROWSER->complaints], [], 'nothing to complain of';
}
$DEMO->run('stop');

done;
