# docs/directives.md as data: its sections, the table at the head of each, its example; and the overview made of them.
package Manual;
use strict;
use warnings;

sub slurp {
    my ($file) = @_;
    open my $in, '<:encoding(UTF-8)', $file or die "$file: $!\n";
    local $/;
    return scalar <$in>;
}

sub spurt {
    my ($file, $text) = @_;
    open my $out, '>:encoding(UTF-8)', $file or die "$file: $!\n";
    print $out $text;
    close $out or die "$file: $!\n";
    return;
}

# The anchor of a heading, as GitHub makes it: lower case, blanks become hyphens, other punctuation goes.
sub anchor {
    my ($heading) = @_;
    $heading =~ s/\[([^\]]*)\]\([^)]*\)/$1/g;
    $heading = lc $heading;
    $heading =~ s/[^\w\- ]//g;
    $heading =~ s/ /-/g;
    return $heading;
}

# The sections with a table, in order: { name, rows => { Description => ..., ... }, order => [names of rows],
# example => text or undef }. Cells are as written, without the backslash before a bar.
sub sections {
    my ($text) = @_;
    my @found;
    for my $part (split /^(?=## )/m, $text) {
        my ($name, $table) = $part =~ /\A## ([^\n]+)\n\n\| \| \|\n\| --- \| --- \|\n((?:\|[^\n]*\n)+)/ or next;
        my %section = (name => $name, rows => {}, order => []);
        while ($table =~ /^\| (.*?) \| (.*) \|$/gm) {
            my ($row, $cell) = ($1, $2);
            $cell =~ s/\\\|/|/g;
            $section{rows}{$row} = $cell;
            push @{ $section{order} }, $row;
        }
        ($section{example}) = $part =~ /^\*\*Example\*\*[^\n]*\n(?:[^\n]+\n)*\n((?:    [^\n]*\n|\n(?=    ))+)/m;
        $section{example} =~ s/^ {4}//gm if defined $section{example};
        push @found, \%section;
    }
    return @found;
}

# The indented blocks of a page, without their indent.
sub blocks {
    my ($text) = @_;
    return map { s/^ {4}//gmr } $text =~ /^\n((?: {4}[^\n]*\n|\n(?= {4}))+)/gm;
}

my $BEGIN = "<!-- tables: build/manual writes them from the sections below -->\n";
my $END = "<!-- end of tables -->\n";

sub cell {
    my ($text) = @_;
    $text =~ s/\|/\\|/g;
    return $text;
}

# `SessionDynamoDBTimeout 2s` is `2s` where the name stands in the same line; of several sources, the first is named.
sub short_default {
    my ($section) = @_;
    my $default = $section->{rows}{Default};
    $default =~ s/^`\Q$section->{name}\E ([^`]*)`$/`$1`/ or $default =~ s/^([^,:;]*)[,:;] .*/$1 .../;
    $default =~ s/^none \.\.\.$/none/;
    return $default;
}

sub where {
    my ($context) = @_;
    my $where = $context !~ /directory/ ? 'server' : $context =~ /server/ ? 'everywhere' : 'sections';
    return $where . ($context =~ /htaccess/ ? ', .htaccess' : '');
}

sub link_to {
    my ($name) = @_;
    return "[$name](#" . anchor($name) . ')';
}

sub overview {
    my @sections = @_;
    my $text = "| name | what it is | default | where |\n| --- | --- | --- | --- |\n";
    for my $section (@sections) {
        my $rows = $section->{rows};
        $text .= '| ' . join(' | ', link_to($section->{name}), map { cell($_) } $rows->{Description},
            short_default($section), where($rows->{Context})) . " |\n";
    }
    $text .= "\nSettings of dynamodb-session-flask, whose table, settings and session IDs these directives follow:\n\n"
        . "| dynamodb-session-flask | directive |\n| --- | --- |\n";
    for my $section (grep { $_->{rows}{'dynamodb-session-flask'} } @sections) {
        $text .= '| ' . cell($section->{rows}{'dynamodb-session-flask'}) . ' | ' . link_to($section->{name}) . " |\n";
    }
    return $text;
}

# The page with its overview written anew.
sub with_tables {
    my ($text) = @_;
    my $tables = overview(sections($text));
    $text =~ s/\Q$BEGIN\E.*?\Q$END\E/$BEGIN\n$tables\n$END/s or die "docs/directives.md has no place for its tables\n";
    return $text;
}

1;
