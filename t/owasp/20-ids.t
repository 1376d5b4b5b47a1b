# What IDs are made of, and what cookies say. Each sentence begins with the number of its row in docs/owasp.md.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use MIME::Base64 ();
use SessionTest;
use SessionTest::Login;

plan skip_all => 'the same under every MPM' if setting('mpm') ne 'event';
@SessionTest::QUIET = (5, 5);

note 'Many at once';
{
    my $from = time;
    my @ids = map { map { $_->cookie('id') } parallel(map { [path => '/test/?set=a:1'] } 1 .. 20) } 1 .. 15;
    my %seen = map { $_ => 1 } @ids;
    is scalar(keys %seen), 300, 'R7: three hundred IDs of all children, twenty at once, without a repetition';

    # Limits of six standard deviations and more: three hundred IDs of 32 bytes are 76,800 bits, with a deviation of 139.
    my @bytes = map { MIME::Base64::decode_base64url($_) } @ids;
    is scalar(grep { length != 32 } @bytes), 0, 'R12: each is 32 bytes in base64url';
    my $ones = unpack '%64b*', join '', @bytes;
    cmp_ok abs($ones - 38_400), '<', 900, 'R7: as many bits are set as are not';
    my @uneven = grep { my $bit = $_; my $n = grep { vec $_, $bit, 1 } @bytes; abs($n - 150) > 60 } 0 .. 255;
    is "@uneven", '', 'R11: no bit of an ID is constant, or nearly so';
    my @few = grep { my $at = $_; my %c = map { substr($_, $at, 1) => 1 } @ids; keys %c < 40 } 0 .. 41;
    is "@few", '', 'R11: ... and no character';
    my @clock = grep { my $id = $_; grep { index($id, pack 'N', $_) >= 0 } $from .. time } @bytes;
    is scalar(@clock), 0, 'R12: none has the time in it';
    my @sorted = sort @ids;
    isnt "@sorted", "@ids", 'R208: they do not ascend';
    my %begin;
    $begin{ substr $_, 0, 6 }++ for @bytes;
    is scalar(grep { $_ > 1 } values %begin), 0, 'R207: no two of one second and address begin alike';
}

note 'Guesses';
{
    my @made_up = map { join '', map { ('A' .. 'Z', 'a' .. 'z', 0 .. 9)[rand 62] } 1 .. 42 } 1 .. 50;
    session(a => 1) for 1 .. 3;
    quiet(100);
    my @found = grep { get('/test/?get=a', cookie => "${_}A")->line('get a') ne '(none)' } @made_up;
    is scalar(@found), 0, 'R8: none of fifty made-up IDs opens a session';
    is_deeply [calls { get('/signed/?get=a', cookie => "${_}A") for @made_up }], [], 'R8: signed IDs: none is looked for';
}

note 'One cookie';
{
    my $id = session(a => 1);
    like +(get('/test/?set=a:1')->set_cookies)[0], qr/^id=/, 'R5: the name of the cookie tells neither product nor purpose';
    unlike join("\n", map { "@$_" } @{ res()->{headers} }), qr/dynamo/i, 'R5: ... nor does another header';
    my(%names, @elsewhere, $longest);
    for my $path ('/test/?set=a:2', '/test/?get=a', '/test/?set=b:1&code=404', '/test/?set=c:1&code=302', '/users/?set=user:ann',
                  '/users/?del=user', '/cgi/session.pl', '/static/file.html', '/nothing', '/test/?end') {
        for my $who ($id, undef) {
            my $answer = get($path, defined $who ? (cookie => $who) : ());
            for my $header (@{ $answer->{headers} }) {
                my($name, $value) = @$header;
                if (lc $name eq 'set-cookie') {
                    $names{ $value =~ /^([^=]*)=/ ? $1 : '' } = 1;
                    my($pair) = split /;/, $value;
                    $longest = length $pair if !defined $longest || $longest < length $pair;
                }
                elsif (index($value, $id) >= 0) { push @elsewhere, "$path: $name" }
            }
            push @elsewhere, "$path: body" if index($answer->body // '', $id) >= 0;
        }
    }
    is join(' ', keys %names), 'id', 'R52: whatever is asked for, the module sets one cookie';
    is "@elsewhere", '', 'R53: ... and the ID is nowhere else in a response';
    cmp_ok $longest, '<', 256, 'R152: ... which is short';
}

note 'What the client holds';
{
    my $answer = post('/form/login', form('alice'), cookie => session(secret => 'of-the-shop'));
    my $head = join "\n", map { "$_->[0]: $_->[1]" } grep { lc $_->[0] ne 'location' } @{ $answer->{headers} };
    my $coded = MIME::Base64::encode_base64('alice', '') =~ s/=*$//r;
    unlike $head, qr/alice|of-the-shop|\Q$coded\E/, 'R13: a login sends nothing of user, password and entries';
    ok $answer->cookie('id'), 'R13: ... but an ID';
}

done;
