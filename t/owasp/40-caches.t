# Caches. Each sentence begins with the number of its row in docs/owasp.md.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use SessionTest;
use SessionTest::Login;

plan skip_all => 'the same under every MPM' if setting('mpm') ne 'event';

sub kept { return join '|', res()->all('Cache-Control') }

my $id = session(a => 1);
for my $status (200, 302, 304, 401, 403, 404, 500) {
    get("/test/?get=a&code=$status", cookie => $id);
    is kept(), 'no-store', "R93: a page of a session is in no cache: $status";
    get("/test/?get=a&status=$status", cookie => $id) if $status >= 400;
    is kept(), 'no-store', "R93: ... nor is httpd's own page: $status";
}
post('/form/login', form('alice'));
is_deeply [res()->status, kept()], [302, 'no-store'], 'R94: the redirect of a login, which has the ID, is in no cache';
for my $value ('no-cache="Set-Cookie"', 'public,%20max-age=3600', 'private') {
    get("/test/?set=b:1&errheader=Cache-Control:$value", cookie => undef);
    is kept(), 'no-store', "R96: an application's weaker word is replaced: $value";
}
get('/test/?set=a:1', version => '1.0');
is kept(), 'no-store', 'R205: nor does HTTP/1.0 change that';

# What browsers keep of a session that has expired.
{
    my @navigate = (headers => ['Sec-Fetch-Mode', 'navigate']);
    my $over = session('/expire/clears/', a => 1);
    age($over, 8000);
    get('/expire/clears/?get=a', cookie => $over);
    is res()->header('Clear-Site-Data'), undef, 'R97: a part of a page whose session has expired deletes nothing';
    $over = session('/expire/clears/', a => 1);
    age($over, 8000);
    get('/expire/clears/?get=a', cookie => $over, @navigate);
    is res()->header('Clear-Site-Data'), '"cache", "storage"', 'R97: a page whose session has expired deletes what browsers keep';
    get('/expire/clears/?get=a', cookie => 'A' x 43, @navigate);
    is res()->header('Clear-Site-Data'), undef, 'R98: one with a made-up ID does not';
    my $other = session('/expire/clears/', a => 1);
    age($other, 8000);
    get('/expire/clears/?set=b:2', cookie => $other, @navigate);
    is res()->header('Clear-Site-Data'), undef, 'R97: nor does one that begins a new session';
}

done;
