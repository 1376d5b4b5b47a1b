package SessionDynamoDB;

# Sessions of mod_session_dynamodb in Perl programs: CGI, FastCGI, PSGI.
#
#   use SessionDynamoDB qw(session change forwarded same_token);
#   my $session = session();                              # SessionEnv On: { name => value }, empty without a session
#   print change({ visits => 3, cart => undef });         # SessionHeader X-Replace-Session: sets visits, removes cart
#   my $values = forwarded(\@keys, 'http://127.0.0.1:8000') or die 'not from httpd';     # SessionDynamoDBForward
#   die 'forged' if !same_token($form{token}, $ENV{SESSION_CSRF});                       # SessionDynamoDBCSRFToken
#
# Names and values are bytes: encode text before, decode it after. Functions take a PSGI environment as their last
# argument; without one they use %ENV.

use strict;
use warnings;

use Carp ();
use Digest::SHA ();
use Exporter qw(import);
use MIME::Base64 ();

our @EXPORT_OK = qw(session change forwarded same_token);

# A program's header line has 8190 bytes at most; httpd answers 500 to a longer one.
our $LONGEST_LINE = 8190;
# Seconds that a signature may be away from this clock.
our $SIGNATURE_AGE = 60;

sub _decode { my($text) = @_; $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge; return $text }

sub _encode {
    my($text) = @_;
    Carp::croak('not bytes, but characters: encode it first') if $text =~ /[^\x00-\xff]/;
    $text =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge;
    return $text;
}

# Neither time nor result depends on where the texts begin to differ.
sub _same {
    my($key) = @_;
    return Digest::SHA::hmac_sha256($_[1], $key) eq Digest::SHA::hmac_sha256($_[2], $key);
}

# session([ENVIRONMENT]): the entries of the session. "expiry" is mod_session's own, and left out.
sub session {
    my $text = ($_[0] || \%ENV)->{HTTP_SESSION};
    my %entries;
    for (split /&/, $text // '') {
        my($name, $value) = map { tr/+/ /; _decode($_) } split /=/, $_, 2;
        $entries{$name} = $value // '' if defined $name && length $name && $name ne 'expiry';
    }
    return \%entries;
}

# change({ NAME => VALUE, ... } [, HEADER]): the header line that sets these entries, and removes those whose value is
# undefined or empty. In list context (HEADER, VALUE), as PSGI takes it. Others stay as they are.
sub change {
    my($entries, $header) = @_;
    $header //= 'X-Replace-Session';
    my $value = join '&', map { _encode($_) . '=' . _encode($entries->{$_} // '') } sort keys %$entries;
    Carp::croak('an entry needs a name') if exists $entries->{''};
    Carp::croak('the entry expiry is mod_session\'s own') if exists $entries->{expiry};
    Carp::croak("more than $LONGEST_LINE bytes in one header line: change fewer entries in one answer")
        if length("$header: $value") > $LONGEST_LINE;
    return wantarray ? ($header, $value) : "$header: $value\n";
}

# forwarded(KEYS, AUDIENCE [, ENVIRONMENT [, ACCEPT_VERSION_1]]): the values that httpd forwarded, by lower-case header name; '' for an entry
# that the session does not have. Undefined: the request does not come from httpd, or was signed for something else.
# KEYS: the lines of the key file. AUDIENCE: this application's own, from its settings, never from the request.
# ACCEPT_VERSION_1: true only while httpd still has SessionDynamoDBForwardVersion 1.
sub forwarded {
    my($keys, $audience, $env, $accept_version_1) = @_;
    $env ||= \%ENV;
    my($for, $time, $key_id, $names, $mac) = ($env->{HTTP_X_SESSION_SIGNATURE} // '')
        =~ /\A(?:v=2; a=([^; ]+); )?t=([0-9]{1,12}); k=([0-9a-f]{8}); h=([A-Za-z0-9_,-]+); s=([0-9a-f]{64})\z/ or return undef;
    return undef if (defined $for ? $for ne $audience : !$accept_version_1) || abs(time - $time) > $SIGNATURE_AGE;
    my @names = split /,/, $names;
    my %values = map { my $name = 'HTTP_' . uc; $name =~ tr/-/_/; ($_ => $env->{$name} // '') } @names;
    my $text = join "\n", defined $for ? ('v=2', "a=$for") : (), $time, $env->{REQUEST_METHOD} // '', $env->{REQUEST_URI} // '',
        map { "$_:$values{$_}" } @names;
    for my $key (@$keys) {
        next if substr(Digest::SHA::sha256_hex($key), 0, 8) ne $key_id;
        return { map { ($_ => _decode($values{$_})) } @names }
            if _same($key, Digest::SHA::hmac_sha256_hex($text, $key), $mac);
    }
    return undef;
}

# same_token(TOKEN, OWN): whether a form's anti-forgery token is one of the session to which SESSION_CSRF, OWN, belongs.
# Each page has another token of the same secret: its first half XOR its second.
sub same_token {
    my($one, $other) = map { _secret($_) } @_[0, 1];
    return length $one && length $other ? _same('same_token', $one, $other) : !1;
}

sub _secret {
    my $token = $_[0] // '';
    return '' if $token !~ /\A[A-Za-z0-9_-]{86}\z/;
    my $bytes = MIME::Base64::decode_base64url($token);
    return length $bytes == 64 ? substr($bytes, 0, 32) ^ substr($bytes, 32) : '';
}

1;
