#!/usr/bin/python3
"""JSON objects as entries of a session against Python's json: json_entries_oracle.py PATH/json_entries_tool [SEED]. TAP."""

import json
import random
import subprocess
import sys

tool = sys.argv[1]
rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 20261123)
count = failed = 0
REMOVE = None


def ok(name, wrong):
    """One line of TAP; wrong lists the cases that went wrong."""
    global count, failed
    count += 1
    failed += bool(wrong)
    print(f"{'not ' if wrong else ''}ok {count} - {name}")
    for case in wrong[:3]:
        print(f"# {case!r}")


def ask(cases):
    """Cases of (object, {name: text or REMOVE}); answers of (object afterwards, entries before), None for refused."""
    lines = []
    for text, change in cases:
        fields = [text.encode().hex()]
        for name, value in change.items():
            fields += [name.encode().hex(), "-" if value is REMOVE else value.encode().hex()]
        lines.append(" ".join(fields) + "\n")
    done = subprocess.run([tool], input="".join(lines), stdout=subprocess.PIPE, text=True, check=True)
    answers = []
    for line in done.stdout.split("\n")[:-1]:
        fields = line.split(" ")
        if fields == ["refused"]:
            answers.append(None)
            continue
        texts = [bytes.fromhex(field).decode() for field in fields]
        answers.append((texts[0], dict(zip(texts[1::2], texts[2::2]))))
    assert len(answers) == len(cases)
    return answers


def some_text():
    alphabet = rng.choice(["abc", "aA\u00e9\u20ac\U0001f600", "\"\\/\b\f\n\r\t\x01\x7f{}[]:, ", "0123456789",
                           "\ufeff\u2028=&%"])
    return "".join(rng.choice(alphabet) for _ in range(rng.randrange(8)))


def some_value(depth=0):
    kind = rng.randrange(10 if depth < 4 else 7)
    if kind < 3:
        return some_text()
    if kind < 5:
        return rng.choice([0, -1, 2**53 + 1, -10**40, rng.randrange(10**6)])
    if kind == 5:
        return rng.choice([0.1, 1e300, -2.5e-7, 1e22, rng.random()])
    if kind == 6:
        return rng.choice([True, False, None, float("inf"), "true", "5"])
    if kind == 7:
        return {some_text(): some_value(depth + 1) for _ in range(rng.randrange(4))}
    return [some_value(depth + 1) for _ in range(rng.randrange(4))]


def some_object():
    """As an application has it: names that differ in more than case."""
    found = {}
    for _ in range(rng.randrange(8)):
        name = some_text()
        if name.lower() not in map(str.lower, found) and name.lower() != "expiry":
            found[name] = some_value()
    return found


def written(value):
    return json.dumps(value, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, None, 1]),
                      separators=rng.choice([None, (",", ":")]))


objects = [some_object() for _ in range(3000)]
texts = [written(o) for o in objects]
answers = ask([(text, {}) for text in texts])
ok("3,000 objects that Python wrote come back to the letter",
   [(t, a) for t, a in zip(texts, answers) if not a or a[0] != t])
wrong = []
for o, a in zip(objects, answers):
    if set(a[1]) != set(o):
        wrong.append((o, a))
    for name, text in a[1].items():
        if text != o[name] if isinstance(o.get(name), str) else json.loads(text) != o.get(name):
            wrong.append((name, text, o))
ok("their strings are entries as they are, other values as JSON that says the same", wrong)

cases, expected = [], []
for o, text, (_, entries) in zip(objects, texts, answers):
    change, then = {}, dict(o)
    for name in list(o) + ["new \u20ac"]:
        what = rng.randrange(4)
        if what == 0:
            change[name] = REMOVE
            then.pop(name, None)
        elif what == 1:
            change[name] = then[name] = "changed " + some_text()
        elif what == 2 and name in entries:
            change[name] = entries[name]  # set to what it is: no change
    cases.append((text, change))
    expected.append(then)
answers = ask(cases)
ok("3,000 changes leave what Python makes of the same ones, in the same order",
   [(c, e, a) for c, e, a in zip(cases, expected, answers) if not a or list(json.loads(a[0]).items()) != list(e.items())])


def digits(text):
    """Every number of an object as it is written."""
    numbers = []
    json.loads(text, parse_int=numbers.append, parse_float=numbers.append)
    return numbers


cases = [(text, {"another": "one"}) for text in texts]
ok("no digit of a number is touched by a change beside it",
   [(t, a) for (t, _), a in zip(cases, ask(cases)) if digits(a[0]) != digits(t)])

cases, python = [], []
for text in texts:
    cut = rng.randrange(len(text))
    bad = rng.choice([text[:cut], text[:cut] + text[cut + 1:], text[:cut] + rng.choice("{}[]\",:1x\\") + text[cut:]])
    try:
        wanted = isinstance(json.loads(bad), dict)
    except ValueError:
        wanted = False
    cases.append((bad, {}))
    python.append(wanted or bad == "")  # no data at all is an empty object
ok("of 3,000 damaged texts those are taken that Python takes",
   [(c[0], w) for c, w, a in zip(cases, python, ask(cases)) if (a is not None) != w])

print(f"1..{count}")
sys.exit(failed != 0)
