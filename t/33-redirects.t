# One session for all that one request is made of: subrequests, internal redirects. However many requests httpd makes of
# it, there is one read, the change is saved once, the ID is handed out once, the application's header stays inside, and
# the response goes into no cache.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Once;

note 'Server side includes';
{
    my $id = session(a => 1);
    reads { get('/ssi/page.shtml', cookie => $id) } 'a page of two parts';
    like res()->body, qr/^session: a=1\nfirst: get a: 1\n.*second: get a: 1\n/s, '... all of which see the session';
    reads { get('/ssi/cgi.shtml', cookie => $id) } 'a page with a program';
    like res()->body, qr/HTTP_SESSION=a=1/, '... which sees it';
    reads { get('/ssi/first-read.shtml', cookie => $id) } 'a page that begins with a part';
    age($id, 300);
    calls_are { get('/ssi/page.shtml', cookie => $id) } [qw(GetItem UpdateItem)], 'a due touch is made once';
    reads { get('/ssi/cgi-change.shtml', cookie => $id) } 'a program\'s header counts in its own response only';

    changes { get('/ssi/change.shtml', cookie => $id) } $id, 'a=changed-by-part', 'a part that changes it';
    like res()->body, qr/second: get a: changed-by-part/, '... before the eyes of the next';
    $id = session(a => 1);
    changes { get('/ssi/first.shtml', cookie => $id) } $id, 'a=changed-by-part', 'a part that begins its page';

    for my $page (qw(both.shtml both-late.shtml)) {
        $id = session(a => 1);
        calls_are { get("/ssi/$page", cookie => $id) } [qw(GetItem UpdateItem UpdateItem)],
            "$page, two parts that change it: a write each";
        is data($id), 'a=1&first=1&second=2', '... and no change is lost';
        clean(0);
    }
    creates { get('/ssi/first.shtml') } 'a=changed-by-part', 'a part that begins the page and a session';
}

note 'A part that begins a session when the response is on its way';
{
    expect_log qr/\[session_dynamodb:warn\].*the response has begun/;
    calls_are { get('/ssi/both-late.shtml') } [], 'nothing is stored: nobody could be told the ID';
    is res()->status, 200, '... and the page is served';
    like res()->body, qr/get first: 1/, '... whose parts see what they set';
    is_deeply [res()->set_cookies], [], '... without a cookie';
}

note 'Indexes and variants';
{
    my $id = session(a => 1);
    for my $path (qw(/static/dir/ /static/negotiated/page.html /programs/ /programs/session.pl)) {
        reads { get($path, cookie => $id) } $path;
        is res()->status, 200, '... is served';
    }
    for my $path ('/programs/?replace=', '/programs/slow?seconds=0&replace=') {
        $id = session(a => 1);
        changes { get($path . 'b%3D2', cookie => $id) } $id, 'a=1&b=2', $path;
        creates { get($path . 'b%3D2') } 'b=2', "$path without a session";
    }
}

note 'Internal redirects that stay in the session';
for my $case (['mod_rewrite', '/rewrite/inside?set=b:2'], ['a handler', '/go/?internal=/test/?set=b:2'],
              ['a program', '/cgi/session.pl?location=/test/%3Fset%3Db:2'],
              ['from outside, by mod_rewrite', '/plain/into?set=b:2'],
              ['from outside, to a program', '/plain/into-program?replace=b%3D2'],
              ['from outside, by a program', '/plain/cgi/session.pl?location=/test/%3Fset%3Db:2']) {
    my($what, $path) = @$case;
    my $id = session(a => 1);
    changes { get($path, cookie => $id) } $id, 'a=1&b=2', $what;
    is res()->status, 200, '... and the page is served';
    creates { get($path) } 'b=2', "$what, without a session";
    (my $read = $path) =~ s/(?:set=b:2|set%3Db:2|replace=b%3D2)//;
    reads { get($read, cookie => $id) } "$what, only reading";
    calls_are { get($read) } [], '... for anybody';
    is_deeply [res()->status, res()->set_cookies], [200], '... without a cookie';
}

my $passing = session(a => 1);
reads { get('/plain/into-and-out', cookie => $passing) } 'from outside, and out again';
is res()->body, "a page without a session\n", '... to the page there';

note 'The change is made first, and the redirect follows';
my %goal = (
    'to a handler in the session' => '/test/?get=b',
    'to a program in the session' => '/cgi/session.pl',
    'to itself'                   => '/cgi/session.pl',
    'to a page outside'           => '/plain/page.html',
    'to a program outside'        => '/plain/cgi/env.pl',
    'to a page outside, in two steps' => '/rewrite/outside',
    'to nothing'                  => '/plain/nothing',
    'to nothing in the session'   => '/static/nothing',
);
for my $goal (sort keys %goal) {
    my $url = $goal{$goal};
    my $encoded = $url =~ s/([^\w\/.])/sprintf '%%%02X', ord $1/ger;
    for my $case (['a handler sets', "/go/?set=b:2&internal=$url"],
                  ['a handler\'s header', "/go/?header=X-Replace-Session:b%3D2&internal=$url"],
                  ['a handler\'s header that errors keep', "/go/?errheader=X-Replace-Session:b%3D2&internal=$url"],
                  ['a program', "/cgi/session.pl?replace=b%3D2&location=$encoded"]) {
        my($what, $path) = @$case;
        next if $path =~ /^\/go.*header/ && $goal !~ /^to a page|^to nothing$/;
        my $id = session(a => 1);
        changes { get($path, cookie => $id) } $id, 'a=1&b=2', "$what, then $goal";
        is res()->status, $goal =~ /nothing/ ? 404 : 200, '... and that is what is answered';
        creates { get($path) } 'b=2', '... without a session before';
    }
}

note 'Both change it: the one that redirects and the one redirected to';
{
    for my $from ('/go/', '/test/') {
        my $id = session(a => 1);
        changes { get("$from?set=b:2&internal=/cgi/session.pl?replace=c%3D3", cookie => $id) } $id, 'a=1&b=2&c=3',
            "$from, a program";
        $id = session(a => 1);
        changes { get("$from?set=b:2&internal=/test/?set=c:3", cookie => $id) } $id, 'a=1&b=2&c=3', "$from, a handler";
        creates { get("$from?set=b:2&internal=/cgi/session.pl?replace=c%3D3") } 'b=2&c=3',
            "$from, without a session before";
    }
    my $id = session(a => 1);
    reads { get('/test/?get=a&internal=/cgi/session.pl?replace=a%3D1', cookie => $id) } 'a header that changes nothing';
    changes { get('/rewrite/program?replace=b%3D2', cookie => $id) } $id, 'a=1&b=2', 'a program behind mod_rewrite';
}

note 'Logout on the way';
for my $goal ('/test/?get=a', '/plain/page.html', '/plain/nothing') {
    my $id = session(a => 1);
    calls_are { get("/go/?clear&internal=$goal", cookie => $id) } [qw(GetItem DeleteItem)], "then $goal: one delete";
    clean(1);
    is res()->cookie('id'), '', '... which ends the ID';
    is row(key_of($id)), undef, '... and the session';
}

done;
