# What is wrong with the manual, as written and in HTML: one sentence for each fault. Files are given as texts by their
# paths, so that build/check-manual can show that each kind of fault is found.
package ManualCheck;
use strict;
use warnings;
use File::Basename qw(dirname);
use Manual;

# A link, as a path from the top.
sub resolved {
    my ($file, $link) = @_;
    my @parts;
    for (split m{/}, dirname($file) . "/$link") {
        if    ($_ eq '..')            { pop @parts }
        elsif ($_ ne '.' && $_ ne '') { push @parts, $_ }
    }
    return join '/', @parts;
}

# --- as written -------------------------------------------------------------------------------------------------------

sub without_code {
    my ($text) = @_;
    $text =~ s/^```.*?^```$//gms;
    $text =~ s/^(?: {4}|\t).*$//gm if $text !~ /^(?:[-*]|\d+\.) .*\n\n? {4}/m;
    return $text =~ s/`[^`\n]*`//gr;
}

sub anchors {
    my ($text) = @_;
    my (%anchors, %seen);
    $text =~ s/^```.*?^```$//gms;
    for my $heading ($text =~ /^#{1,6} +(.*?) *$/gm) {
        my $anchor = Manual::anchor($heading =~ s/`//gr);
        my $again = $seen{$anchor}++;
        $anchors{ $again ? "$anchor-$again" : $anchor } = 1;
    }
    return \%anchors;
}

# $exists->(path): whether the project has this file or folder.
sub written {
    my ($pages, $exists) = @_;
    my (@faults, %leads_to);
    my %anchors = map { $_ => anchors($pages->{$_}) } keys %$pages;
    for my $page (sort keys %$pages) {
        for my $link (without_code($pages->{$page}) =~ /\]\(([^)\s]+)\)/g) {
            next if $link =~ /^[a-z]+:/;
            my ($path, $anchor) = $link =~ /^([^#]*)(?:#(.*))?$/;
            my $to = $path eq '' ? $page : resolved($page, $path);
            $leads_to{$page}{$to} = 1;
            push @faults, "$page: $link leads to no file" if !$exists->($to);
            push @faults, "$page: $link leads to no heading" if defined $anchor && $anchors{$to} && !$anchors{$to}{$anchor};
        }
    }
    my @queue = ('docs/README.md');
    my %reached;
    while (defined(my $page = shift @queue)) {
        push @queue, keys %{ $leads_to{$page} || {} } if !$reached{$page}++;
    }
    push @faults, map { "$_: no link from docs/README.md leads there" } grep { m{^docs/} && !$reached{$_} } sort keys %$pages;
    return @faults;
}

# --- in HTML ----------------------------------------------------------------------------------------------------------

sub ids { my %ids; $ids{$_}++ for $_[0] =~ /\bid="([^"]*)"/g; return \%ids }

sub page_faults {
    my ($html) = @_;
    my @faults;
    push @faults, 'no language' if $html !~ /<html lang="en">/;
    push @faults, 'no title' if $html !~ m{<title>[^<]+</title>};
    push @faults, 'no width for small screens' if $html !~ /<meta name="viewport" content="width=device-width/;
    push @faults, 'no way past the list of pages' if $html !~ /<body>\s*<a class="skip" href="#content">/;
    push @faults, 'the list of pages does not say which one this is' if 2 != (() = $html =~ /aria-current="page"/g);
    my @levels = $html =~ /<h([1-6])\b/g;
    push @faults, 'not one h1, first of all' if !@levels || $levels[0] != 1 || 1 != grep { $_ == 1 } @levels;
    push @faults, "a heading of level $levels[$_] below one of $levels[$_ - 1]"
        for grep { $levels[$_] > $levels[ $_ - 1 ] + 1 } 1 .. $#levels;
    push @faults, 'an image without a description' if $html =~ /<img (?![^>]*\balt="[^"]+")/;
    push @faults, 'something of another server' if $html =~ /<(?:img|script|iframe|source|video)\b[^>]*\bsrc="[a-z]*:?\/\//
        || $html =~ /<link\b[^>]*href="[a-z]+:/;
    push @faults, 'a script' if $html =~ /<script|\bon[a-z]+="|javascript:/;
    push @faults, 'the head of a column or a row that does not say which' if $html =~ /<th(?![^>]*\bscope=)[ >]/;
    push @faults, 'code that keys cannot scroll' if $html =~ /<pre>/;
    my $ids = ids($html);
    push @faults, map { "the anchor $_ twice" } grep { $ids->{$_} > 1 } sort keys %$ids;
    return @faults;
}

# $files: the HTML pages by their paths, and all other files.
sub html {
    my ($files) = @_;
    my @faults;
    my %ids = map { /\.html$/ ? ($_ => ids($files->{$_})) : () } keys %$files;
    for my $page (sort grep { /\.html$/ } keys %$files) {
        my $html = $files->{$page};
        push @faults, map { "$page: $_" } page_faults($html);
        for my $link ($html =~ /\b(?:href|src)="([^"]*)"/g) {
            next if $link =~ m{^(?:https?|mailto):};
            my ($path, $anchor) = $link =~ /^([^#]*)(?:#(.*))?$/;
            my $to = $path eq '' ? $page : resolved($page, $path);
            if (!exists $files->{$to}) { push @faults, "$page: $link leads to no page" }
            elsif (defined $anchor && !$ids{$to}{$anchor}) { push @faults, "$page: $link leads to no anchor" }
        }
    }
    return @faults;
}

# --- colours ----------------------------------------------------------------------------------------------------------

sub luminance {
    my ($colour) = @_;
    my @parts = map { my $c = hex($_) / 255; $c <= 0.04045 ? $c / 12.92 : (($c + 0.055) / 1.055)**2.4 } $colour =~ /([0-9a-f]{2})/g;
    return 0.2126 * $parts[0] + 0.7152 * $parts[1] + 0.0722 * $parts[2];
}

# The contrast of two colours, as WCAG 2.2 defines it.
sub contrast {
    my ($light, $dark) = sort { $b <=> $a } map { luminance($_) } @_;
    return ($light + 0.05) / ($dark + 0.05);
}

# Each colour of text on each background, light and dark: 4.5 or more (WCAG 2.2, AA).
sub style {
    my ($css) = @_;
    my ($light, $dark) = $css =~ /^:root \{(.*?)\}.*?prefers-color-scheme: dark\) \{\s*:root \{(.*?)\}/ms or return 'no two sets of colours';
    my @faults;
    push @faults, 'something of another server' if $css =~ /\@import|url\(/;
    for (['light', $light], ['dark', $dark]) {
        my ($name, %colour) = ($_->[0], $_->[1] =~ /--(\w+): (#[0-9a-f]{6});/g);
        for my $text (qw(text muted link visited)) {
            for my $back (qw(back raised)) {
                my $found = contrast(@colour{$text, $back});
                push @faults, sprintf '%s: %s on %s has a contrast of %.1f', $name, $text, $back, $found if $found < 4.5;
            }
        }
    }
    return @faults;
}

1;
