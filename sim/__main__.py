"""`python -m sim [FIRST-LAST]`: tell the stories of many seeds on all cores; print how to repeat those that failed."""

from __future__ import annotations

import os
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor, as_completed

import structlog
from sim.story import Told, tell

DEFAULT = "1-3000"
CHUNK = 5


def tell_chunk(seeds: range) -> list[Told | tuple[int, str]]:
    """Tell some stories; a failed one is its seed and what went wrong."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    results: list[Told | tuple[int, str]] = []
    for seed in seeds:
        try:
            results.append(tell(seed))
        except BaseException:  # noqa: BLE001 (whatever it is, it is this seed's)
            results.append((seed, traceback.format_exc()))
    return results


def main() -> int:
    """Run, report, and return 1 if any seed failed."""
    first, _, last = (sys.argv[1] if len(sys.argv) > 1 else DEFAULT).partition("-")
    seeds = range(int(first), int(last or first) + 1)
    begun, done, sessions, cuts = time.monotonic(), 0, 0, 0
    failed: list[tuple[int, str]] = []
    chunks = [seeds[at : at + CHUNK] for at in range(0, len(seeds), CHUNK)]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        for future in as_completed([pool.submit(tell_chunk, chunk) for chunk in chunks]):
            for result in future.result():
                done += 1
                if isinstance(result, Told):
                    sessions, cuts = sessions + result.sessions, cuts + result.cuts
                    if len(seeds) == 1:
                        print(*result.lines, sep="\n")
                else:
                    failed.append(result)
                    print(f"\nseed {result[0]} failed:\n{result[1]}repeat it: make sim SEEDS={result[0]}-{result[0]}")
            rate = done / (time.monotonic() - begun)
            print(
                f"\r{done}/{len(seeds)} seeds, {sessions} sessions, {cuts} power cuts, {len(failed)} failed, "
                f"{rate:.1f} seeds/s",
                end="" if sys.stdout.isatty() else "\n",
                flush=True,
            )
    print()
    for seed, _ in sorted(failed):
        print(f"make sim SEEDS={seed}-{seed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
