package SessionTest::BackendRecipe;

# The recipes of docs/recipes/, run as they are printed. A page has a line "Adapt to your site: `...`, `...`." with the
# values that its readers replace; only these are replaced here, by the values of the tests, and where the files of
# languages/ are installed.

use strict;
use warnings;

# @...@ is for Apache::Test, or for `filled`.
my %OURS = (
    '127.0.0.1:8000'            => '127.0.0.1:@app_port@',
    '127.0.0.1:9000'            => '127.0.0.1:@fpm_port@',
    '127.0.0.1:8001'            => '127.0.0.1:@uwsgi_port@',
    '/etc/apache2/forward.keys' => '@ServerRoot@/conf/forward.keys',
    '/etc/php-forward.keys'     => '@ServerRoot@/conf/forward.keys',
    '/etc/app-forward.keys'     => '@ServerRoot@/conf/forward.keys',
    '/etc/wsgi-forward.keys'    => '@ServerRoot@/conf/forward.keys',
    '/srv/php'                  => '@ServerRoot@/state/php',
    '/srv/wsgi'                 => '@ServerRoot@/state/wsgi',
);

# The fenced blocks of a language in a page, with ours in place of what is the reader's.
sub blocks {
    my($file, $language) = @_;
    open my $in, '<:raw', $file or die "$file: $!";
    my $page = do { local $/; <$in> };
    my($yours) = $page =~ /^Adapt to your site: (.*)$/m;
    my @yours  = (($yours || '') =~ /`([^`]+)`/g, $page =~ /copy of the keys: `([^`]+)`/);
    my @blocks = $page =~ /^```\Q$language\E\n(.*?)^```$/msg;
    for my $mine (@yours) {
        my $ours = $OURS{$mine} or die "$file: the tests have nothing for $mine\n";
        $page =~ /^```.*?\Q$mine\E.*?^```$/ms or die "$file: no block has $mine\n";
        s/\Q$mine\E/$ours/g for @blocks;
    }
    s{/usr/local/share/mod_session_dynamodb\b}{\@languages\@}g for @blocks;
    return @blocks;
}

# The same with the values of @name@ filled in.
sub filled {
    my($file, $language, %value) = @_;
    return map { s/\@(\w+)\@/exists $value{$1} ? $value{$1} : die "$file: no $1\n"/ger } blocks($file, $language);
}

1;
