package SessionTest::Browser;

# A real browser: Chromium, headless, with a profile of its own, told what to do by the DevTools protocol over two pipes
# (its descriptors 3 and 4; each message is JSON and ends with a NUL). No network: only hosts of this machine exist.
#
#   my $browser = SessionTest::Browser->start;
#   $browser->open('https://127.0.0.1:1234/');            # until the page is loaded
#   $browser->press('Tab', 'Enter');                      # keys by name, anything else as text
#   $browser->arrives(sub { $browser->press('Enter') });  # until the page is loaded that this leads to
#   $browser->value('document.title');                    # what JavaScript in the page gives
#   $browser->stop;                                       # and nothing is left; done at the end of the file, too
#
# Each wait is limited, and the end of the browser ends it with an error.

use strict;
use warnings;

use Cwd ();
use Fcntl qw(F_DUPFD);
use File::Path ();
use File::Temp ();
use IO::Select ();
use JSON::PP ();
use MIME::Base64 ();
use POSIX ();
use Time::HiRes ();

use SessionTest ();
use SessionTest::Log ();

my $PATIENCE = 30;   # seconds until an answer or a page
my $JSON = JSON::PP->new->utf8->canonical->allow_nonref;
my %STARTED;         # by process number: the directories of each

my %KEY = (
    Tab    => { code => 'Tab', windowsVirtualKeyCode => 9 },
    Enter  => { code => 'Enter', windowsVirtualKeyCode => 13, text => "\r" },
    Space  => { key => ' ', code => 'Space', windowsVirtualKeyCode => 32, text => ' ' },
    Escape => { code => 'Escape', windowsVirtualKeyCode => 27 },
);

# The program; undef without one. CHROMIUM names another. Snap's is confined to files that are not ours.
sub program {
    for my $file ($ENV{CHROMIUM}, map { ("$_/chromium", "$_/google-chrome") } split /:/, $ENV{PATH}) {
        return $file if defined $file && -f $file && -x _ && Cwd::realpath($file) !~ m{/snap$};
    }
    return;
}

# --- its life ---------------------------------------------------------------------------------------------------------

# With the test's certificate as the one that is trusted, whatever name it is for. Preferences are those of its profile:
# preferences => { profile => { cookie_controls_mode => 0 } }. Features are those that it would not have by default:
# features => ['DeviceBoundSessions:RefreshQuota/false']. profile => DIRECTORY is used as it is, and left.
sub start {
    my($class, %option) = @_;
    my $program = program() or die "no Chromium\n";
    my $profile = $option{profile} || File::Temp::tempdir("$SessionTest::T/state/browser-XXXXXX");
    _prefer($profile, $option{preferences}) if $option{preferences};
    # It puts a socket there, whose path has to be short.
    my $short = File::Temp::tempdir('/tmp/browser-XXXXXX');
    pipe my $its_in, my $out or die "pipe: $!";
    pipe my $in, my $its_out or die "pipe: $!";
    my $pid = fork;
    defined $pid or die "fork: $!";
    _become($program, $profile, $short, $its_in, $its_out, $option{features}) if !$pid;

    my $self = bless { pid => $pid, in => $in, out => $out, buffer => '', id => 0, answers => {},
        loads => 0, complaints => [], extra => {} }, $class;
    $STARTED{$pid} = [$option{profile} ? () : $profile, $short];
    $self->{version} = $self->ask('Browser.getVersion')->{product};
    my $target = $self->ask('Target.createTarget', url => 'about:blank')->{targetId};
    $self->{session} = $self->ask('Target.attachToTarget', targetId => $target, flatten => JSON::PP::true)->{sessionId};
    $self->ask("$_.enable") for qw(Page Network Runtime Log Audits);
    # Keys go to the page although there is no window.
    $self->ask('Emulation.setFocusEmulationEnabled', enabled => JSON::PP::true);
    $self->{frame} = $self->ask('Page.getFrameTree')->{frameTree}{frame}{id};
    return $self;
}

sub _prefer {
    my($profile, $preferences) = @_;
    File::Path::make_path("$profile/data/Default");
    CORE::open(my $out, '>', "$profile/data/Default/Preferences") or die "$profile: $!";
    print $out $JSON->encode($preferences);
    close $out or die "$profile: $!";
    return;
}

sub version { return $_[0]{version} =~ s{^\w*Chrome/}{}r }

sub _become {
    my($program, $profile, $short, $in, $out, $features) = @_;
    my @command = ($program, '--headless=new', "--user-data-dir=$profile/data", '--remote-debugging-pipe',
        # All pages are those of the tests, and containers often lack what the sandbox needs.
        '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-crash-reporter',
        '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-extensions',
        '--disable-default-apps', '--force-color-profile=srgb', '--password-store=basic', '--lang=en',
        '--no-proxy-server', '--host-resolver-rules=MAP *.test 127.0.0.1, MAP localhost 127.0.0.1, '
        . 'MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
        '--ignore-certificate-errors-spki-list=' . _key_digest(),
        $features ? '--enable-features=' . join(',', @$features) : (), 'about:blank');
    my %env = (HOME => $profile, TMPDIR => $short, XDG_CONFIG_HOME => $profile, XDG_CACHE_HOME => $profile);
    # A group of its own: whatever it starts can be ended with it.
    setpgrp 0, 0;
    # Out of the way first: either pipe may have the other's place.
    my($high_in, $high_out) = map { fcntl $_, F_DUPFD, 20 } $in, $out;
    POSIX::dup2($high_in, 3);
    POSIX::dup2($high_out, 4);
    POSIX::close($_) for $high_in, $high_out;
    open STDIN,  '<', '/dev/null';
    open STDOUT, '>>', "$SessionTest::T/logs/browser_log";
    open STDERR, '>&', \*STDOUT;
    delete @ENV{qw(DISPLAY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS)};
    @ENV{keys %env} = values %env;
    { no warnings 'exec'; exec { $command[0] } @command }
    POSIX::_exit(127);
}

# SHA-256 of the certificate's public key, in base64.
sub _key_digest {
    my $digest = `openssl x509 -in '$SessionTest::T/conf/tls.crt' -noout -pubkey | openssl pkey -pubin -outform der \\
        | openssl dgst -sha256 -binary | openssl base64`;
    chomp $digest;
    return $digest;
}

sub stop {
    my $self = shift;
    return if !$STARTED{ $self->{pid} };
    eval { $self->_send('Browser.close') };
    close $self->{in};
    close $self->{out};
    return _end($self->{pid});
}

# The process ends, by itself or not, then those that it started and left, and its files go. Until it is waited for
# nobody else can have its number, which is also that of the group.
sub _end {
    my $pid = shift;
    my $started = delete $STARTED{$pid} or return;
    for my $signal (0, 'TERM', 'KILL') {
        kill $signal => $pid if $signal;
        last if SessionTest::eventually(sub { _state($pid) eq 'Z' });
    }
    kill KILL => -$pid;
    waitpid $pid, 0;
    SessionTest::eventually(sub { !processes_of($pid) });
    File::Path::remove_tree(@$started);
    return;
}

sub _state { return SessionTest::Log::slurp("/proc/$_[0]/stat") =~ /^\d+ \(.*\) (\w)/s ? $1 : 'Z' }

# Those of a group.
sub processes_of {
    my $group = shift;
    return grep { SessionTest::Log::slurp("/proc/$_/stat") =~ /^\d+ \(.*\) [^Z] \d+ $group /s }
        map { m{(\d+)$} } glob '/proc/[0-9]*';
}

# Also of a test that is told to end.
for my $signal (qw(INT TERM HUP)) {
    $SIG{$signal} ||= sub { exit 1 };
}

END {
    my $status = $?;
    _end($_) for keys %STARTED;
    $? = $status;
}

# --- the protocol -----------------------------------------------------------------------------------------------------

# ask('Domain.method', name => value, ...): the result. Values are numbers, texts, and JSON::PP::true and false.
sub ask {
    my($self, $method, %params) = @_;
    my $id = $self->_send($method, %params);
    $self->wait_for(sub { $self->{answers}{$id} }, "no answer to $method");
    my $answer = delete $self->{answers}{$id};
    die "$method: $answer->{error}{message}\n" if $answer->{error};
    return $answer->{result};
}

sub _send {
    my($self, $method, %params) = @_;
    my $message = { id => ++$self->{id}, method => $method, params => \%params };
    $message->{sessionId} = $self->{session} if $self->{session} && $method !~ /^(?:Browser|Target|Storage)\./;
    my $bytes = $JSON->encode($message) . "\0";
    local $SIG{PIPE} = 'IGNORE';
    my $at = 0;
    while ($at < length $bytes) {
        my $n = syswrite $self->{out}, $bytes, length($bytes) - $at, $at;
        defined $n or die "$method: " . $self->_death;
        $at += $n;
    }
    return $self->{id};
}

# Read on until it is so.
sub wait_for {
    my($self, $condition, $otherwise) = @_;
    my $deadline = Time::HiRes::time() + $PATIENCE * SessionTest::setting('slow');
    until ($condition->()) {
        my $left = $deadline - Time::HiRes::time();
        $left > 0 && IO::Select->new($self->{in})->can_read($left) or die "$otherwise within $PATIENCE seconds\n";
        sysread($self->{in}, $self->{buffer}, 1 << 20, length $self->{buffer}) or die $self->_death;
        while ((my $end = index $self->{buffer}, "\0") >= 0) {
            $self->_take($JSON->decode(substr $self->{buffer}, 0, $end));
            substr $self->{buffer}, 0, $end + 1, '';
        }
    }
    return;
}

sub _death { return "the browser has ended: see $SessionTest::T/logs/browser_log\n" }

sub _take {
    my($self, $message) = @_;
    return $self->{answers}{ $message->{id} } = $message if $message->{id};
    my($event, $of) = @$message{qw(method params)};
    if ($event eq 'Page.loadEventFired') {
        $self->{loads}++;
    }
    elsif ($event eq 'Network.responseReceived' && $of->{type} eq 'Document' && $of->{frameId} eq $self->{frame}) {
        $self->{response} = { %{ $of->{response} }, request => $of->{hasExtraInfo} && $of->{requestId} };
    }
    elsif ($event =~ /^Network\.(?:responseReceived|requestWillBeSent)ExtraInfo$/) {
        push @{ $self->{extra}{ $of->{requestId} } }, $of;
    }
    elsif ($event eq 'Network.deviceBoundSessionEventOccurred') {
        push @{ $self->{device_events} }, $of;
    }
    elsif ($event eq 'Log.entryAdded') {
        # It looks for an icon by itself.
        return if ($of->{entry}{url} || '') =~ m{/favicon\.ico$};
        push @{ $self->{complaints} }, "$of->{entry}{source}: $of->{entry}{text}";
    }
    elsif ($event eq 'Audits.issueAdded') {
        push @{ $self->{complaints} }, "issue: $of->{issue}{code}";
    }
    elsif ($event =~ /^Runtime\.(?:consoleAPICalled|exceptionThrown)$/) {
        push @{ $self->{complaints} }, 'script: ' . $JSON->encode($of);
    }
    return;
}

# --- pages ------------------------------------------------------------------------------------------------------------

sub open {
    my($self, $url) = @_;
    return $self->arrives(sub {
        my $answer = $self->ask('Page.navigate', url => $url);
        die "$url: $answer->{errorText}\n" if $answer->{errorText};
    });
}

# What the block does leads to another page: until that one is loaded.
sub arrives {
    my($self, $block) = @_;
    my $loads = $self->{loads};
    delete @$self{qw(response extra)};
    $self->{complaints} = [];
    $block->();
    $self->wait_for(sub { $self->{loads} > $loads }, 'no page');
    for ($self->set_cookies) {
        SessionTest::note_secret($1) if /^[^=]*=([^;]+)/;
    }
    return $self;
}

# The last page as it came: { url, status, headers, ... }. Names of headers are in small letters.
sub response {
    my $self = shift;
    my %headers = %{ $self->{response}{headers} };
    return { %{ $self->{response} }, headers => { map { (lc $_ => $headers{$_}) } keys %headers } };
}

# Its Set-Cookie headers, whether the browser took them or not.
sub set_cookies {
    my $self = shift;
    return map { split /\n/, $_ } map { my $of = $_; map { $of->{$_} } grep { lc eq 'set-cookie' } keys %$of }
        map { $_->{headers} } grep { $_->{blockedCookies} } $self->_extra;
}

# The cookies that it set and the browser refused: Set-Cookie => why.
sub refused_cookies {
    my $self = shift;
    return map { ($_->{cookieLine} => join ' ', @{ $_->{blockedReasons} }) } map { @{ $_->{blockedCookies} || [] } }
        $self->_extra;
}

# The cookies that the browser did not send for it: name => why.
sub withheld_cookies {
    my $self = shift;
    return map { ($_->{cookie}{name} => join ' ', @{ $_->{blockedReasons} }) } grep { @{ $_->{blockedReasons} } }
        map { @{ $_->{associatedCookies} || [] } } $self->_extra;
}

# The headers as they went over the line come apart from the response, and may be later. Redirects are of one request.
sub _extra {
    my $self = shift;
    my $all  = $self->{extra};
    my $response = $self->{response} or return;
    return if !$response->{request};
    $self->wait_for(sub { grep { $_->{blockedCookies} } @{ $self->{extra}{ $response->{request} } || [] } },
        'no headers');
    return @{ $self->{extra}{ $response->{request} } };
}

# What the console, the content security policy or the page's own errors had to say since the page was asked for.
sub complaints { return @{ $_[0]{complaints} } }

sub value {
    my($self, $expression) = @_;
    my $answer = $self->ask('Runtime.evaluate', expression => $expression, returnByValue => JSON::PP::true,
        awaitPromise => JSON::PP::true, userGesture => JSON::PP::true);
    die "$expression: $answer->{exceptionDetails}{exception}{description}\n" if $answer->{exceptionDetails};
    return $answer->{result}{value};
}

sub text { return $_[0]->value('document.body.innerText') }

# The texts of other tabs, which open at once.
sub texts_of_tabs {
    my($self, @urls) = @_;
    my @targets = map { $self->ask('Target.createTarget', url => $_)->{targetId} } @urls;
    return map {
        local $self->{session} =
            $self->ask('Target.attachToTarget', targetId => $_, flatten => JSON::PP::true)->{sessionId};
        SessionTest::eventually(sub {
            $self->value('location.href != "about:blank" && document.readyState == "complete"');
        }, $PATIENCE);
        my $text = $self->text;
        $self->ask('Target.closeTarget', targetId => $_);
        $text;
    } @targets;
}

sub press {
    my($self, @keys) = @_;
    for my $key (@keys) {
        if (my $named = $KEY{$key}) {
            my %of = (key => $key, %$named, nativeVirtualKeyCode => $named->{windowsVirtualKeyCode});
            $self->ask('Input.dispatchKeyEvent', type => defined $of{text} ? 'keyDown' : 'rawKeyDown', %of);
            delete $of{text};
            # Nobody may be left to answer: the page may go on at once.
            $self->_send('Input.dispatchKeyEvent', type => 'keyUp', %of);
        }
        else {
            $self->ask('Input.insertText', text => $key);
        }
    }
    return $self;
}

# The elements of the accessibility tree that a reader of screens is told of: { role, name, description, focused }.
sub accessible {
    my($self, $role) = @_;
    $self->ask('Accessibility.enable');
    my @nodes = grep { !$_->{ignored} } @{ $self->ask('Accessibility.getFullAXTree')->{nodes} };
    $self->ask('Accessibility.disable');
    return grep { !$role || $_->{role} eq $role } map {
        my $node = $_;
        +{ (map { ($_ => $node->{$_}{value} // '') } qw(role name description)),
           map { ($_->{name} => $_->{value}{value}) } @{ $node->{properties} || [] } };
    } @nodes;
}

# CSS pixels; a narrow one is a telephone's.
sub size {
    my($self, $width, $height) = @_;
    $self->ask('Emulation.setDeviceMetricsOverride', width => $width, height => $height, deviceScaleFactor => 1,
        mobile => $width < 600 ? JSON::PP::true : JSON::PP::false);
    return $self;
}

# Media features: media('prefers-color-scheme' => 'dark').
sub media {
    my($self, %features) = @_;
    my @features = map { { name => $_, value => $features{$_} } } sort keys %features;
    $self->ask('Emulation.setEmulatedMedia', features => \@features);
    return $self;
}

my $CONTRAST = <<'JS';
(() => {
    const part = v => v / 255 <= .04045 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4
    const light = c => { const [r, g, b] = c.match(/[\d.]+/g).map(part); return .2126 * r + .7152 * g + .0722 * b }
    const style = e => getComputedStyle(e)
    const behind = e => / 0\)$/.test(style(e).backgroundColor) ? behind(e.parentElement) : style(e).backgroundColor
    const of = (x, y) => (Math.max(x, y) + .05) / (Math.min(x, y) + .05)
    const ratio = (c, e) => of(light(c), light(behind(e)))
    const has_text = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())
    const found = [...document.body.querySelectorAll('*')].filter(has_text)
        .map(e => ({ text: e.innerText, ratio: ratio(style(e).color, e) })).sort((a, b) => a.ratio - b.ratio)
    const focused = document.activeElement
    return { least: found[0], texts: found.length, page: light(behind(document.body)),
             focus: ratio(style(focused).outlineColor, focused.parentElement) }
})()
JS

# How well the page can be read, as WCAG counts contrast: { least => { text, ratio }, texts (their number), page (the light
# of it, 0 to 1), focus (the ratio of the focused element's outline) }.
sub contrast { return $_[0]->value($CONTRAST) }

sub screenshot {
    my($self, $file) = @_;
    my $answer = $self->ask('Page.captureScreenshot', format => 'png', captureBeyondViewport => JSON::PP::true);
    CORE::open(my $out, '>:raw', $file) or die "$file: $!";
    print $out MIME::Base64::decode_base64($answer->{data});
    close $out or die "$file: $!";
    return;
}

# --- cookies ----------------------------------------------------------------------------------------------------------

# All that the browser has: hashes of name, value, domain, path, expires, httpOnly, secure, session, sameSite, ...
sub cookies {
    my($self, $name) = @_;
    return grep { !defined $name || $_->{name} eq $name } @{ $self->ask('Storage.getCookies')->{cookies} };
}

# One cookie is over before its time.
sub forget_cookie {
    my($self, $name, $url) = @_;
    $self->ask('Network.deleteCookies', name => $name, url => $url);
    return $self;
}

# What it does about sessions that are bound to the device, since tell_devices: hashes, as the protocol has them.
sub tell_devices  { $_[0]->ask('Network.enableDeviceBoundSessions', enable => JSON::PP::true); return $_[0] }
sub device_events { return @{ $_[0]{device_events} || [] } }

sub forget_cookies { $_[0]->ask('Storage.clearCookies'); return $_[0] }

1;
