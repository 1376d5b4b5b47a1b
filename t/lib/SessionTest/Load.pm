package SessionTest::Load;

# Many clients in one process: each has a session of its own, knows what must be in it, and looks at every answer.
#
#   my $load = SessionTest::Load->new(hosts => [{ port => .., host => .. }, ..], clients => 64);
#                                              # mixed => 1: now and then a request without session, or a refused ID
#   $load->run(1000);                          # so many requests, all clients together; again and again
#   $load->hang_up;                            # all connections
#   $load->the_end;                            # the server is about to go: from now on a lost connection ends its client
#   $load->faults; $load->resent; $load->sessions;

use strict;
use warnings;

use IO::Select ();

use SessionTest::HTTP ();

my $PATIENCE = 20;   # seconds without any answer

sub new {
    my($class, %o) = @_;
    my $self = bless { faults => [], resent => 0, answered => 0, done => {}, mixed => $o{mixed}, select => IO::Select->new, all => [] }, $class;
    for (1 .. $o{clients}) {
        push @{ $self->{all} }, { %{ $o{hosts}[$_ % @{ $o{hosts} }] }, number => $_, step => $_, value => '(none)' };
    }
    return $self;
}

sub the_end { $_[0]{ending} = 1; return }

# What each client knows: id, value (undef: no session), doing and wanted; open => 1: it got no answer to that.
sub states { return map { { %$_{qw(host id value doing wanted)}, open => $_->{waits} } } @{ $_[0]{all} } }

sub faults { return @{ $_[0]{faults} } }
sub resent { return $_[0]{resent} }   # requests on a kept connection that the server had just closed: sent again

# [host, session ID, value] of each session that is alive.
sub sessions { return map { [@$_{qw(host id value)}] } grep { defined $_->{id} } @{ $_[0]{all} } }

# at => { number of answers => code, ... }
sub run {
    my($self, $requests, %at) = @_;
    my $start = $self->{answered};
    my $end   = $start + $requests;
    my @due   = sort { $a <=> $b } keys %at;

    $self->{to_send} = $requests;
    $self->next_request($_) for @{ $self->{all} };
    while ($self->{answered} < $end && @{ $self->{faults} } < 20) {
        last if $self->{ending} && !$self->{select}->count;
        my @ready = $self->{select}->can_read($PATIENCE);
        if (!@ready) {
            push @{ $self->{faults} }, "no answer within $PATIENCE seconds";
            return;
        }
        $self->hear($self->{by_socket}{ fileno $_ }) for @ready;
        $at{ shift @due }->() while @due && $self->{answered} - $start >= $due[0];
    }
}

# What a client does: it begins a session, reads it, changes it now and then, and in the end logs out.
sub next_request {
    my($self, $c) = @_;
    return if $self->{to_send}-- <= 0;
    my $step = $c->{step}++;
    # Touches are written one at a time: not more of them than a loaded machine's table can take.
    my $area = $step % ($self->{mixed} ? 40 : 8) == 5 ? '/touch/' : '/test/';
    $c->{cookie} = $c->{id};
    if ($self->{mixed} && $step % 6 == 1) {
        @$c{qw(doing wanted cookie)} = ('visit', '(none)', $step % 5 ? undef : 'not-an-id');
        $c->{path} = '/test/?get=n';
    }
    elsif (!defined $c->{id}) {
        @$c{qw(doing wanted)} = ('begin', $step);
        $c->{path} = "/test/?set=n:$step&get=n";
    }
    elsif ($step % 50 == 49) {
        @$c{qw(doing wanted)} = ('end', '(none)');
        $c->{path} = '/test/?clear&get=n';
    }
    elsif ($step % 4 == 3) {
        @$c{qw(doing wanted)} = ('change', $step);
        $c->{path} = "/test/?set=n:$step&get=n";
    }
    else {
        @$c{qw(doing wanted)} = ('read', $c->{value});
        $c->{path} = "$area?get=n";
    }
    $self->say($c);
}

sub say {
    my($self, $c) = @_;
    $c->{waits} = 1;
    if (!$c->{connection}) {
        $c->{connection} = eval { SessionTest::HTTP->connect($c->{port}) } or return $self->lost($c, $@);
        $c->{used} = 0;
        $self->{select}->add($c->{connection}{socket});
        $self->{by_socket}{ fileno $c->{connection}{socket} } = $c;
    }
    my @cookie = defined $c->{cookie} ? (['Cookie', "id=$c->{cookie}"]) : ();
    eval { $c->{connection}->send_request(path => $c->{path}, host => $c->{host}, keep => 1, headers => \@cookie); 1 }
        or $self->lost($c, $@);
}

sub hang_up {
    my $self = shift;
    $self->drop($_) for @{ $self->{all} };
}

sub drop {
    my($self, $c) = @_;
    my $connection = delete $c->{connection} or return;
    $self->{select}->remove($connection->{socket});
    delete $self->{by_socket}{ fileno $connection->{socket} };
    close $connection->{socket};
}

# A server may close a kept connection at any time, and a client then sends again. It may not close a new one.
sub lost {
    my($self, $c, $how) = @_;
    my $unheard = $c->{connection} && $c->{used} && !length $c->{connection}{in};
    $self->drop($c);
    return if $self->{ending} && !$unheard;
    if ($unheard) {
        $self->{resent}++;
        return $self->say($c);
    }
    push @{ $self->{faults} }, "client $c->{number}, $c->{doing}: connection lost: $how";
    $self->{answered}++;
    $self->next_request($c);
}

sub hear {
    my($self, $c) = @_;
    my $connection = $c->{connection} or return;
    return $self->drop($c) unless $c->{waits};   # nothing more to ask, and the server closed
    my $n = sysread $connection->{socket}, $connection->{in}, 65536, length $connection->{in};
    return $self->lost($c, length $connection->{in} ? 'in the answer' : 'without an answer') unless $n;
    my($head) = $connection->{in} =~ /^(.*?)\r\n\r\n/s or return;
    my($length) = $head =~ /^Content-Length: *(\d+)/mi;
    my $whole = defined $length ? length $connection->{in} >= length($head) + 4 + $length
        : $connection->{in} =~ /\r\n0\r\n\r\n\z/;
    return unless $whole;
    my $response = $connection->read_response;
    $c->{waits} = 0;
    $c->{used}++;
    $self->{answered}++;
    $self->judge($c, $response);
    $self->drop($c) if lc($response->header('Connection') || '') eq 'close';
    $self->next_request($c);
}

sub judge {
    my($self, $c, $response) = @_;
    my $got    = $response->line('get n');
    my $cookie = $response->cookie('id');
    my $cookie_wanted = { begin => qr/^[\w-]{43}$/, end => qr/^$/ }->{ $c->{doing} };
    my @wrong;

    push @wrong, 'status ' . $response->status if $response->status != 200;
    $got = 'missing' unless defined $got;
    push @wrong, "n is $got, not $c->{wanted}" if $got ne $c->{wanted};
    push @wrong, 'no cookie' if $cookie_wanted && !defined $cookie;
    push @wrong, 'a wrong cookie' if defined $cookie && (!$cookie_wanted || $cookie !~ $cookie_wanted);
    push @{ $self->{faults} }, "client $c->{number}, $c->{doing}: @wrong" if @wrong;
    $self->{done}{ $c->{doing} }++;
    $c->{value} = $c->{wanted} if $c->{doing} ne 'visit';
    $c->{id} = length $cookie ? $cookie : undef if defined $cookie;
}

1;
