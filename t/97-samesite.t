# docs/recipes/samesite.md in a real browser: the table of the page is what Chromium does, cell by cell, with the
# configuration and the programs of the page.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Browser;
use SessionTest::Log ();
use SessionTest::Recipe;

same_under_every_mpm();
plan skip_all => 'no Chromium (Debian: chromium; or name the program in CHROMIUM)' if !SessionTest::Browser->program;

my($OURS, $OTHER) = ('www.example.test', 'pay.test');
my $TLS = SessionTest::Recipe::free_port();
our $B;   # the browser
my $app;

sub url { my($path, $host) = @_; return 'https://' . ($host || $OURS) . ":$TLS$path" }
sub escaped { return $_[0] =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger }
my $there = '/app/order.pl';

# On a page of that host, with this in it.
sub stands { my($host, $body) = @_; $B->open(url('/page.html', $host)); $B->value("document.body.innerHTML = `$body`"); return }
sub link_to { my($to) = @_; return qq(<a href="$to">go</a>) }
sub form_to { my($to) = @_; return qq(<form method="post" action="$to"><input type="hidden" name="code" value="1"><button>go</button></form>) }
sub goes { $B->arrives(sub { $B->press('Tab', 'Enter') }); return }
sub redirect_to { return url('/pay/cgi.pl?' . escaped("Status: 302\nLocation: $_[0]"), $OTHER) }
# Until the page is there, and at rest, that another page leads to by itself.
sub lands {
    ok eventually(sub { eval { $B->value('document.readyState + document.body.innerText') =~ /^completeorder: / } }),
        '... which leads on' or diag $B->text;
    # Its own event comes a little later, and shall not pass for that of the next page.
    $B->value('new Promise(done => setTimeout(done, 200))');
    return;
}

# In a browser of its own, which blocks third-party cookies (1) or not (0). Nobody sees into the frame from outside: with
# the session, it costs a read.
my %framing;
sub frame {
    my($blocks) = @_;
    local $B = $framing{$blocks} ||= SessionTest::Browser->start(preferences => { profile => { cookie_controls_mode => $blocks } });
    $B->forget_cookies;
    $B->open(url("$there?begin=1"));
    my @calls = calls {
        stands($OTHER, '');
        $B->value('new Promise(done => { const f = document.createElement("iframe"); f.onload = () => done(1); '
            . "f.src = '" . url($there) . "'; document.body.append(f) })");
    };
    return scalar @calls;
}

my @WAYS = (
    ['a link on this site', sub { stands($OURS, link_to(url($there))); goes() }],
    ['an address typed, or a bookmark', sub { $B->open('about:blank'); $B->open(url($there)) }],
    ['a link on another site', sub { stands($OTHER, link_to(url($there))); goes() }],
    ['... and then reloads the page', sub { $B->arrives(sub { $B->ask('Page.reload') }) }],
    ['another site\'s redirect (302), begun by a link on this site',
        sub { stands($OURS, link_to(redirect_to(url($there)))); goes() }],
    ['another site\'s redirect (302), after a form or a button there',
        sub { stands($OTHER, form_to(redirect_to(url($there)))); goes() }],
    ['meta refresh in another site\'s page', sub {
        my $header = escaped('Refresh: 0; url=' . url($there));
        $B->open('about:blank');
        $B->ask('Page.navigate', url => url("/pay/cgi.pl?$header", $OTHER));
        lands();
    }],
    ['a form that another site\'s page sends (POST, `form_post`)', sub { stands($OTHER, form_to(url($there))); goes() }],
    ['the same, to `/returned`, which answers 303', sub { stands($OTHER, form_to(url('/returned'))); goes() }],
    ['the same, to `/landing/back.pl`, which answers with meta refresh',
        sub { stands($OTHER, form_to(url('/landing/back.pl'))); goes(); lands() }],
    ['a link on another site to `/landing/back.pl`', sub { stands($OTHER, link_to(url('/landing/back.pl?n=1%26%22'))); goes(); lands() }],
    ['an iframe in another site\'s page, third-party cookies blocked', sub { frame(1) }],
    ['an iframe in another site\'s page, third-party cookies allowed', sub { frame(0) }],
);

my $page = SessionTest::Log::slurp(SessionTest::Recipe::page('samesite'));
my %printed = map { my($way, @cells) = split /\s*\|\s*/, substr $_, 2; ($way => \@cells) }
    grep { /\| (?:yes|no) \|/ } split /\n/, $page;
is_deeply [sort keys %printed], [sort map { $_->[0] } @WAYS], 'each way of the table is gone, and no other';

# The other site answers with whatever its address says.
my $cgi = <<'PERL';
#!/usr/bin/perl
read STDIN, my $form, $ENV{CONTENT_LENGTH} || 0;
my($header) = $ENV{QUERY_STRING} =~ /^(.*)$/;
$header =~ s/%([0-9A-F]{2})/chr hex $1/ge;
print "Content-Type: text/plain\n$header\n\nthe other site\n";
PERL
my $conf = "$SessionTest::T/conf";
my @VALUES = qw(Strict Lax None);
for my $column (0 .. 2) {
    my $value = $VALUES[$column];
    $app = SessionTest::Recipe->start('samesite', modules => ['ssl', 'mime'],
        # What the page says of FetchMetadata is so where it says it.
        change => sub { s/(SessionDynamoDBCookieSameSite) Lax/$value eq 'Lax' ? "$1 Lax\nSessionDynamoDBFetchMetadata On" : "$1 $value"/e
            or die 'the page has no SameSite' },
        also => { '/srv/app/htdocs/page.html' => '<!DOCTYPE html><body>', '/srv/app/pay/cgi.pl' => $cgi },
        more => <<"END");
AddType text/html .html
# Idle connections of a browser would keep this httpd from its end.
KeepAlive Off
Timeout 2
DocumentRoot "/srv/app/htdocs"
ScriptAlias "/pay/" "/srv/app/pay/"
Listen 127.0.0.1:$TLS
<VirtualHost *:$TLS>
    ServerName $OURS
    SSLEngine On
    SSLCertificateFile $conf/tls.crt
    SSLCertificateKeyFile $conf/tls.key
</VirtualHost>
END
    $B ||= SessionTest::Browser->start;
    note 'Chromium ' . $B->version if !$column;
    $B->forget_cookies;
    $B->open(url("$there?begin=4711"));
    is $B->text, "order: 4711\n", "SameSite=$value: an order";
    is +($B->cookies('id'))[0]->{sameSite}, $value, '... with a cookie that says so';
    for my $way (@WAYS) {
        my($name, $go) = @$way;
        my $seen = $go->();
        my $has = $name =~ /iframe/ ? $seen : $B->text eq "order: 4711\n";
        is $has ? 'yes' : 'no', $printed{$name}[$column], "$name: the session is " . ($has ? '' : 'not ') . 'there';
    }
    $app->stop;
}
$_->stop for $B, values %framing;

done;
