#!/usr/bin/python3
"""Session IDs against itsdangerous, which the Flask package signs with: sid_oracle.py PATH/sid_tool [SEED]. TAP."""

import base64
import hashlib
import random
import subprocess
import sys

try:
    import itsdangerous
except ImportError:
    print("1..0 # SKIP no itsdangerous; install Debian's python3-itsdangerous")
    sys.exit(0)

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
DIGESTS = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256}
LENGTHS = (16, 17, 18, 31, 32, 33, 64, 127, 128)  # each remainder of three, and the limits
OLD, MIDDLE, NEW, UNKNOWN = "an old key", "clé du milieu, \u20ac", "n" * 200, "another's key"

tool = sys.argv[1]
seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20261123
rng = random.Random(seed)
count = failed = 0


def ask(verb, digest, size, keys, lines):
    """What sid_tool answers to each of lines, which are bytes."""
    text = "".join(line.hex() + "\n" for line in lines)
    done = subprocess.run([tool, verb, digest, str(size), *keys], input=text, stdout=subprocess.PIPE, text=True,
                          check=True)
    answers = done.stdout.split("\n")[:-1]
    assert len(answers) == len(lines)
    return answers


def ok(name, wrong):
    """One line of TAP; wrong lists the cases that went wrong."""
    global count, failed
    count += 1
    failed += bool(wrong)
    print(f"{'not ' if wrong else ''}ok {count} - {name}")
    for case in wrong[:3]:
        print(f"# {case!r}")


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def signer(keys, digest):
    return itsdangerous.Signer(list(keys), digest_method=DIGESTS[digest])


def values(size, n=8):
    return [bytes(size), b"\xff" * size] + [rng.randbytes(size) for _ in range(n)]


def expect(name, want, digest, size, keys, ids):
    answers = ask("check", digest, size, keys, ids)
    ok(name, [(sid, answer) for sid, answer in zip(ids, answers) if answer != want] or ([] if ids else ["no case"]))


def other_spellings(text):
    """The same base64 with spare bits that are not zero, of an ID or of its signature; [] if it has no spare bits."""
    spare = len(text.rpartition(b".")[2]) * 6 % 8
    last = ALPHABET.index(text[-1:])
    return [text[:-1] + ALPHABET[last | bits:][:1] for bits in range(1, 1 << spare)]


def one_length(digest, size):
    label = f"{digest}, {size} bytes"
    keys = (OLD, MIDDLE, NEW)
    raw = values(size)
    theirs = [signer(keys, digest).sign(b64(r)) for r in raw]
    ours = [sid.encode() for sid in ask("sign", digest, size, keys, raw)]

    ok(f"{label}: both make the same ID", [pair for pair in zip(ours, theirs) if pair[0] != pair[1]])
    ok(f"{label}: signed here, verified there",
       [sid for sid, r in zip(ours, raw) if signer(keys, digest).unsign(sid) != b64(r)])
    expect(f"{label}: signed there, verified here", "ok", digest, size, keys, theirs)
    for key in keys:
        expect(f"{label}: signed there by '{key[:12]}', one of three", "ok", digest, size, keys,
               [signer([key], digest).sign(b64(r)) for r in raw])
    ok(f"{label}: signed here before a rotation, verified there after it",
       [sid for sid in ask("sign", digest, size, (OLD, MIDDLE), raw)
        if not signer(keys, digest).validate(sid)])
    expect(f"{label}: signed by a key that was taken out", "refused", digest, size, (MIDDLE, NEW),
           [signer([OLD], digest).sign(b64(r)) for r in raw])
    expect(f"{label}: signed by an unknown key", "refused", digest, size, keys,
           [signer([UNKNOWN], digest).sign(b64(r)) for r in raw])
    ok(f"{label}: signed here by a key unknown there",
       [sid for sid in ask("sign", digest, size, (UNKNOWN,), raw) if signer(keys, digest).validate(sid)])
    expect(f"{label}: unsigned where keys are set", "refused", digest, size, keys, [b64(r) for r in raw])
    expect(f"{label}: unsigned where none are", "ok", digest, size, (), [b64(r) for r in raw])
    expect(f"{label}: signed where none are", "refused", digest, size, (), theirs)
    ok(f"{label}: the table key is the SHA-256 of the part before the signature",
       [key for key, r in zip(ask("key", digest, size, keys, theirs), raw)
        if key.encode() != b64(hashlib.sha256(b64(r)).digest())])


def spare_bits(digest, size):
    """itsdangerous decodes these to the same bytes; here each ID has one spelling."""
    label = f"{digest}, {size} bytes"
    sign = signer((NEW,), digest)
    raw = values(size)
    respelled = [(sid, spelling) for sid in (b64(r) for r in raw) for spelling in other_spellings(sid)]
    if respelled:
        expect(f"{label}: spare bits of the ID, unsigned", "refused", digest, size, (), [s for _, s in respelled])
        expect(f"{label}: spare bits of the ID, signed as they are", "refused", digest, size, (NEW,),
               [sign.sign(s) for _, s in respelled])
        expect(f"{label}: spare bits of the ID, with the signature of the right one", "refused", digest, size, (NEW,),
               [s + sign.sign(sid)[len(sid):] for sid, s in respelled])
    signed = [sign.sign(b64(r)) for r in raw]
    respelled = [s for sid in signed for s in other_spellings(sid)]
    ok(f"{label}: itsdangerous does take spare bits of the signature", [s for s in respelled if not sign.validate(s)])
    expect(f"{label}: spare bits of the signature", "refused", digest, size, (NEW,), respelled)
    expect(f"{label}: signature with padding", "refused", digest, size, (NEW,), [s + b"=" for s in signed])


def altered(digest, size):
    """One character changed, dropped, doubled or swapped, at random places; refused."""
    sign = signer((OLD, NEW), digest)
    cases = []
    for raw in values(size, 30):
        sid = sign.sign(b64(raw))
        at = rng.randrange(len(sid))
        other = rng.choice([c for c in ALPHABET if c != sid[at]])
        cases += [sid[:at] + bytes([other]) + sid[at + 1:], sid[:at] + sid[at + 1:],
                  sid[:at] + sid[at:at + 1] + sid[at:], sid[:at], sid[at + 1:], sid[::-1], sid.swapcase(), sid + b"A",
                  b"A" + sid, b" " + sid, sid + b"\n", sid.replace(b".", b".."), sid.replace(b".", b""),
                  sid + sid[sid.index(b"."):]]
    expect(f"{digest}, {size} bytes: altered text", "refused", digest, size, (OLD, NEW), cases)


def oddities():
    ids = [b"", b".", b"." * 71, b"=" * 71, b"A" * 3000, b"A" * 43 + b"." + b"A" * 2956, b"\xff" * 43, b"\xff" * 71,
           "\u00e9".encode() * 35, bytes(range(1, 72)), b"%41" * 23] + [bytes(rng.randrange(1, 256) for _ in range(71))
                                                                        for _ in range(200)]
    expect("made-up, binary and huge IDs, with keys", "refused", "SHA1", 32, (NEW,), ids)
    expect("made-up, binary and huge IDs, without keys", "refused", "SHA1", 32, (), ids)
    one = signer((NEW,), "SHA1").sign(b64(bytes(32)))
    expect("a signed ID of another length", "refused", "SHA1", 33, (NEW,), [one])
    expect("a signed ID of another digest", "refused", "SHA256", 32, (NEW,), [one])
    expect("signed with another salt", "refused", "SHA1", 32, (NEW,),
           [itsdangerous.Signer(NEW, salt=b"cookie-session").sign(b64(bytes(32)))])


def main():
    print(f"# itsdangerous {itsdangerous.__version__}, seed {seed}")
    for digest in DIGESTS:
        for size in LENGTHS:
            one_length(digest, size)
            spare_bits(digest, size)
            altered(digest, size)
    oddities()
    print(f"1..{count}")
    return 1 if failed else 0


sys.exit(main())
