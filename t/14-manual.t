# docs/directives.md shows an example of each directive, handler and condition: configtest accepts each in every context
# that the page names, and in no other; and the defaults that it names can be written.

use strict;
use warnings;
use File::Path ();
use File::Temp ();
use POSIX ();
use FindBin;
use lib "$FindBin::Bin/lib";
use SessionTest;
use lib setting('src') . '/build/lib';
use Manual;

same_under_every_mpm();

my $DIR = File::Temp->newdir;
my $KEY = 'an example of a key, which nobody uses';
chomp(my $MODULES = do { my $apxs = setting('apxs'); `$apxs -q LIBEXECDIR` });
# Under prefork, which has no threads, SessionDynamoDBShareReads has no effect and configtest says so.
my @LOAD = map { "LoadModule ${_}_module $MODULES/mod_$_.so" }
    qw(mpm_event authz_core authz_host authz_user authn_core authn_file auth_form request session session_crypto socache_shmcb);

sub file {
    my($path, @text) = @_;
    File::Path::make_path($path =~ s{/[^/]*$}{}r);
    open my $out, '>', $path or die "$path: $!";
    print $out @text;
    close $out or die "$path: $!";
    chmod 0600, $path or die "$path: $!";
    return $path;
}

# What these lines make of configtest: exit status and messages.
sub configtest {
    my $conf = file("$DIR/httpd.conf", map { "$_\n" } @LOAD, 'LoadModule session_dynamodb_module ' . setting('module'),
        "ServerRoot $DIR", 'ServerName localhost', 'Listen 127.0.0.1:1', 'ErrorLog error_log', 'SessionEnv On',
        'SessionHeader X-Replace-Session', @_);
    my $pid = open my $in, '-|';
    defined $pid or die "fork: $!";
    if (!$pid) {
        delete @ENV{grep { /^AWS_/ } keys %ENV};
        @ENV{qw(AWS_REGION AWS_EC2_METADATA_DISABLED)} = ('eu-central-1', 'true');
        open STDERR, '>&', \*STDOUT;
        exec setting('httpd'), '-t', '-f', $conf or die "httpd: $!";
    }
    local $/;
    my $said = <$in>;
    close $in;
    return ($? >> 8, $said);
}

sub accepted {
    my($name, @lines) = @_;
    my($status, $said) = configtest(@lines);
    is $status, 0, $name or diag join "\n", @lines, $said;
    return $said;
}

# The files that an example names are in the test's own directory, and a day that is to come does.
my $TOMORROW = POSIX::strftime('%Y-%m-%d', gmtime(time + 86400));
sub placed {
    my($example) = @_;
    $example =~ s/until=\K\d{4}-\d\d-\d\d/$TOMORROW/g;
    $example =~ s{(?<![\w/])/(?:etc|run|var)/[\w./-]+}{
        my $path = "$DIR$&";
        file($path, "$KEY\n") if $& =~ m{^/etc/};
        File::Path::make_path($path =~ s{/[^/]*$}{}r);
        $path }ge;
    return $example;
}

my @SECTIONS = Manual::sections(Manual::slurp(setting('src') . '/docs/directives.md'));
cmp_ok scalar(@SECTIONS), '>', 70, 'the page has its sections';
my @without = map { $_->{name} } grep { !defined $_->{example} } @SECTIONS;
is_deeply \@without, [], '... each with an example';

# An example that is a section itself can't stand in another one: there, what it has inside.
my(%in, %hosts);
my $inside = qr/\A<(\w+)[^\n]*>\n(.*)^<\/\1>\n\z/ms;
for my $section (@SECTIONS) {
    my $text = placed($section->{example} // next);
    my $flat = $text =~ $inside ? $2 : $text;
    my %in_context = ('server config' => $text, 'virtual host' => $text, directory => $flat,
        '.htaccess' => join '', grep { /^\s*\Q$section->{name}\E\b/ } split /^/, $flat);
    $in{$_}{ $section->{name} } = $in_context{$_} for split /, /, $section->{rows}{Context};
}

note 'In the main configuration, each by itself';
for my $name (sort keys %{ $in{'server config'} }) {
    my $said = accepted $name, $in{'server config'}{$name};
    unlike $said, qr/^.*session_dynamodb:(?:warn|error)/m, '... without a warning';
}

note 'In virtual hosts and sections, all together';
sub each_in { my($context, $before, $after) = @_;
              return map { ($before =~ s/NAME/lc s{\W}{}gr/er, $in{$context}{$_}, $after) } sort keys %{ $in{$context} } }
{
    my $before = "<VirtualHost *:1>\nServerName NAME";
    my @lines = each_in('virtual host', $before, '</VirtualHost>');
    cmp_ok scalar(@lines) / 3, '>', 60, 'directives of virtual hosts';
    accepted '... are accepted there', @lines;
    @lines = each_in('directory', '<Location /NAME>', '</Location>');
    cmp_ok scalar(@lines) / 3, '>', 50, 'directives of sections';
    accepted '... are accepted there', @lines;
}

note 'Where the page does not allow them';
for my $section (@SECTIONS) {
    my $name = $section->{name};
    my $line = join '', grep { /^\s*\Q$name\E\b/ } split /^/, $in{'server config'}{$name} // next;
    my %wrong = (directory => ['<Location />', $line, '</Location>'],
        'virtual host' => ['<VirtualHost *:1>', $line, '</VirtualHost>']);
    for my $context (grep { !$in{$_}{$name} } sort keys %wrong) {
        my($status, $said) = configtest(@{ $wrong{$context} });
        ok $status && $said =~ /\Q$name\E (?:not allowed (?:here|in <)|cannot occur within)/,
            "$name is refused, context $context" or diag $said;
    }
}

note 'In .htaccess files';
mkdir "$SessionTest::T/htdocs/htaccess/manual";
for my $name (sort keys %{ $in{'.htaccess'} }) {
    my $folder = '/htaccess/manual/' . lc $name =~ s/\W//gr;
    mkdir "$SessionTest::T/htdocs$folder" or die "$folder: $!";
    file("$SessionTest::T/htdocs$folder/.htaccess", $in{'.htaccess'}{$name});
    chmod 0644, "$SessionTest::T/htdocs$folder/.htaccess";
    expect_log qr/session:warn.*AH01815: session is enabled but no session modules|authz_core|AH01630/;
    isnt get("$folder/")->status, 500, "$name in .htaccess";
}

note 'Defaults';
{
    my @lines = map { $_->{rows}{Default} =~ /^`(SessionDynamoDB[^`]*)`$/ ? $1 : () } @SECTIONS;
    cmp_ok scalar(@lines), '>', 55, 'defaults that are written as directives';
    unlike accepted('... can be written so, all together', @lines), qr/session_dynamodb:/, '... without a warning';
}

done();
