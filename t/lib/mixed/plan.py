"""What the browsers do: one script for each order of the servers, and what follows from a seed."""

import random

from .model import USER, Ask

KINDS = ("form", "compress", "json")
NAMES = ["k%d" % n for n in range(5)] + ["a b", "caf\u00e9[1]"]
PAGES = [("page", 5), ("members", 2), ("basic", 2)]
STEPS = [("read", 26), ("set", 26), ("remove", 6), ("login", 7), ("program", 7), ("again", 3), ("logout", 3),
         ("forget", 2), ("old", 4)]


def scripts(one, two):
    """Name, steps."""
    long = "a long value, again and again; " * 40

    def page(**writes):
        return Ask("page", writes)

    yield "form", [
        (one, page(a="1")), (two, page()), (two, Ask("login", {}, "alice")), (one, Ask("members")),
        (one, Ask("members", {"b": "2", "long": long})), (two, Ask("members")), (two, Ask("members", {"a": None})),
        (one, page()), (one, Ask("login", {}, "alice")), (two, Ask("members")), (one, Ask("members")),
        (two, Ask("login", {}, "bob")), (one, Ask("members")), (one, page(c="3")), (two, Ask("members")),
        (one, Ask("logout")), (two, Ask("members")), (two, Ask("login", {}, "alice")), (one, Ask("members"))]
    yield "program", [
        (one, page(a="1")), (two, page(user="ann")), (one, page()), (two, page(b="2")), (one, page(user="ann")),
        (two, page()), (one, page(b=None, c="3")), (two, page(user="ben", d="4")), (one, page()), (two, page(e=long)),
        (one, page(user=None)), (two, page()), (two, page(user="ann")), (one, page())]
    yield "basic", [
        (one, page(a="1")), (two, Ask("basic", {}, "alice")), (one, Ask("basic", {}, "alice")), (one, page(b="2")),
        (two, Ask("basic", {"c": "3"}, "alice")), (one, Ask("basic", {}, "alice")), (two, page()),
        (two, Ask("basic", {"d": "4"}, "bob")), (one, Ask("basic", {}, "bob")), (one, Ask("basic", {}, "alice")),
        (two, Ask("basic", {"e": "5"}, "alice")), (one, Ask("basic", {}, "alice"))]
    yield "three realms", [
        (one, Ask("login", {}, "alice")), (two, page(user="ann", a="1")), (one, Ask("basic", {}, "bob")),
        *[(server, ask) for server in (two, one, two) for ask in (
            Ask("members"), Ask("basic", {}, "bob"), page(), Ask("members", {"from": server + "m"}),
            Ask("basic", {"b": server + "b"}, "bob"))],
        (one, page(user=None)), (two, Ask("basic", {"a": "2"}, "alice")), (one, Ask("members"))]


def values(rng, n):
    text = "".join(rng.choice("abc ,;=&%+\u00fc\u20ac") for _ in range(rng.randrange(12)))
    return "%s %s" % (n, text * rng.choice([1, 1, 1, 40])) + "."


def choose(rng, weighted):
    return rng.choices([name for name, _ in weighted], [weight for _, weight in weighted])[0]


def steps(seed, kind, name, count):
    """What one browser does, and where."""
    rng = random.Random("%s steps %s %s" % (seed, kind, name))
    for n in range(count):
        what, server, mostly = choose(rng, STEPS), rng.choice(("old", "new")), rng.random() < 0.85
        area = choose(rng, PAGES)
        user = ("alice" if mostly else "bob") if area == "basic" else None
        if what == "set":
            yield server, Ask(area, {name: values(rng, n) for name in rng.sample(NAMES, rng.choice([1, 1, 3]))}, user)
        elif what == "remove":
            yield server, Ask(area, {rng.choice(NAMES): None}, user)
        elif what == "login":
            yield server, Ask("login", {}, "alice" if mostly else "bob")
        elif what == "program":
            yield server, Ask("page", {USER: "ann" if mostly else "ben", NAMES[0]: values(rng, n)})
        elif what == "again":
            yield server, Ask("page", {USER: "ann"})
        elif what == "logout":
            yield server, Ask("logout")
        elif what == "forget":
            yield server, Ask("page", {USER: None})
        elif what == "old":
            yield server, "old ID"
        else:
            yield server, Ask(area, {}, user)
