#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Samples every allocation. The profile must equal the program's own counts, to the last object and byte.

Run once for each unwinder; see tests/profiler/meson.build.
"""
import json
import pathlib
import sys
import tempfile

import dumps


def differences(truth, found):
    for site, counted in truth.items():
        profiled = found.get(site)
        if profiled is None:
            yield f"{site}: not in the profile"
            continue
        for metric in ("live", "cumulative", "remote"):
            for unit in profiled[metric]:
                if profiled[metric][unit] != counted[metric][unit]:
                    yield (f"{site}: {metric} {unit}: {profiled[metric][unit]} in the profile, "
                           f"{counted[metric][unit]} counted")
        ended = counted["cumulative"]["objects"] - counted["live"]["objects"]
        if profiled["ended"] != ended:
            yield f"{site}: {profiled['ended']} lifetimes of {ended} objects"
        if profiled["temporary"]["objects"] > ended:
            yield f"{site}: {profiled['temporary']['objects']} temporary objects of {ended}"


def main():
    arguments = dumps.parse_arguments(__doc__, **{"--unwind": {"choices": ["libunwind", "fp"], "required": True}})
    with tempfile.TemporaryDirectory(prefix="hotlane-exact-") as scratch:
        path = pathlib.Path(scratch) / "exact.heap"
        truth = json.loads(dumps.run_well([arguments.program, "exact", 1], dumps.environment(
            arguments.preload, profile=path, sample_interval=1, unwind=arguments.unwind)))
        document = dumps.report(arguments.command, path)
    wrong = list(differences(truth, dumps.by_function(document, truth)))
    if document["unwind"] != arguments.unwind:
        wrong.append(f"unwound by {document['unwind']}")
    if document["lost_samples"] != 0:
        wrong.append(f"{document['lost_samples']} samples are lost")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{sum(site['cumulative']['objects'] for site in truth.values())} objects of {len(truth)} places, "
          f"{document['samples']} samples")


if __name__ == "__main__":
    main()
