"""What the benchmarks run: packages that are installed, programs and modules that are compiled."""

import concurrent.futures
import glob
import json
import os
import platform
import shutil
import subprocess
import sys

BENCH = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(BENCH))
# A program or file -> Debian's package.
BASE = {"apache2": "apache2-bin", "apxs": "apache2-dev", "gcc": "gcc", "wrk": "wrk", "sqlite3": "sqlite3",
        "pkg-config": "pkg-config", "openssl": "openssl", "libcurl.pc": "libcurl4-openssl-dev",
        "libcjson.pc": "libcjson-dev", "openssl.pc": "libssl-dev", "zlib.pc": "zlib1g-dev",
        "apr_dbd_sqlite3.so": "libaprutil1-dbd-sqlite3"}
POSTGRESQL = {"postgres": "postgresql", "apr_dbd_pgsql.so": "libaprutil1-dbd-pgsql"}
NODE = {"node": "nodejs", "npm": "npm"}
FLASK = {"gunicorn": "gunicorn", "flask.py": "python3-flask", "boto3.py": "python3-boto3",
         "itsdangerous.py": "python3-itsdangerous"}
VALGRIND = {"valgrind": "valgrind"}
STRACE = {"strace": "strace"}
GNUPLOT = {"gnuplot": "gnuplot-nox"}
LIBRARIES = ["libcurl", "libcjson", "openssl", "zlib"]
PYTHON = "/usr/bin/python3"  # Debian's: it has Debian's modules
# As of November 2026.
NPM = {"connect-dynamodb": "3.0.5", "express": "5.3.0", "express-session": "1.19.0",
       "@aws-sdk/client-dynamodb": "3.1169.0"}


def say(text):
    print("== " + text, flush=True)


def die(text):
    sys.exit("%s: %s" % (os.path.basename(sys.argv[0]), text))


def output(*command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **more).stdout.strip()


def apxs(what):
    return output("apxs", "-q", what)


def httpd_program():
    return os.path.join(apxs("SBINDIR"), apxs("PROGNAME"))


def postgres_directory():
    """Where Debian keeps the newest one's programs."""
    found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
    return os.path.dirname(max(found, key=lambda p: int(p.split("/")[4]))) if found else None


# ---- packages ----

def is_there(what):
    name, kind = os.path.splitext(what)
    if kind == ".pc":
        return bool(shutil.which("pkg-config")) and not subprocess.run(["pkg-config", "--exists", name]).returncode
    if kind == ".so":
        return any(os.path.exists(os.path.join(d, what)) for d in
                   ("/usr/lib/%s-linux-gnu/apr-util-1" % platform.machine(), "/usr/lib64/apr-util-1"))
    if kind == ".py":
        return not subprocess.run([PYTHON, "-c", "import " + name], stderr=subprocess.DEVNULL).returncode
    if what == "postgres":
        return bool(postgres_directory())
    return bool(shutil.which(what, path=os.environ["PATH"] + ":/usr/sbin:/sbin"))


def install(*wanted):
    """Tables such as BASE."""
    names = sorted({package for table in wanted for what, package in table.items() if not is_there(what)})
    if not names:
        return
    say("installing: " + " ".join(names))
    as_root = [] if os.getuid() == 0 else ["sudo"]
    if as_root and not shutil.which("sudo"):
        die("missing packages, and no root and no sudo to install them: " + " ".join(names))
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", "--no-remove", *names]):
        done = subprocess.run([*as_root, "apt-get", "-o", "DPkg::Lock::Timeout=300", *command], env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        die("apt-get could not install " + " ".join(names) + ":\n" + done.stdout[-2000:])


def install_express(directory):
    """Into the work directory, never into the project's own node_modules."""
    os.makedirs(directory, exist_ok=True)
    if all(npm_version(directory, name) == version for name, version in NPM.items()):
        return
    say("npm: " + " ".join("%s@%s" % x for x in NPM.items()))
    with open(os.path.join(directory, "package.json"), "w", encoding="utf-8") as f:
        json.dump({"name": "bench", "private": True, "dependencies": NPM}, f)
    if subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], cwd=directory,
                      stdout=subprocess.DEVNULL).returncode:
        die("npm could not install connect-dynamodb and what it needs in " + directory)


def npm_version(directory, name):
    try:
        with open(os.path.join(directory, "node_modules", name, "package.json"), encoding="utf-8") as f:
            return json.load(f)["version"]
    except OSError:
        return None


# ---- building ----

def newer(target, sources):
    return os.path.exists(target) and all(os.path.getmtime(s) <= os.path.getmtime(target) for s in sources)


def run_compiler(target, inputs, flags):
    command = ["gcc", "-std=gnu99", "-O2", "-g", "-Wall", "-Wextra", "-o", target, *inputs, *flags]
    if subprocess.run(command).returncode:
        die("compiling %s failed" % os.path.basename(target))


def headers():
    return [f for pattern in ("src/**/*.h", "t/bench/*.h", "*.h")
            for f in glob.glob(os.path.join(TOP, pattern), recursive=True)]


def compile_c(target, sources, compiling, linking):
    """Each source by itself, as many at once as there are cores."""
    directory = target + ".objects"
    os.makedirs(directory, exist_ok=True)
    objects = {s: os.path.join(directory, os.path.relpath(s, TOP).replace("/", "_") + ".o") for s in sources}
    stale = [s for s, o in objects.items() if not newer(o, [s, *headers()])]
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(lambda s: run_compiler(objects[s], [s], ["-c", *compiling]), stale))
    if stale or not newer(target, objects.values()):
        run_compiler(target, sorted(objects.values()), linking)


def in_bench(*names):
    return [os.path.join(BENCH, n) for n in names]


def build(directory):
    """The stand-in, the modules and the pages, into directory."""
    say("building the stand-in and the modules in " + directory)
    os.makedirs(os.path.join(directory, "htdocs"), exist_ok=True)
    for page in ("page.html", "seen.html"):
        with open(os.path.join(directory, "htdocs", page), "w", encoding="ascii") as f:
            f.write("x" * 1024)
    libraries = output("pkg-config", "--libs", *LIBRARIES).split()
    compiling = ["-fPIC", "-I" + apxs("INCLUDEDIR"), "-I" + TOP, "-I" + os.path.join(TOP, "src"),
                 *output("apr-1-config", "--cppflags", "--includes").split(),
                 *output("pkg-config", "--cflags", *LIBRARIES).split()]
    shared = ["-shared", "-Wl,-z,nodelete", *libraries]
    ours = sorted(glob.glob(os.path.join(TOP, "src", "**", "*.c"), recursive=True))
    ours += sorted(glob.glob(os.path.join(TOP, "mod_session_dynamodb*.c")))
    compile_c(os.path.join(directory, "table_server"),
              in_bench("table_server.c", "table_http.c", "table_api.c", "table_expr.c"), [], libraries)
    for name, sources in (("mod_round_trip.so", in_bench("mod_round_trip.c")), ("mod_mark.so", in_bench("mod_mark.c")),
                          ("mod_session_dynamodb.so", ours)):
        compile_c(os.path.join(directory, name), sources, compiling, shared)


def make_certificates(directory):
    """A CA of our own: server.pem for the stand-in, ca.pem, and bundle.pem, which is the system's CAs and this one."""
    path = {n: os.path.join(directory, n) for n in ("server.pem", "ca.pem", "bundle.pem", "key.pem")}
    if all(os.path.exists(p) for p in path.values()):
        return
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "3650", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", path["key.pem"], "-out", path["ca.pem"]], check=True, stderr=subprocess.DEVNULL)
    for name, parts in (("server.pem", (path["ca.pem"], path["key.pem"])),
                        ("bundle.pem", ("/etc/ssl/certs/ca-certificates.crt", path["ca.pem"]))):
        with open(path[name], "w", encoding="utf-8") as out:
            for part in parts:
                with open(part, encoding="utf-8") as f:
                    out.write(f.read())
