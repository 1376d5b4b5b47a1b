#!/usr/bin/perl
# The demo's application: an ordinary CGI program with a login of its own, which need not know about DynamoDB. httpd
# passes it the session in HTTP_SESSION and merges its response header X-Replace-Session into the session, entry by entry
# (languages/SessionDynamoDB.pm has the functions). The entry "user" is the login: SessionDynamoDBUserKey says so. Only
# to show what is behind it, the program also reads the table and the counters.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../languages";
use MIME::Base64 qw(decode_base64);
use POSIX qw(strftime);

use Control;
use Page;
use SessionDynamoDB qw(session change same_token);
use Table;

my $MAX_KEY   = 64;     # bytes
my $MAX_VALUE = 1000;   # bytes; a header line of a CGI program holds 8 KiB in all
my $MAX_KEYS  = 20;
my $SLOW      = 5;      # seconds
# Entries with a meaning: those of the program, and mod_session's own.
my $RESERVED  = qr/^(?:user|changed-by|visits|expiry)$/i;

# Your own check of passwords stands here. These hashes are for a demo, made by "openssl passwd -6".
my %HASH = (
    alice => '$6$testsalt$Seh6YOUYELBf/R8rP3cWNiYHi2wjkF60COAIwMK761MIiPPWHmLm3FnCDipwYJYr8HBBDCEEg4jJi6ovES/K51',
    bob   => '$6$testsalt$YecZzQrd2VOR1AZR4to64AHQl/RoCiJufcSRxZ/dqrWyJrzyKaCIPDw6EDQDKMyWUKQ1lrl4MwmIhF3dzPziq/',
);

my %ACTION = (login => \&login, logout => \&logout, others => \&others, everywhere => \&everywhere, visit => \&visit,
              store => \&store, remove => \&remove);
# What a page says first, by the word in its query.
my %SAID = (
    login => 'Logged in, with a new session ID', logout => 'Logged out: row and cookie are gone',
    others => 'All other sessions are signed out', everywhere => 'Signed out everywhere',
    visit => 'Counted', store => 'Stored', remove => 'Removed',
);

binmode STDOUT, ':raw';
my $server  = uc($ENV{DEMO_SERVER} // '?');
my %session = %{ session() };
my $user    = $session{user};
my $method  = $ENV{REQUEST_METHOD} // 'GET';
if ($method eq 'POST') {
    post(read_form());
} elsif ($method eq 'GET' || $method eq 'HEAD') {
    page('200 OK');
} else {
    answer('405 Method Not Allowed', 'Not allowed', '<h1>This page takes GET and POST</h1>', 'Allow: GET, HEAD, POST');
}

# --- actions: each answers with a redirect, so that a reload does nothing again --------------------------------------

sub post {
    my %form = @_;
    return problem('403 Forbidden', 'This form is older than your login, or another site made it. Load the page again.')
        if is_forged($form{token});
    my $action = $ACTION{ $form{action} // '' } or return problem('400 Bad Request', 'There is no such action.');
    return $action->(\%form);
}

# Whether another site's page made the form. In a session its token decides. Before there is a session there is none,
# and the origin decides, which browsers name.
sub is_forged {
    my ($token) = @_;
    return !same_token($token, $ENV{SESSION_CSRF}) if length($ENV{SESSION_CSRF} // '');
    return defined $ENV{HTTP_ORIGIN} && $ENV{HTTP_ORIGIN} ne 'http://' . ($ENV{HTTP_HOST} // '');
}

# To the page, which says what was done. Changes say which server made them.
sub done { my ($action, @headers) = @_; return see_other("/?$action", @headers) }
sub changes { return join ': ', change({ 'changed-by' => $server, @_ }) }

# A login gives the session a new ID, by SessionDynamoDBUserKey; "renew" does so for the same user again.
sub login {
    my ($form) = @_;
    my ($name, $password) = map { $_ // '' } @$form{qw(name password)};
    # As long for names that nobody has.
    my $hash = $HASH{$name} // $HASH{alice};
    return page('403 Forbidden', 'Name or password is wrong.')
        if crypt($password, $hash) ne $hash || !exists $HASH{$name};
    return done('login', changes(user => $name), 'X-Session-Control: renew');
}

# A session whose user leaves ends; one that has no user is told to.
sub logout {
    return done('logout', defined $user ? join(': ', change({ user => undef })) : 'X-Session-Control: abandon');
}

# httpd answers only when the other sessions have ended.
sub others     { return done('others', 'X-Session-Control: revoke-others') }
sub everywhere { return done('everywhere', 'X-Session-Control: revoke-user') }

sub visit {
    my ($visits) = ($session{visits} // '') =~ /^(\d{1,9})$/a;
    return done('visit', changes(visits => 1 + ($visits // 0)));
}

# The session was loaded before this program began and is written when it has answered. What other requests change in
# the meantime stays.
sub store {
    my ($form) = @_;
    my ($key, $value) = map { $_ // '' } @$form{qw(key value)};
    my $wrong = what_is_wrong($key, $value);
    return problem('400 Bad Request', $wrong) if $wrong;
    sleep $SLOW if defined $form->{slowly};
    return done('store', changes($key => $value));
}

sub what_is_wrong {
    my ($key, $value) = @_;
    # Other characters would work, escaped in the header; these are easy to read on the page.
    return 'An entry\'s name has only letters, digits, underscores, hyphens and dots.' if $key !~ /^[\w.-]+$/a;
    return 'That name is taken by the demo.' if $key =~ $RESERVED;
    return 'There is no value.' if !length $value;
    return "An entry's name has at most $MAX_KEY bytes, a value $MAX_VALUE."
        if length $key > $MAX_KEY || length $value > $MAX_VALUE;
    return "The demo stores $MAX_KEYS entries." if !exists $session{$key} && keys %session >= $MAX_KEYS;
    return;
}

sub remove {
    my ($form) = @_;
    my $key = $form->{key} // '';
    return problem('400 Bad Request', 'There is no such entry.') if !exists $session{$key} || $key =~ $RESERVED;
    return done('remove', changes($key => undef));
}

sub problem {
    my ($status, $text) = @_;
    my $html = text($text);
    return answer($status, $html, "<h1>That did not work</h1><p>$html</p><p><a href=\"/\">Back</a></p>");
}

# --- the page: it changes nothing, so it costs one read --------------------------------------------------------------

sub page {
    my ($status, $error) = @_;
    my $said  = $SAID{ $ENV{QUERY_STRING} // '' };
    my $title = ($error ? "$error " : $said ? "$said. " : '') . "Server $server";
    return answer($status, text($title), join "\n", '<h1>One session, two servers</h1>',
        $said ? '<p class="said" role="status">' . text($said) . '.</p>' : (), way(),
        '<div class="cards">',
        '<div>', defined $user ? user_section() : login_section($error), entries_section(), '</div>',
        '<div>', Control::switch_section(), Control::counters_section(), '</div>', row_section(), '</div>');
}

# The way of this request.
sub way {
    my %servers = map { ($_ => 1) } $server, map { $_->[0] } Control::servers();
    my @servers = map { $_ eq $server ? "<strong>Server $_ answered this</strong>" : "<b>Server $_</b>" }
        map { text($_) } sort keys %servers;
    my $by  = $session{'changed-by'};
    my $who = defined $by ? 'The session was last changed by server ' . text($by) . ", and read by server $server."
        : %session ? "The session was read by server $server." : 'You have no session yet: no cookie, and no row.';
    return '<ol class="way"><li><b>Your browser</b></li><li><b>Balancer</b></li>'
        . "<li>@servers</li><li><b>Table</b></li></ol>\n"
        . "<p>$who The servers take turns: <a href=\"/\">load the page again</a>.</p>";
}

sub login_section {
    my ($error) = @_;
    my $wrong = $error ? '<p class="error" id="error">' . text($error) . '</p>' : '';
    my $of    = $error ? ' aria-invalid="true" aria-describedby="error"' : '';
    return <<"HTML";
<section aria-labelledby="login">
<h2 id="login">Log in</h2>
<p>As <code>alice</code>, password <code>secret-of-alice</code>, or as <code>bob</code>, password
<code>secret-of-bob</code>.</p>
$wrong
@{[form('login')]}
<label>Name <input name="name" autocomplete="username" autocapitalize="none" required$of></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required$of></label>
<button>Log in</button>
</form>
</section>
HTML
}

sub user_section {
    return <<"HTML";
<section aria-labelledby="login">
<h2 id="login">Logged in as @{[text($user)]}</h2>
<p>Log in with another browser too: <a href="/sessions">your sessions</a> shows both, and ends each.</p>
<div class="buttons">
@{[button('logout', 'Log out')]}
@{[button('others', 'Sign out all others')]}
@{[button('everywhere', 'Sign out everywhere')]}
</div>
</section>
HTML
}

sub entries_section {
    my @rows = map { [text($_), text($session{$_}), $_ =~ $RESERVED ? '' : remove_button($_)] } sort keys %session;
    my $table = @rows ? table('What programs get as HTTP_SESSION', ['Entry', 'Value', 'Change'], @rows) : '';
    my $end   = %session && !defined $user ? button('logout', 'End the session') : '';
    return <<"HTML";
<section aria-labelledby="entries">
<h2 id="entries">Entries of the session</h2>
$table
<div class="buttons">
@{[button('visit', 'Count a visit')]}
$end
</div>
<p>Programs share them: <a href="/hello">a shell script</a> counts its own visits.</p>
<h3>Two tabs at once</h3>
<p id="tabs">Open this page in a second tab. Store an entry slowly here: it is read now, and written in $SLOW seconds.
Meanwhile, store another entry there. Both stay, and “Changes merged” counts one.</p>
@{[form('store')]}
<label>Entry <input name="key" maxlength="$MAX_KEY" pattern="[A-Za-z0-9_.\\-]+" autocapitalize="none" required></label>
<label>Value <input name="value" maxlength="$MAX_VALUE" required></label>
<button>Store</button>
<button name="slowly" value="yes" aria-describedby="tabs">Store slowly</button>
</form>
</section>
HTML
}

# The row as it was when this request read it.
sub row_section {
    my $row  = eval { length($ENV{SESSION_DYNAMODB_LOGGABLE_ID} // '') && Table::row(@ENV{qw(DEMO_ENDPOINT DEMO_TABLE
        SESSION_DYNAMODB_LOGGABLE_ID)}) };
    my $none = $@ ? 'It cannot be read: ' . text($@) : 'There is none. Store an entry, or log in.';
    my @rows = map {
        my ($type, $value) = %{ $row->{$_} };
        [$_, "<code>$type</code>", '<code>' . shown($_, $value) . '</code>'];
    } sort { ($b eq 'id') <=> ($a eq 'id') || $a cmp $b } keys %{ $row || {} };
    my $what = $row
        ? '<p>The cookie is not here: <code>id</code> is a hash of it.</p>'
            . table('All attributes, as DynamoDB has them', ['Attribute', 'Type', 'Value'], @rows)
        : "<p>$none</p>";
    return "<section class=\"wide\" aria-labelledby=\"row\"><h2 id=\"row\">The row as stored</h2>\n$what\n</section>";
}

sub shown {
    my ($attribute, $value) = @_;
    # Plain text here; where SessionDynamoDBSealKeys is set nobody can read it.
    return text(decode_base64($value)) if $attribute eq 'data';
    return text($value) . ' <span class="note">' . strftime('%Y-%m-%d %H:%M:%S UTC', gmtime $value) . '</span>'
        if $attribute eq 'expires';
    return text($value);
}

# --- forms -----------------------------------------------------------------------------------------------------------

sub form {
    my ($action) = @_;
    return "<form method=\"post\" action=\"/\">\n<input type=\"hidden\" name=\"action\" value=\"$action\">\n"
        . '<input type="hidden" name="token" value="' . text($ENV{SESSION_CSRF}) . '">';
}

sub button { my ($action, $text) = @_; return form($action) . "<button>$text</button></form>" }

sub remove_button {
    my ($key) = @_;
    my $name = text($key);
    return form('remove') . "<input type=\"hidden\" name=\"key\" value=\"$name\">"
        . "<button aria-label=\"Remove $name\">Remove</button></form>";
}
