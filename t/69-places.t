# Places of one request: where a redirect, an error document or an include leads into a place with a cookie and keys of its
# own, each of the two has its own session, and neither sees the other's.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;

sub started {
    my($place, $entries) = @_;
    my $id = get("/place/$place/session.pl?replace=" . $entries =~ s/=/%3D/gr)->cookie($place);
    note_secret($id);
    return $id;
}
sub data { my $row = row(key_of($_[0])); return $row ? join '&', sort split /&/, data_of($row) : undef }

my $pub = started(pub => 'role=admin');
my $adm = started(adm => 'role=clerk');
my $to  = '/place/pub/session.pl?location=/place/adm/session.pl';

# Ways from /place/pub/ into /place/adm/, and the number of rows read where only /pub's cookie comes.
my %way = ('a local redirect' => $to, 'an error document' => '/place/pub/nothing.pl',
           'an include' => '/place/pub/pages/places.shtml');
for my $way (sort keys %way) {
    note $way;
    calls_are { get($way{$way}, headers => ['Cookie', "pub=$pub"]) } ['GetItem'], "$way with the cookie of /pub";
    unlike res()->body, qr/admin/, '... shows nothing of its session';
    is_deeply [res()->set_cookies], [], '... and sends no cookie';
    calls_are { get($way{$way}, headers => ['Cookie', "pub=$pub; adm=$adm"]) } [qw(GetItem GetItem)],
        '... with both cookies: a read for each place';
    like res()->body, qr/^SESSION_ENTRY_role=clerk$/m, '... which shows the place\'s own session';
    unlike res()->body, qr/admin/, '... and nothing of the other';
    unlike res()->body, qr/\Q$pub\E|\Q$adm\E/, '... nor an ID';
    is_deeply [data($pub), data($adm)], ['role=admin', 'role=clerk'], '... and both are as they were';
}

note 'What is stored on the way';
{
    my $both = ['Cookie', "pub=$pub; adm=$adm"];
    my $and = '/place/pub/session.pl?replace=b%3D2&location=/place/adm/session.pl?replace%3Dc%253D3';
    calls_are { get($and, headers => $both) } [qw(GetItem GetItem UpdateItem UpdateItem)], 'a change in each place';
    is_deeply [data($pub), data($adm)], ['b=2&role=admin', 'c=3&role=clerk'], '... each in its own session';
    is_deeply [res()->set_cookies], [], '... without a cookie';
    calls_are { get($and) } [qw(PutItem PutItem)], 'without sessions: two begin';
    my %id = map { $_ => res()->cookie($_) } qw(pub adm);
    is_deeply [scalar(res()->set_cookies), data($id{pub}), data($id{adm})], [2, 'b=2', 'c=3'],
        '... each with a cookie of its own';
    note_secret(values %id);
    calls_are { get('/place/pub/session.pl?replace=role%3D%26b%3D&location=/place/adm/session.pl', headers => $both) }
        [qw(GetItem GetItem DeleteItem)], 'a session that ends before the redirect';
    is_deeply [res()->set_cookies], ['pub=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Secure; HttpOnly; SameSite=Strict'], '... takes its own cookie along, and no other';
    is_deeply [data($pub), data($adm)], [undef, 'c=3&role=clerk'], '... and its own row';
}

note 'An include reads the session of its place, and changes nothing there';
{
    expect_log qr/\[session_dynamodb:warn\].*dropped the changes to the session: they came after it was saved, or mod_session/,
        qr/\[cgid?:error\].*nothing\.pl/;
    $pub = started(pub => 'role=admin');
    calls_are { get('/place/pub/pages/places.shtml', headers => ['Cookie', "pub=$pub; adm=$adm"]) } [qw(GetItem GetItem)],
        'a part that sets an entry';
    like res()->body, qr/^get role: clerk$/m, '... sees its session';
    is data($adm), 'c=3&role=clerk', '... and does not change it';
    calls_are { get('/place/pub/pages/places.shtml', headers => ['Cookie', "pub=$pub"]) } ['GetItem'],
        'one that has none';
    is_deeply [res()->set_cookies], [], '... begins none';
}

note 'Two places that differ in other settings';
for my $case (['/audience/shop/', '/audience/staff/', 'the label'], ['/ids/keys/', '/ids/short/', 'the keys']) {
    my($from, $into, $what) = @$case;
    my $id = session($from, a => 1);
    calls_are { get("$from?internal=${into}?get=a", cookie => $id) } [$what eq 'the keys' ? 'GetItem' : qw(GetItem GetItem)],
        "$what: " . ($what eq 'the keys' ? 'what can be no ID there is not asked for' : 'each place asks for its row');
    is res()->line('get a'), '(none)', '... and has no session there';
    is_deeply [res()->set_cookies], [], '... and no cookie';
}

done;
