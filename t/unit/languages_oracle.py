#!/usr/bin/python3
"""The files of languages/ against each other and against Python's urllib, hmac and random: languages_oracle.py [TOOL [SEED]].
Each language is a process that answers questions line by line; bytes are in hex. TAP."""

import base64
import hashlib
import hmac
import os
import random
import shutil
import subprocess
import sys
import time
from urllib.parse import parse_qsl, quote_plus, unquote_to_bytes

LANGUAGES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "languages")
rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 20261129)
count = failed = 0

# A question: a word, then hex fields. session TEXT; change NAME VALUE ... ("-": removed); forwarded AUDIENCE KEYS NAME
# VALUE ...; token ONE OTHER. The answer: pairs in hex, sorted; the header; pairs; 0 or 1; "refused".
PERL = r"""
use strict; use warnings; use lib $ARGV[0]; use SessionDynamoDB qw(session change forwarded same_token);
sub out { my($h) = @_; return $h ? join ' ', map { map { unpack('H*', $_) . '.' } $_, $h->{$_} } sort keys %$h : 'refused' }
$| = 1; @ARGV = ();
while (<STDIN>) {
    chomp;
    my($word, @f) = split / /;
    @f = map { $_ eq '-' ? undef : pack 'H*', s/\.$//r } @f;
    my $said = eval {
        $word eq 'session' ? out(session({ HTTP_SESSION => $f[0] }))
        : $word eq 'change' ? unpack('H*', scalar change({ @f }))
        : $word eq 'token' ? (same_token(@f) ? 1 : 0)
        : out(forwarded([split /\n/, splice @f, 1, 1], shift @f, { @f }));
    };
    print $said // 'refused', "\n";
}
"""
PHP = r"""
require $argv[1] . '/session_dynamodb.php';
function out(?array $h): string {
    if ($h === null) return 'refused';
    uksort($h, fn($a, $b) => strcmp((string)$a, (string)$b));
    $said = [];
    foreach ($h as $name => $value) { $said[] = bin2hex((string)$name) . '.'; $said[] = bin2hex($value) . '.'; }
    return implode(' ', $said);
}
function pairs(array $f): array {
    $h = [];
    for ($i = 0; $i < count($f); $i += 2) $h[$f[$i]] = $f[$i + 1];
    return $h;
}
while (($line = fgets(STDIN)) !== false) {
    $f = explode(' ', rtrim($line, "\n"));
    $word = array_shift($f);
    $f = array_map(fn($x) => $x === '-' ? null : hex2bin(rtrim($x, '.')), $f);
    try {
        if ($word === 'session') echo out(SessionDynamoDB\session(['HTTP_SESSION' => $f[0]]));
        elseif ($word === 'change') echo bin2hex('X-Replace-Session: ' . SessionDynamoDB\change_value(pairs($f)) . "\n");
        elseif ($word === 'token') echo (int)SessionDynamoDB\same_token($f[0], $f[1]);
        else echo out(SessionDynamoDB\forwarded(explode("\n", $f[1]), $f[0], pairs(array_slice($f, 2))));
    } catch (InvalidArgumentException $e) { echo 'refused'; }
    echo "\n";
}
"""
PYTHON = r"""
import os, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from session_dynamodb import change, forwarded, same_token, session
def out(h):
    return "refused" if h is None else " ".join(os.fsencode(x).hex() + "." for k in sorted(h, key=os.fsencode) for x in (k, h[k]))
for line in sys.stdin:
    word, *f = line.rstrip("\n").split(" ")
    f = [None if x == "-" else os.fsdecode(bytes.fromhex(x.rstrip("."))) for x in f]
    try:
        if word == "session":
            print(out(session({"HTTP_SESSION": f[0]})))
        elif word == "change":
            print(os.fsencode(": ".join(change(dict(zip(f[::2], f[1::2])))) + "\n").hex())
        elif word == "token":
            print(int(same_token(*f)))
        else:
            print(out(forwarded(dict(zip(f[2::2], f[3::2])), [os.fsencode(k) for k in f[1].split("\n")], f[0])))
    except ValueError:
        print("refused")
"""
# Python in UTF-8, whatever the locale of this run.
PROGRAMS = {"Perl": ["perl", "-e", PERL, "--", LANGUAGES], "PHP": ["php", "-n", "-r", PHP, "--", LANGUAGES],
            "Python": [sys.executable, "-X", "utf8", "-c", PYTHON, LANGUAGES]}


def ok(name, wrong):
    """One line of TAP; wrong lists the cases that went wrong."""
    global count, failed
    count += 1
    failed += bool(wrong)
    print(f"{'not ' if wrong else ''}ok {count} - {name}")
    for case in wrong[:3]:
        print(f"# {case!r}")


def hexed(text):
    return "-" if text is None else text.hex() + "."


def ask(language, cases):
    """Cases of (word, field, ...), fields as bytes; the answers."""
    lines = "".join(" ".join([word] + [hexed(field) for field in fields]) + "\n" for word, *fields in cases)
    done = subprocess.run(PROGRAMS[language], input=lines, stdout=subprocess.PIPE, text=True, check=True)
    answers = done.stdout.split("\n")[:-1]
    assert len(answers) == len(cases), (language, done.stdout)
    return answers


def compare(name, cases, expected):
    for language in languages:
        answers = ask(language, cases)
        ok(f"{language}: {name}", [(case, want, got) for case, want, got in zip(cases, expected, answers) if want != got])


def pairs(entries):
    return "refused" if entries is None else " ".join(hexed(text) for name in sorted(entries) for text in (name, entries[name]))


def some_text(least=0):
    alphabet = rng.choice([b"abc", b"&=+% ;,\"\\'\r\n\0", bytes(range(256)), "aé€\U0001f600".encode(), b"09.-_~[]"])
    return bytes(rng.choice(alphabet) for _ in range(rng.randrange(least, 9)))


def some_entries():
    return {some_text(1): some_text() for _ in range(rng.randrange(6))}


languages = [language for language in PROGRAMS if shutil.which(PROGRAMS[language][0])]
ok("Perl, Python and PHP are here" if len(languages) == 3 else f"{languages} are here # SKIP php-cli is not installed", [])

# What httpd gives to programs: as mod_session writes it, and as anybody could have written it.
sessions = [some_entries() for _ in range(300)]
written = ["&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in each.items()).encode() for each in sessions]
expected = [pairs({name: value for name, value in each.items() if name != b"expiry"}) for each in sessions]
compare("a session as httpd writes it", [("session", text) for text in written], expected)
odd = {b"": {}, b"&&": {}, b"a": {b"a": b""}, b"a=1&a=2": {b"a": b"2"}, b"=x&b=1": {b"b": b"1"}, b"a=b=c": {b"a": b"b=c"},
       b"a=%": {b"a": b"%"}, b"a=%4&b=%zz": {b"a": b"%4", b"b": b"%zz"}, b"expiry=123&a=1": {b"a": b"1"},
       b"a.b=1&a%5Bx%5D=2": {b"a.b": b"1", b"a[x]": b"2"}, b"7=x": {b"7": b"x"}}
compare("odd sessions", [("session", text) for text in odd], [pairs(entries) for entries in odd.values()])

# Changes: what Python's own reader finds in the header is what was meant.
for language in languages:
    changes = [{name: rng.choice([value, value, None]) for name, value in some_entries().items() if name != b"expiry"}
               for _ in range(300)]
    wrong = []
    for change, answer in zip(changes, ask(language, [("change", *[x for pair in c.items() for x in pair]) for c in changes])):
        line = bytes.fromhex(answer)
        value = line[len(b"X-Replace-Session: "):-1]
        read = dict(parse_qsl(value.decode("ascii"), keep_blank_values=True, encoding="latin-1"))
        meant = {name.decode("latin-1"): (text or b"").decode("latin-1") for name, text in change.items()}
        if not line.startswith(b"X-Replace-Session: ") or b"\r" in line or line.count(b"\n") != 1 or read != meant:
            wrong.append((change, line))
    ok(f"{language}: a change is one line that says what was meant", wrong)
longest = b"x" * (8190 - len("X-Replace-Session: a="))
compare("what is no change", [("change", b"", b"x"), ("change", b"expiry", b"1"), ("change", b"a", longest + b"x")],
        ["refused"] * 3)
compare("the longest one", [("change", b"a", longest)], [(b"X-Replace-Session: a=" + longest + b"\n").hex()])


def signed(key, audience=b"http://app:8000", when=None, method=b"GET", target=b"/a?b=%41", values=None, names=None):
    """The environment of a request that httpd signed, written from the manual's description."""
    values = {b"x-session-user": b"J%C3%BCrgen%0A", b"x-role": b""} if values is None else values
    names = list(values) if names is None else names
    when = str(int(time.time()) if when is None else when).encode()
    text = b"\n".join([b"v=2", b"a=" + audience, when, method, target] + [n + b":" + values[n] for n in names])
    head = b"v=2; a=%s; t=%s; k=%s; h=%s; s=%s" % (
        audience, when, hashlib.sha256(key).hexdigest()[:8].encode(), b",".join(names),
        hmac.new(key, text, hashlib.sha256).hexdigest().encode())
    env = {b"REQUEST_METHOD": method, b"REQUEST_URI": target, b"HTTP_X_SESSION_SIGNATURE": head, b"HTTP_X_OTHER": b"x"}
    env.update({b"HTTP_" + n.upper().replace(b"-", b"_"): v for n, v in values.items() if v})
    return env


def question(env, keys=b"old\nnew", audience=b"http://app:8000"):
    return ("forwarded", audience, keys, *[text for pair in env.items() for text in pair])


now = int(time.time())
good = {name: unquote_to_bytes(value) for name, value in ((b"x-session-user", b"J%C3%BCrgen%0A"), (b"x-role", b""))}
right = [question(signed(b"new")), question(signed(b"old")), question(signed(b"new", when=now - 45)),
         question(signed(b"new", when=now + 45)), question(signed(b"new", target=b"/\xc3\xbc\xff?x")),
         question(signed(b"new", method=b"POST"))]
compare("values that httpd signed", right, [pairs(good)] * len(right))
base, wrong = signed(b"new"), []
wrong += [question(signed(b"other")), question(base, keys=b"old"), question(base, audience=b"http://app:8001"),
          question(signed(b"new", when=now - 120)), question(signed(b"new", when=now + 120)),
          question(signed(b"new", audience=b"http://evil:1"))]
for name, value in ((b"REQUEST_METHOD", b"POST"), (b"REQUEST_URI", b"/a?b=A"), (b"HTTP_X_SESSION_USER", b"root"),
                    (b"HTTP_X_ROLE", b"admin"), (b"HTTP_X_SESSION_USER", b""), (b"HTTP_X_SESSION_SIGNATURE", b"")):
    wrong.append(question({**base, name: value}))
head = base[b"HTTP_X_SESSION_SIGNATURE"]
for old, new in ((b"v=2; a=http://app:8000; ", b""), (b"v=2", b"v=1"), (b"; h=x-session-user,x-role", b"; h=x-session-user"),
                 (b"; h=", b"; h=x-other,"), (b"; s=", b"; s=0"), (b"; t=", b"; t=0")):
    wrong.append(question({**base, b"HTTP_X_SESSION_SIGNATURE": head.replace(old, new, 1)}))
wrong += [question({**base, b"HTTP_X_SESSION_SIGNATURE": value}) for value in (head + b"\n", head + b", " + head, b" " + head)]
compare("... and nothing else", wrong, ["refused"] * len(wrong))

# Anti-forgery tokens: a random half, and the secret XOR that.
tokens = []
for _ in range(100):
    secret = rng.randbytes(32)
    one, other = (base64.urlsafe_b64encode(mask + bytes(a ^ b for a, b in zip(mask, secret))).rstrip(b"=")
                  for mask in (rng.randbytes(32), rng.randbytes(32)))
    tokens += [(one, other, "1"), (one, one[:-20] + b"A" * 20, "0"), (one, b"", "0"), (b"", b"", "0"), (one + b"=", other, "0"),
               (one[:85], other, "0"), (one + b"\n", other, "0")]
compare("anti-forgery tokens", [("token", one, other) for one, other, _ in tokens], [same for _, _, same in tokens])
print(f"1..{count}")
sys.exit(failed > 0)
