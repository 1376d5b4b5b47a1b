# SessionDynamoDBProtectKeys: entries that neither programs nor backends can change by the session header.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Backend;
use SessionTest::Login;

same_under_every_mpm();

expect_log qr/session_dynamodb:warn.*X-Replace-Session of \/cgi-protected\/session\.pl may not change the entry 'role'/,
    qr/SessionDynamoDBProtectKeys names it/;

backend('app', "$SessionTest::T/lib/backend.py", port('app'));

sub escaped { return $_[0] =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger }

my @entries = (a => 1, role => 'user', 'members-user' => 'alice');
my $before  = 'a=1&members-user=alice&role=user';

sub says {
    my($area, $header) = @_;
    return $area =~ m{^/forward} ? "$area?header=X-Replace-Session:" . escaped($header)
                                 : "$area?replace=" . escaped($header);
}

for my $area ('/cgi-protected/session.pl', '/forward/protected/page') {
    note $area;
    my $id = session(@entries);
    for my $header ('role=admin', 'ROLE=admin', 'r%6Fle=admin', 'role=', 'members-user=mallory', 'role=&members-user=',
                    'role=admin&role=root') {
        calls_are { get(says($area, $header), cookie => $id) } ['GetItem'], "$header: no write";
        is_deeply [res()->status, res()->set_cookies, res()->all('X-Replace-Session')], [200], '... no cookie, no header';
        is data($id), $before, '... and no change';
    }
    calls_are { get(says($area, 'role=admin&a=2&role=&b=3'), cookie => $id) } [qw(GetItem UpdateItem)], 'beside others';
    is data($id), 'a=2&b=3&members-user=alice&role=user', '... they alone are changed';
    calls_are { get(says($area, 'a=&b='), cookie => $id) } [qw(GetItem UpdateItem)], 'what is left of the session';
    is data($id), 'members-user=alice&role=user', '... is protected, and it goes on';
    calls_are { get(says($area, 'role=admin')) } [], 'a protected entry begins no session';
}

note 'Programs';
{
    my $id = session(@entries);
    calls_are { get(says('/cgi-protected/session.pl', 'expiry=1'), cookie => $id) } ['GetItem'], 'nor is its end set';
    is data($id), $before, '... where that is protected';
    calls_are { get('/cgi-protected/session.pl?location=/cgi/session.pl%3Freplace%3Drole%253Dadmin', cookie => $id) }
        ['GetItem'], 'a program that is not restricted, in a session that was loaded where it is';
    is data($id), $before, '... can change nothing';
    calls_are { get('/cgi/session.pl?location=/cgi-protected/session.pl%3Freplace%3Drole%253Dadmin', cookie => $id) }
        ['GetItem'], 'a restricted one, in a session that was loaded where it is not';
    is data($id), $before, '... neither';
    calls_are { get(says('/cgi/session.pl', 'role=admin'), cookie => $id) } [qw(GetItem UpdateItem)],
        'elsewhere it is an entry as any other';
    is data($id), 'a=1&members-user=alice&role=admin', '... and changed';
}

done;
