#!/usr/bin/python3
"""Command lines as words against Python's shlex.split: process_oracle.py PATH/process_tool [SEED]. TAP."""

import random
import shlex
import subprocess
import sys

tool = sys.argv[1]
rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 20261123)


def words(line):
    """What Python reads, None for a line that it refuses."""
    try:
        return shlex.split(line)
    except ValueError:
        return None


def read(answer):
    """What the tool answered, in the same form."""
    return None if answer == "wrong" else [bytes.fromhex(w).decode() for w in answer.split(" ")[:-1]]


lines = ["".join(rng.choice("ab#$'\"\\ \t\n\r'\"\\ \u00e9") for _ in range(rng.randrange(14))) for _ in range(20000)]
done = subprocess.run([tool], input="".join(line.encode().hex() + "\n" for line in lines), stdout=subprocess.PIPE,
                      text=True, check=True)
answers = [read(answer) for answer in done.stdout.split("\n")[:-1]]
wrong = [case for case in zip(lines, answers) if words(case[0]) != case[1]]
refused = answers.count(None)
print("not ok" if len(answers) != len(lines) else "ok", "1 - each line is answered")
print("not ok" if wrong else "ok", "2 - random lines are parted into the words that shlex.split makes of them")
for case in wrong[:5]:
    print(f"# {case!r}, not {words(case[0])!r}")
print("ok" if 2000 < refused < 18000 else "not ok", f"3 - refused and accepted ones among them ({refused} refused)")
print("1..3")
sys.exit(bool(wrong))
