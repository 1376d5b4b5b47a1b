package SessionTest::Device;

# A client that binds its sessions to a key of its own, as browsers do (Device Bound Session Credentials).
#
#   my $browser = SessionTest::Device->new(port => $server->port);    # and headers, folder ('/.device-session/')
#   $browser->get('/test/?set=a:1');            # sends its cookies, keeps those that come; SessionTest's res() is the answer
#   $browser->register;                         # as the last invitation says; options of proof()
#   $browser->refresh;                          # proves it again
#   $browser->{jar}                             # name => value

use strict;
use warnings;

use IO::Handle ();
use IPC::Open2 ();
use JSON::PP ();

use SessionTest qw(http res);

my($PID, $SAID, $ASK);
END { my $status = $?; if ($PID) { close $ASK; waitpid $PID, 0 } $? = $status }

# proof(key => NAME, jti => CHALLENGE, register => 1, alg ...): as t/lib/device_client.py makes it.
sub proof {
    my(%ask) = @_;
    if (!$PID) {
        $PID = IPC::Open2::open2($SAID, $ASK, '/usr/bin/python3', "$SessionTest::T/lib/device_client.py");
        $ASK->autoflush(1);
    }
    print $ASK JSON::PP->new->ascii->encode(\%ask), "\n";
    chomp(my $proof = <$SAID> // die "device_client.py failed\n");
    return $proof;
}

my $KEYS = 0;

sub new {
    my($class, %o) = @_;
    return bless { folder => '/.device-session/', headers => [], jar => {}, key => 'key' . ++$KEYS, %o }, $class;
}

# The same cookies in other hands.
sub copy { my($self, %o) = @_; my $copy = (ref $self)->new(%$self, key => 'key' . ++$KEYS, %o); $copy->{jar} = { %{ $self->{jar} } }; return $copy }

sub ask {
    my($self, %r) = @_;
    my @cookies = map { "$_=$self->{jar}{$_}" } grep { !($r{without} || {})->{$_} } sort keys %{ $self->{jar} };
    my @more = @{ delete $r{headers} || [] };
    delete $r{without};
    http(port => $self->{port}, %r, @cookies ? (cookies => [join '; ', @cookies]) : (), headers => [@{ $self->{headers} }, @more]);
    for (res()->set_cookies) {
        my($name, $value) = /^([^=]+)=([^;]*)/ or next;
        length $value ? ($self->{jar}{$name} = $value) : delete $self->{jar}{$name};
    }
    my($registration, $challenge) = map { scalar res()->header("Secure-Session-$_") } qw(Registration Challenge);
    @$self{qw(path invitation)} = $registration =~ /^\(ES256 RS256\);path="([^"]+)";challenge="([^"]+)"$/ if $registration;
    @$self{qw(challenge id)} = $challenge =~ /^"([^"]+)";id="([^"]+)"$/ if $challenge;
    return res();
}

sub get { my($self, $path, @more) = @_; return $self->ask(path => $path, @more) }

sub post {
    my($self, $path, $proof, @more) = @_;
    my @headers = (defined $self->{id} ? ('Sec-Secure-Session-Id', $self->{id}) : (),
        defined $proof ? ('Secure-Session-Response', $proof) : ());
    my %more = @more;
    return $self->ask(path => $path, method => 'POST', %more, headers => [@headers, @{ $more{headers} || [] }]);
}

sub register {
    my($self, %o) = @_;
    my %how = map { exists $o{$_} ? ($_ => delete $o{$_}) : () } qw(key alg jti header claims sign der);
    my $proof = proof(key => $self->{key}, jti => $self->{invitation}, register => 1, %how);
    return $self->post($self->{path} || "$self->{folder}register", $proof, %o);
}

sub refresh {
    my($self, %o) = @_;
    my %how = map { exists $o{$_} ? ($_ => delete $o{$_}) : () } qw(key alg jti header claims sign der register);
    my $proof = proof(key => $self->{key}, jti => $self->{challenge}, %how);
    return $self->post("$self->{folder}refresh", $proof, %o);
}

1;
