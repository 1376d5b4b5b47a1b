#!/usr/bin/perl
# The demo's page: an ordinary CGI program that does not need to know about DynamoDB. httpd passes it the session in
# HTTP_SESSION, form-urlencoded, and merges its response header X-Replace-Session into the session key by key ("key="
# removes one). Only to show the table's contents, the program also calls DynamoDB.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use POSIX qw(strftime);

use Table;

my $MAX_KEY   = 64;     # characters
my $MAX_VALUE = 1000;   # characters; a header line of a CGI program holds 8 KiB in all
my $MAX_KEYS  = 20;

binmode STDOUT, ':raw';
my $method  = $ENV{REQUEST_METHOD} || 'GET';
my %session = decode_form($ENV{HTTP_SESSION});
if ($method eq 'POST') {
    post(read_form());
} elsif ($method eq 'GET' || $method eq 'HEAD') {
    page();
} else {
    answer('405 Method Not Allowed', ['Allow: GET, HEAD, POST'], '<p>This page accepts GET and POST.</p>');
}

# --- requests ----------------------------------------------------------------------------------------------------------

sub post {
    my %form = @_;
    my $action = $form{action} // '';
    if ($action eq 'logout') {
        # A session without entries ends: httpd deletes its row and its cookie.
        see_other('/?left', map { ($_ => '') } keys %session);
    } elsif ($action eq 'set') {
        my ($key, $value) = map { $_ // '' } @form{qw(key value)};
        my $wrong = what_is_wrong($key, $value);
        return answer('400 Bad Request', [], "<p>$wrong</p><p><a href=\"/\">Back</a></p>") if $wrong;
        see_other('/', $key => $value);
    } else {
        answer('400 Bad Request', [], '<p>No such action.</p>');
    }
}

sub what_is_wrong {
    my ($key, $value) = @_;
    # Other characters would work, escaped in the header; these are easy to read on the page.
    return 'A key has only letters, digits, <code>_</code>, <code>-</code> and <code>.</code>' if $key !~ /^[\w.-]+$/a;
    return '<code>expiry</code> is mod_session\'s own key.' if lc $key eq 'expiry';
    return "A key has at most $MAX_KEY bytes, a value $MAX_VALUE." if length $key > $MAX_KEY || length $value > $MAX_VALUE;
    return "The demo stores $MAX_KEYS keys." if !exists $session{$key} && keys %session >= $MAX_KEYS;
    return;
}

sub page {
    # The page after logout stores nothing, so there is no session and no cookie until the next visit.
    my $left = ($ENV{QUERY_STRING} // '') eq 'left';
    my @headers;
    if (!$left) {
        $session{visits} = 1 + (($session{visits} // '') =~ /^(\d{1,9})$/ ? $1 : 0);
        push @headers, replace_session(visits => $session{visits});
    }
    my $visits = $session{visits} // 0;
    my $said = $left ? 'You have logged out: the session is gone. <a href="/">Begin a new one</a>.'
                     : 'You have been here <strong>' . text($visits) . '</strong> time' . ($visits == 1 ? '' : 's') . '.';
    answer('200 OK', \@headers, join "\n", "<p>$said</p>", session_part(), forms_part(), table_part());
}

# --- parts of the page -------------------------------------------------------------------------------------------------

sub session_part {
    my @rows = map { [text($_), text($session{$_})] } sort keys %session;
    my $about = join '', map { '<dt>' . text($_) . '</dt><dd><code>' . text($ENV{$_}) . '</code></dd>' }
        grep { /^SESSION_DYNAMODB_/ } sort keys %ENV;
    return "<h2>Your session</h2>\n"
        . (@rows ? table(['key', 'value'], @rows) : '<p>There is no session.</p>')
        . ($about ? "\n<dl>$about</dl>" : '');
}

sub forms_part {
    return <<'HTML';
<form method="post" action="/">
<input type="hidden" name="action" value="set">
<label>Key <input name="key" required maxlength="64" size="12" pattern="[A-Za-z0-9_.\-]+"></label>
<label>Value <input name="value" maxlength="1000" size="24"></label>
<button>Store</button> <small>(an empty value removes the key)</small>
</form>
<form method="post" action="/"><input type="hidden" name="action" value="logout"><button>Log out</button></form>
<p><a href="/hello">The same session, seen by a shell script</a></p>
HTML
}

# The table as it was when this request began: changes made by the page are written afterwards.
sub table_part {
    my $table = $ENV{DEMO_TABLE} // '';
    my $reply = Table::call($ENV{DEMO_ENDPOINT}, 'Scan', { TableName => $table, ConsistentRead => \1 });
    return '<h2>The table</h2><p>It cannot be read: ' . text($reply->{failed}) . '</p>' if $reply->{failed};

    my @items = sort { ($b->{accessed}{S} // '') cmp ($a->{accessed}{S} // '') } @{ $reply->{Items} };
    my @rows  = map { item_row($_) } @items > 10 ? @items[0 .. 9] : @items;
    return '<h2>The table <code>' . text($table) . '</code></h2><p>' . @items . (@items == 1 ? ' item' : ' items')
        . ', before this request was stored; the key is a hash, so it reveals nothing about the cookie.</p>'
        . (@rows ? table(['id', 'data', 'created', 'accessed', 'expires', 'version'], @rows) : '');
}

sub item_row {
    my ($item) = @_;
    my %value = map { $_ => (values %{ $item->{$_} })[0] } keys %$item;
    my %stored = decode_form(Table::bytes($item->{data}));
    my $mine = ($value{created} // '') =~ /^\Q@{[iso($ENV{SESSION_DYNAMODB_CREATED})]}\E/ && same(\%stored);
    return [
        ($mine ? '<strong>yours</strong> ' : '') . '<code>' . text($value{id}) . '</code>',
        '<code>' . text(Table::bytes($item->{data})) . '</code>',
        (map { text(short_time($value{$_})) } qw(created accessed)),
        text(iso($value{expires})), text($value{version}),
    ];
}

# Whether a row holds the session that this request received, before the visit was counted. (A program cannot know the
# key of its row; the same second and the same data are enough to mark a line.)
sub same {
    my ($stored) = @_;
    my %given = decode_form($ENV{HTTP_SESSION});
    return 0 if !%given || keys %given != keys %$stored;
    return !grep { !defined $stored->{$_} || $stored->{$_} ne $given{$_} } keys %given;
}

sub iso { my ($seconds) = @_; return defined $seconds ? strftime('%Y-%m-%dT%H:%M:%S', gmtime $seconds) : 'none' }

sub short_time { my ($time) = @_; return defined $time ? $time =~ s/\.\d+|\+00:00$//gr : '' }

sub table {
    my ($head, @rows) = @_;
    my $line = sub { my ($tag, @cells) = @_; '<tr>' . join('', map { "<$tag>$_</$tag>" } @cells) . "</tr>\n" };
    return '<table>' . $line->('th', @$head) . join('', map { $line->('td', @$_) } @rows) . '</table>';
}

# --- input and output ------------------------------------------------------------------------------------------------

sub read_form {
    my $length = $ENV{CONTENT_LENGTH} || 0;
    return if $length !~ /^\d+$/ || $length > 16384;
    my $got = read(STDIN, my $body, $length);
    return decode_form($got ? $body : '');
}

sub decode_form {
    my ($text) = @_;
    return map {
        my ($key, $value) = split /=/, $_, 2;
        map { tr/+/ /; s/%([0-9A-Fa-f]{2})/chr hex $1/ger } $key, $value // '';
    } grep { /^[^=]/ } split /&/, $text // '';
}

sub encode { my ($text) = @_; return $text =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ger }

sub replace_session {
    my @pairs;
    while (my ($key, $value) = splice @_, 0, 2) {
        push @pairs, encode($key) . '=' . encode($value);
    }
    return 'X-Replace-Session: ' . join '&', @pairs;
}

# Bytes to HTML; they are UTF-8 if they came from a browser.
sub text {
    my ($bytes) = @_;
    my %entity = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;', "'" => '&#39;');
    return ($bytes // '') =~ s/([&<>"'])/$entity{$1}/gr;
}

sub see_other {
    my ($where, @changes) = @_;
    print join "\r\n", 'Status: 303 See Other', "Location: $where", (@changes ? replace_session(@changes) : ()), '', '';
}

sub answer {
    my ($status, $headers, $body) = @_;
    print join "\r\n", "Status: $status", 'Content-Type: text/html; charset=utf-8',
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; form-action 'self'", @$headers, '', '';
    print <<"HTML" if $method ne 'HEAD';
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>mod_session_dynamodb</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid #bbb; padding: .2rem .6rem; text-align: left; vertical-align: top; }
td { overflow-wrap: anywhere; min-width: 4rem; }
form { margin: 1rem 0; }
dd { overflow-wrap: anywhere; }
</style>
</head>
<body>
<h1>mod_session_dynamodb</h1>
$body
</body>
</html>
HTML
}
