# How the session ID travels: what is taken for one and what is not, who gets to see it, and how it is handed out. And
# how the session travels to programs.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Once;

my $ID = qr/[A-Za-z0-9_-]{43}/;

sub seen_cookie { return res()->line('in Cookie') }

note 'Cookies of others';
{
    my $id = session(a => 1);
    my %left = (
        "id=$id"                           => '(none)',
        "x=1; id=$id"                      => 'x=1',
        "id=$id; x=1"                      => 'x=1',
        "x=1; id=$id; y=2"                 => 'x=1; y=2',
        "z=3; y=2; id=$id; x=1; w=0"       => 'z=3; y=2; x=1; w=0',
        "a=1,2; id=$id; b=3,4"             => 'a=1,2; b=3,4',
        qq(q="x, y"; id=$id; e=; n)        => 'q="x, y"; e=; n',
        "x=1;id=$id;y=2"                   => 'x=1;y=2',
        "xid=1; id=$id; id2=2; ID=3; id-=4" => 'xid=1; id2=2; ID=3; id-=4',
        "x=id=1; id=$id"                   => 'x=id=1',
        "id ; id=$id"                      => 'id',
        "  x=1;  id = $id ;  y=2"          => "x=1;  y=2",
    );
    for my $cookie (sort keys %left) {
        calls_are { get('/test/?get=a&in=Cookie', cookies => [$cookie]) } ['GetItem'],
            $cookie =~ s/\Q$id\E/ID/r . ' is the session';
        is res()->line('get a'), 1, '... and read';
        is seen_cookie(), $left{$cookie}, '... and the rest stays as it was';
    }
    for my $cookie ('a=1,2', 'x=1; a=1,2;  b="3, 4"', 'xid=1', 'x=id', 'ID=1', 'id', 'id2=x; y') {
        calls_are { get('/test/?get=a&in=Cookie', cookies => [$cookie]) } [], "$cookie is none";
        is seen_cookie(), $cookie, '... and stays as it was';
    }
}

note 'An ID in a cookie of somebody else';
{
    my $id = session(a => 1);
    for my $cookies (["foo=bar,id=$id"], ["foo=bar, id=$id"], ["foo=bar,id=$id,x"], ["foo=bar\tid=$id"],
                     ["foo=\"; id\"=$id"], ['foo=bar', "id=$id"]) {
        my $text = join(' | ', @$cookies) =~ s/\Q$id\E/ID/r;
        calls_are { get('/test/?get=a&in=Cookie', cookies => $cookies) } [], "$text is no session";
        is_deeply [res()->line('get a'), res()->set_cookies], ['(none)'], '... and nothing is sent';
        # Two headers, and what looks like them: httpd joins with a comma.
        is seen_cookie(), 'foo=bar', '... nor does a program see it' if $text =~ /,|\|/;
    }
    get('/test/?in=Cookie', cookies => ["a=1,2, id=$id; b=3,x", "c=4 ,id =$id,5;d=6"]);
    is seen_cookie(), 'a=1,2; b=3,x, c=4 ;d=6', 'and the others stay as they were';
    calls_are { get('/test/?get=a', headers => ['id', $id, 'X-Cookie', "id=$id", 'Cookie2', "id=$id"]) } [],
        'an ID anywhere else is none';
    is res()->line('get a'), '(none)', '... and gives no session';
}

note 'More than one';
my $MADE_UP = 'A' x 43;
sub ended { my $id = session(a => 'ended'); get('/test/?end', cookie => $id); return $id }
{
    my($one, $two, $ended) = (session(a => 1), session(a => 2), ended());
    my $names = sub {
        my $text = join ' | ', @{ $_[0] };
        return $text =~ s/\Q$one\E/ONE/gr =~ s/\Q$two\E/TWO/gr =~ s/\Q$ended\E/ENDED/gr =~ s/\Q$MADE_UP\E/MADE-UP/gr;
    };
    my $nobody_sees_it = sub {
        my($cookies) = @_;
        is_deeply [res()->status, res()->set_cookies], [200], '... and nothing is sent';
        unlike seen_cookie(), qr/\Q$one\E|\Q$two\E|\bid=/, '... and the handler sees none of them';
        like seen_cookie(), qr/x=1/, '... but those of others' if $cookies->[0] =~ /^x=1/;
        unlike get('/cgi/session.pl', cookies => $cookies)->body, qr/\Q$one\E|\Q$two\E/, '... nor does a program';
        unlike get('/proxied/env.pl', cookies => $cookies)->body, qr/\Q$one\E|\Q$two\E/, '... nor a backend';
    };

    # What can't be an ID: another application's, a signed one of another setting, an empty one.
    for my $cookies (["id=GA1.2.1731.1699; id=$one"], ["id=$one; id="], ["id=; x=1; id=$one"], ["id=$one; id=$one"],
                     ["id=$one.c2lnbmVkIHdpdGggYSBrZXkgdGhhdA; id=$one"], ["id=$one; id=" . 'A' x 42 . 'B'],
                     ["id=a; id=b; id=c; id=$one; id=d"], [join '; ', ("id=$one") x 20]) {
        calls_are { get('/test/?get=a&in=Cookie', cookies => $cookies) } ['GetItem'],
            $names->($cookies) . ': one can be meant';
        is res()->line('get a'), 1, '... and is the session';
        $nobody_sees_it->($cookies);
    }
    # Which of two it is, the table knows. An ID that it did not know is not asked for again: each time it is another one.
    my $made_up = 10;
    my $fresh = sub {
        return [map { s/ENDED/ended()/er =~ s/MADE-UP/substr $made_up++ . $MADE_UP, 0, 43/er } @{ $_[0] }];
    };
    for (["id=$one; id=ENDED"], ["id=ENDED; id=$one"], ["id=MADE-UP; id=$one"], ["id=$one; id=MADE-UP"],
         ["x=1; id=ENDED; y=2; id=GA1.2; id=$one; z=3"]) {
        my $cookies = $fresh->($_);
        calls_are { get('/test/?get=a&in=Cookie', cookies => $cookies) } [qw(GetItem GetItem)],
            $names->($_) . ': two can be meant';
        is res()->line('get a'), 1, '... and the one that lives is the session';
        $nobody_sees_it->($cookies);
    }
    my $either = $fresh->(["id=ENDED; id=$one"]);
    calls_are { get('/test/?set=b:2', cookies => $either) } [qw(GetItem GetItem UpdateItem)],
        '... which can be changed';
    is data($one), 'a=1&b=2', '... by who sent both';
    my $neither = $fresh->(['id=ENDED; id=MADE-UP']);
    calls_are { get('/test/?get=a&in=Cookie', cookies => $neither) } [qw(GetItem GetItem)], 'Where neither lives';
    is res()->line('get a'), '(none)', '... there is no session';
    $nobody_sees_it->($neither);

    # Who can plant a cookie must not be able to choose which one counts, nor how much is asked.
    my @ambiguous = ([["id=$one; id=$two"], 2], [["id=$two; id=; id=$one"], 2], [["x=1; id=$one; y=2; id=$two; z=3"], 2],
                     [["id=$one; id=$MADE_UP; id=$ended"], 0],
                     [[join '; ', map { 'id=' . substr("$_$MADE_UP", 0, 43) } 10 .. 80], 0]);
    for (@ambiguous) {
        my($cookies, $reads) = @$_;
        my $before = () = log_lines(qr/ignored the cookies named/);
        calls_are { get('/test/?get=a&in=Cookie', cookies => $cookies) } [('GetItem') x $reads],
            substr($names->($cookies), 0, 60) . ": more than one can be meant, $reads reads";
        is res()->line('get a'), '(none)', '... and none is the session';
        my @told = log_lines(qr/ignored the cookies named/);
        is scalar(@told), $before + 1, '... which is told once';
        like $told[-1], qr/\[session_dynamodb:warn\].* cookies named id \(\d+\).*SessionDynamoDBCookieName.*__Host-/,
            '... with what to do';
        $nobody_sees_it->($cookies);
    }
    # httpd joins repeated headers with a comma, which no ID has in it.
    for my $cookies (["id=$one", "id=$two"], ["x=1; id=$one", "id=$two; z=3"]) {
        calls_are { get('/test/?get=a&in=Cookie', cookies => $cookies) } [], $names->($cookies) . ': no session';
        is res()->line('get a'), '(none)', '... is read';
        $nobody_sees_it->($cookies);
    }
    calls_are { get('/test/?set=c:3', cookies => ["id=$one; id=$two"]) } [qw(GetItem GetItem PutItem)],
        'What is stored begins one';
    is scalar(res()->set_cookies), 1, '... with one cookie';
    isnt res()->cookie('id'), $_, '... of another ID' for $one, $two;
    is_deeply [data($one), data($two)], ['a=1&b=2', 'a=2'], '... and both stay as they are';

    for (["id=ENDED; id=$one"], ["id=$one; id=ENDED"]) {
        my $cookies = $fresh->($_);
        fault(kind => 'error', type => 'AccessDeniedException', op => 'GetItem', count => 1);
        is get('/test/?get=a', cookies => $cookies)->status, 503,
            $names->($_) . ': a failed read is no "ended"';
        clear_faults();
        fault(kind => 'error', type => 'AccessDeniedException', op => 'GetItem', skip => 1, count => 1);
        is get('/anonymous/?entries', cookies => $cookies)->line('entries'), '',
            '... nor is anything left of the one that was read before';
        clear_faults();
    }
    expect_log qr/\[session_dynamodb:warn\].*ignored the cookies named/,
        qr/\[session_dynamodb:error\].*the session could not be read/, qr/\[session:error\].*AH01816/;
}
{
    my($one, $two) = (session('/signed/', a => 1), session('/signed/', a => 2));
    my $forged = $two =~ s/\.(.)/'.' . ($1 eq 'A' ? 'B' : 'A')/er;
    calls_are { get('/signed/?get=a', cookies => ["id=$forged; id=$one; id=" . ($two =~ s/\..*//r)]) } ['GetItem'],
        'IDs with another signature or without one';
    is res()->line('get a'), 1, '... can not be meant';
    $one = session('/maxage/', a => 1);
    $two = session('/maxage/', a => 2);
    age($two, 200);
    calls_are { get('/maxage/?get=a', cookies => ["id=$one; id=$two"]) } [qw(GetItem GetItem)], 'By SessionMaxAge, too,';
    is res()->line('get a'), 1, '... a session can be over';
}

note 'Who sees the cookie';
{
    my $id = session(a => 1);
    my @cookies = (cookies => ["x=1; id=$id; y=2"]);
    is get('/cgi/session.pl', @cookies)->line('HTTP_COOKIE'), 'x=1; y=2', 'a program does not';
    is res()->line('HTTP_SESSION'), 'a=1', '... but the session';
    is get('/proxied/env.pl', @cookies)->line('HTTP_COOKIE'), 'x=1; y=2', 'a backend does not';
    unlike res()->body, qr/\Q$id\E|HTTP_SESSION|a=1/, '... nor anything of the session';

    my %path = (
        'after a redirect in the session'  => '/go/?internal=/test/?in=Cookie',
        'after a redirect to a program'    => '/go/?internal=/cgi/session.pl',
        'after a redirect out of it'       => '/go/?internal=/plain/handler?in=Cookie',
        'after one to a program outside'   => '/go/?internal=/plain/cgi/env.pl',
        'after a program\'s redirect'      => '/cgi/session.pl?location=/plain/cgi/env.pl',
        'after mod_rewrite\'s'             => '/rewrite/inside?in=Cookie',
        'after one from outside'           => '/plain/into?in=Cookie',
        'after one from outside to a program' => '/plain/into-program',
        'on an error page'                 => '/errors-inside/?status=500&',
        'on an error page by a program'    => '/go/?status=500&',
        'on one outside'                   => '/go/?status=410&',
        'as an index'                      => '/programs/',
        'as a variant'                     => '/programs/env',
    );
    for my $who (sort keys %path) {
        calls_are { get($path{$who}, @cookies) } ['GetItem'], "$path{$who}, one read";
        unlike res()->body, qr/\Q$id\E|\bid=/, "... nobody sees the ID $who";
        like res()->body, qr/^(?:in Cookie: |HTTP_COOKIE=)x=1; y=2$/m, '... but the other cookies'
            if $who !~ /^on an error page$/;
    }
    get('/ssi/cookie.shtml', @cookies);
    unlike res()->body, qr/\Q$id\E|\bid=/, 'parts of a page do not';
    is scalar(() = res()->body =~ /x=1; y=2/g), 4, '... but see the others';
    like get('/plain/cgi/env.pl', @cookies)->line('HTTP_COOKIE'), qr/id=/, 'without a session nothing is taken';
}

note 'Cookies that the application sets';
{
    get('/test/?set=a:1&errheader=Set-Cookie:x%3D1&header=Set-Cookie:y%3D2');
    my @cookies = res()->set_cookies;
    is_deeply [sort grep { !/^id=/ } @cookies], ['x=1', 'y=2'], 'stay';
    is scalar(grep { /^id=$ID; / } @cookies), 1, '... and ours is one more';
    my $id = res()->cookie('id');
    get('/test/?get=a&errheader=Set-Cookie:x%3D1', cookie => $id);
    is_deeply [res()->set_cookies], ['x=1'], '... alone where ours is not due';
    get('/test/?end&status=404&errheader=Set-Cookie:x%3D1', cookie => $id);
    is_deeply [map { /^(\w+=\w*)/ } sort(res()->set_cookies)], ['id=', 'x=1'], '... and with errors';
}

note 'Attributes';
for my $case (['/test/', 'id', 'Path=/; Secure; HttpOnly; SameSite=Strict'],
              ['/cookie/', 'sess', 'Path=/cookie/; Domain=example.test; SameSite=Lax'],
              ['/cookie-none/', 'id', 'Path=/; Secure; HttpOnly; SameSite=None'],
              ['/cookie-host/', '__Host-id', 'Path=/; Secure; HttpOnly; SameSite=Strict'],
              ['/cookie-host-http/', '__Host-Http-id', 'Path=/; Secure; HttpOnly; SameSite=Strict']) {
    my($area, $name, $attributes) = @$case;
    get("$area?set=a:1");
    is scalar(res()->set_cookies), 1, "$area: one cookie";
    like +(res()->set_cookies)[0], qr/^\Q$name\E=$ID; \Q$attributes\E$/, '... as configured';
    my $id = res()->cookie($name);
    is get("$area?get=a", cookie => $id, cookie_name => $name)->line('get a'), 1, '... by which the session is found';
    calls_are { get("$area?get=a", cookie => $id, cookie_name => "x$name") } [], '... and by no other name';
    my $other_case = $name eq lc $name ? uc $name : lc $name;
    calls_are { get("$area?get=a", cookie => $id, cookie_name => $other_case) } [], "... nor as $other_case";
    calls_are { get("$area?renew", cookie => $id, cookie_name => $name) }
        [qw(GetItem PutItem UpdateItem)], '... a new';
    like +(res()->set_cookies)[0], qr/^\Q$name\E=$ID; \Q$attributes\E$/, '... is handed out the same way';
    get("$area?end", cookie => res()->cookie($name), cookie_name => $name);
    is scalar(res()->set_cookies), 1, '... and ended by one cookie';
    my %has = map { $_ => 1 } split /; /, (res()->set_cookies)[0];
    ok delete $has{"$name="}, '... without a value';
    ok delete $has{'Max-Age=0'}, '... of no age';
    ok delete $has{'Expires=Thu, 01 Jan 1970 00:00:00 GMT'}, '... of the past';
    is_deeply [sort keys %has], [sort split /; /, $attributes], '... and the same attributes';
}

note 'Cookies that outlive the browser';
{
    require HTTP::Date;
    my $end = sub {
        my($date) = map { /; Expires=([^;]+)/ ? $1 : () } res()->set_cookies;
        return defined $date ? HTTP::Date::str2time($date) : undef;
    };
    my $row_end = sub { row(key_of($_[0]))->{expires}{N} };

    get('/persistent/?set=a:1');
    my $id = res()->cookie('id');
    like +(res()->set_cookies)[0],
        qr/^id=$ID; Path=\/; Expires=\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT; Secure; HttpOnly; SameSite=Strict$/,
        'a cookie with a date';
    is $end->(), $row_end->($id), '... which is the session\'s end';
    calls_are { get('/persistent/?get=a', cookie => $id) } ['GetItem'], 'where nothing moves';
    is_deeply [res()->set_cookies], [], '... nothing is sent';

    my $before = age($id, 300);
    calls_are { get('/persistent/?get=a', cookie => $id) } [qw(GetItem UpdateItem)], 'where a touch moves the end';
    is res()->cookie('id'), $id, '... the same ID is sent again';
    is $end->(), $row_end->($id), '... with the new end';
    cmp_ok $end->(), '>', $before->{expires}{N}, '... which is later';

    $before = age($id, 30);
    calls_are { get('/persistent/?set=b:2', cookie => $id) } [qw(GetItem UpdateItem)], 'where a change moves it';
    is res()->cookie('id'), $id, '... the same ID is sent again';
    is $end->(), $row_end->($id), '... with the new end';
    cmp_ok $end->(), '>', $before->{expires}{N}, '... which is later';

    get('/persistent/?renew', cookie => $id);
    isnt res()->cookie('id'), $id, 'a new ID';
    $id = res()->cookie('id');
    is $end->(), $row_end->($id), '... has its date';
    get('/persistent/?end', cookie => $id);
    is $end->(), 0, 'and the end is long past';
    is scalar(res()->set_cookies), 1, '... in one cookie';

    $id = get('/persistent/?set=a:1')->cookie('id');
    change_row($id, sub {
        my $row = shift;
        $row->{absolute_timeout}{N} = 600;
        $row->{expires}{N} = int(seconds_of($row->{created}{S})) + 600;
    });
    age($id, 300);
    get('/persistent/?set=b:2', cookie => $id);
    is $end->(), $row_end->($id), 'The date is never behind the absolute end';

    my $days = 24 * 3600;
    for my $case ([400, 400], [401, 400], [3650, 400]) {
        my($session, $cookie) = map { $_ * $days } @$case;
        get("/persistent/?timeouts=$session:$session&set=a:1");
        my $created = seconds_of(row(key_of(res()->cookie('id')))->{created}{S});
        is $end->(), int($created) + $cookie, "a session of $case->[0] days: its cookie ends after $case->[1]";
    }
}

note 'In a header';
for my $case (['/header/', 'x-id', 'X-Id'], ['/header-named/', 'X-Session-Token', 'x-session-token']) {
    my($area, $name, $spelled) = @$case;
    get("$area?set=a:1");
    my @ids = res()->all($name);
    is scalar(@ids), 1, "$area: an ID in $name";
    like $ids[0], qr/^$ID$/, '... and nothing else in it';
    is_deeply [res()->set_cookies], [], '... and no cookie';
    is_deeply [res()->all('Cache-Control')], ['no-store'], '... not to be cached';
    my $id = $ids[0];
    calls_are { get("$area?get=a&in=$name", headers => [$spelled, $id]) } ['GetItem'], '... which may come in any case';
    is_deeply [res()->line('get a'), res()->line("in $name")], [1, '(none)'], '... and is taken out';
    is_deeply [res()->all($name)], [], '... and not sent again';
    calls_are { get("$area?get=a&in=Cookie", cookie => $id) } [], 'in a cookie it is nothing';
    is_deeply [res()->line('get a'), seen_cookie()], ['(none)', '(none)'],
        '... to us, and nobody sees it: it could be the session of another area';
    calls_are { get("$area?get=a&in=$name", headers => [$name, $id, $name, $id]) } [], 'twice it is none';
    is_deeply [res()->line('get a'), res()->line("in $name")], ['(none)', '(none)'], '... and taken out';
    calls_are { get("$area?get=a", headers => [$name, "$id,$id"]) } [], 'twice in one as well';
    calls_are { get("$area?set=b:2", headers => [$name, $id]) } [qw(GetItem UpdateItem)], 'a change';
    is_deeply [res()->all($name)], [], '... needs no new ID';
    calls_are { get("$area?renew&status=404", headers => [$name, $id]) }
        [qw(GetItem PutItem UpdateItem)], 'a new one';
    isnt res()->header($name), $id, '... is another';
    $id = res()->header($name);
    like $id, qr/^$ID$/, '... also with an error';
    calls_are { get("$area?end", headers => [$name, $id]) } [qw(GetItem DeleteItem)], 'the end';
    is_deeply [res()->all($name)], [''], '... is an empty header';
    is_deeply [res()->set_cookies], [], '... and no cookie';
}
{
    my $id = session(a => 1);
    calls_are { get('/test/?get=a&in=x-id', headers => ['x-id', $id]) } [], 'with cookies configured, x-id is nothing';
    is_deeply [res()->line('get a'), res()->line('in x-id')], ['(none)', $id], '... to us, and stays';
    get('/test/?set=b:2&end', cookie => $id);
    is_deeply [res()->all('x-id')], [], '... and none is sent';
}

note 'A client\'s header "Session" is not the session';
for my $path ('/cgi/session.pl', '/cgi-noenv/session.pl', '/programs/', '/go/?internal=/cgi/session.pl',
              '/plain/into-program', '/cgi-noenv/session.pl?location=/cgi-noenv/session.pl', '/go/?status=500') {
    for my $id (undef, session(a => 1)) {
        get($path, defined $id ? (cookies => ["id=$id"]) : (), headers =>
            ['Session', 'evil=1', 'session', 'evil=2', 'HTTP_SESSION', 'evil=3', 'HTTP-SESSION', 'evil=4']);
        my $session = res()->line('HTTP_SESSION');
        like defined $session ? $session : '', qr/^(?:a=1|\(none\)|)$/,
            "$path, a session " . (defined $id ? 'too' : 'missing');
        unlike res()->body, qr/^(?:HTTP|REDIRECT_HTTP)_SESSION=.*evil/m, '... is not what the client says';
    }
}
for my $path ('/plain/ssi/noenv.shtml', '/plain/ssi/cgi.shtml', '/plain/cgi/session.pl?location=/cgi-noenv/session.pl',
              '/plain/cgi/session.pl?location=/plain/cgi/session.pl%3Flocation%3D/cgi/session.pl') {
    get($path, headers => ['Session', 'evil=1']);
    like res()->body, qr/HTTP_SESSION=/, "$path: a program that is asked by one without a session";
    unlike res()->body, qr/evil/, '... is not told what the client says';
}
like get('/plain/cgi/session.pl?location=/plain/cgi/session.pl', headers => ['Session', 'evil=1'])->body, qr/evil/,
    '... but where we are off';
is get('/test/?in=Session', headers => ['Session', 'evil=1'])->line('in Session'), '(none)', 'no handler sees it';
unlike get('/proxied/env.pl', headers => ['Session', 'evil=1'])->body, qr/evil/, 'no backend sees it';
unlike get('/ssi/cookie.shtml', headers => ['Session', 'evil=1'])->body, qr/in Session: evil/, 'no part sees it';

note 'Sessions too long for an environment';
{
    expect_log qr/\[session_dynamodb:warn\].*omitted the environment variable HTTP_SESSION/;
    # 128 KiB less "HTTP_SESSION=" and the end of the string, less "a="
    my $most = 128 * 1024 - length('HTTP_SESSION=') - 1 - length('a=');
    my $id = get("/test/?big=a:$most")->cookie('id');
    is length(get('/cgi/session.pl', cookie => $id)->line('HTTP_SESSION')), $most + 2, 'as much as a program can take';
    is get('/test/?big=a:' . ($most + 1), cookie => $id)->status, 200, '... and a byte more';
    my $before = () = log_lines(qr/omitted the environment variable HTTP_SESSION/);
    calls_are { get('/cgi/session.pl', cookie => $id) } ['GetItem'], '... costs one read';
    is_deeply [res()->status, res()->line('HTTP_SESSION')], [200, '(none)'], '... and the program runs without it';
    cmp_ok scalar(() = log_lines(qr/omitted the environment variable HTTP_SESSION/)), '>', $before,
        '... which the log says';
    is get('/cgi/session.pl?replace=b%3D2', cookie => $id)->status, 200, '... and may change the session';
    is get('/test/?get=b', cookie => $id)->line('get b'), 2, '... with effect';
    get('/test/?big=a:200000', cookie => $id);
    for my $path ('/cgi/session.sh', '/programs/', '/plain/into-program', '/go/?internal=/cgi/session.pl') {
        get($path, cookie => $id);
        is_deeply [res()->status, res()->line('HTTP_SESSION')], [200, '(none)'], "200,000 bytes: $path runs without it";
    }
    is get('/ssi/cgi.shtml', cookie => $id)->status, 200, '... a page of parts is served';
    like res()->body, qr/HTTP_SESSION=\(none\)/, '... whose program runs';
    is get('/proxied/env.pl', cookie => $id)->status, 200, '... and a backend does not care';
    is length(get('/test/?get=a', cookie => $id)->line('get a')), 200_000, '... while a module sees all of it';
}

note 'Backends';
{
    my $id = session(a => 1);
    reads { get('/proxied/env.pl', cookie => $id) } 'a backend that says nothing of the session';
    changes { get('/proxied/env.pl?replace=b%3D2', cookie => $id) } $id, 'a=1&b=2', 'one that changes it';
    changes { get('/proxied/env.pl?replace=b%3D3&status=404', cookie => $id) } $id, 'a=1&b=3', 'one that fails';
    is res()->status, 404, '... with its status';
    creates { get('/proxied/env.pl?replace=b%3D2') } 'b=2', 'one that begins a session';
    calls_are { get('/proxied/env.pl?replace=a%3D%26b%3D', cookie => $id) } [qw(GetItem DeleteItem)], 'one to end it';
    is res()->cookie('id'), '', '... ends the cookie';
    calls_are { get('/proxied/env.pl') } [], 'and one without a session';
    is_deeply [res()->status, res()->set_cookies], [200], '... is a backend as any';
}

done;
