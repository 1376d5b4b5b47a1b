# What a backend may change in the session by its header: nothing, unless it is named. And what httpd's own programs
# may: everything, also where a redirect inside httpd mixes the two.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Backend;
use SessionTest::Once;

backend('app', "$SessionTest::T/lib/backend.py", port('app'));

sub escaped { return $_[0] =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger }

# What is stored after a backend said so, from a=1&members-user=alice.
sub after {
    my($area, $said, @rest) = @_;
    my $id = session(a => 1, 'members-user' => 'alice');
    get("$area?header=X-Replace-Session:" . escaped($said) . (@rest ? $rest[0] : ''), cookie => $id);
    is_deeply [res()->all('X-Replace-Session')], [], "$area, $said: the header stays here";
    my $data = data($id);
    return defined $data ? $data : '(ended)';
}

my $before = 'a=1&members-user=alice';

note 'Nothing, unless it is named';
for my $said ('b=2', 'a=', 'a=&members-user=', 'members-user=mallory', 'expiry=1') {
    is after('/forward/page', $said), $before, '... and nothing changes';
}
calls_are { get('/forward/page?header=X-Replace-Session:a%3D1') } [], 'no backend begins a session';
is_deeply [res()->status, res()->set_cookies], [200], '... nor sends a cookie';
calls_are { get('/forward/page?header=X-Replace-Session:a%3D1', cookie => session(a => 0)) } [qw(PutItem GetItem)],
    'what is ignored costs no write';

note 'What is named';
is after('/forward/accept/page', 'cart=2'), "a=1&cart=2&members-user=alice", '... is set';
is after('/forward/accept/page', 'CART=2'), "CART=2&a=1&members-user=alice", '... whatever its case';
is after('/forward/accept/page', 'c%61rt=2'), "a=1&cart=2&members-user=alice", '... and escapes';
is after('/forward/accept/page', 'two+words=2'), "a=1&members-user=alice&two+words=2", '... with a blank';
is after('/forward/accept/page', 'b=1&cart=2&a=&members-user=m'), "a=1&cart=2&members-user=alice", '... and no more';
is after('/forward/accept/page', $_), $before, '... which holds for others'
    for qw(cartx=1 xcart=1 car=1 =a= ==a= a== &&a= cart%00=1 members-user== %61=2 *=1 cart a);
{
    my $id = session(cart => 1, a => 1);
    changes { get('/forward/accept/page?header=X-Replace-Session:cart%3D', cookie => $id) } $id, 'a=1', 'it is removed';
    $id = session(cart => 1);
    calls_are { get('/forward/accept/page?header=X-Replace-Session:cart%3D', cookie => $id) } [qw(GetItem DeleteItem)],
        'the last one ends the session';
    creates { get('/forward/accept/page?header=X-Replace-Session:cart%3D1') } 'cart=1', 'the first one begins it';
    $id = session(a => 1);
    get('/forward/accept/page?header=X-Replace-Session:cart%3D1&header=X-Replace-Session:b%3D1', cookie => $id);
    is data($id), 'a=1&cart=1', 'of two headers each counts in its limits';
    is_deeply [res()->all('X-Replace-Session')], [], '... and none goes on';
}

{
    get('/cgi/session.pl?replace=' . escaped('two+words=1&a=1'));
    my $id = res()->cookie('id');
    get('/forward/accept/page?header=X-Replace-Session:two%252Bwords%3D%26two%2Bwords%3D', cookie => $id);
    is data($id), 'a=1', 'a name with a blank is removed, as it was set';
    is after('/forward/accept/page', $_), $before, "$_ removes nothing that is not named" for qw(%61= members%2Duser=);
}

note 'All';
is after('/forward/all/page', 'b=2&a='), 'b=2&members-user=alice', '... is all';
for my $name (qw(members-user members-pw members-site MEMBERS-USER members%2Duser expiry)) {
    is after('/forward/all/page', "$name=1"), $before, "... but $name";
    is after('/forward/all/page', "$name="), $before, '... which is not removed either';
}
is after('/forward/named/page', 'members-user=bob&members-pw=x'), 'a=1&members-user=bob', '... unless it is named';
is after('/forward/named/page', 'expiry=9999999999000000&b=1'), "a=1&b=1&expiry=9999999999000000&members-user=alice",
    '... expiry too';

note 'A program that httpd runs may change everything';
{
    my $id = session(a => 1);
    changes { get('/forward-cgi/session.pl?replace=' . escaped('members-user=bob&a='), cookie => $id) } $id,
        'members-user=bob', 'as ever';
}

note 'Redirects inside httpd';
for my $case (['/forward/override/page', 404, $before, 'an error page'],
              ['/forward/override/page', 410, 'a=1&by-program=1&members-user=alice', 'a program as error page'],
              ['/forward/override/page', 500, $before, 'an error page of httpd'],
              ['/forward/override/page', 405, $before, 'an error page that may not be seen'],
             ) {
    my($area, $status, $expected, $what) = @$case;
    is after($area, 'b=2&members-user=mallory', "&status=$status"), $expected, "... $what: the backend's is ignored";
    is res()->status, $status, '... with its status';
}
is after('/forward/on/page', 'b=2', '&status=404'), $before, '... an error page by another backend: ignored';
is after('/forward/override/page', 'b=2&cart=3', '&status=404'), 'a=1&cart=3&members-user=alice',
    '... an error page: what is accepted is stored';
is after('/forward/override/page', 'b=2&cart=3', '&status=410'), 'a=1&by-program=1&cart=3&members-user=alice',
    '... a program as error page: both are';
{
    my $id = session(a => 1);
    get("/cgi/session.pl?replace=by-program%3D1&location=/forward/accept/page%3Fheader=X-Replace-Session:cart%253D3"
        . '%2526b%253D2', cookie => $id);
    like res()->body, qr/^GET \/base\/accept\/page/, 'a program leads to a backend';
    is data($id), 'a=1&by-program=1&cart=3', '... both have their say, the backend in its limits';
    get('/rewrite/proxied/page?header=X-Replace-Session:b%3D2', cookie => $id);
    is data($id), 'a=1&by-program=1&cart=3', 'mod_rewrite\'s [P] is a backend as well';
}

expect_log qr/session_dynamodb:warn.*the backend of \/forward\/page may not change the entry 'b' by its header/,
    qr/may not change the entry/;

done;
