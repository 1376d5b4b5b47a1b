# What each kind of request costs and sends: the rows of the contract's table that need no fault.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;

my $ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict';
my $ID         = qr/[A-Za-z0-9_-]{43}/;

sub made_up { return join '', map { ('A' .. 'Z', 'a' .. 'z', 0 .. 9, '-', '_')[rand 64] } 1 .. 42 }
sub well_formed { return made_up() . 'A' }   # 43 characters carry 258 bits: the last two must be zero

note 'A read-only request with a session';
{
    my $id = session(a => 1);
    calls_are { get('/test/?get=a', cookie => $id) } ['GetItem'], 'costs one read and no write';
    is res()->line('get a'), 1, '... and sees the session';
    is_deeply [res()->set_cookies], [], '... without a Set-Cookie';
    is res()->header('Cache-Control'), 'no-store', '... and must not be cached';

    my $before = age($id, 300);
    my @calls = calls_of { get('/test/?get=a', cookie => $id) } 2;
    is join(' ', map { $_->{op} } @calls), 'GetItem UpdateItem', 'with a touch due, one write more';
    my $after = row(key_of($id));
    cmp_ok seconds_of($after->{accessed}{S}), '>', seconds_of($before->{accessed}{S}) + 200, '... which records activity';
    cmp_ok $after->{expires}{N}, '>', $before->{expires}{N} + 200, '... and moves the end';
    is_deeply [@$after{qw(data version write_id created)}], [@$before{qw(data version write_id created)}],
        '... and nothing else';

    # A session of its own: a child that has just recorded an activity does not look at the row to do it again.
    $id = session(a => 1);
    age($id, 300);
    fault(kind => 'hold', op => 'UpdateItem');
    cmp_ok within { is get('/test/?get=a', cookie => $id)->status, 200, 'the client has its answer' }, '<', 1,
        '... while the touch is still under way';
    ok held(1), '... as it is';
    release();
    quiet();
}

note 'An anonymous request, an unused session';
for my $path ('/test/', '/test/?get=a', '/cgi/session.pl', '/static/file.html', '/maxage/?get=a', '/plain/page.html') {
    calls_are { get($path) } [], "$path costs nothing";
    is_deeply [res()->status, res()->set_cookies], [200], '... and sends no cookie';
}

note 'An ID that can not be one';
{
    my $good   = session(a => 1);
    my $signed = session('/signed/', a => 1);
    my %ids = (
        'truncated'      => substr($good, 0, 42),
        'too long'       => $good . 'A',
        'of 3,000 bytes' => 'x' x 3000,
        'binary'         => "\xff\x80\xc0" . substr($good, 3),
        'empty'          => '',
        'with a blank'   => substr($good, 0, 20) . ' ' . substr($good, 21),
        'in quotes'      => qq("$good"),
        'not canonical'  => substr($good, 0, 42) . 'B',
        'signed, unasked for' => $signed,
    );
    for my $kind (sort keys %ids) {
        calls_are { get('/test/?get=a', cookies => ["id=$ids{$kind}"]) } [], "an ID $kind costs nothing";
        is_deeply [res()->status, res()->line('get a'), res()->set_cookies], [200, '(none)'],
            '... and is an anonymous request';
    }
    my %wrong = (
        'with a wrong signature'     => substr($signed, 0, 50) . ($signed =~ /^.{50}A/ ? 'B' : 'A') . substr($signed, 51),
        'without its signature'      => $signed =~ s/\..*//r,
        'with another session\'s'    => well_formed() . ($signed =~ s/^[^.]*//r),
        'made up'                    => well_formed(),
        'made up, unsigned and known' => $good,
        'signed by an unknown key'   => session('/signed-other/', a => 1),
    );
    for my $kind (sort keys %wrong) {
        calls_are { get('/signed/?get=a', cookie => $wrong{$kind}) } [], "with keys set, an ID $kind costs nothing";
        is_deeply [res()->status, res()->line('get a'), res()->set_cookies], [200, '(none)'], '... and sends nothing';
    }
    calls_are { get('/signed/?get=a', cookie => $signed) } ['GetItem'], 'with keys set, a signed one is read';
    is res()->line('get a'), 1, '... and found';
}

note 'A well-formed unknown ID without keys';
{
    my $unknown = well_formed();
    my $rows = rows();
    calls_are { get('/test/?get=a', cookie => $unknown) } ['GetItem'], 'costs one read';
    is_deeply [res()->status, res()->set_cookies], [200], '... and gives no new ID';
    is scalar(rows()), $rows, '... and stores nothing';

    calls_are { get('/test/?set=a:1', cookie => $unknown) } ['PutItem'], 'storing costs one write';
    like res()->cookie('id'), qr/^$ID$/, '... and gives an ID';
    isnt res()->cookie('id'), $unknown, '... which is not the one that came';
    is row(key_of($unknown)), undef, '... under which nothing is stored';
}

note 'The first store';
{
    for my $case (['/test/?set=a:1', 200], ['/test/?set=a:1&redirect=/plain/page.html', 302],
                  ['/test/?set=a:1&status=404', 404], ['/test/?set=a:1&status=500', 500],
                  ['/test/?set=a:1&code=404', 404], ['/cgi/session.pl?replace=a%3D1', 200],
                  ['/cgi/session.pl?replace=a%3D1&status=302+Found&location=http://elsewhere.test/', 302],
                  ['/cgi/session.pl?replace=a%3D1&status=404', 404]) {
        my($path, $status) = @$case;
        my @calls = calls_of { get($path) } 1;
        is join(' ', map { $_->{op} } @calls), 'PutItem', "$path costs one write";
        like $calls[0]{body}{ConditionExpression}, qr/attribute_not_exists/, '... under the condition that it is the first';
        is res()->status, $status, "... and answers $status";
        my @cookies = res()->set_cookies;
        is scalar(@cookies), 1, '... with one cookie';
        like $cookies[0], qr/^id=$ID; \Q$ATTRIBUTES\E$/, '... as promised';
        is get('/test/?get=a', cookie => res()->cookie('id'))->line('get a'), 1, '... whose session is there';
    }
}

note 'A changed session';
{
    my $id = session(a => 1);
    my $before = row(key_of($id));
    my @calls = calls_of { get('/test/?set=a:2', cookie => $id) } 2;
    is join(' ', map { $_->{op} } @calls), 'GetItem UpdateItem', 'costs one read and one write';
    like $calls[1]{body}{ConditionExpression}, qr/=/, '... under a condition';
    is_deeply [res()->set_cookies], [], '... and the ID stays';
    is get('/test/?get=a', cookie => $id)->line('get a'), 2, '... and the change is there';
    my $after = row(key_of($id));
    is $after->{version}{N}, $before->{version}{N} + 1, '... counted';
    isnt $after->{write_id}{B}, $before->{write_id}{B}, '... and marked';
    is_deeply $after->{created}, $before->{created}, '... in a session as old as before';

    calls_are { get('/test/?set=a:2', cookie => $id) } ['GetItem'], 'setting what is there already costs no write';
}

note 'Logout';
for my $logout ('end', 'clear', 'del=a') {
    my $id = session(a => 1);
    my @calls = calls_of { get("/test/?$logout", cookie => $id) } 2;
    is join(' ', map { $_->{op} } @calls), 'GetItem DeleteItem', "$logout: one read and one delete";
    my @cookies = res()->set_cookies;
    is scalar(@cookies), 1, '... one cookie';
    like $cookies[0], qr/^id=; /, '... which is empty';
    like $cookies[0], qr/; (?:Max-Age=0|Expires=Thu, 01[ -]Jan[ -]1970 00:00:00 GMT)(?:;|$)/, '... and past';
    my %has = map { $_ => 1 } split /; /, $cookies[0];
    is_deeply [grep { !$has{$_} } split /; /, $ATTRIBUTES], [], '... with the same attributes';
    is row(key_of($id)), undef, '... and the row is gone';
    is get('/test/?get=a', cookie => $id)->line('get a'), '(none)', '... and so is the session';
}

note 'A slow request that ends after another request\'s logout';
for my $case (['save', 'set=b:2', 0, 503], ['touch', 'get=a', 300, 200]) {
    my($kind, $op, $age, $status) = @$case;
    my $id = session(a => 1);
    age($id, $age) if $age;
    my $slow = connection();
    $slow->send_request(path => "/test/?meet=$kind&$op", headers => [['Cookie', "id=$id"]]);
    ok here($kind), "$kind: the slow request is under way";
    is get('/test/?end', cookie => $id)->status, 200, '... another one logs out';
    is row(key_of($id)), undef, '... and the row is gone';
    let_go($kind);
    my $answer = $slow->read_response;
    is $answer->status, $status, $status == 200 ? '... the slow request ends well'
        : '... the slow request is told that its change is not stored';
    is_deeply [$answer->set_cookies], [], '... without a cookie';
    quiet(150);
    is row(key_of($id)), undef, '... and the session stays gone';
}

done;
