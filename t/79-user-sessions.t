# The sessions of a user: listed before they begin, limited, and ended together. A list is an item of the same table,
# whose key names the user to nobody.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Login;

use Digest::SHA ();
use JSON::PP ();
use MIME::Base64 ();

my @LISTED_LOGIN = qw(GetItem UpdateItem PutItem);

# The key of a user's list, worked out by another program.
sub list_key {
    my($realm, $user, $secret) = @_;
    $secret ||= 'first-key-of-the-lists-of-the-httpd-tests-0123456789abcdefgh';
    my $text = join "\n", 'session-dynamodb user', 0, length $realm, "$realm$user";
    return 'u:' . MIME::Base64::encode_base64url(Digest::SHA::hmac_sha256($text, $secret));
}
sub list { return row(list_key('entry:user', $_[0])) }
sub listed {
    my $list = list(@_) or return;
    return @{ JSON::PP::decode_json(MIME::Base64::decode_base64($list->{data}{B}))->{sessions} };
}
sub keys_of { return join ' ', sort map { $_->{key} } listed($_[0]) }
sub keys_are { return is keys_of($_[0]), join(' ', sort map { key_of($_) } @{ $_[1] }), $_[2] }
sub login { my($user, %r) = @_; get(($r{place} || '/mine/') . "?set=user:$user", %r); return res()->cookie('id') }
sub lives { my($id, $what) = @_; return is get('/test/?get=user', cookie => $id)->line('get user'), $_[2] || 'ann', $what }
sub is_over { my($id, $what) = @_; return is get('/test/?get=user', cookie => $id)->line('get user'), '(none)', $what }
sub says {
    my($words, $id, $entries) = @_;
    get("/mine-cgi/session.pl?header=X-Session-Control:$words" . ($entries ? "&replace=$entries" : ''), cookie => $id);
    return res();
}

note 'A login is listed before the session begins';
{
    my @calls = calls_of { get('/mine/?set=user:ann', headers => ['User-Agent', "Mozilla/5.0 (x; \xC3\xA4 \"q\")"]) } 3;
    is join(' ', map { $_->{op} } @calls), "@LISTED_LOGIN", 'the list is read and written, and then the row';
    my $id = res()->cookie('id');
    my $list = list('ann');
    is $calls[0]{body}{Key}{id}{S}, list_key('entry:user', 'ann'), 'its key is an HMAC of realm and user';
    ok $calls[0]{body}{ConsistentRead}, '... and the read is consistent';
    is_deeply [sort keys %$list], [sort qw(id data version expires)], 'it has nothing else';
    unlike JSON::PP::encode_json($list), qr/ann/, '... and does not name the user';
    my($session) = listed('ann');
    is $session->{key}, key_of($id), 'it lists the key of the row';
    is $session->{address}, '127.0.0.0/24', '... part of the address';
    is $session->{agent}, "Mozilla/5.0 (x; \x{E4} \"q\")", '... the user agent';
    cmp_ok abs($session->{created} - time), '<', 10, '... when it began';
    is $session->{expires} - $session->{created}, row_of($id)->{absolute_timeout}{N}, '... and when it ends at the latest';
    is $list->{expires}{N}, $session->{expires}, 'the list ends with the last of its sessions';
    is row_of($id)->{listed_in}{S}, list_key('entry:user', 'ann'), 'the row says which list it is in';
    stays { get('/mine/?get=user', cookie => $id) } $id, 'a page that reads';
    calls_are { get('/mine/?set=b:2', cookie => $id) } [qw(GetItem UpdateItem)], 'a change touches no list';
    calls_are { get('/mine/?set=user:ann&set=c:3', cookie => $id) } [qw(GetItem UpdateItem)], '... nor does the same user';
    my $second = login('ann');
    keys_are('ann', [$id, $second], 'a second session of hers is in the same list');
    is list('ann')->{version}{N}, 2, '... as its second version';
    calls_are { get('/mine/?del=user', cookie => $second) } [qw(GetItem DeleteItem GetItem UpdateItem)], 'a logout ends the session';
    keys_are('ann', [$id], '... and takes it out');
    my $bob = login('bob');
    keys_are('bob', [$bob], "another user's are in another list");
    calls_are { get('/mine/?set=a:1') } ['PutItem'], 'a session without a user is in no list';
    my $anonymous = res()->cookie('id');
    calls_are { get('/mine/?set=user:ann', cookie => $anonymous) } [qw(GetItem GetItem UpdateItem PutItem UpdateItem)], 'a login over it';
    keys_are('ann', [$id, res()->cookie('id')], '... is listed under its new ID only');
    calls_are { get('/mine/off/?set=user:ann') } ['PutItem'], 'where it is Off nothing is listed';
    ok !row_of(res()->cookie('id'))->{listed_in}, '... and the row names no list';
}

note 'A session that moves';
{
    clear_tables();
    my $id = login('ann');
    says('renew', $id);
    my $new = res()->cookie('id');
    isnt $new, $id, 'a new ID';
    keys_are('ann', [$id, $new], '... is listed beside the old one, which may still be in use');
    is +(grep { $_->{key} eq key_of($new) } listed('ann'))[0]{previous}, key_of($id), '... as its successor';
    says('renew', $new);
    my $newest = res()->cookie('id');
    keys_are('ann', [$new, $newest], 'the next one takes the first out');
    age($newest, 400, created => 1);
    get('/mine/aging/?get=user', cookie => $newest);
    my $aged = res()->cookie('id');
    ok $aged && $aged ne $newest, 'a new ID by age';
    keys_are('ann', [$newest, $aged], '... is listed as well');
    is row_of($aged)->{listed_in}{S}, list_key('entry:user', 'ann'), '... although nobody told the user: the row did';
    get('/mine/?set=user:bob&set=b:2', cookie => $aged);
    my $bob = res()->cookie('id');
    keys_are('bob', [$bob], "another user's session is in that one's list");
    keys_are('ann', [], '... and nothing of it in the first');
    get('/mine/keep/?del=user', cookie => $bob);
    my $left = res()->cookie('id');
    ok $left && $left ne $bob, 'a logout that keeps the rest';
    keys_are('bob', [], '... leaves the list');
    ok !row_of($left)->{listed_in}, '... and the new row is in none';
}

note 'Sign out the others';
{
    clear_tables();
    my @others = map { login('ann') } 1 .. 3;
    my($own, $bob) = (login('ann'), login('bob'));
    my @calls = calls_of { says('revoke-others', $own) } 6;
    is res()->status, 200, 'a program signs out the others';
    is join(' ', map { $_->{op} } @calls), join(' ', 'GetItem', ('UpdateItem') x 5),
        '... a mark, each row overwritten, the list';
    is_over($_, 'one of the others') for @others;
    is_tombstone($others[0], 'it left a tombstone');
    is row_of($others[0])->{ended_by}{S}, 'left', '... as of a user who left';
    lives($own, 'the own one goes on');
    lives($bob, "... and so does another user's", 'bob');
    keys_are('ann', [$own], 'the list has the own one alone');
    ok list('ann')->{ended}{N}, '... and the time of the end';
    my $next = login('ann');
    lives($next, 'she can log in again at once');
    says('renew,revoke-others', $own);
    my $moved = res()->cookie('id');
    isnt $moved, $own, 'together with a new ID';
    is_over($next, '... the other one ends');
    lives($moved, '... and the new one goes on');
}

note 'Sign out everywhere';
{
    clear_tables();
    my @all = map { login('ann') } 1 .. 3;
    says('revoke-user', $all[0]);
    is_deeply [res()->status, res()->cookie('id')], [200, ''], 'a program signs her out everywhere';
    is_over($_, 'one of them') for @all;
    is_tombstone($_, 'they left tombstones, the own one among them') for @all;
    keys_are('ann', [], '... and the list empty');
    calls_are { says('revoke-user') } [], 'without a session: nothing';
    my $old = session('/mine/off/', user => 'ann');
    my $new = login('ann');
    says('revoke-others', $old);
    is_over($new, 'a session that is not listed ends those that are');
    lives($old, '... and goes on');
}

note 'A login that began before';
{
    clear_tables();
    my $own = login('ann');
    my $late = on_the_way(undef, path => '/mine/?set=user:ann&meet=late');
    here('late');
    says('revoke-others', $own);
    let_go('late');
    is answer($late)->status, 503, 'and is stored after the end fails';
    keys_are('ann', [$own], '... and is in no list');
    is scalar(grep { $_->{id}{S} !~ /^u:/ } rows()), 1, '... and in no row';
    fault(op => 'PutItem', kind => 'hold');
    $late = on_the_way(undef, path => '/mine/?set=user:ann');
    held(1);
    says('revoke-others', $own);
    release();
    is answer($late)->status, 503, 'one that is listed and not stored yet fails, too';
    clear_faults();
    is scalar(grep { ($_->{accessed}{S} // '') !~ /^1970/ && $_->{id}{S} !~ /^u:/ } rows()), 1, '... because a tombstone has its key';
    my $id = login('ann');
    my $change = on_the_way($id, path => '/mine/?set=b:2&meet=change');
    here('change');
    says('revoke-others', $own);
    let_go('change');
    is answer($change)->status, 503, 'a change under way is refused';
    is_over($id, '... and revives nothing');
}

note 'A longer life';
{
    clear_tables();
    my $id = login('ann');
    my @calls = calls_of { says('absolute=100000', $id) } 4;
    is join(' ', map { $_->{op} } @calls), 'GetItem GetItem UpdateItem UpdateItem', 'a session that may live longer is listed anew, and then changed';
    my($session) = listed('ann');
    is $session->{expires} - $session->{created}, 100_000, '... with its new end';
    is list('ann')->{expires}{N}, $session->{expires}, '... which is the end of the list';
    is scalar(listed('ann')), 1, '... once';
    calls_are { says('absolute=50000', $id) } [qw(GetItem UpdateItem)], 'a shorter life changes no list';
    get('/control/cgi/session.pl?header=X-Session-Control:revoke-others', cookie => $id);
    expect_log(qr/ignored 'revoke-others' in the header X-Session-Control/);
}

note 'A limit';
{
    clear_tables();
    my @ids = map { login('ann', place => '/mine/evict/') } 1 .. 5;
    is_over($ids[$_], 'the oldest ends') for 0, 1;
    lives($ids[$_], 'the newer ones go on') for 2 .. 4;
    keys_are('ann', [@ids[2 .. 4]], 'and are listed');
    delete_row($ids[4] && key_of($ids[3]));
    change_list('ann', sub { $_->{created} -= 100 });
    my $more = login('ann', place => '/mine/evict/');
    lives($_, 'one that ended makes room') for @ids[2, 4], $more;

    clear_tables();
    @ids = map { login('ann', place => '/mine/deny/') } 1 .. 3;
    get('/mine/deny/?set=user:ann');
    is res()->status, 403, 'a further login fails';
    is_deeply [res()->set_cookies], [], '... without a cookie';
    keys_are('ann', \@ids, '... and is not listed');
    lives($_, 'those before go on') for @ids;
    get('/mine-cgi/session.pl?header=X-Session-Control:renew', cookie => $ids[0]);
    is res()->status, 200, 'a new ID is no further login';
    expect_log(qr/has as many sessions as SessionDynamoDBUserSessionLimit allows/, qr/AH01822/);
}
sub change_list {
    my($user, $change) = @_;
    my $list = list($user);
    my $data = JSON::PP::decode_json(MIME::Base64::decode_base64($list->{data}{B}));
    $change->() for @{ $data->{sessions} };
    $list->{data}{B} = MIME::Base64::encode_base64(JSON::PP::encode_json($data), '');
    put_row($list);
}

note 'Keys, seals, forms';
{
    clear_tables();
    my($first, $second) = (login('ann'), login('ann', place => '/mine/rotated/'));
    keys_are('ann', [$first], 'a key by itself names one list');
    ok row(list_key('entry:user', 'ann', 'second-key-of-the-lists-of-the-httpd-tests-0123456789abcdefgh')), '... and the newer one another';
    get('/mine/rotated/?control=x', cookie => $second);
    my $sealed = login('bob', place => '/mine/sealed/');
    my $list = list('bob');
    is $list->{encoding}{S}, 'sealed', 'where sessions are sealed the list is sealed';
    unlike MIME::Base64::decode_base64($list->{data}{B}), qr/sessions|127/, '... and nobody can read it';
    login('bob', place => '/mine/sealed/');
    is list('bob')->{version}{N}, 2, '... but we can';

    login('dora');
    expect_log(qr/the list of a user's sessions is not sealed/);
    calls_are { login('dora', place => '/mine/sealed/') } ['GetItem'], 'a list of before seals, where rows have to be sealed';
    is res()->status, 503, '... fails the login';
    ok login('dora', place => '/mine/sealing/'), 'where clear data is read a login succeeds';
    is list('dora')->{encoding}{S}, 'sealed', '... and seals the list';
    ok login('dora', place => '/mine/sealed/'), '... so that the next login succeeds where rows have to be sealed';

    my $own = login('bob', place => '/mine/sealed/');
    get('/mine/sealed/?set=a:plain', cookie => $sealed);
    is row_of($sealed)->{encoding}{S}, 'sealed', 'a sealed session, in its second version';
    get('/mine/sealed/?revoke=others', cookie => $own);
    my $tombstone = row_of($sealed);
    is_deeply [@$tombstone{qw(ended_by version encoding data)}], [{ S => 'left' }, { N => 3 }, undef, { B => '' }],
        '... leaves a tombstone in the next version, which is not sealed';
    calls_are { get('/mine/sealed/?get=user', cookie => $sealed) } ['GetItem'], 'its ID, where rows have to be sealed';
    is_deeply [res()->status, res()->line('get user')], [200, '(none)'], '... shows no session';
    is_deeply row_of($sealed), $tombstone, '... and changes nothing';
    calls_are { get('/mine/sealed/?set=user:bob', cookie => $sealed) } [qw(GetItem), @LISTED_LOGIN], 'a login with it';
    my $again = res()->cookie('id');
    ok $again && $again ne $sealed, '... begins a session under another ID';
    is row_of($again)->{encoding}{S}, 'sealed', '... which is sealed';
    is get('/mine/sealed/?get=user', cookie => $_)->line('get user'), 'bob', '... and lives like the one that was kept' for $again, $own;
    is list('bob')->{version}{N}, 5, 'the list has been written for each login and for the end';

    post('/mine-form/page', form('alice'));
    my $id = res()->cookie('id');
    ok $id, 'a login by a form';
    is row_of($id)->{listed_in}{S}, list_key('form:realm', 'alice'), "... is in the list of the form's realm";
}

note 'The page';
sub page  { return get('/mine/sessions', cookie => $_[0], @_[1 .. $#_]) }
sub token { return $_[0]->body =~ /name="csrf_token" value="([^"]+)"/ ? $1 : '' }
sub buttons { return join ' ', $_[0]->body =~ /<button name="end" value="([^"]+)"/g }
sub press {
    my($id, $button, %r) = @_;
    my $token = exists $r{token} ? delete $r{token} : token(page($id));
    return post('/mine/sessions', "csrf_token=$token&end=$button", cookie => $id,
        headers => ['Content-Type', 'application/x-www-form-urlencoded', @{ $r{headers} || [] }]);
}
{
    clear_tables();
    my($other, $third, $own) = (login('ann', headers => ['User-Agent', 'Fire<fox> "1"']), login('ann'), login('ann'));
    my $bob = login('bob');
    calls_are { page($own) } [('GetItem') x 5], 'the page reads the list and each row';
    my $page = res();
    is $page->status, 200, '... and shows them';
    is buttons($page), join(' ', key_of($own), (map { key_of($_) } $third, $other), 'others', 'all'), '... this one first, and the others by their last use';
    like $page->body, qr/<em>this session<\/em>/, '... and says which it is';
    like $page->body, qr/Fire&lt;fox&gt; &quot;1&quot;/, "a client's text is escaped";
    like $page->body, qr/Network<\/dt><dd>127\.0\.0\.0\/24</, 'it says from where';
    like $page->header('Content-Type'), qr{^text/html; *charset=utf-8}i, 'it is HTML';
    is $page->header('Cache-Control'), 'no-store', '... that nobody keeps';
    my($style) = $page->body =~ m{<style>(.*?)</style>}s;
    my $hash = MIME::Base64::encode_base64(Digest::SHA::sha256($style), '');
    like $page->header('Content-Security-Policy'), qr/default-src 'none'; style-src 'sha256-\Q$hash\E'/, '... and runs nothing but its style';
    unlike $page->body, qr/<script|\bon\w+=/i, '... no script';
    is http(path => '/mine/sessions', method => 'HEAD', cookie => $own)->status, 200, 'HEAD is GET without a body';
    is http(path => '/mine/sessions', method => 'DELETE', cookie => $own)->status, 405, 'other methods are refused';
    is join(' ', sort(grep { $_ ne 'TRACE' } split(/,\s*/, res()->header('Allow')))), 'GET HEAD OPTIONS POST', '... and the answer tells which are not';
    is page($_)->status, 403, 'without a user there is nothing to show' for undef, session(a => 1);

    press($own, key_of($other));
    is_deeply [res()->status, res()->header('Location')], [303, './sessions'], 'a button leads back to the page';
    is_over($other, '... and its session is over');
    lives($_, 'the others live') for $own, $third;
    is buttons(page($own)), join(' ', (map { key_of($_) } $own, $third), 'others', 'all'), '... and are shown';
    press($own, key_of($bob));
    is res()->status, 303, "a session of somebody else's";
    lives($bob, "... is not hers to end", 'bob');
    is press($own, 'others', token => 'x')->status, 403, 'without the right token nothing is ended';
    is press($own, 'others', token => token(page($bob)))->status, 403, "... nor with somebody else's";
    is press($own, 'others', headers => ['Sec-Fetch-Site', 'cross-site'])->status, 403, '... nor from another site';
    is press($own, 'others', headers => ['Origin', 'https://evil.example'])->status, 403, '... nor from another origin';
    is get('/mine/sessions?end=others', cookie => $own)->status, 200, '... nor by GET';
    lives($third, 'so it lives');
    is post('/mine/sessions', 'csrf_token=' . token(page($own)), cookie => $own,
        headers => ['Content-Type', 'application/x-www-form-urlencoded'])->status, 400, 'a form without a button';
    press($own, 'others');
    is_over($third, 'the others end');
    lives($own, '... and this one goes on');
    is buttons(page($own)), key_of($own) . ' all', 'where it is alone there are no others to end';
    $third = login('ann');
    press($own, 'all');
    is_deeply [res()->status, res()->cookie('id')], [200, ''], 'everywhere: the cookie ends';
    like res()->body, qr/You are signed out everywhere\./, '... and the answer says so';
    is_over($_, '... and is true') for $own, $third;
    $own = login('ann');
    press($own, key_of($own));
    like res()->body, qr/You are signed out\./, 'this one alone';
    is_over($own, '... is over');
    my $old = session('/mine/off/', user => 'ann');
    is buttons(page($old)), key_of($old) . ' all', 'a session that is not listed is shown all the same';
    is get('/mine/off/sessions', cookie => $old)->status, 200, 'where the handler is not set it is a page like others';
    is get('/mine/nolist/sessions', cookie => $old)->status, 500, 'where nothing is listed the page does not work';
    $own = login('ann');
    fault(op => 'GetItem', kind => '500', skip => 1, count => 0);
    is page($own)->status, 503, 'while the table fails it is 503';
    clear_faults();
    for my $before (undef, session('/test/', a => 1)) {
        my @cookie = defined $before ? (cookie => $before) : ();
        is get('/mine-form/sessions', @cookie)->status, 401, 'who is not logged in gets the form';
        post('/mine-form/sessions', form('alice'), @cookie);
        is_deeply [res()->status, res()->header('Location')], [303, './sessions'], '... which leads to the page';
        my $id = res()->cookie('id');
        is get('/mine-form/sessions', cookie => $id)->status, 200, '... and shows it';
    }
    expect_log(qr/refused to end sessions on \/mine\/sessions: /, qr/has no sessions to show: set/, qr/could not be read/);
}

note 'The table fails';
{
    clear_tables();
    my($own, $other) = (login('ann'), login('ann'));
    fault(op => 'UpdateItem', kind => '500', skip => 1, count => 0);
    says('revoke-others', $own);
    is res()->status, 503, 'who could not sign out the others is told so';
    clear_faults();
    lives($other, 'and they may be alive');
    lives($own, '... as is the own one');
    fault(op => 'UpdateItem', kind => '500', skip => 2, count => 0);
    says('renew,revoke-others', $own);
    clear_faults();
    is res()->status, 503, 'the same after a new ID';
    ok res()->cookie('id') && res()->cookie('id') ne $own, '... which is sent with the error';
    lives(res()->cookie('id'), '... because the session has it now');
    expect_log(qr/could not be written/);
}

done;
