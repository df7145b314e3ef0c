"""Gives ZooKeeper's own command line (zkCli.sh) its commands for quotas and prints what it answers.

usage: quotas.py HOST:PORT[,HOST:PORT...] ROOT
"""
import subprocess
import sys

CLI = "/usr/share/zookeeper/bin/zkCli.sh"
COMMANDS = """
create ROOT one
create ROOT/c two
setquota -n 5 ROOT
listquota ROOT
setquota -b 100 ROOT
setquota -N 4 ROOT
setquota -B 20 ROOT
listquota ROOT
create ROOT/d three
create ROOT/e x
create ROOT/f y
set ROOT/c aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
delete ROOT/f
listquota ROOT
setquota -n 1 ROOT/c
setquota -n 1 ROOT/not/there
get /zookeeper/quotaROOT/zookeeper_limits
get /zookeeper/quotaROOT/zookeeper_stats
delquota -n ROOT
listquota ROOT
delquota -N ROOT
create ROOT/g z
delquota ROOT
listquota ROOT
ls /zookeeper/quota
"""
NOISE = ("SLF4J", "Connecting to", "Welcome", "JLine", "WATCHER", "WatchedEvent", "Picked up")


def main():
    servers, root = sys.argv[1:3]
    done = subprocess.run(
        [CLI, "-waitforconnection", "-server", servers], input=COMMANDS.strip().replace("ROOT", root) + "\n",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=True)
    for line in done.stdout.splitlines():
        if line.strip() and not line.startswith(NOISE) and " INFO " not in line:
            print(line)


main()
