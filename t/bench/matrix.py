"""Every row under every circumstance: cells of the dimensions in rows.py, in any selection."""

import itertools

import load
import rows
from programs import die, say
from rows import BASE, Cell, Contender


def distance(cell):
    return sum(a != b for a, b in zip(cell, BASE))


def cells(words):
    """words: DIMENSION=VALUE,... or DIMENSION=all; a dimension that is not named has its first value in BASE. A number,
    2 without a word: the cells that differ from BASE in so many dimensions at most. The word 'all': every cell."""
    most = int(words[0]) if words and words[0].isdigit() else 0 if words else 2
    if most or words == ["all"]:
        values, words = dict(rows.DIMENSIONS), []
    else:
        values = {d: [getattr(BASE, d)] for d in rows.DIMENSIONS}
    for word in words:
        name, _, wanted = word.partition("=")
        if name not in rows.DIMENSIONS or not wanted:
            die("'%s' selects nothing; say for instance %s=%s" % (word, "latency", "0,5"))
        values[name] = rows.DIMENSIONS[name] if wanted == "all" else wanted.split(",")
        if name != "clients" and set(values[name]) - set(rows.DIMENSIONS[name]):
            die("%s is one of %s" % (name, ", ".join(rows.DIMENSIONS[name])))
    found = [Cell(*combination, pinned="yes") for combination in itertools.product(*values.values())]
    if most:
        found = [c for c in found if distance(c) <= most]
    return sorted(found, key=distance)


def contenders(cell, names):
    wanted = [name for name, row in rows.ROWS.items() if name in names or not (names or row.is_variant)]
    return [Contender(name, cell) for name in wanted if not rows.ROWS[name].skips(cell)]


def run(b, words):
    path, names = b.path("matrix.tsv"), b.options.only.split(",") if b.options.only else []
    if set(names) - set(rows.ROWS):
        die("rows are " + ", ".join(rows.ROWS))
    done = load.read(path)
    if not done:
        load.write_header(path)
    wanted = cells(words)
    say("%d cells, written to %s; what is there already is not measured again" % (len(wanted), path))
    for number, cell in enumerate(wanted, 1):
        say("cell %d of %d: %s" % (number, len(wanted), " ".join("%s=%s" % x for x in cell._asdict().items())))
        load.rounds(b, path, contenders(cell, names), done, b.options.rounds, b.options.seconds)
        print(cell_table(load.read(path), cell), flush=True)


def cell_table(found, cell):
    lines = []
    plain = Contender("plain", cell)
    for name in rows.ROWS:
        c = Contender(name, cell)
        if c not in found:
            continue
        rate = load.figure(found, c, "requests_per_s")
        of = {to: load.ratio(found, c, Contender(to, cell)) for to in ("plain", "bare")}
        errors = sum(int(f["errors"]) for f in found[c].values())
        lines.append("%10s %9.0f/s (%.0f-%.0f)%s  p50 %s us%s" % (
            name, *rate, "".join("  %.2f of %s (%.2f-%.2f)" % (r[0], to, r[1], r[2]) for to, r in of.items() if r),
            round(load.figure(found, c, "p50_us")[0]), "  %d ERRORS" % errors if errors else ""))
    return "\n".join(lines)
