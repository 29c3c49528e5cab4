# SPDX-License-Identifier: MIT
"""How well a workload scales to many cores, computed from counts that were measured on few.

The model is a closed network of queues: each core thinks, then visits the locks one after the other, and waits while
others hold them. Exact mean-value analysis (Reiser and Lavenberg 1980) gives the throughput."""
import dataclasses

REMOTE_LINE_NS = 100
# Consecutive lines are fetched ahead: at least four are under way at once.
COPIED_LINE_NS = 25


@dataclasses.dataclass(frozen=True)
class Station:
    """A lock. `demand` is for how long it is held for one operation, on average. Of a lock that each domain has
    anew, only the cores of one domain queue."""

    demand: float
    per_domain: bool = False


@dataclasses.dataclass(frozen=True)
class Load:
    """What one operation of a workload costs, in ns."""

    think: float
    stations: tuple


def throughput(think, demands, customers):
    """Operations per unit of time of so many customers, who each think and then queue at each station in turn."""
    queues = [0.0] * len(demands)
    rate = 0.0
    for n in range(1, customers + 1):
        waits = [demand * (1 + queue) for demand, queue in zip(demands, queues)]
        rate = n / (think + sum(waits))
        queues = [rate * wait for wait in waits]
    return rate


def demands_on(stations, cores, cores_per_domain):
    """Each domain's copy of a lock gets an equal share of the visits."""
    domains = max(1, -(-cores // cores_per_domain))
    found = []
    for one in stations:
        copies = domains if one.per_domain else 1
        found += [one.demand / copies] * copies
    return found


def efficiency(local, remote, cores, cores_per_domain):
    """The throughput of `cores` cores, as a share of what they would do if each worked as one core alone does.
    `local` is the load of one core. `remote` is the same with the costs of lines that other cores have written."""
    alone = local.think + sum(one.demand for one in local.stations)
    return throughput(remote.think, demands_on(remote.stations, cores, cores_per_domain), cores) * alone / cores


def loads(operations, nanoseconds, locks, prefetched=0):
    """The local and the remote load. `locks` has (held ns, lines, copied lines, per domain) of each lock; these,
    `nanoseconds` and the lines that were `prefetched` before a lock was taken are totals of all operations. What else is
    read outside of locks costs on few cores what it costs on many, and is part of the measured time."""
    local = [Station(held / operations, per_domain) for held, _, _, per_domain in locks]
    remote = [
        Station((held + lines * REMOTE_LINE_NS + copied * COPIED_LINE_NS) / operations, per_domain)
        for held, lines, copied, per_domain in locks
    ]
    # A lock that is held inside another one counts twice: too much rather than too little.
    think = max(0.0, nanoseconds / operations - sum(one.demand for one in local))
    return Load(think, tuple(local)), Load(think + prefetched * COPIED_LINE_NS / operations, tuple(remote))
