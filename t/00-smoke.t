# A session that one request stores is there in the next: CGI programs, the way users write them.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;

is get('/plain/page.html')->status, 200, 'httpd answers';

for my $program (qw(session.pl session.sh)) {
    my $first = get($program eq 'session.pl' ? '/cgi/session.pl?replace=name%3Dvalue' : '/cgi/session.sh?name=value');
    is $first->status, 200, "$program answers";
    my $id = $first->cookie('id');
    like $id, qr/^[A-Za-z0-9_-]{43}$/, '... and its answer carries a session ID';
    is $first->header('X-Replace-Session'), undef, '... but not the header by which it spoke to httpd';

    my $next = get("/cgi/$program", cookie => $id);
    like $next->line('HTTP_SESSION'), qr/^name=value(?:&|$)/, 'the next request sees what was stored';
    is_deeply [$next->set_cookies], [], '... and needs no new cookie';

    my $row = row(key_of($id));
    ok $row, 'the table has a row under the hash of the ID';
    like data_of($row), qr/^name=value(?:&|$)/, '... with the data in mod_session\'s form';
    is row($id), undef, '... and none under the ID itself';
}
is scalar(rows()), 2, 'two sessions are two rows';

my $seen = get('/test/?get=name', cookie => get('/cgi/session.pl?replace=name%3Dother')->cookie('id'));
is $seen->line('get name'), 'other', 'a module sees what a program stored';

is_deeply [grep { ($_->{signature} || 'ok') ne 'ok' } calls_of { get('/test/?set=a:1') }], [], 'requests are signed';

done;
