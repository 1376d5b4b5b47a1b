# The manual in HTML, as a browser shows it: from a telephone's width to a wide screen, light and dark, and by keys alone.

use strict;
use warnings;
use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use SessionTest::Browser;

same_under_every_mpm();
plan skip_all => 'no Chromium (Debian: chromium; or name the program in CHROMIUM)' if !SessionTest::Browser->program;
my $DIR = File::Temp->newdir;
my $MANUAL = setting('src') . '/build/manual';
plan skip_all => 'nothing that makes HTML (Debian: cmark-gfm)' if system("'$MANUAL' html '$DIR' >/dev/null 2>&1") != 0;

my $BROWSER = SessionTest::Browser->start;
sub page { return $BROWSER->open("file://$DIR/$_[0]") }

note 'No page is wider than the screen: what is, such as tables and code, scrolls by itself';
my @pages = map { substr $_, 1 + length $DIR } glob "$DIR/*.html $DIR/recipes/*.html";
cmp_ok scalar(@pages), '>', 30, 'pages';
for my $width (320, 1400) {
    $BROWSER->size($width, 800);
    my @wide = grep { page($_); $BROWSER->value('document.documentElement.scrollWidth') > $width } @pages;
    is "@wide", '', "... fit into $width pixels";
}

note 'The list of pages';
sub shown { my($selector) = @_;
            return $BROWSER->value("getComputedStyle(document.querySelector('$selector')).display") ne 'none' }
page('cost.html');
ok shown('nav.wide') && !shown('nav.narrow'), 'stands beside the text where there is room';
$BROWSER->size(320, 800);
ok !shown('nav.wide') && shown('nav.narrow'), '... and folded above it where there is none';

note 'By keys';
page('cost.html');
$BROWSER->press('Tab');
is $BROWSER->value('document.activeElement.textContent'), 'Skip to the text', 'the first key leads past the list of pages';
$BROWSER->press('Enter');
is $BROWSER->value('location.hash'), '#content', '... to the text';
page('cost.html');
$BROWSER->press('Tab', 'Tab', 'Tab', 'Enter');
ok $BROWSER->value('document.querySelector("nav.narrow details").open'), 'keys unfold the list';

note 'Light and dark';
my %back;
for my $scheme (qw(light dark)) {
    $BROWSER->media('prefers-color-scheme' => $scheme);
    page('directives.html');
    $back{$scheme} = $BROWSER->value('getComputedStyle(document.body).backgroundColor');
}
is_deeply \%back, { light => 'rgb(255, 255, 255)', dark => 'rgb(13, 17, 23)' }, 'the page follows the reader\'s choice';
is_deeply [$BROWSER->complaints], [], 'the browser complains about nothing';

$BROWSER->stop;
done();
