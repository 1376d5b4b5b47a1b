# The demo: two httpd on one table behind one address, as build/quickstart starts it, and the tutorial's commands.

use strict;
use warnings;
use FindBin;
use JSON::PP ();
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Demo;
use SessionTest::Login qw(entries);

same_under_every_mpm();
plan skip_all => SessionTest::Demo->missing if SessionTest::Demo->missing;

my $DEMO = SessionTest::Demo->new;
our $id;
my %known;

sub ask { return http(port => $DEMO->port, host => $DEMO->host, @_) }
# As a browser: with the cookie that it was given last.
sub visit {
    my($path, @more) = @_;
    ask(path => $path, defined $id ? (cookie => $id) : (), @more);
    for (res()->set_cookies) {
        $id = length $1 ? $1 : undef if /^id=([^;]*)/;
        $known{$1} = 1 if length $1;
    }
    return res();
}
sub token { return visit('/')->body =~ /name="token" value="([\w-]*)"/ ? $1 : '' }
sub form  { return join '&', map { my($name, $value) = split /=/, $_, 2; "$name=" . escaped($value) } @_ }
sub escaped { return $_[0] =~ s/([^\w.-])/sprintf '%%%02X', ord $1/ger }
# A form of the page, and the page that it leads to.
sub does {
    my($action, @fields) = @_;
    my $token = token();
    visit('/', method => 'POST', body => form("action=$action", "token=$token", @fields));
    return res() if res()->status != 303;
    my $to = res()->header('Location');
    return visit($to);
}
sub logs_in {
    my($user, $password) = @_;
    return does('login', "name=$user", 'password=' . ($password || "secret-of-$user"));
}
sub server   { return visit('/')->body =~ m{<strong>Server (\w) answered this</strong>} ? $1 : '' }
sub page_has {
    my($pattern, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return like visit('/')->body, $pattern, $what;
}
sub user     { return visit('/')->body =~ /Logged in as (\w+)/ ? $1 : undef }
# The row, as the page shows it.
sub stored {
    return { visit('/')->body =~ m{<tr><th scope="row">(\w+)</th><td><code>[SNB]</code></td><td><code>([^<]*)}g };
}
# What both servers have counted, and what a block adds.
sub counted {
    my $all = JSON::PP::decode_json(connection($DEMO->port)->send_request(path => '/counters',
        host => $DEMO->host)->read_response->body)->{counters};
    my %sum;
    $sum{ s/^\w+\.//r } += $all->{$_} for keys %$all;
    return \%sum;
}
sub adds (&$$) {
    my($block, $expected, $what) = @_;
    my $before = counted();
    $block->();
    my $after;
    my $is = sub {
        $after = counted();
        return join ' ', map { my $n = $after->{$_} - $before->{$_}; $n ? "$_ $n" : () } sort keys %$after;
    };
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    eventually(sub { $is->() eq $expected }, 2);
    return is $is->(), $expected, $what;
}

note 'Its processes';
{
    is $DEMO->run('start'), 0, 'it starts' or diag $DEMO->said;
    like $DEMO->said, qr{^The demo is on http://localhost:@{[$DEMO->port]}$}m, '... and says where';
    my %first = $DEMO->processes;
    is join(' ', sort keys %first), 'a b front store', 'a table, two servers, a balancer';
    $DEMO->run('status');
    is scalar(() = $DEMO->said =~ /: runs, process \d+$/mg), 4, '... whose status is told';
    my @addresses = $DEMO->addresses;
    is scalar(@addresses), 4, '... each listens';
    is scalar(grep { $_ ne '127.0.0.1' } @addresses), 0, '... for this machine only';
    is $DEMO->run('start'), 0, 'started again';
    my %second = $DEMO->processes;
    is scalar(grep { $first{$_} == $second{$_} } keys %second), 0, '... all are new';
    is scalar(grep { my $one = $_; grep { $one == $_ } values %first } $DEMO->all_processes), 0,
        '... and nothing is left of the first';
    my $another = SessionTest::Demo->new;
    isnt $another->run('start', PORT => $DEMO->port), 0, 'a port that is taken';
    like $another->said, qr/port \d+ is taken: PORT=8081/, '... is told, and what to do';
    isnt $another->run('start', BUILD => '/nonexistent'), 0, 'a program that does not start';
    like $another->said, qr{nonexistent.*logs: \S+/run/store\*\.log}s, '... is told, and where to look';
    is scalar($another->all_processes), 0, '... and nothing is left running';
}

note 'A visitor';
{
    adds { visit('/') } '', 'a visit without a session costs nothing';
    is_deeply [res()->status, scalar(res()->set_cookies)], [200, 0], '... and sets no cookie';
    like res()->body, qr/There is none\. Store an entry, or log in\./, '... there is no row';
    like res()->header('Content-Security-Policy'), qr/^default-src 'none';/, 'the page may load only its own';
    is res()->header('Cache-Control'), 'no-store', '... and is not kept';
    my @servers = map { server() } 1 .. 4;
    isnt $servers[0], $servers[1], 'the servers take turns';
    is "@servers[0, 1]", "@servers[2, 3]", '... again and again';
    is visit('/', method => 'POST', body => 'action=visit', headers => ['Origin', 'http://evil.test'])->status, 403,
        "another site's form is refused without a session, too";
    is visit('/', method => 'PUT', body => '')->status, 405, 'no other method';
}

note 'A session on both servers';
{
    adds { does('visit') } 'begun 1 reads 1 writes 1', 'a form begins the session: one write, and a page reads it';
    is res()->status, 200, '... which is shown';
    for my $server (sort map { server() } 1 .. 2) {
        page_has qr{<th scope="row">visits</th><td>1</td>}, 'the count is on the page, whichever server answers';
    }
    adds { visit('/') } 'reads 1', 'looking costs one read';
    adds { does('visit') } 'reads 3 writes 1', 'a change a write: the form, the change, the page';
    like stored()->{data}, qr/^changed-by=[AB]&amp;visits=2$/, 'the row as it is stored';
    is stored()->{id}, key_of($id), '... under the hash of the ID';
    like stored()->{expires}, qr/^\d{10} $/, '... with its end';
    is index(visit('/')->body, $id =~ s/\..*//r), -1, '... and the page does not show the ID';
    like visit('/hello')->body, qr/visit 1 in this session/, 'a shell script has the same session';
    like visit('/hello')->body, qr/visit 2 in this session/, '... on either server';
}

note 'Forms';
{
    my $before = stored()->{data};
    for my $bad ('', 'token=', 'token=' . 'A' x 86) {
        is visit('/', method => 'POST', body => "action=store&key=a&value=1&$bad")->status, 403, "refused with '$bad'";
    }
    my $token = token();
    is visit('/', method => 'POST', body => "action=store&key=a&value=1&token=$token",
        headers => ['Sec-Fetch-Site', 'cross-site'])->status, 403, '... and from another site, with its token';
    $token = token();
    is visit('/', method => 'POST',
        body => form('action=store', "token=$token", "key=$_->[0]", "value=$_->[1]"))->status, 400,
        "'$_->[0]' is refused as a name, or its value"
        for ['user', 'alice'], ['USER', 'alice'], ['changed-by', 'C'], ['expiry', '1'], ['', 'x'], ['a b', 'x'],
            ['x' x 65, 'x'], ['x', ''], ['x', 'x' x 1001];
    is visit('/', method => 'POST', body => $_)->status, 403, "no form at all: '$_'" for 'key', '&&=&', 'action', '%';
    is does('nothing')->status, 400, 'no such action';
    is stored()->{data}, $before, 'none of them changes anything';
    is user(), undef, '... nor logs in';
    my $nasty = q{<script>alert("&'")</script>};
    does('store', 'key=nasty', "value=$nasty");
    like res()->body, qr{<td>&lt;script&gt;alert\(&quot;&amp;&#39;&quot;\)&lt;/script&gt;</td>},
        'what is stored is escaped';
    unlike res()->body, qr/<script>alert/, '... everywhere';
    does('remove', 'key=nasty');
    unlike visit('/')->body, qr/nasty/, '... and removed';
}

note 'Login and logout';
{
    my $old = $id;
    is logs_in('alice', 'wrong')->status, 403, 'a wrong password is refused';
    like res()->body, qr/Name or password is wrong\..*aria-invalid="true" aria-describedby="error"/s,
        '... and the form says so';
    is logs_in('carol', 'secret-of-alice')->status, 403, 'so is a name that nobody has';
    is $id, $old, '... and nothing changes';
    logs_in('alice');
    is user(), 'alice', 'the right one logs in';
    isnt $id, $old, '... with a new ID';
    page_has qr{<th scope="row">visits</th><td>2</td>}, '... and with the entries';
    unlike ask(path => '/', cookie => $old)->body, qr/Logged in/, '... the old ID opens nothing';
    logs_in('bob');
    is user(), 'bob', 'bob logs in over her session';
    unlike visit('/')->body, qr{>visits<}, '... and has nothing of hers';
    adds { does('logout') } 'ended 1 reads 3 writes 2', 'a logout ends the session and takes it out of the list';
    is $id, undef, '... the cookie goes';
    like visit('/')->body, qr/There is none/, '... and the row';
}

note 'Signed out everywhere';
{
    my @browsers = map { $id = undef; logs_in('alice'); $id } 1 .. 3;
    $id = undef; logs_in('bob');
    my $bob = $id;
    my $who = sub { my($of) = @_; local $id = $of; return user() // 'nobody' };
    $id = $browsers[0];
    my @listed = visit('/sessions')->body =~ /^<li>$/mg;
    is scalar(@listed), 3, 'the page of her sessions has three';
    does('others');
    is_deeply [map { $who->($_) } @browsers, $bob], [qw(alice nobody nobody bob)],
        'all others are signed out, and nobody else';
    $id = undef; logs_in('alice');
    push @browsers, $id;
    does('everywhere');
    is $id, undef, 'signed out everywhere: the cookie goes';
    is_deeply [map { $who->($_) } @browsers[0, 0, 3, 3], $bob], [('nobody') x 4, 'bob'],
        '... and all sessions of hers, on either server';
}

note 'Two tabs at once';
{
    $id = undef;
    does('visit');
    my $token = token();
    my $before = counted();
    my $slow = connection($DEMO->port);
    $slow->send_request(path => '/', method => 'POST', host => $DEMO->host, headers => [['Cookie', "id=$id"]],
        body => "action=store&key=slow&value=1&slowly=yes&token=$token");
    ok eventually(sub { counted()->{reads} > $before->{reads} }), 'the slow one has read the session';
    is visit('/', method => 'POST', body => "action=store&key=quick&value=2&token=$token")->status, 303,
        'another tab changes it meanwhile';
    like stored()->{data}, qr/quick=2/, '... which is stored';
    unlike stored()->{data}, qr/slow=/, '... and the slow one is not yet';
    is $slow->read_response->status, 303, 'now it is';
    like stored()->{data}, qr/(?=.*quick=2)(?=.*slow=1)(?=.*visits=1)/, '... and everything is there';
    is counted()->{merged} - $before->{merged}, 1, '... merged once';
}

note 'The table paused, and back';
{
    is ask(path => '/store', method => 'POST', body => 'action=pause', @$_)->status, 403,
        'the switch takes no form without an origin, or of another' for [],
            [headers => ['Origin', 'http://evil.test']], [headers => ['Origin', 'null']];
    my @own = (headers => ['Origin', 'http://' . $DEMO->host]);
    is ask(path => '/store', method => 'POST', body => 'action=kill', @own)->status, 400, '... nor another action';
    is ask(path => $_, host => 'evil.test')->status, 403, "$_: no other host's name leads here"
        for '/', '/store', '/counters';
    is ask(path => '/session-metrics')->status, 404, "the servers' own counters are not passed on";
    is ask(path => '/store', method => 'POST', body => 'action=pause', @own)->status, 303, 'it is switched off';
    like ask(path => '/store')->body, qr/The table is <span class="state paused">paused/, '... and says so';
    my $own = $id;
    is visit('/')->status, 503, 'a request with a session gets a 503';
    like res()->header('Retry-After'), qr/^\d+$/, '... with Retry-After';
    is_deeply [scalar(res()->set_cookies), $id], [0, $own], '... and keeps its cookie';
    like res()->body, qr{<h1>503: the table does not answer</h1>.*<form method="post" action="/store">}s,
        '... and the page says what to do';
    like res()->header('Content-Security-Policy'), qr/^default-src 'none'/, '... with the policy of all pages';
    is visit('/', method => 'POST', body => 'action=visit')->status, 503, 'a change, too';
    cmp_ok counted()->{failed}, '>=', 2, '... which is counted';
    { local $id; is visit('/')->status, 200, 'without a session the page is there' }
    is ask(path => '/store', method => 'POST', body => 'action=resume', @own)->status, 303, 'it is switched on';
    ok eventually(sub { visit('/')->status == 200 }), 'the session is back';
    like stored()->{data}, qr/slow=1/, '... with all that it had';
}

note 'Sessions survive';
{
    my $own = $id;
    $DEMO->run('stop');
    is scalar($DEMO->all_processes), 0, 'after a stop nothing is left running';
    $DEMO->run('start');
    like stored()->{data}, qr/slow=1/, 'after another start the session is there';
    is $id, $own, '... under the same ID';
    my $logs = join '', map { SessionTest::Log::slurp($_) } glob $DEMO->dir . '/*.log';
    is scalar(grep { index($logs, s/\..*//r) >= 0 } keys %known), 0, 'no log has an ID';
    $DEMO->run('stop');
}

note 'The tutorial';
{
    my $tutorial = SessionTest::Demo->new;
    my %run   = ($tutorial->environment, START => setting('src') . '/demo/run');
    my $third = SessionTest::Recipe::free_port();
    my $page  = SessionTest::Log::slurp(setting('src') . '/docs/tutorial.md');
    my @blocks = map { s/^    //gmr } grep { !/^    Hello from sh/ } $page =~ /\n\n((?: {4}.*\n|\n(?= {4}))+)/g;
    my $script = join '', @blocks;
    for ($script) {
        s{build/quickstart stop}{'$run{START}' stop}g;
        s{build/quickstart\n}{'$run{START}' start\n}g;
        s{localhost:8080}{'localhost:' . $tutorial->port}ge;
        s{8090}{$third}g;
        s{\$PWD/_quickstart/run}{$run{RUN}};
        s{"\$run/\.\./build/}{"$run{BUILD}/}g;
        s{/usr/sbin/apache2}{setting('httpd')}ge;
    }
    is scalar(@blocks), 8, 'its commands';
    my $dir = File::Temp::tempdir(CLEANUP => 1);
    SessionTest::Log::append("$dir/tutorial.sh", $script);
    my $said = do {
        local %ENV = (%ENV, %run);
        `cd '$dir' && sh -eu tutorial.sh 2>&1 </dev/null`;
    };
    is $? >> 8, 0, '... run as they are printed' or diag $said;
    like $said, qr/visit 1 in.*visit 2 in.*^HTTP_SESSION was: hello=1\n/ms, 'two visits';
    like $said, qr/^good .*key is id.*^doubt +time to live.*^version: 2\n.*^user: no\n/ms, '... their table and their row';
    like $said, qr/visit 3 in.*^HTTP\/1\.1 503 .*^Retry-After: \d.*visit 4 in/ms, 'a third server, and an outage';
    is scalar(() = $said =~ /visit \d in/g), 4, '... in which nothing counts';
    is scalar($tutorial->all_processes), 0, 'and at the end nothing is left';
}

done;
