# docs/recipes: each page's configuration and programs run as they are printed, each with an httpd of its own.

use strict;
use warnings;
use FindBin;
use IPC::Open2 ();
use JSON::PP ();
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Device;
use SessionTest::Login qw(form basic entries is_tombstone @RENEWAL);
use SessionTest::Recipe;

# prefork runs programs by mod_cgi, the others by mod_cgid.
same_under_every_mpm() if setting('mpm') ne 'prefork';

my($app, $id);
sub start  { clear_tables(); $id = undef; $app = SessionTest::Recipe->start($_[0], splice @_, 1); return }
# As a browser: with the cookie that it was given last.
sub visit {
    my($path, @more) = @_;
    http(path => $path, port => $app->port, defined $id ? (cookie => $id) : (), @more);
    for (res()->set_cookies) {
        $id = length $1 ? $1 : undef if /^id=([^;]*)/;
    }
    is_deeply [map { res()->all($_) } qw(X-Replace-Session X-Session-Control)], [],
        "$path: the session's headers stay inside";
    return res();
}
sub answers {
    my($path, $expected, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is visit($path)->body, $expected, $sentence || $path;
}
sub stored { my $row = defined $id ? row(key_of($id)) : undef; return $row ? data_of($row) : undef }

my @form = (method => 'POST', headers => ['Content-Type', 'application/x-www-form-urlencoded']);
# The forms of the programs.
sub as { my($user, $password) = @_; return (@form, body => "user=$user&password=" . ($password || "secret-of-$user")) }

# The request in the block gives the browser's session a new ID. The old one, which is dead.
sub new_id (&$) {
    my($block, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $old = $id;
    calls_are { $block->() } \@RENEWAL, "$sentence: another row, and the old one ended";
    is scalar(res()->set_cookies), 1, '... one cookie';
    isnt $id, $old, '... with a new ID';
    is_tombstone($old);
    return $old;
}
# The request in the block ends the browser's session. The ID that it had.
sub ends (&$) {
    my($block, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $old = $id;
    calls_are { $block->() } [qw(GetItem DeleteItem)], "$sentence ends the session";
    is_deeply [scalar(res()->set_cookies), res()->cookie('id')], [1, ''], '... takes the cookie';
    is row(key_of($old)), undef, '... and the row';
    return $old;
}
# What another browser gets with that ID. A page that changes the session is refused while the login is news.
my $REFUSED = qr/^<title>503 /m;
sub dead {
    my($old, $page, $answer) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    like http(path => $page, port => $app->port, cookie => $old)->body, $answer, '... the old ID opens nothing';
    is_deeply [scalar(res()->set_cookies), !!res()->header('Retry-After')], [0, !!1], '... for now, and the cookie stays'
        if $answer eq $REFUSED;
}

# A program that takes forms, in a session with entries: login, twice, another user, logout. How a page of it answers in
# that session, in one without entries, and with an ID that a login has replaced.
sub users {
    my($program, $page, $mine, $nobody, $replaced) = @_;
    my($anonymous, $before) = ($id, stored());
    calls_are { is visit($program, as('alice', 'wrong'))->status, 403, 'a wrong password is refused' } ['GetItem'],
        '... for one read';
    is_deeply [$id, stored()], [$anonymous, $before], '... and nothing changes';
    my $old = new_id { visit($program, as('alice')) } 'alice logs in';
    is entries(stored()), entries("$before&user=alice"), '... with all that was there';
    dead($old, $page, $replaced);
    like visit($page)->body, $mine, '... the new one shows it';
    $before = stored();
    $old = new_id { visit($program, as('alice')) } 'alice logs in again';
    is stored(), $before, '... with all that was there';
    dead($old, $page, $replaced);
    $old = new_id { visit($program, as('bob')) } 'bob logs in over her session';
    is stored(), 'user=bob', '... and has nothing of hers';
    dead($old, $page, $replaced);
    like visit($page)->body, $nobody, '... nor sees it';
    get('/test/?set=more:1', cookie => $id);
    $old = ends { visit($program, @form, body => 'logout=1') } 'a logout, whatever else is there,';
    dead($old, $page, $nobody);
    clear_tables();
    calls_are { visit($program, as('alice')) } ['PutItem'], 'a login without a session begins one';
    is stored(), 'user=alice', '... with the user';
}

note 'Pages';
{
    my $recipes = setting('src') . '/docs/recipes';
    my @pages = map { m{/([^/]+)\.md$} } glob "$recipes/*.md";
    my $index = SessionTest::Log::slurp("$recipes/README.md");
    like $index, qr/\(\Q$_\E\.md\)/, "README.md names $_" for grep { $_ ne 'README' } @pages;
    ok -e "$recipes/$_", "$_ is there" for $index =~ /\]\(([\w-]+\.md)\)/g;
}

note 'CGI: Perl';
start 'perl-cgi';
answers '/app/visits.pl', "visits: 1\nuser: nobody\nlast: never\n", 'the first visit';
answers '/app/visits.pl', "visits: 2\nuser: nobody\nlast: visit no. 1, 100% & more\n", 'the second';
answers '/app/visits.pl', "visits: 3\nuser: nobody\nlast: visit no. 2, 100% & more\n", 'the third';
users('/app/visits.pl', '/app/visits.pl', qr/^visits: 4\nuser: alice\nlast: visit no. 3/,
    qr/^visits: 1\nuser: (?:nobody|bob)\nlast: never$/, $REFUSED);
$app->stop;

note 'CGI: Python';
start 'python-cgi';
answers '/app/basket.py?add=tea', "1 x 'tea'\n", 'one tea';
answers '/app/basket.py?add=tea', "2 x 'tea'\n", 'two';
answers '/app/basket.py?add=caf%C3%A9+%26+%3D%25', "1 x 'caf\\xe9 & =%'\n2 x 'tea'\n", 'what needs escaping';
calls_are { visit('/app/basket.py') } ['GetItem'], 'looking costs one read';
answers '/app/basket.py?empty=1', '', 'emptied';
is scalar(rows()), 0, '... the row is gone';
visit('/app/basket.py?add=tea');
users('/app/basket.py', '/app/basket.py', qr/^1 x 'tea'$/, qr/^\z/, qr/^\z/);
$app->stop;

note 'CGI: sh';
start 'sh-cgi';
answers '/app/count.sh', "count: $_\n" for 1 .. 3;
$id = undef;
answers '/app/count.sh', "count: 1\n", 'another browser counts on its own';
users('/app/login.sh', '/app/count.sh', qr/^count: 2$/, qr/^count: 1$/, $REFUSED);
is visit('/app/login.sh', @form, body => $_)->status, 403, "no login: $_"
    for '', 'user=alice', 'user=alice%0a&password=secret-of-alice', 'user=al*&password=secret-of-alice',
        'user=bob&user=alice&password=secret-of-alice';
$app->stop;

note 'mod_cgid and the limits';
start 'cgid';
like visit('/app/limits.pl')->body, qr/^HTTP_SESSION: 0\nSESSION_ENTRY_name: none$/m, 'no session';
visit('/app/limits.pl?name=4');
like visit('/app/limits.pl')->body, qr/^HTTP_SESSION: 9\nSESSION_ENTRY_name: xxxx$/m, 'an entry, and its variable';
is visit('/app/limits.pl?big=8150')->status, 200, 'a header line just below the limit';
is length stored(), length('name=xxxx&big=') + 8150, '... is stored';
is visit('/app/limits.pl?big=8190')->status, 500, '... and one above it a 500';
is length stored(), length('name=xxxx&big=') + 8150, '... which stores nothing';
visit("/app/limits.pl?e$_=8000") for 1 .. 20;
is visit('/app/limits.pl')->body, "HTTP_SESSION: left out\nSESSION_ENTRY_name: xxxx\n",
    'a session that no environment takes: the page works, the single variable is there';
$app->stop(qr/cgid?:error.*(?:malformed header|End of script|Premature end)/i,
    qr/omitted the environment variable HTTP_SESSION/);

note 'Anti-forgery tokens';
start 'csrf';
is_deeply [visit('/app/note.pl')->status, res()->header('Location')], [303, '/app/note.pl?begun'], 'the first visit begins the session';
is http(path => '/app/note.pl?begun', port => $app->port)->body, "This page needs cookies.\n", '... where it can';
my($token) = visit('/app/note.pl')->body =~ /name="token" value="([\w-]{86})"/;
ok $token, 'the form has a token';
is visit('/app/note.pl', @form, body => "note=tea$_")->status, 403, "a form with '$_' is refused"
    for '', '&token=', '&token=x', '&token=' . 'A' x 86;
is stored(), 'note=none', '... and changes nothing';
is visit('/app/note.pl', @form, body => "note=a%26b&token=$token")->status, 303, 'with its token it is taken';
is stored(), 'note=a%26b', '... and stored';
like visit('/app/note.pl')->body, qr/name="note" value="a&#38;b"/, '... and shown';
is visit('/app/note.pl', @form, body => "note=c&token=$token")->status, 303, 'the token stays valid';
is http(path => '/app/note.pl', port => $app->port, cookie => $id, method => 'POST', body => "note=c&token=$token",
    headers => ['Origin', 'https://evil.test'])->status, 403, 'what another site sends is refused';
is visit('/app/save.pl', @form, body => 'note=d')->status, 403, 'a script without the header, too';
my @script = (method => 'POST', body => 'note=d');
is visit('/app/save.pl', @script, headers => ['X-CSRF-Token', $token])->body, "saved\n", '... and with it, it is heard';
is stored(), 'note=d', '... indeed';
my $mine = $id;
$id = session('/test/', note => 'x');
is visit('/app/note.pl', @form, body => "note=c&token=$token")->status, 403, 'another session has other tokens';
$app->stop(qr/refused POST \S+ in a session, because/);

note 'Sessions bound to a device';
start 'device';
is visit('/app/device.pl')->body, "visit 1, new\n", 'the first visit';
like res()->header('Secure-Session-Registration'), qr{^\(ES256 RS256\);path="/\.device-session/register";challenge="}, '... invites';
is visit('/app/device.pl')->body, "visit 2, unbound\n", 'a client that cannot do it goes on';
{
    my $browser = SessionTest::Device->new(port => $app->port);
    $browser->get('/app/device.pl');
    is $browser->register->status, 200, 'one that can registers a key';
    is $browser->get('/app/device.pl')->body, "visit 2, bound\n", '... and is bound';
    change_row($browser->{jar}{id}, sub { $_->{device_until}{N} -= 20 });
    is $browser->get('/app/device.pl', without => { 'id-device' => 1 })->body, "visit 1, stale\n", 'a thief begins anew';
}
$app->stop;

note 'SSI';
start 'ssi';
calls_are { like visit('/index.shtml')->body, qr/The session: \..*Who are you\?.*program sees: nobody/s, 'no session' } [],
    '... no read';
visit('/cgi-bin/name.pl?name=ada');
calls_are { like visit('/index.shtml')->body, qr/The session: name=ada\..*Hello, ada\..*program sees: ada/s, 'all parts' }
    ['GetItem'], '... see the session for one read';
$app->stop;
start 'ssi';
my $including = SessionTest::Log::slurp($app->dir . '/htdocs/index.shtml') =~ s{/name\.pl"}{/name.pl?name=bob"}r;
$app->write('/srv/app/htdocs/index.shtml', $including);
calls_are { visit('/index.shtml') } [], 'an included program changes nothing, as the page says';
$app->stop;

note 'Lua';
start 'lua';
answers '/app/notes?note=milk%20%26%20100%25', "note: none\n", 'a note is taken';
is stored(), 'note=milk+%26+100%25', '... and stored';
calls_are { answers '/app/notes', "note: milk & 100%\n", '... and shown' } ['GetItem'], '... for one read';
users('/app/notes', '/app/notes', qr/^note: milk & 100%$/, qr/^note: none$/, qr/^note: none$/);
$app->stop;
start 'lua', more => <<'END';
<Location "/app/">
    SessionDynamoDBEnv note
    LuaHookAccessChecker "/srv/app/check.lua" check
</Location>
END
$app->write('/srv/app/check.lua', <<'END');
function check(r)
    r.headers_out["X-Access"] = (r.subprocess_env["SESSION_ENTRY_note"] or "-")..(r.subprocess_env["HTTP_SESSION"] or "-")
    return apache2.DECLINED
end
END
visit('/app/notes?note=milk');
visit('/app/notes');
is res()->header('X-Access'), 'milk-', 'an earlier hook finds the variable, and no HTTP_SESSION, as the page says';
$app->stop;

note 'Login and logout';
my $PAGE = '/members/page.txt';
sub login { return visit('/members/login', @form, body => form('alice', @_)) }
start 'auth-form';
calls_are { visit($PAGE) } [], 'no session, no read';
is_deeply [res()->status, res()->header('Location')], [302, '/login.html'], '... but the way to the login';
is visit('/login.html')->status, 200, '... which is open';
is_deeply [login('wrong')->status, $id, scalar(rows())], [302, undef, 0], 'a wrong password makes no session';
is_deeply [login()->status, res()->header('Location')], [302, $PAGE], 'the right one leads to the page';
my $first = $id;
like stored(), qr/^members-user=alice&members-pw=\*&members-site=[0-9a-f]{32}$/, 'the password is not stored';
unlike stored(), qr/secret-of/, '... indeed';
is_deeply [visit($PAGE)->status, res()->body], [200, "for members\n"], 'the page is open';
is visit($PAGE)->status, 200, '... and stays so';
calls_are { login() } [qw(GetItem PutItem UpdateItem)], 'the same login again gives a new ID';
isnt $id, $first, '... to the browser';
$first = $id;
is visit('/members/logout')->status, 307, 'logout';
is_deeply [$id, row(key_of($first))], [undef, undef], '... takes cookie and row';
$id = $first;
is visit($PAGE)->status, 302, '... and the old ID opens nothing';
$id = session(cart => 3);
$first = new_id { login() } 'a login over an anonymous session';
like stored(), qr/(?:^|&)cart=3(?:&|$)/, '... keeps the cart';
is http(path => $PAGE, port => $app->port, cookie => $first)->status, 302, '... the old ID opens nothing';
$first = new_id { visit('/members/login', @form, body => form('bob')) } 'bob logs in over alice\'s session';
like stored(), qr/^members-user=bob&members-pw=\*&members-site=[0-9a-f]{32}$/, '... and has nothing of hers';
is http(path => $PAGE, port => $app->port, cookie => $first)->status, 302, '... her ID opens nothing';
is visit($PAGE)->status, 200, '... his the page';
get('/test/?set=more:1', cookie => $id);
ends { visit('/members/logout') } 'his logout, whatever else is there,';
is visit($PAGE, method => 'TRACE')->status, 405, 'no TRACE';
$id = undef;
visit($PAGE, @form, body => form('alice'));
is res()->status, 200, 'a login at the page itself';
unlike stored(), qr/secret-of/, '... stores no password either';
$app->stop(qr/AH01807/);

# The table on the page, line by line.
sub changed { start 'auth-form', change => $_[0], more => $_[1], modules => $_[2]; login() }
changed(sub { s/^ *SessionDynamoDBMask.*\n//m });
like stored(), qr/members-pw=secret-of-alice/, 'without the mask the password is stored';
is visit($PAGE)->status, 200, '... and the page is open';
change_row($id, sub {
    my $data = data_of($_);
    $data =~ s/&members-pw=[^&]*//;
    require MIME::Base64;
    $_->{data}{B} = MIME::Base64::encode_base64($data, '');
});
is visit($PAGE)->status, 302, 'without the entry it asks again, passphrase or not';
$app->stop;
changed(sub { s/^ *AuthFormSitePassphrase.*\n//m });
is visit($PAGE)->status, 302, 'masked, but without the passphrase it asks again';
$app->stop(qr/AH01807/, qr/SessionDynamoDBMask members-pw at \S+ replaces the password/);
changed(sub {
    s/^ *(?:AuthFormSitePassphrase|SessionDynamoDBMask).*\n//mg;
    s/^( *)(SessionDynamoDB On)/$1$2\n$1SessionCryptoPassphrase x/m;
}, '', ['session_crypto']);
unlike stored(), qr/alice|members/, 'encrypted, nothing can be read';
is visit($PAGE)->status, 200, '... and the page is open';
$app->stop;

note 'Basic authentication';
start 'basic';
my $MEMBERS = '/members/count.sh';
answers '/app/count.sh', "visitor: $_\n" for 1 .. 2;
is visit($MEMBERS)->status, 401, 'a page for members';
is visit($MEMBERS, basic('alice', 'wrong'))->status, 401, '... not with a wrong password';
my $visitor = new_id { visit($MEMBERS, basic('alice')) } 'the right password';
is res()->body, "alice: 3\n", '... with all that was there';
dead($visitor, '/app/count.sh', $REFUSED);
calls_are { is visit($MEMBERS, basic('alice'))->body, "alice: 4\n", 'the next request' } [qw(GetItem UpdateItem)],
    '... keeps the ID';
my $alice = new_id { visit($MEMBERS, basic('bob')) } 'another user';
is_deeply [res()->body, stored()], ["bob: 1\n", 'count=1'], '... has nothing of hers';
dead($alice, '/app/count.sh', $REFUSED);
is visit($MEMBERS)->status, 401, 'the cookie alone opens nothing';
answers '/app/count.sh', "visitor: 2\n", '... but pages elsewhere use the session, as the page says';
$app->write('/srv/app/cgi-bin/leave.sh', "#!/bin/sh\nprintf 'Content-Type: text/plain\\nX-Replace-Session: count=\\n\\n'\n");
ends { visit('/members/leave.sh', basic('bob')) } 'a program';
is visit($MEMBERS, basic('bob'))->body, "bob: 1\n", '... and the next request is logged in again';
$app->stop(qr/AH01617/);

note 'Access';
start 'access';
my $EDITORS = '/editors/index.txt';
is visit($EDITORS)->status, 403, 'a visitor is refused';
visit('/cgi-bin/become.pl?rob');
calls_are { is visit($EDITORS)->status, 403, 'a reader is refused' } ['GetItem'], '... for one read';
my $reader = new_id { visit('/cgi-bin/become.pl?ann') } 'an editor logs in';
calls_are { is visit($EDITORS)->status, 200, 'an editor is not' } ['GetItem'], '... for one read';
is res()->body, "for editors\n", '... and sees the page';
is http(path => $EDITORS, port => $app->port, cookie => $reader)->status, 403, '... but not with the ID before the login';
fault(kind => '500', op => 'GetItem', count => 0);
is visit($EDITORS)->status, 503, 'a table that can\'t be read: 503, not 403';
clear_faults();
my $editor = new_id { visit('/cgi-bin/become.pl?ann') } 'the same editor again';
is visit($EDITORS)->status, 200, '... is one with the new ID';
is http(path => $EDITORS, port => $app->port, cookie => $editor)->status, 403, '... but not with the one before';
$editor = new_id { visit('/cgi-bin/become.pl?rob') } 'another user';
is visit($EDITORS)->status, 403, '... is no editor';
is http(path => $EDITORS, port => $app->port, cookie => $editor)->status, 403, '... nor is anyone with the ID before';
my @forged = (headers => ['Session-Entry-Role', 'editor', 'SESSION_ENTRY_role', 'editor', 'Cookie', 'role=editor']);
$id = undef;
is visit($EDITORS, @forged)->status, 403, 'a client can\'t send it';
$app->stop(qr/authz_core:error.*AH01630/, qr/could not be read/, qr/AH01816/);
start 'access', change => sub { s/SESSION_ENTRY_role/HTTP_SESSION/; s/== 'editor'/=~ m#role=editor#/ };
visit('/cgi-bin/become.pl?ann');
is visit($EDITORS)->status, 403, 'HTTP_SESSION is too late for Require, as the page says';
$app->stop(qr/authz_core:error.*AH01630/);
start 'access', change => sub { s/(SessionDynamoDB On)\n/$1\nSessionDynamoDBOnError anonymous\n/ };
visit('/cgi-bin/become.pl?ann');
fault(kind => '500', op => 'GetItem', count => 0);
is visit($EDITORS)->status, 403, 'with OnError anonymous nobody is an editor while the table can\'t be read';
clear_faults();
$app->stop(qr/authz_core:error.*AH01630/, qr/could not be read/);

# The application of flask.md, with stand-ins for its packages: the session does what dynamodb-session-flask's does, by the
# operations of lib/flask_side.py. A line of JSON is a request (path, form, cookie), another one the answer.
my $FLASK = <<'PYTHON';
import hashlib, importlib.util, io, json, sys, types

class Abort(Exception):
    pass

class Flask:
    def __init__(self, name):
        self.config, self.routes = {}, {}
    def post(self, path):
        return lambda view: self.routes.setdefault(path, view)

class Session(dict):
    def begin(self, state, new):
        self.state, self.new, self.modified, self.cleared = state, new, False, False
        super().clear()
        self.update(state["data"])
    def create_state(self):
        return side.create({}, app.config["SESSION_DYNAMODB_IDLE_TIMEOUT"],
                           app.config["SESSION_DYNAMODB_ABSOLUTE_TIMEOUT"])["state"]
    def load(self, sid):
        state = side.load(sid)["state"] if sid else None
        self.begin(state or self.create_state(), not state)
    def abandon(self):
        self.cleared = True
        side.end(self.state)
    def create(self):
        self.begin(self.create_state(), True)
    def clear(self):
        self.cleared = True
        super().clear()
    def __setitem__(self, name, value):
        self.modified = True
        super().__setitem__(name, value)
    def end(self):
        if self.cleared:
            side.end(self.state)
            return ""
        if self.new and not self.modified:
            return None
        side.save(self.state, dict(self))
        return self.state["id"]

def abort(status):
    raise Abort(status)

def check_password_hash(known, password):
    (_, digest, rounds), salt, found = known.split("$")[0].split(":"), *known.split("$")[1:]
    return hashlib.pbkdf2_hmac(digest, password.encode(), salt.encode(), int(rounds)).hex() == found

def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

request, session = types.SimpleNamespace(), Session()
for name, content in {"flask": dict(Flask=Flask, abort=abort, request=request, session=session),
                      "dynamodb_session_flask": dict(DynamoDbSession=object),
                      "werkzeug": {}, "werkzeug.security": dict(check_password_hash=check_password_hash)}.items():
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(content)

program, side_path, endpoint = sys.argv[1:]
app = load("app", program).app
lines, sys.stdin = sys.stdin, io.StringIO()
sys.argv = ["flask_side", "--endpoint", endpoint, "--table", app.config["SESSION_DYNAMODB_TABLE_NAME"]]
side = load("side", side_path)
side.signer = side.itsdangerous.Signer(app.config["SESSION_DYNAMODB_SID_KEYS"])
for line in lines:
    asked = json.loads(line)
    request.form = asked["form"]
    session.load(asked["cookie"])
    try:
        status, body = 200, app.routes[asked["path"]]()
    except Abort as error:
        status, body = error.args[0], ""
    print(json.dumps({"status": status, "body": body, "cookie": session.end()}), flush=True)
PYTHON

note 'Flask';
SKIP: {
    my $PYTHON = '/usr/bin/python3';
    skip "$PYTHON has no boto3 or itsdangerous", 1 if system("$PYTHON -c 'import boto3, itsdangerous' 2>/dev/null") != 0;
    my $src = setting('src');
    start 'flask', modules => [qw(alias cgid)],
        also => { '/srv/app/sid.keys' => "old-key-of-the-recipe\nnew-key-of-the-recipe\n" },
        more => qq(ScriptSock "/srv/app/run/cgid.sock"\nScriptAlias "/app/" "$src/t/cgi-bin/"\n);
    $app->write('/srv/app/harness.py', $FLASK);
    my $pid = IPC::Open2::open2(my $from, my $to, $PYTHON, '-B', $app->dir . '/harness.py', $app->dir . '/app.py',
        "$src/t/lib/flask_side.py", 'http://127.0.0.1:' . setting('dynalite'));
    # A form for Flask, from the browser.
    my $flask = sub {
        my($path, %form) = @_;
        print $to JSON::PP::encode_json({ path => $path, form => \%form, cookie => $id }), "\n";
        $to->flush;
        my $answer = JSON::PP::decode_json(scalar <$from>);
        $id = $answer->{cookie} || undef if defined $answer->{cookie};
        note_secret($id) if defined $id;
        return $answer;
    };
    my $in_flask = sub { return $flask->('/login', user => $_[0], password => $_[1] || "secret-of-$_[0]") };
    my $text = sub { my $row = row($_[0] // $id); return $row && $row->{data}{S} =~ s/(?<=[,:]) //gr };
    my $set = sub { return visit("/app/session.pl?replace=$_[0]") };
    my $shown = sub { return http(path => '/app/session.pl', port => $app->port, cookie => $_[0])->line('HTTP_SESSION') };

    $set->('cart%3D3');
    my $old = $id;
    is $in_flask->('alice', 'wrong')->{status}, 403, 'a wrong password is refused';
    is_deeply [$id, $text->()], [$old, '{"cart":"3"}'], '... and nothing changes';
    is $in_flask->('alice')->{status}, 200, 'alice logs in, in Flask';
    isnt $id, $old, '... with a new ID';
    is_deeply [$text->(), $text->($old)], ['{"user":"alice"}', undef], '... whose row is the only one';
    is_deeply [$shown->($id), $shown->($old)], ['user=alice', ''], '... in httpd, too';
    $set->('note%3Dhers');
    $old = $id;
    $in_flask->('bob');
    isnt $id, $old, 'bob logs in over her session, in Flask: a new ID';
    is_deeply [$shown->($id), $shown->($old)], ['user=bob', ''], '... without anything of hers';
    $old = $id;
    is $flask->('/logout')->{body}, "Good bye.\n", 'a logout in Flask';
    is_deeply [$id, $text->($old), $shown->($old)], [undef, undef, ''], '... takes cookie and row';

    $set->('cart%3D3');
    $old = $id;
    calls_are { $set->('user%3Dalice') } \@RENEWAL, 'alice logs in, in httpd';
    is_deeply [$text->(), $text->($old), $id eq $old], ['{"cart":"3","user":"alice"}', '{}', ''], '... with a new ID';
    cmp_ok row($old)->{expires}{N}, '<', time, '... the old one has ended for Flask, too';
    $old = $id;
    calls_are { $set->('user%3Dalice&header=X-Session-Control:renew') } \@RENEWAL, '... and again';
    is_deeply [$text->(), $text->($old), $id eq $old], ['{"cart":"3","user":"alice"}', '{}', ''], '... with another ID';
    $in_flask->('alice');
    $set->('note%3Dhers');
    $old = $id;
    calls_are { $set->('user%3Dbob') } \@RENEWAL, 'bob logs in, in httpd, over a session of hers from Flask';
    is_deeply [$text->(), $text->($old), $id eq $old], ['{"user":"bob"}', '{}', ''], '... without anything of hers';
    put_row({ %{ row($id) }, data => { S => '{"_permanent": true, "user": "bob"}' } });
    $old = $id;
    calls_are { $set->('user%3D') } [qw(GetItem DeleteItem)], 'a logout in httpd';
    is_deeply [$id, $text->($old)], [undef, undef], '... whatever Flask stored, takes cookie and row';
    close $to;
    waitpid $pid, 0;
    $app->stop;
}

note 'Rewriting, expressions, headers, logs';
start 'rewrite';
answers '/news.html', "the news\n", 'a visitor';
is_deeply [map { res()->header($_) // '-' } qw(X-Edition X-Personal)], ['', '-'], '... has neither edition nor name';
visit('/cgi-bin/choose.pl?edition=beta');
calls_are { answers '/news.html', "the beta news\n", 'by variable' } ['GetItem'], '... for one read';
is res()->header('X-Edition'), 'beta', '... which a header shows';
visit('/cgi-bin/choose.pl?edition=old');
answers '/news.html', "the old news\n", 'by expression';
visit('/cgi-bin/choose.pl?name=ada');
visit('/news.html');
is res()->header('X-Personal'), 'yes', 'a header by HTTP_SESSION';
like SessionTest::Log::slurp($app->dir . '/run/sessions.log'), qr{^[0-9a-f]{128} beta /news\S*\.html 200$}m, 'the log';
$app->stop;
# What the page's table says does not work, and the look ahead that does.
start 'rewrite', more => <<"END";
<Location "/news-old.html">
    RewriteEngine On
    RewriteRule ^ - [E=PLAIN:%{ENV:HTTP_SESSION}]
    RewriteRule ^ - [E=AHEAD:%{LA-F:ENV:HTTP_SESSION},NS]
    <If "reqenv('EDITION') == 'beta' || reqenv('HTTP_SESSION') =~ /beta/">
        Header always set X-If yes
    </If>
    Header always set X-Plain "[%{PLAIN}e]"
    Header always set X-Ahead "[%{AHEAD}e]"
    SetEnvIf EDITION beta SEEN_BY_SETENVIF
    Header always set X-SetEnvIf "[%{SEEN_BY_SETENVIF}e]"
</Location>
END
visit('/cgi-bin/choose.pl?edition=beta');
visit('/news-old.html');
is_deeply [map { res()->header($_) // '-' } qw(X-If X-Plain X-Ahead X-SetEnvIf)], ['-', '[]', '[edition=beta]', '[1]'],
    'what sees what, as the page says';
$app->stop;

done;
