# The bash completion of session-dynamodb, as bash asks it.

use strict;
use warnings;
use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;

same_under_every_mpm();

my $SCRIPT = setting('src') . '/cli/session-dynamodb.bash-completion';
my $DIR    = File::Temp::tempdir('/tmp/completion-XXXXXX', CLEANUP => 1);
for (qw(keys.first keys.second), 'keys with space') { open my $out, '>', "$DIR/$_" or die "$DIR/$_: $!" }
mkdir "$DIR/other" or die;

# What is offered where the line has a bar: as bash calls it, with its words split at its own breaks.
sub offered {
    my($line, %o) = @_;
    my $program = <<'END';
source "$1"; line=$2; COMP_WORDBREAKS=$3; cd "$4"
complete -p session-dynamodb >/dev/null || exit 9
before=${line%%|*}; COMP_LINE=${line/|/}; COMP_POINT=${#before}
read -r -a COMP_WORDS <<<"${before//:/ : }"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_session_dynamodb session-dynamodb
((${#COMPREPLY[@]})) && printf '%s\n' "${COMPREPLY[@]}"
exit 0
END
    local $ENV{OPERATORS_KEY} = 'a-key-that-nobody-may-see';
    open my $out, '-|', 'bash', '-c', $program, 'bash', $SCRIPT, $line, $o{breaks} // " \t\n\"'><=;|&(:", $DIR or die "bash: $!";
    chomp(my @words = <$out>);
    close $out or return "bash failed: $?";
    return join ' ', sort @words;
}

is offered('session-dynamodb |'), 'check cost create-table end list policy purge show top verify', 'all commands';
is offered('session-dynamodb c|'), 'check cost create-table', 'those that begin so';
is offered('session-dynamodb --t|'), '--table', 'options before the command: those of any';
is offered('session-dynamodb --table app_session ch|'), 'check', 'a command behind an option with its value';
is offered('session-dynamodb check --s|'), '--strict', 'options of a command';
is offered('session-dynamodb purge --s|'), '', '... and of no other';
is offered('session-dynamodb purge --d| --older-than 5'), '--dry-run', '... where the cursor is';
is offered('session-dynamodb check |'), '', 'nothing that only the user knows';
is offered('session-dynamodb check --region |'), '', '... no region is made up';
is offered('session-dynamodb show --hash-sid |'), 'Off On', 'words';
is offered('session-dynamodb top --by i|'), 'idle', '... of an order';
is offered('session-dynamodb top --by=a|'), 'age', '... behind an equals sign, where bash breaks words';
is offered('session-dynamodb top --by=a|', breaks => " \t\n"), '--by=age', '... or not';
is offered('session-dynamodb check --ca-file k|'), 'keys with space keys.first keys.second', 'files';
is offered("session-dynamodb check --ca-file $DIR/o|"), "$DIR/other", '... and folders';
is offered('session-dynamodb list --user-keys |'), 'env: file:', 'sources of keys';
is offered('session-dynamodb list --seal-keys |'), 'clear env: file:', '... of both kinds';
is offered('session-dynamodb list --user-keys file:keys.f|'), 'keys.first', '... a file, without what bash does not replace';
is offered('session-dynamodb list --user-keys file:keys.f|', breaks => " \t\n"), 'file:keys.first', '... or with it';
is offered('session-dynamodb list --user-keys=file:keys.f|'), 'keys.first', '... behind an equals sign';
is offered('session-dynamodb list --user-keys env:OPERATORS_|'), 'OPERATORS_KEY', '... a variable, by its name';
is offered('session-dynamodb list --user ann --user-keys env:X --r|'), '--realm --region', '... and on with the next option';

done;
