#!/usr/bin/python3
"""The consistency checker: many clients on shared sessions through httpd, with faults, and a proof afterwards.

  check_consistency.py self-test
        broken histories, each of which the judge has to find (TAP)
  check_consistency.py run STATE --seed SEED (--seconds N | --steps N) [--clients N] [--slots N] [--root DIR]
              [--far PORT --bound SECONDS]
        STATE: t/TEST's state.json. --root, httpd's ServerRoot: its children are killed and restarted, too.
  check_consistency.py judge HISTORY
        once more

The same seed makes the same clients do the same in the same order, and the same faults after as many requests. How the
requests of several clients interleave is up to the machine; with --clients 1 the history is the same, too.

What is proved, and what is excluded: consistency/judge.py.
"""

import argparse
import asyncio
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from consistency import drive, selftest  # noqa: E402
from consistency.history import Call, Op, Row  # noqa: E402
from consistency.judge import Judge  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("self-test")
    run = commands.add_parser("run")
    run.add_argument("state")
    run.add_argument("--seed", required=True)
    run.add_argument("--seconds", type=float)
    run.add_argument("--steps", type=int, help="of each client")
    run.add_argument("--clients", type=int, default=12)
    run.add_argument("--slots", type=int, default=6, help="browsers that the clients share")
    run.add_argument("--root", help="ServerRoot: processes are killed and restarted, too")
    run.add_argument("--far", type=int, help="port of another httpd, whose rows may be --bound seconds old")
    run.add_argument("--bound", type=float, default=0)
    run.add_argument("--seal-key", action="append", default=[], help="file with a key of sealed rows")
    run.add_argument("--calm", action="store_true", help="no faults")
    run.add_argument("--history", help="file to write the history to")
    run.add_argument("--summary", help="file to write the numbers to (JSON)")
    run.add_argument("--ids", help="file for all session IDs and table keys")
    run.add_argument("--transcript", help="file for what follows from the seed: with one client, it is the same")
    judge = commands.add_parser("judge")
    judge.add_argument("history")
    return parser.parse_args()


def read_line(path):
    with open(path, encoding="ascii") as f:
        return f.readline().strip()


def transcript(run):
    """The history without what is different each time: times and IDs."""
    names, lines = {None: "-", "": "end"}, []
    for op in run.ops:
        for id in (op.id, op.issued):
            names.setdefault(id, "id%d" % len(names))
        lines.append("%s %s %s %s %s %s %s\n" % (op.n, op.kind, names[op.id], op.outcome, json.dumps(
            op.seen, sort_keys=True), json.dumps(op.writes, sort_keys=True), names[op.issued]))
    return lines + ["%d %s\n" % (at, json.dumps(what)) for at, what in run.log]


def summary(run, judge):
    outcomes = {name: sum(1 for op in run.ops if op.outcome == name) for name in ("ok", "failed", "unknown")}
    counts = judge.counts
    return {
        "seed": run.seed, "seconds": round(run.took, 1), "clients": run.clients, "requests": len(run.ops),
        "outcomes": outcomes, "sessions": sum(1 for line in judge.lines.all if not line.begun.seen),
        "renewals": counts["renewals"], "by_age": counts["IDs by age"], "old_ids": counts["aged"] - counts["IDs by age"],
        "users_changed": counts["changes of user"], "copies": counts["copies"], "ends": counts["ends"],
        "refused": counts["refused"], "faults_set": run.faults,
        "faults_struck": sum(run.table.struck.values()), "kinds": dict(sorted(run.table.struck.items())),
        "kills": len(run.processes.killed), "conflicts": run.table.conflicts, "rows_left": len(run.rows),
        "exclusions": {name: count for name, count in sorted(judge.exclusions.items()) if count},
        "lost": sum(1 for text in judge.violations if text.startswith("lost:")),
        "violations": judge.violations + ["strange: " + text for text in run.strange],
    }


def tell(numbers):
    print("# seed %(seed)s: %(requests)d requests of %(clients)d clients in %(seconds)s s; %(sessions)d sessions, "
          "%(renewals)d renewals, %(users_changed)d changes of user, %(ends)d ends" % numbers)
    print("# %(by_age)d new IDs by age, told %(old_ids)d more times; %(refused)d changes with dead IDs refused; %(copies)d "
          "copies by a second login" % numbers)
    print("# outcomes: %s" % ", ".join("%s %d" % pair for pair in numbers["outcomes"].items()))
    print("# %(faults_struck)d calls of the table struck by %(faults_set)d faults, %(conflicts)d conflicts, %(kills)d "
          "processes killed; %(rows_left)d rows left" % numbers)
    print("# excluded: %s" % (", ".join("%s %d" % pair for pair in numbers["exclusions"].items()) or "nothing"))
    print("# violations: %d" % len(numbers["violations"]))
    for text in numbers["violations"][:10]:
        print("# " + text.replace("\n", "\n# "))


def write(path, text):
    if path:
        with open(path, "w") as out:
            out.write(text)


def do_run(args):
    with open(args.state) as file:
        state = json.load(file)
    run = drive.Run(state, args.seed, args.clients, args.slots, args.seconds, args.steps, not args.calm, args.root,
                    args.far, args.bound, [read_line(path) for path in args.seal_key])
    asyncio.run(run.run())
    judge = Judge(run.ops, run.rows, run.table.calls, run.scan, drive.key_of, run.wall, args.calm).judge()
    numbers = summary(run, judge)
    if args.history:
        run.save(args.history)
    write(args.transcript, "".join(transcript(run)))
    write(args.ids, "".join("%s\n%s\n" % (id, drive.key_of(id)) for id in judge.lines.of))
    write(args.summary, json.dumps(numbers, indent=1))
    tell(numbers)
    return not numbers["violations"]


def do_judge(args):
    with open(args.history) as file:
        known = json.loads(next(file))
        judge = Judge([Op(**json.loads(line)) for line in file], [Row(*row) for row in known["rows"]],
                      [Call(*call) for call in known["calls"]], known["scan"], drive.key_of, known["wall"]).judge()
    print("\n".join(judge.violations) or "no violation")
    return not judge.violations


def main():
    args = arguments()
    if args.command == "self-test":
        good = selftest.run()
    elif args.command == "run":
        good = do_run(args)
    else:
        good = do_judge(args)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
