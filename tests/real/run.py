#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run a real program on glibc's malloc and on hotlane: same output, same status, and counters at exit.
With --profiled, a stack is taken each 4 KiB, and the command reads every profile.

What it knows: how to prepare input for each program, and how to compare. It must not know how hotlane
works. Called by meson once per program of CASES.
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time


class Failure(Exception):
    pass


def lines_of_numbers(scratch):
    source = random.Random(1)
    with open(scratch / "lines", "w", encoding="ascii") as file:
        for _ in range(200000):
            file.write(f"{source.randrange(10**9)} {source.randbytes(source.randrange(1, 30)).hex()}\n")


def many_files(scratch):
    for i in range(20):
        directory = scratch / "tree" / f"directory-{i}"
        directory.mkdir(parents=True)
        for j in range(40):
            (directory / f"file-{j}-{i * j % 7}.c").write_text(f"int value_{i}_{j} = {i * j};\n" * (i + j + 1))


def large_c_file(scratch):
    """Functions with loops, switches and structures: enough for a compiler to build and drop many small objects."""
    with open(scratch / "large.c", "w", encoding="ascii") as file:
        for i in range(600):
            file.write(f"struct s{i} {{ int a[{i % 9 + 1}]; double d; struct s{i} *next; }};\n"
                       f"int f{i}(struct s{i} *s, int n) {{\n    int sum = 0;\n"
                       f"    for (; s; s = s->next)\n        for (int i = 0; i < n; ++i)\n"
                       f"            switch ((s->a[i % {i % 9 + 1}] + i) % 5) {{\n"
                       f"            case 0: sum += {i}; break;\n            case 1: sum ^= s->d > {i} ? 3 : 4; break;\n"
                       f"            case 3: sum += {f'f{i - 1}((void *)s, n - 1)' if i else '1'}; break;\n"
                       f"            default: sum -= i * {i};\n            }}\n    return sum;\n}}\n")


PYTHON = """
import collections, hashlib, json, re, resource, threading
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, resource.RLIM_INFINITY))  # before threads and libraries need some
import ctypes, decimal, sqlite3
large = bytearray(50 << 20)
tree = {str(i): [{'name': 'n%d' % j, 'values': list(range(j))} for j in range(i % 30)] for i in range(1500)}
text = json.dumps(tree, sort_keys=True)
assert json.loads(text) == tree
words = collections.Counter(re.findall(r'n[0-9]+', text))
results = []
def work(n): results.append(sum(len(str(i)) for i in range(n)))
threads = [threading.Thread(target=work, args=(100000 + i,)) for i in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print(hashlib.sha256(text.encode()).hexdigest(), words.most_common(5), sorted(results))
"""

PERL = r"""
my (%h, @a); my $x = 1;
for (1..150000) { $x = ($x * 1103515245 + 12345) % 2147483648; push @a, "key$x"; $h{substr("key$x", 0, 7)} .= "v$_,"; }
my $long = join '|', sort @a; my $n = () = $long =~ /key(\d)\d+5\|/g;
print length($long), " $n ", scalar(keys %h), " ", substr($h{key1234} // 'none', 0, 60), "\n";
"""

SQLITE = """
pragma journal_mode = memory; create table t(id integer primary key, name text, value real);
insert into t with recursive n(i) as (select 1 union all select i + 1 from n where i < 150000)
  select i, printf('name-%d-%s', i * 7919 % 10007, hex(i)), i * 0.5 from n;
create index by_name on t(name); select count(*), sum(value), min(name), max(name) from t;
select substr(name, 1, 8) as prefix, count(*), group_concat(id % 10, '') from t where id < 20000 group by 1 order by 2 desc, 1 limit 12;
update t set name = name || '-changed' where id % 3 = 0; delete from t where id % 5 = 0; vacuum; pragma integrity_check;
select count(*), sum(length(name)) from t;
"""

NODE = """
const { Worker, isMainThread, parentPort } = require('worker_threads');
function work(n) {
  const parts = [];
  for (let i = 0; i < n; ++i) parts.push(Buffer.from(JSON.stringify({ i, text: 'x'.repeat(i % 200), list: [i, i + 1] })));
  return require('crypto').createHash('sha256').update(Buffer.concat(parts)).digest('hex') + new Map(parts.map((p, i) => [i, p.length])).size;
}
if (isMainThread) {
  console.log(work(40000));
  let left = 3; const seen = [];
  for (let i = 0; i < 3; ++i) {
    const worker = new Worker(__filename);
    worker.on('message', (m) => { seen.push(m); });
    worker.on('exit', (code) => { if (--left === 0) console.log(seen.join(' '), code, require('zlib').deflateSync('y'.repeat(1e6)).length); });
  }
} else parentPort.postMessage(work(15000));
"""

# With whatever extensions are installed: php opens each with RTLD_DEEPBIND.
PHP = r"""
echo implode(' ', get_loaded_extensions()), "\n";
$tree = [];
for ($i = 0; $i < 3000; ++$i) $tree["name-$i"] = ['list' => range(0, $i % 40), 'text' => str_repeat('x', $i % 300)];
$text = json_encode($tree);
echo hash('sha256', $text), ' ', json_decode($text, true) === $tree ? 'same' : 'different', "\n";
echo preg_match_all('/"name-(\d)\d+5"/', $text), ' ', strlen(serialize($tree)), "\n";
if (extension_loaded('gmp')) echo hash('sha256', gmp_strval(gmp_fact(3000))), "\n";
if (extension_loaded('mbstring')) echo strlen(mb_convert_encoding(str_repeat("g\u{e4}b ", 9999), 'UTF-16', 'UTF-8')), "\n";
if (extension_loaded('dom')) {
    $document = new DOMDocument(); $root = $document->appendChild($document->createElement('root'));
    for ($i = 0; $i < 5000; ++$i) $root->appendChild($document->createElement('item', "text $i"))->setAttribute('n', $i % 7);
    $path = new DOMXPath($document);
    echo $path->query('//item[@n="3"]')->length, ' ', hash('sha256', $document->saveXML()), "\n";
}
if (extension_loaded('pdo_sqlite')) {
    $base = new PDO('sqlite::memory:'); $base->exec('create table t(i integer primary key, s text)');
    $insert = $base->prepare('insert into t(s) values (?)');
    for ($i = 0; $i < 5000; ++$i) $insert->execute([str_repeat(chr(65 + $i % 26), $i % 200)]);
    echo json_encode($base->query('select count(*), sum(length(s)), max(s) from t')->fetch()), "\n";
}
"""

GIT = """
cd "$1"; rm -rf tree/.git; cd tree
git init -q -b main . && git add -A && git commit -q -m first
for i in 1 2; do for f in directory-$i*/*; do echo "changed $i" >> "$f"; done; git commit -q -a -m "change $i"; done
git checkout -q -b other HEAD~2 && echo other > other && git add other && git commit -q -m other && git merge -q main -m merged
git repack -adfq --threads=2 && git fsck --strict --no-progress 2>&1
git log --stat --graph --format='%H %s' | sha256sum; git rev-parse HEAD; git diff --stat HEAD~1 | tail -1; git blame directory-1/file-1-1.c | sha256sum
"""

PAGE = """<!DOCTYPE html><title>A page</title><body><script>
const rows = Array.from({ length: 2000 }, (_, i) => `<p class="c${i % 7}">${'word '.repeat(i % 20)}${i * i}</p>`);
document.body.innerHTML = rows.join('') + `<b>${rows.join('').length}</b>`;
document.title = document.querySelectorAll('.c3').length + ' of the third kind';
</script>"""


def page(scratch):
    (scratch / "page.html").write_text(PAGE)
    (scratch / "profile").mkdir()


# No request leaves the machine: the page is a file, and what browsers fetch for themselves is off.
CHROMIUM = """
cd "$1"; HOME="$1" chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync \
  --disable-background-networking --disable-component-update --disable-breakpad --disable-crash-reporter \
  --user-data-dir="$1/profile" --dump-dom "file://$1/page.html" 2> chromium.log | sha256sum; echo ${PIPESTATUS[0]}
"""
FIREFOX = """
cd "$1"; HOME="$1" MOZ_DISABLE_AUTO_SAFE_MODE=1 firefox-esr --headless --no-remote --profile "$1/profile" --window-size=400,300 \
  --screenshot "$1/page.png" "file://$1/page.html" > firefox.log 2>&1; echo $?; head -c 24 page.png | od -An -tx1
"""

# name: (programs needed, preparation, command, the program whose counters are looked at).
# A command is run by bash with the scratch directory as $1; bash and all it starts have the same malloc. Browsers bring
# a malloc of their own, so that of theirs there are no counters to look at.
CASES = {
    "ls": (["ls"], many_files, 'cd "$1"; ls -lR --time-style=+ tree | sha256sum; ls missing', "ls"),
    "sort": (["sort"], lines_of_numbers,
             'cd "$1"; sort --parallel=4 -S 8M lines | sha256sum; sort -k2 -u lines | sha256sum; sort -n -r lines | head -3',
             "sort"),
    "git": (["git"], many_files, GIT, "git"),
    "python3": (["/usr/bin/python3"], None, "PYTHONMALLOC=malloc /usr/bin/python3 -s -c \"$PROGRAM\"", "python3"),
    # faketime preloads a library that interposes clock_gettime and allocates in it.
    "faketime": (["faketime", "/usr/bin/python3"], None,
                 "faketime '2020-02-02 20:20:20' bash -c 'date +%F; PYTHONMALLOC=malloc /usr/bin/python3 -s -c \"$PROGRAM\"'",
                 "python3"),
    "perl": (["perl"], None, 'PERL_HASH_SEED=0 perl -e "$PROGRAM"', "perl"),
    "sqlite3": (["sqlite3"], None, 'sqlite3 :memory: "$PROGRAM"', "sqlite3"),
    "gcc": (["gcc"], large_c_file, 'cd "$1"; gcc -O1 -c large.c -o large.o && sha256sum large.o', "cc1"),
    "node": (["node"], None, 'printf %s "$PROGRAM" > "$1"/program.js; node "$1"/program.js', "node"),
    "php": (["php"], None, 'php -r "echo 1;" 2>/dev/null; USE_ZEND_ALLOC=0 php -r "$PROGRAM"', "php"),
    "chromium": (["chromium"], page, CHROMIUM, None),
    "firefox-esr": (["firefox-esr"], page, FIREFOX, None),
    "redis-server": (["redis-server", "redis-cli", "redis-benchmark"], None, None, "redis-server"),
}
PROGRAMS = {"python3": PYTHON, "faketime": PYTHON, "perl": PERL, "sqlite3": SQLITE, "node": NODE, "php": PHP}


def environment(preload, reports, profiled):
    variables = {name: value for name, value in os.environ.items() if not name.startswith("HOTLANE_")}
    variables.update(LC_ALL="C", TZ="UTC", HOME="/nonexistent", GIT_CONFIG_NOSYSTEM="1",
                     GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@example.org", GIT_AUTHOR_DATE="2020-01-01T00:00:00Z",
                     GIT_COMMITTER_NAME="c", GIT_COMMITTER_EMAIL="c@example.org", GIT_COMMITTER_DATE="2020-01-01T00:00:00Z",
                     GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="core.fsync", GIT_CONFIG_VALUE_0="none")
    variables.pop("MALLOC_PERTURB_", None)
    if preload:
        variables.update(LD_PRELOAD=preload, HOTLANE_STATS="json", HOTLANE_STATS_FILE=f"{reports}/%p.json")
    if preload and profiled:
        variables.update(HOTLANE_PROFILE=f"{reports}/%p.%n.heap", HOTLANE_SAMPLE_INTERVAL="4096")
    return variables


def run_shell(name, scratch, variables):
    variables = dict(variables, PROGRAM=PROGRAMS.get(name, ""))
    done = subprocess.run(["bash", "-c", CASES[name][2], "bash", str(scratch)], env=variables, capture_output=True,
                          timeout=100, check=False)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


REDIS_COMMANDS = """set greeting hello
append greeting " world"
incrby counter 41
incr counter
rpush list a b c d e
lrange list 0 -1
hset hash one 1 two 2 three 3
hgetall hash
zadd scores 1 low 5 high 3 middle
zrange scores 0 -1 withscores
setrange wide 100000 end
strlen wide
eval "local t = {} for i = 1, 20000 do t[i] = redis.call('set', 'k' .. i, string.rep('x', i % 500)) end return #t" 0
dbsize
"""


def run_redis(scratch, variables):
    """A script of commands, then the benchmark, then SHUTDOWN. The benchmark's own output is timing: only its end counts."""
    socket = scratch / "redis.sock"
    with open(scratch / "redis.log", "wb") as log:
        server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir",
                                   str(scratch)], env=variables, stdout=log, stderr=log)
    try:
        client = ["redis-cli", "-s", str(socket)]
        for _ in range(200):
            if socket.exists() and subprocess.run(client + ["ping"], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.05)
        answers = subprocess.run(client, input=REDIS_COMMANDS.encode(), capture_output=True, timeout=60, check=False)
        benchmark = subprocess.run(["redis-benchmark", "-s", str(socket), "-n", "200000", "-P", "16", "-q", "-t",
                                    "set,get,incr,lpush,rpop,sadd,hset,spop,zadd,mset"], env=variables,
                                   capture_output=True, timeout=100, check=False)
        size = subprocess.run(client + ["exists", "greeting", "list", "hash", "scores"], capture_output=True, check=False)
        subprocess.run(client + ["shutdown", "nosave"], capture_output=True, timeout=20, check=False)
        status = server.wait(timeout=20)
    finally:
        if server.poll() is None:
            server.kill()
    return (status, benchmark.returncode), (answers.stdout + size.stdout).decode(), ""


def run_case(name, scratch, preload, profiled):
    reports = scratch / "reports"
    reports.mkdir(exist_ok=True)
    variables = environment(preload, reports, profiled)
    return run_redis(scratch, variables) if name == "redis-server" else run_shell(name, scratch, variables)


def check_counters(reports, program):
    documents = [json.loads(path.read_text()) for path in reports.glob("*.json")]
    own = [document for document in documents if document["process"]["program"] == program]
    if not own:
        names = sorted({document["process"]["program"] for document in documents})
        raise Failure(f"no counters of {program} among {len(documents)} reports (of {', '.join(names)})")
    totals = max((document["totals"] for document in own), key=lambda totals: totals["allocations"])
    if totals["allocations"] < 30 or totals["hits"] + totals["misses"] != totals["allocations"]:
        raise Failure(f"counters of {program} are not plausible: {totals}")
    if totals["hits"] < 0.5 * totals["allocations"]:
        raise Failure(f"{program}: only {totals['hits']} hits of {totals['allocations']} requests")
    print(f"{program}: {totals['allocations']} requests, {100 * totals['hits'] / totals['allocations']:.2f} % hits")


def check_profiles(reports, program, command):
    samples = []
    for path in reports.glob("*.heap"):
        done = subprocess.run([command, "report", "--json", "-", str(path)], capture_output=True, text=True, timeout=60,
                              check=False)
        if done.returncode != 0:
            raise Failure(f"hotlane report: status {done.returncode}: {done.stderr}")
        document = json.loads(done.stdout)
        # A dump says which file ran, the counters under which name.
        counters = json.loads((reports / f"{document['process']}.json").read_text())
        if counters["process"]["program"] == program:
            samples.append(document["samples"])
    if max(samples, default=0) < 1000:
        raise Failure(f"{program}: profiles of {samples} samples")
    print(f"{program}: {len(samples)} profiles, {sum(samples)} samples")


def compare(name, preload, profiled):
    _, prepare, _, program = CASES[name]
    outcomes = []
    for library in (None, preload):
        with tempfile.TemporaryDirectory(prefix="hotlane-real-") as directory:
            scratch = pathlib.Path(directory)
            if prepare:
                prepare(scratch)
            begin = time.monotonic()
            status, output, errors = run_case(name, scratch, library, profiled)
            print(f"{'hotlane' if library else 'glibc'}: {time.monotonic() - begin:.2f} s")
            if not output:
                raise Failure(f"{name} printed nothing: {errors}")
            outcomes.append((status, output.replace(directory, "SCRATCH"), errors.replace(directory, "SCRATCH")))
            if library and program:
                check_counters(scratch / "reports", program)
            if library and profiled:
                check_profiles(scratch / "reports", program, profiled)
    for what, expected, found in zip(("status", "output", "standard error"), *outcomes):
        if expected != found:
            raise Failure(f"{name}: {what} differs\non glibc:   {expected!r}\non hotlane: {found!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preload", metavar="LIBRARY", required=True)
    parser.add_argument("--profiled", metavar="HOTLANE", help="the command that reads profiles")
    parser.add_argument("case", choices=sorted(CASES))
    arguments = parser.parse_args()
    missing = [program for program in CASES[arguments.case][0] if not shutil.which(program)]
    if missing:
        print(f"not installed: {', '.join(missing)}")
        sys.exit(77)
    try:
        compare(arguments.case, os.path.abspath(arguments.preload), arguments.profiled)
    except (Failure, subprocess.TimeoutExpired) as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    main()
