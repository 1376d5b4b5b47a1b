"""What the clients of a run do, and what goes wrong meanwhile: both follow from the seed alone, and from nothing that
happens in the run."""

import random

NAMES = ["k%d" % n for n in range(6)]

# At every other browser sessions live long enough for their IDs to age.
BUSY = [("read", 24), ("set", 23), ("several", 9), ("remove", 8), ("mixed", 5), ("renew", 5), ("enter", 7), ("basic", 7),
        ("leave", 2), ("create", 2), ("clear", 3), ("end", 2), ("old", 7)]
LONG = [("read", 420), ("set", 280), ("several", 90), ("remove", 80), ("mixed", 50), ("basic", 2), ("renew", 1), ("enter", 1),
        ("leave", 1), ("create", 1), ("clear", 1), ("end", 1), ("old", 72)]
OF_OLD = [("read", 8), ("set", 7), ("renew", 1), ("enter", 2), ("basic", 1), ("clear", 1)]
REALMS = [("user", 3), ("account", 1)]
NAMES_OF_USERS = [("alice", 3), ("bob", 1)]
FORGETS = (0.05, 0.5, 0.97)      # how likely an answer with an ID by age is lost, browser by browser

# Kind of fault of the proxy: how often; and what it is made with.
FAULTS = [("close_before", 5), ("close_after", 6), ("reset_before", 6), ("reset_after", 7), ("did_but_500", 8),
          ("500", 5), ("503", 3), ("throttle", 6), ("crc", 4), ("truncated", 4), ("garbage", 2), ("html", 2),
          ("empty", 2), ("hang", 3), ("hang_after", 5), ("delay", 8), ("late", 3), ("refuse", 2), ("close_accept", 2),
          ("reset_accept", 2)]
CALLS = [("any", 6), ("GetItem", 2), ("UpdateItem", 6), ("PutItem", 3), ("DeleteItem", 5)]


def choose(rng, weighted):
    return rng.choices([name for name, _ in weighted], [weight for _, weight in weighted])[0]


def steps(seed, client, slots):
    """What one client does, for ever. `slot`: which browser it sits at; `old`: with an ID of the past (0: the last).
    `login`: (realm, user) for a login, (realm, None) for a logout. `forget`: the answer is lost, if it carries an ID that
    nobody asked for. `drop`: a cookie that opens no session is thrown away."""
    rng = random.Random("%s client %d" % (seed, client))
    number = 0
    while True:
        number += 1
        slot = rng.randrange(slots)
        kind = choose(rng, LONG if slot % 2 else BUSY)
        n = "%d.%d" % (client, number)
        names = rng.sample(NAMES, 3)
        step = {"n": n, "kind": kind, "slot": slot, "old": None, "writes": {}, "login": None,
                "forget": rng.random() < FORGETS[slot // 2 % 3], "drop": rng.random() < 0.3,
                "area": rng.choice(("/test/", "/users/"))}
        with_write, past, of_old = rng.random() < 0.5, rng.randrange(4), choose(rng, OF_OLD)
        realm, name = choose(rng, REALMS), choose(rng, NAMES_OF_USERS)
        if kind == "old":
            kind = step["kind"] = of_old
            step["old"] = past
        if kind in ("enter", "leave"):
            step["login"], step["area"] = (realm, name if kind == "enter" else None), "/users/"
        elif kind == "basic":
            step["login"], step["area"] = ("basic", name), "/basic/"
        if kind in ("set", "enter", "create") or kind in ("renew", "basic") and with_write:
            step["writes"] = {names[0]: n}
        elif kind == "several":
            step["writes"] = {name: n for name in names}
        elif kind == "remove":
            step["writes"] = {names[0]: None}
        if kind == "mixed" or kind == "remove" and with_write:
            step["writes"] = {names[0]: n, names[1]: None}
        if kind in ("several", "remove", "mixed"):
            step["kind"] = "set"
        yield step


def fault(rng, most):
    """`most`: so many calls it may strike."""
    kind = choose(rng, FAULTS)
    spec = {"kind": kind, "op": choose(rng, CALLS), "count": rng.choice([1, 1, 1, 2, 2, 3, 5, 12]),
            "skip": rng.choice([0, 0, 0, 1])}
    wait = rng.choice([20, 60, 150, 300])
    if kind == "delay":
        spec["delay"] = wait
    elif kind == "late":
        # Longer than an attempt may take: it is carried out when nobody waits for it any more.
        spec.update(kind="delay", delay=1400, count=rng.choice([1, 1, 2]))
        spec["op"] = "any" if spec["op"] == "GetItem" else spec["op"]
    elif kind == "refuse":
        spec["delay"] = wait
    elif kind in ("hang", "hang_after"):
        spec["count"] = rng.choice([1, 1, 2])
    spec["count"] = min(spec["count"], most)
    return spec


def troubles(seed, processes, gentle):
    """(so many requests later, what), for ever: ("fault", specification), ("clear",), ("kill",), ("graceful",).

    `gentle`: never so many faults in a row that the module stops asking the table, and begins again after a time that
    is drawn: with one client all must be the same each time.
    """
    rng = random.Random("%s troubles" % seed)
    while True:
        gap, die = rng.randint(2, 8 if gentle else 24), rng.random()
        spec = fault(rng, 3 if gentle else 99)
        if gentle:
            yield gap, ("clear",)
            gap = 0
        if die < 0.12:
            yield gap, ("clear",)
        elif processes and die < 0.135:
            yield gap, ("kill",)
        elif processes and die < 0.145:
            yield gap, ("graceful",)
        else:
            yield gap, ("fault", spec)
