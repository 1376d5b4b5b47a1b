package SessionTest::HTTP;

# A small HTTP client that hides nothing: headers in order and repeated, several requests on a connection, HTTP/1.0,
# requests that no library would send.

use strict;
use warnings;

use IO::Select ();
use IO::Socket::INET ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);

my $PATIENCE = 20;   # seconds without a byte

sub connect {
    my($class, $port) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp', Timeout => 5)
        or die "no connection to port $port: $@";
    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
    return bless { socket => $socket, port => $port, in => '', waiting => [] }, $class;
}

# The bytes of a request: method, path, version, host, headers ([name, value], ...), body.
sub format_request {
    my(undef, %r) = @_;
    my $method  = $r{method} || 'GET';
    my $version = $r{version} || '1.1';
    my @headers = @{ $r{headers} || [] };

    unshift @headers, ['Host', defined $r{host} ? $r{host} : "127.0.0.1:$r{port}"] if $version ne '1.0' || $r{host};
    push @headers, ['Connection', 'close'] if !$r{keep} && $version eq '1.1';
    if (defined $r{body}) {
        push @headers, ['Content-Length', length $r{body}];
        push @headers, ['Content-Type', 'application/x-www-form-urlencoded'] unless grep { lc $_->[0] eq 'content-type' }
            @headers;
    }
    return join "\r\n", "$method $r{path} HTTP/$version", (map { "$_->[0]: $_->[1]" } @headers), '',
        defined $r{body} ? $r{body} : '';
}

sub send_bytes {
    my($self, $bytes) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $at = 0;
    while ($at < length $bytes) {
        my $n = syswrite $self->{socket}, $bytes, length($bytes) - $at, $at;
        defined $n or die "sending failed: $!";
        $at += $n;
    }
    return $self;
}

# Send a request and keep the connection; read_response gets the answers in order.
sub send_request {
    my($self, %r) = @_;
    push @{ $self->{waiting} }, $r{method} || 'GET';
    return $self->send_bytes($self->format_request(port => $self->{port}, %r));
}

sub read_response {
    my $self   = shift;
    my $method = shift @{ $self->{waiting} } || 'GET';
    my $response;
    do {
        $response = $self->read_head or return;
    } while ($response->{status} =~ /^1(?!01)/);
    $response->{body} = $self->read_body($method, $response);
    return $response;
}

sub closed {
    my($self, $seconds) = @_;
    return 0 unless IO::Select->new($self->{socket})->can_read($seconds || 0);
    return !$self->fill;
}

sub fill {
    my $self = shift;
    IO::Select->new($self->{socket})->can_read($PATIENCE) or die "no answer within $PATIENCE seconds";
    my $n = sysread $self->{socket}, $self->{in}, 65536, length $self->{in};
    return $n;   # undef for a reset, 0 at the end
}

sub read_head {
    my $self = shift;
    until ($self->{in} =~ /\r?\n\r?\n/) {
        $self->fill or return;
    }
    $self->{in} =~ s/^(.*?)\r?\n\r?\n//s;
    my($start, @lines) = split /\r?\n/, $1;
    my($version, $status, $reason) = $start =~ m{^HTTP/(\S+) (\d{3}) ?(.*)$} or die "no HTTP answer: $start";
    my @headers = map { [ split /:\s*/, $_, 2 ] } @lines;
    return bless { version => $version, status => $status, reason => $reason, headers => \@headers },
        'SessionTest::Response';
}

sub read_body {
    my($self, $method, $response) = @_;
    return '' if $method eq 'HEAD' || $response->{status} =~ /^(?:204|304)$/;
    my $coding = $response->header('Transfer-Encoding') || '';
    return $self->read_chunks if $coding =~ /chunked/i;
    my $length = $response->header('Content-Length');
    return $self->take($length) if defined $length;
    1 while $self->fill;
    my $rest = $self->{in};
    $self->{in} = '';
    return $rest;
}

sub take {
    my($self, $length) = @_;
    while (length $self->{in} < $length) {
        $self->fill or last;
    }
    return substr $self->{in}, 0, $length, '';
}

sub read_chunks {
    my $self = shift;
    my $body = '';
    while (1) {
        until ($self->{in} =~ /\n/) {
            $self->fill or return $body;
        }
        $self->{in} =~ s/^([0-9a-fA-F]+)[^\n]*\n// or die 'no chunk';
        my $size = hex $1;
        my $chunk = $self->take($size);
        $body .= $chunk;
        if ($size) {
            $self->take(2);
            next;
        }
        until ($self->{in} =~ s/^(?:[^\r\n]+\r?\n)*\r?\n//) {
            $self->fill or last;
        }
        return $body;
    }
}

package SessionTest::Response;

sub status  { $_[0]{status} }
sub reason  { $_[0]{reason} }
sub body    { $_[0]{body} }
sub version { $_[0]{version} }
sub headers { @{ $_[0]{headers} } }

# All values of a header, in order.
sub all {
    my($self, $name) = @_;
    return map { $_->[1] } grep { lc $_->[0] eq lc $name } @{ $self->{headers} };
}

# The first one; undef without.
sub header {
    my($self, $name) = @_;
    return ($self->all($name))[0];
}

sub set_cookies { $_[0]->all('Set-Cookie') }

# The value that a Set-Cookie gives the cookie of that name; undef without.
sub cookie {
    my($self, $name) = @_;
    for ($self->set_cookies) {
        return $1 if /^\Q$name\E=([^;]*)/;
    }
    return;
}

# What the test handler and the CGI programs say of one thing: the rest of the line "what: " or "what=".
sub line {
    my($self, $what) = @_;
    return $self->{body} =~ /^\Q$what\E(?:: |=)(.*)$/m ? $1 : undef;
}

1;
