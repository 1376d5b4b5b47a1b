# The directives as the code has them (command table, setters, settings and their defaults), and what docs/directives.md
# says otherwise. Sources are given as text, so that build/check-docs can show that each difference is found.
package DirectiveTable;
use strict;
use warnings;
use Manual;

my $name = qr/SessionDynamoDB[A-Za-z]*/;

# The text of all files that a glob pattern names.
sub text_of { return join "\n", map { Manual::slurp($_) } map { sort glob } @_ }

sub without_comments { return $_[0] =~ s{/\*.*?\*/}{}gsr }

# What is needed of src/: settings and defaults, enums, defines and the bodies of functions.
sub code {
    my ($c, $headers) = map { without_comments($_) } @_;
    my %code = (commands => {}, bodies => {}, settings => {}, numbers => {}, defines => {}, limits => {}, times => {});
    while ($c =~ /AP_INIT_(\w+)\(\s*"($name)",\s*(\w+),\s*(.*?),\s*(RSRC_CONF|PLACE|FOLDER),\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)/gs) {
        my ($takes, $directive, $setter, $info, $context, $help) = ($1, $2, $3, $4, $5, $6);
        $help = join '', $help =~ /"((?:[^"\\]|\\.)*)"/g;
        $code{commands}{$directive} = { takes => $takes, setter => $setter, info => $info, context => $context, help => $help };
    }
    $code{bodies}{$1} = $2 while $c =~ /^(?:static )?const char \*(\w+)\([^;{]*\)\n\{\n(.*?)^\}/gms;
    $code{times}{$1} = $2 while $c =~ /\btime_field_t (\w+) = \{ IN_DIR\((\w+)\)/g;
    $code{limits}{$1} = "$2/$3" while $c =~ /\bmsd_limit_t (\w+) = \{ \.most = (\d+), \.seconds = (\d+) \}/g;
    $headers =~ s/\\\n/ /g;
    $code{settings}{$1} = $2 while $headers =~ /\bX\(\w+,[^,()]+,\s*(\w+),\s*((?:[^,()]|\([^)]*\))+)\)/g;
    $code{defines}{$1} = $2 while $headers =~ /^#define (\w+) +(.*?)\s*$/gm;
    while ($headers =~ /\benum \w+ \{(.*?)\}/gs) {
        my $next = 0;
        $code{numbers}{$_} = $next++ for $1 =~ /\b([A-Z]\w+)/g;
    }
    return \%code;
}

# The setting that a directive sets: what its row names, or else what its setter names: of several, the last that has a
# default.
sub setting_of {
    my ($code, $command) = @_;
    return $2 if $command->{info} =~ /^(DIR|SERVER)\((\w+)\)$/;
    return $code->{times}{$1} if $command->{info} =~ /&(\w+)$/;
    my @settings = grep { exists $code->{settings}{$_} }
        ($code->{bodies}{ $command->{setter} } // '') =~ /(?:->|msd_dir_config_t, )(\w+)/g;
    my @with_default = grep { $code->{settings}{$_} ne 'NULL' } @settings;
    return (@with_default ? @with_default : @settings)[-1];
}

sub words_of {
    my ($body) = @_;
    return $body =~ /\bwords\[\] = \{ (.*?), NULL \}/s ? [$1 =~ /"([^"]*)"/g] : undef;
}

# The default as it is written behind the directive's name; undef: there is none that could be.
sub default_of {
    my ($code, $command) = @_;
    my $body = $code->{bodies}{ $command->{setter} } // '';
    my $setting = setting_of($code, $command) // return;
    my $value = $code->{settings}{$setting};
    $value = $code->{defines}{$value} while exists $code->{defines}{$value};
    $value = $code->{numbers}{$value} if exists $code->{numbers}{$value};
    $value = $1 * $2 if $value =~ /^\((\d+) \* (\d+)\)$/;
    return if $value eq 'NULL';
    return ($1 eq '' ? 'None' : $1) if $value =~ /^"(.*)"$/;
    return "${1}s" if $value =~ /^apr_time_from_sec\((\d+)\)$/;
    return "$code->{limits}{$1} log" if $value =~ /^&(\w+)$/ && $code->{limits}{$1};
    return $value ? 'On' : 'Off' if $command->{takes} eq 'FLAG';
    my $words = words_of($body);
    return $words->[$value] if $words;
    return 'Off' if $value eq '0' && $body =~ /"Off"/;
    return $value / 1024 . 'K' if $body =~ /parse_bytes/ && $value % 1024 == 0;
    return "$value evict" if $body =~ /"evict"/;
    return $value;
}

# The forms of a Syntax cell, each as its arguments.
sub forms {
    my ($directive, $syntax) = @_;
    my @forms;
    for my $form ($syntax =~ /`([^`]*)`/g) {
        $form =~ s/^\Q$directive\E //;
        my ($depth, $quoted, @arguments) = (0, 0, '');
        for my $char (split //, $form) {
            $depth += $char eq '[' ? 1 : $char eq ']' ? -1 : 0;
            $quoted ^= $char eq '"';
            if ($char eq ' ' && !$depth && !$quoted) { push @arguments, '' }
            else { $arguments[-1] .= $char }
        }
        push @forms, \@arguments;
    }
    return @forms;
}

# What is wrong with a Syntax cell, given how many arguments httpd passes and the words that the setter takes.
sub syntax_fault {
    my ($directive, $syntax, $takes, $words) = @_;
    my @forms = forms($directive, $syntax) or return 'no syntax';
    return 'its syntax does not begin with its name' if $syntax !~ /^`\Q$directive\E /;
    my @counts = map { my $form = $_; (scalar(grep { !/^\[/ } @$form), scalar(@$form)) } @forms;
    my ($least, $most) = (sort { $a <=> $b } @counts)[0, -1];
    my $list = $syntax =~ /\.\.\./;
    if ($takes eq 'FLAG') { return $syntax eq "`$directive On|Off`" ? undef : 'takes On or Off' }
    if ($takes eq 'TAKE1') { return 'takes one argument' if $list || $least != 1 || $most != 1 }
    elsif ($takes eq 'TAKE12') { return 'takes one or two arguments' if $list || $least != 1 && $most != 2 || $most > 2 || $most == 1 }
    elsif ($takes eq 'TAKE_ARGV') { return 'takes any number of arguments' if !$list }
    else { return "takes $takes, which this guard does not know" }
    return 'takes ' . join '|', @$words if $words && $syntax ne "`$directive " . join('|', @$words) . '`';
    return;
}

sub context_of {
    my ($code, $command) = @_;
    my $body = $code->{bodies}{ $command->{setter} } // '';
    return 'server config' if $body =~ /GLOBAL_ONLY/;
    return 'server config, virtual host'
        . { RSRC_CONF => '', PLACE => ', directory', FOLDER => ', directory, .htaccess' }->{ $command->{context} };
}

# What the table of a section has in any case.
sub form_fault {
    my ($section) = @_;
    my %rows = %{ $section->{rows} };
    my @order = ('Description', 'Syntax', 'Default', 'Context', ($rows{Context} // '') =~ /htaccess/ ? 'Override' : (),
        'Status', 'Module', 'Compatibility');
    my @rows = grep { $_ ne 'dynamodb-session-flask' } @{ $section->{order} };
    return "its rows are not: @order" if "@rows" ne "@order";
    return 'its status is not External' if $rows{Status} ne 'External';
    return 'its module is not mod_session_dynamodb' if $rows{Module} ne 'mod_session_dynamodb';
    return 'its compatibility is not "since VERSION"' if $rows{Compatibility} !~ /^since \d+\.\d+\.\d+$/;
    return 'it has no example' if !defined $section->{example};
    return 'its example does not show it' if $section->{example} !~ /\b\Q@{[$rows{Syntax} =~ m{^`(\S+(?: session-[\w-]+)?)}]}\E\b/;
    return;
}

# One sentence for each difference; none: the page is right.
sub complaints {
    my ($code, $docs) = @_;
    my %commands = %{ $code->{commands} };
    my @complaints;
    my %seen;
    for my $section (Manual::sections($docs)) {
        my ($directive, $rows) = @$section{qw(name rows)};
        $seen{$directive}++;
        my @faults = form_fault($section);
        if (my $command = $commands{$directive}) {
            push @faults, row_faults($code, $directive, $command, $rows);
        }
        elsif ($directive =~ /^$name$/) { push @faults, 'is not in the code' }
        push @complaints, map { "$directive: $_" } grep { defined } @faults;
    }
    push @complaints, map { "$_: has no section with a table" } grep { !$seen{$_} } sort keys %commands;
    return @complaints;
}

sub row_faults {
    my ($code, $directive, $command, $rows) = @_;
    my $default = default_of($code, $command);
    my ($written) = ($rows->{Default} // '') =~ /^`\Q$directive\E (.*)`$/;
    my $words = words_of($code->{bodies}{ $command->{setter} } // '');
    return (
        ($rows->{Description} // '') eq ucfirst $command->{help} ? undef : "the code describes it as: $command->{help}",
        syntax_fault($directive, $rows->{Syntax} // '', $command->{takes}, $words),
        defined $default ? (($written // '') eq $default ? undef : "its default is $default")
            : defined $written && $written !~ /^(?:None|clear)$/ ? 'it has no default that could be written' : undef,
        ($rows->{Context} // '') eq context_of($code, $command) ? undef : 'its context is ' . context_of($code, $command),
    );
}

1;
