"""The tables and plots of docs/performance.md, from what was measured."""

import os
import re
import subprocess
import tempfile

import goals
import instructions
import load
import programs
import rows
from programs import die
from rows import BASE, Contender

DOCS = os.path.join(programs.TOP, "docs")
UNITS = {"latency": "ms", "size": "KB", "clients": "clients"}


# ---- tables ----

def counts_table(counted):
    """Instructions, by what they are beyond plain httpd's."""
    found = {n: counted["instructions " + n][0] for n in instructions.CONTENDERS if "instructions " + n in counted}
    lines = ["| | instructions | beyond plain |", "| --- | --: | --: |"]
    for name, n in found.items():
        beyond = "{:,.0f}".format(n - found["plain"]) if "plain" in found and name != "plain" else ""
        lines.append("| %s | %s | %s |" % (rows.label(instructions.CONTENDERS[name]), "{:,.0f}".format(n), beyond))
    lines += ["", "| | an exchange's system calls |", "| --- | --: |"]
    lines += ["| %s | %.2f |" % (name.replace("system calls ", ""), n[0]) for name, n in counted.items()
              if name.startswith("system calls ")]
    lines += ["", "| | KB a connection | quartiles |", "| --- | --: | --: |"]
    lines += ["| %s | %.1f | %.1f–%.1f |" % (name.replace("memory ", ""), *n) for name, n in counted.items()
              if name.startswith("memory ")]
    return "\n".join(lines) + "\n"


def along(dimension):
    return [(value, BASE._replace(**{dimension: value})) for value in rows.DIMENSIONS[dimension]]


def matrix_table(found, dimension):
    """Requests/s, and of the bare round trip, along one dimension; all others as in BASE."""
    steps = along(dimension)
    unit = UNITS.get(dimension, "")
    lines = ["| | " + " | ".join(("%s %s" % (value, unit)).strip() for value, _ in steps) + " |",
             "| --- |" + " --: |" * len(steps)]
    for name, row in rows.ROWS.items():
        texts = []
        for _, cell in steps:
            c = Contender(name, cell)
            of = load.ratio(found, c, Contender("bare", cell))
            texts.append("" if c not in found else "%.0f (%.2f)" % (
                load.figure(found, c, "requests_per_s")[0], of[0]) if of else "errors")
        if any(texts):
            lines.append("| %s | %s |" % (row.label, " | ".join(texts)))
    return "\n".join(lines) + "\n"


def tables(directory):
    found, matrix = load.read(directory + "/goals.tsv"), load.read(directory + "/matrix.tsv")
    counted = goals.read_counts(directory + "/counts.tsv")
    if found or counted:
        yield "goals", goals.table(found, counted)
    if found:
        with open(directory + "/machine.txt", encoding="utf-8") as f:
            yield "machine", f.read() + goals.others(found) + "\n"
        yield "side by side", "\n".join(goals.side_by_side(found, group) for group in goals.GROUPS)
    if counted:
        yield "counts", counts_table(counted)
    if matrix:
        yield "matrix", "\n".join("By %s:\n\n%s" % (d, matrix_table(matrix, d)) for d in rows.DIMENSIONS)


def fill_in(directory):
    path = os.path.join(DOCS, "performance.md")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for name, table in tables(directory):
        begin, end = "<!-- build/bench: %s -->\n" % name, "<!-- build/bench: end -->\n"
        text, done = re.subn(re.escape(begin) + "(?s:.*?)" + re.escape(end),
                             lambda _, new=begin + "\n" + table + "\n" + end: new, text)
        if done != 1:
            die("docs/performance.md has no place for '%s'" % name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


# ---- plots ----

BARS = """
set terminal svg size 900,460 dynamic font 'sans,12' background 'white'
set termoption noenhanced
set output '%(out)s'
set title "Requests per second, as part of plain httpd's (bars: medians, whiskers: quartiles)"
set style fill solid 0.8 border -1
set xrange [0:1.25]
set yrange [-%(rows)d+0.4:0.6]
set grid x
set xtics 0.25
set lmargin 50
unset key
plot '%(data)s' using ($2/2):(-$0):($2/2):(0.35):ytic(1) with boxxyerror lc rgb '#4878a8', \\
     '' using 2:(-$0):3:4 with xerrorbars lc rgb 'black' pt 0, \\
     '' using ($4+0.05):(-$0):(sprintf('%%.2f', $2)) with labels
"""
LINES = """
set terminal svg size 1100,400 dynamic font 'sans,12' background 'white'
set termoption noenhanced
set output '%s'
set multiplot layout 1,3 title "Requests per second, as part of the bare round trip's (medians, quartiles)"
set yrange [0:1.25]
set grid
set key bottom left Left reverse
"""


def gnuplot(script, out):
    with tempfile.NamedTemporaryFile("r", suffix=".svg") as f:
        subprocess.run(["gnuplot"], input=script.replace("{out}", f.name), text=True, check=True)
        text = f.read()
    with open(out, "w", encoding="utf-8") as f:
        # gnuplot writes the name of its file as the title.
        f.write(re.sub(r"<title>.*?</title>", "<title>requests per second</title>", text, count=1))


def plot_bars(found, directory, out):
    data = os.path.join(directory, "bars.dat")
    lines = [(rows.label(c), load.ratio(found, c, goals.PLAIN)) for c in goals.SIDE_BY_SIDE]
    lines = [(text, r) for text, r in lines if r]
    with open(data, "w", encoding="utf-8") as f:
        f.writelines('"%s" %.4f %.4f %.4f\n' % (text, *r) for text, r in lines)
    gnuplot(BARS % {"out": "{out}", "data": data, "rows": len(lines)}, out)


def plot_lines(found, directory, out):
    """Rows that are asked over the same dimensions as the bare round trip, along three of them."""
    script = LINES % "{out}"
    for dimension, unit in UNITS.items():
        steps, drawn = along(dimension), []
        for name in ("floor", "libcurl", "module"):
            data = os.path.join(directory, "%s-%s.dat" % (dimension, name))
            with open(data, "w", encoding="utf-8") as f:
                for at, (value, cell) in enumerate(steps):
                    of = load.ratio(found, Contender(name, cell), Contender("bare", cell))
                    if of:
                        f.write("%d %s %.4f %.4f %.4f\n" % (at, value, *of))
            with open(data, encoding="utf-8") as f:
                points = len(f.readlines())
            if points > 2:  # fewer make no line
                drawn.append("'%s' using 1:3:4:5:xtic(2) with yerrorlines title '%s'" % (data, rows.ROWS[name].label))
        if drawn:
            label = dimension if unit == dimension else "%s, %s" % (dimension, unit)
            script += "set xlabel '%s'\nset xrange [-0.3:%f]\nplot %s\n" % (label, len(steps) - 0.7, ", ".join(drawn))
    gnuplot(script, out)


def run(directory, plots_only):
    """@return the exit status."""
    programs.install(programs.GNUPLOT)
    found, matrix = load.read(directory + "/goals.tsv"), load.read(directory + "/matrix.tsv")
    if not plots_only:
        fill_in(directory)
    if found.get(goals.PLAIN):
        plot_bars(found, directory, os.path.join(DOCS, "performance.svg"))
    if matrix:
        plot_lines(matrix, directory, os.path.join(DOCS, "performance-matrix.svg"))
    return 0
