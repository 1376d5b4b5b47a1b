package Page;

# What the demo's programs share: forms and HTML. Only modules that come with Perl.
use strict;
use warnings;

use Exporter qw(import);

our @EXPORT = qw(read_form text table answer see_other);

my $LONGEST_FORM = 16384;   # bytes
my $POLICY = join '; ', "default-src 'none'", "style-src 'self'", "script-src 'self'", "connect-src 'self'",
    "img-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'";

# --- input -----------------------------------------------------------------------------------------------------------

sub read_form {
    my $length = $ENV{CONTENT_LENGTH} || 0;
    return if $length !~ /^\d+$/a || $length > $LONGEST_FORM;
    my $got = read(STDIN, my $body, $length);
    return decode($got ? $body : '');
}

sub decode {
    my ($form) = @_;
    return map {
        my ($key, $value) = split /=/, tr/+/ /r, 2;
        map { s/%([0-9A-Fa-f]{2})/chr hex $1/ger } $key, $value // '';
    } grep { /^[^=]/ } split /&/, $form;
}

# --- output ----------------------------------------------------------------------------------------------------------

# Bytes to HTML, for text and attributes; they are UTF-8 if they came from a browser.
sub text {
    my ($bytes) = @_;
    my %entity = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;', "'" => '&#39;');
    return ($bytes // '') =~ s/([&<>"'])/$entity{$1}/gr;
}

# A table of cells that are HTML; the first cell of a row is its heading.
sub table {
    my ($caption, $heads, @rows) = @_;
    return join "\n", "<table><caption>$caption</caption>",
        '<thead><tr>' . join('', map { "<th scope=\"col\">$_</th>" } @$heads) . '</tr></thead>', '<tbody>',
        (map { my ($first, @rest) = @$_;
               "<tr><th scope=\"row\">$first</th>" . join('', map { "<td>$_</td>" } @rest) . '</tr>' } @rows),
        '</tbody></table>';
}

sub see_other {
    my ($where, @headers) = @_;
    print join "\r\n", 'Status: 303 See Other', "Location: $where", @headers, '', '';
    return;
}

# answer(status, title, body, header...)
sub answer {
    my ($status, $title, $body, @headers) = @_;
    print join "\r\n", "Status: $status", 'Content-Type: text/html; charset=utf-8', "Content-Security-Policy: $POLICY",
        'X-Content-Type-Options: nosniff', 'Referrer-Policy: same-origin', 'Cache-Control: no-store', @headers, '', '';
    return if ($ENV{REQUEST_METHOD} // '') eq 'HEAD';
    print <<"HTML";
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/style.css">
<script src="/live.js" defer></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<p class="name"><a href="/">mod_session_dynamodb</a> demo</p>
<nav aria-label="Pages">
<a href="/">Session</a> <a href="/sessions">Your sessions</a> <a href="/store">Table and counters</a>
</nav>
</header>
<main id="main" tabindex="-1">
$body
</main>
</body>
</html>
HTML
    return;
}

1;
