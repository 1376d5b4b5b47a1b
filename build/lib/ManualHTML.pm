# docs/ as HTML: what cmark makes of each page, within a frame with the list of all pages, and with links that lead to
# other pages of the same tree. A file of the project that a page links to becomes a page below project/.
package ManualHTML;
use strict;
use warnings;
use File::Basename qw(dirname basename);
use File::Copy ();
use File::Find ();
use File::Path qw(make_path);
use File::Spec;
use Manual;

my $STYLE = 'docs/manual.css';
my %SAFE = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;');

sub escaped { return $_[0] =~ s/([&<>"])/$SAFE{$1}/gr }

sub plain {
    my ($html) = @_;
    $html =~ s/<[^>]*>//g;
    my %char = reverse %SAFE;
    return $html =~ s/(&(?:amp|lt|gt|quot);)/$char{$1}/gr;
}

# docs/a.md is a.html, docs/recipes/README.md is recipes/index.html, conf/a.conf is project/conf/a.conf.html.
sub output_of {
    my ($source) = @_;
    my $path = $source;
    $path =~ s{^docs/}{} or $path = "project/$path";
    return $path if $path =~ /\.(?:svg|png)$/;
    $path =~ s{\.md$}{} if $path =~ /\.md$/;
    $path =~ s{(^|/)README$}{$1index} if $source =~ /^docs/;
    return "$path.html";
}

# Two paths from the top: the second as a page of the first has to write it.
sub relative {
    my ($from, $to) = @_;
    return File::Spec->abs2rel("/$to", '/' . dirname($from));
}

# A link of a page, as a path from the top.
sub target_of {
    my ($source, $link) = @_;
    my @parts;
    for (split m{/}, dirname($source) . "/$link") {
        if    ($_ eq '..')            { pop @parts }
        elsif ($_ ne '.' && $_ ne '') { push @parts, $_ }
    }
    return join '/', @parts;
}

# What makes HTML of a page: cmark-gfm, or the same library in Python, which EPEL has for RHEL; none: there is neither.
my $PYTHON = <<'END';
import sys
import cmarkgfm
from cmarkgfm.cmark import Options
if len(sys.argv) > 1:
    sys.stdout.buffer.write(cmarkgfm.markdown_to_html_with_extensions(open(sys.argv[1], encoding="utf-8").read(),
        options=Options.CMARK_OPT_UNSAFE, extensions=["table", "strikethrough"]).encode("utf-8"))
END

sub converter {
    my @found = grep { system("@{$_->[0]} >/dev/null 2>&1") == 0 }
        [['cmark-gfm', '--version'], [qw(cmark-gfm -e table -e strikethrough -t html --unsafe)]],
        [['python3', '-c', "'$PYTHON'"], ['python3', '-c', $PYTHON]];
    return @found ? @{ $found[0][1] } : ();
}

sub cmark {
    my ($file, @converter) = @_;
    open my $in, '-|:encoding(UTF-8)', @converter, $file or die "$converter[0]: $!\n";
    local $/;
    my $html = <$in>;
    close $in or die "$converter[0] failed for $file\n";
    return $html;
}

sub text_page {
    my ($file) = @_;
    return '<h1>' . escaped(basename($file)) . "</h1>\n<pre tabindex=\"0\"><code>" . escaped(Manual::slurp($file)) . "</code></pre>\n";
}

# --- one page ---------------------------------------------------------------------------------------------------------

sub with_anchors {
    my ($html, $headings) = @_;
    my %seen;
    $html =~ s{<h([1-6])>(.*?)</h\1>}{
        my ($level, $inner) = ($1, $2);
        my $id = Manual::anchor(plain($inner));
        my $again = $seen{$id}++;
        $id .= "-$again" if $again;
        push @$headings, { level => $level, id => $id, html => $inner };
        qq(<h$level id="$id">$inner</h$level>) }ges;
    return $html;
}

# Tables scroll by themselves; those without a head are a list of facts, whose first cells are the heads of their rows.
sub with_tables {
    my ($html) = @_;
    my $count = 0;
    $html =~ s{<table>(.*?)</table>}{
        my $table = $1;
        my $facts = $table =~ s{<thead>\s*<tr>\s*(?:<th[^>]*></th>\s*)+</tr>\s*</thead>\s*}{};
        $table =~ s{<tr>\s*<td>(.*?)</td>}{<tr>\n<th scope="row">$1</th>}gs if $facts;
        $table =~ s{<th[^>]*></th>}{<td></td>}g;
        $table =~ s{<th(?=>| align)}{<th scope="col"}g;
        $table =~ s{ align="(\w+)"}{ class="$1"}g;
        $facts ? qq(<table class="facts">$table</table>)
               : qq(<div class="scroll" role="region" tabindex="0" aria-label="Table ${\++$count}">\n<table>$table</table>\n</div>) }ges;
    return $html;
}

# A directive that the text names, outside of links, headings and code, is a link to its section.
sub with_directives {
    my ($html, $from, $known) = @_;
    my ($depth, $result) = (0, '');
    my $page = relative($from, 'directives.html');
    for my $part (split /(<[^>]*>)/, $html) {
        if    ($part =~ m{^<(?:a|h\d|code|pre)\b})  { $depth++ }
        elsif ($part =~ m{^</(?:a|h\d|code|pre)>})  { $depth-- }
        elsif ($part !~ /^</ && !$depth) {
            $part =~ s{\b(SessionDynamoDB[A-Za-z]+)\b}{$known->{$1} ? qq(<a href="$page#${\lc $1}">$1</a>) : $1}ge;
        }
        $result .= $part;
    }
    return $result;
}

# Long names may go on in the next line, behind the prefix that all of them have.
sub with_breaks {
    my ($html) = @_;
    my ($depth, $result) = (0, '');
    for my $part (split /(<[^>]*>)/, $html) {
        if    ($part =~ m{^<(?:title|code|pre)\b}) { $depth++ }
        elsif ($part =~ m{^</(?:title|code|pre)>}) { $depth-- }
        elsif ($part !~ /^</ && !$depth)           { $part =~ s/\bSessionDynamoDB(?=[A-Z])/SessionDynamoDB<wbr>/g }
        $result .= $part;
    }
    return $result;
}

# Links to files of the project lead to their pages; where the name of a file is all that a link says, to their titles.
sub with_links {
    my ($html, $source, $pages) = @_;
    my $from = output_of($source);
    $html =~ s{<a href="([^"]*)">(.*?)</a>}{
        my ($link, $text) = ($1, $2);
        my ($path, $anchor) = $link =~ /^([^#]*)(#.*)?$/;
        my $to = $path =~ m{^[a-z]+:} || $path eq '' ? undef : $pages->{ target_of($source, $path) };
        $text = $to->{title} if $to && $text eq $path && $path =~ /\.md$/;
        my $href = $to ? relative($from, $to->{output}) . ($anchor // '') : $link;
        qq(<a href="$href">$text</a>) }ges;
    $html =~ s{<img src="([^"]*)"}{qq(<img src="@{[relative($from, output_of(target_of($source, $1)))]}")}ge;
    return $html;
}

# --- the frame --------------------------------------------------------------------------------------------------------

# The pages by subject, as docs/README.md lists them: [heading, [sources]].
sub groups {
    my ($pages) = @_;
    my @groups = (['', ['docs/README.md']]);
    for my $line (split /\n/, Manual::slurp('docs/README.md')) {
        push @groups, [$1, []] if $line =~ /^\*\*([^*]+)\*\*/;
        push @{ $groups[-1][1] }, grep { $pages->{$_} } map { target_of('docs/README.md', $_) } $line =~ /\]\(([^)#]+)\)/g
            if @groups > 1;
    }
    my @recipes = sort grep { m{^docs/recipes/(?!README)} } keys %$pages;
    my ($how_to) = grep { grep { $_ eq 'docs/recipes/README.md' } @{ $_->[1] } } @groups;
    push @{ $how_to->[1] }, @recipes if $how_to;
    my %listed;
    @{ $_->[1] } = grep { !$listed{$_}++ } @{ $_->[1] } for @groups;
    push @groups, ['Further', [grep { !$listed{$_} } sort keys %$pages]];
    return grep { @{ $_->[1] } } @groups;
}

sub contents {
    my ($page) = @_;
    my @entries = map { qq(<li><a href="#$_->{id}">) . plain_code($_->{html}) . '</a></li>' }
        grep { $_->{level} == 2 } @{ $page->{headings} };
    return @entries ? "<ul>\n" . join("\n", @entries) . "\n</ul>" : '';
}

sub plain_code { return $_[0] =~ s{</?(?:a|code)\b[^>]*>}{}gr }

# The list of pages. $beside: as it is beside the text, with what the page has, and without recipes where none is shown.
sub page_list {
    my ($page, $pages, $groups, $beside) = @_;
    my $recipe = qr{^docs/recipes/(?!README)};
    my $all = !$beside || $page->{source} =~ m{^docs/recipes/};
    my $html = '';
    for my $group (@$groups) {
        $html .= "<p>$group->[0]</p>\n" if $group->[0] ne '';
        $html .= "<ul>\n";
        for my $source (grep { $all || !/$recipe/ } @{ $group->[1] }) {
            my $to = $pages->{$source};
            my $here = $to == $page;
            $html .= sprintf "<li%s><a href=\"%s\"%s>%s</a>%s</li>\n", $source =~ $recipe ? ' class="recipe"' : '',
                relative($page->{output}, $to->{output}), $here ? ' aria-current="page"' : '', $to->{title},
                $here && $beside ? contents($page) : '';
        }
        $html .= "</ul>\n";
    }
    return $html;
}

sub framed {
    my ($page, $pages, $groups, $version) = @_;
    my ($contents, $top, $style) = (contents($page), map { relative($page->{output}, $_) } 'index.html', 'manual.css');
    my $title = $page->{output} eq 'index.html' ? 'mod_session_dynamodb: documentation' : "$page->{title}: mod_session_dynamodb";
    my $here = $contents ? "<details>\n<summary>On this page</summary>\n$contents\n</details>\n" : '';
    return <<"END";
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="stylesheet" href="$style">
</head>
<body>
<a class="skip" href="#content">Skip to the text</a>
<header>
<a href="$top">mod_session_dynamodb</a>
<span>Version $version, for Apache HTTP Server 2.4</span>
</header>
<nav class="narrow" aria-label="Manual">
<details>
<summary>All pages</summary>
${\page_list($page, $pages, $groups, 0)}</details>
$here</nav>
<div class="page">
<nav class="wide" aria-label="Manual">
${\page_list($page, $pages, $groups, 1)}</nav>
<main id="content">
$page->{html}</main>
</div>
<footer>mod_session_dynamodb $version. Licence: Apache License, version 2.0.</footer>
</body>
</html>
END
}

# --- all pages --------------------------------------------------------------------------------------------------------

# Every page of docs/, and what they link to: source -> { source, output, raw HTML, title }.
sub collect {
    my @converter = @_;
    my @queue;
    File::Find::find({ no_chdir => 1, wanted => sub { push @queue, $_ if /\.md$/ } }, 'docs');
    my (%pages, %images);
    while (defined(my $source = shift @queue)) {
        next if $pages{$source};
        my $html = $source =~ /\.md$/ ? cmark($source, @converter) : text_page($source);
        my ($title) = $html =~ m{<h1>(.*?)</h1>}s;
        $pages{$source} = { source => $source, output => output_of($source), html => $html,
            title => plain_code($title // escaped(basename($source))) };
        next if $source !~ /\.md$/;
        for my $link (grep { !/^[a-z]+:|^#/ } $html =~ /<a href="([^"]*)"/g) {
            my $path = target_of($source, $link =~ s/#.*//r);
            die "$source: there is no $link\n" if !-e $path;
            push @queue, $path if -f $path;
        }
        $images{ target_of($source, $_) } = 1 for grep { !/^[a-z]+:/ } $html =~ /<img src="([^"]*)"/g;
    }
    return (\%pages, [sort keys %images]);
}

sub version { return Manual::slurp('src/base/ddb_version.h') =~ /DDB_VERSION "([^"]+)"/ ? $1 : die "no version\n" }

sub write_all {
    my ($dir) = @_;
    my @converter = converter();
    if (!@converter) {
        print STDERR "Nothing here makes HTML of docs/*.md: install cmark-gfm (Debian, Ubuntu) or python3-cmarkgfm (EPEL, for "
            . "RHEL and similar systems). Without it, the pages are readable as they are.\n";
        return 1;
    }
    my ($pages, $images) = collect(@converter);
    my @groups = groups($pages);
    my %known = map { $_->{name} => 1 } Manual::sections(Manual::slurp('docs/directives.md'));
    for my $page (values %$pages) {
        $page->{html} =~ s/<!--.*?-->\n?//gs if $page->{source} =~ /\.md$/;
        $page->{html} = with_anchors($page->{html}, $page->{headings} = []);
        next if $page->{source} !~ /\.md$/;
        $page->{html} = with_links(with_tables($page->{html}), $page->{source}, $pages);
        $page->{html} = with_directives($page->{html}, $page->{output}, \%known);
        $page->{html} =~ s/<pre>/<pre tabindex="0">/g;
    }
    for my $page (values %$pages) {
        make_path(dirname("$dir/$page->{output}"));
        Manual::spurt("$dir/$page->{output}", with_breaks(framed($page, $pages, \@groups, version())));
    }
    for my $image (@$images) {
        make_path(dirname("$dir/" . output_of($image)));
        File::Copy::copy($image, "$dir/" . output_of($image)) or die "$image: $!\n";
    }
    File::Copy::copy($STYLE, "$dir/manual.css") or die "$STYLE: $!\n";
    return 0;
}

1;
