"""Drives ZooKeeper's command line client (cli_mt) by its standard input and prints what it answers to each command.

usage: cli.py HOST:PORT[,HOST:PORT...] ROOT

Masked are ROOT (~), zxids, times and session ids, and the order of children.
"""
import re
import subprocess
import sys
import threading

CLI = "/usr/lib/zookeeper/bin/cli_mt"
PATIENCE = 20.0
COMMANDS = """
create ROOT
create ROOT
create2 +e ROOT/e
create +s ROOT/s-
create +c ROOT/c
create2 +t=100000 ROOT/t
create +es ROOT/es-
ls ROOT
ls2 ROOT
get ROOT
set ROOT hello
get ROOT
exists ROOT
wexists ROOT/later
create ROOT/later
sync ROOT
delete ROOT
delete ROOT/later
get ROOT/later
create ROOT/e/below
create ROOT/not/there
aget ROOT
als ROOT/c
adelete ROOT/c
aexists ROOT/c
""".split("\n")[1:-1]
VOLATILE = re.compile(r"\s*(time = |ctime|mtime|czxid|mzxid)|.*:ZOO_|Watcher SESSION_EVENT|Got a new session id")


def shown(lines):
    lines = [re.sub(r"ephemeralOwner = (?!0$).*", "ephemeralOwner = somebody", line) for line in lines if line.strip() and not VOLATILE.match(line)]
    names = sorted(line for line in lines if re.match(r"\t[^= ]+$", line))
    return [line for line in lines if line not in names] + names


def main():
    servers, root = sys.argv[1:3]
    process = subprocess.Popen([CLI, "-h", servers], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, bufsize=1)
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()

    def until(ends):
        lines = []
        for line in process.stderr:
            if ends in line:
                return lines
            lines.append(line.rstrip("\n"))
        sys.exit(f"cli_mt ended, or was ended after {PATIENCE:g} s, before it said {ends!r}; it said {lines[-10:]}")

    until("Got a new session id")
    for n, command in enumerate(COMMANDS):
        # What is answered to a command has been said when the next one, which asks for nothing, is answered.
        process.stdin.write(f"{command.replace('ROOT', root)}\nget {root}-none-{n}\n")
        print(command.replace("ROOT", "~"))
        for line in shown(until(f"{root}-none-{n}: rc = -101")):
            print("    " + line.replace(root, "~"))
        until("null")
    process.stdin.write("quit\n")
    process.stdin.close()
    process.stderr.read()
    print(f"quit: {process.wait()}")
    watchdog.cancel()


if __name__ == "__main__":
    main()
