package SessionTest::Process;

# The processes of httpd, as /proc shows them.

use strict;
use warnings;

use SessionTest::Log ();

# The parent, from its file.
sub parent {
    my $t = shift;
    return SessionTest::Log::slurp("$t/logs/httpd.pid") =~ /(\d+)/ ? $1 : die "no $t/logs/httpd.pid\n";
}

# Its children that serve requests; mod_cgid's daemon is no such.
sub children {
    my($parent, $mpm) = @_;
    my @found;
    for my $file (glob '/proc/[0-9]*/stat') {
        my($pid, $of) = SessionTest::Log::slurp($file) =~ /^(\d+) \(.*\) [^Z] (\d+)/ or next;
        next if $of != $parent;
        my @threads = glob "/proc/$pid/task/*";
        push @found, $pid if $mpm eq 'prefork' || @threads > 5;
    }
    return sort { $a <=> $b } @found;
}

sub kilobytes   { return SessionTest::Log::slurp("/proc/$_[0]/status") =~ /^VmRSS:\s+(\d+)/m ? $1 : 0 }
sub descriptors { my @found = glob "/proc/$_[0]/fd/*"; return scalar @found }

1;
