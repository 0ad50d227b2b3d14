"""What a process and a data directory hold, and how that goes over time."""
import os
import pathlib
import re
import statistics


def process(pid):
    """Memory in KiB, threads and file descriptors of a process."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()

    def number(name):
        return int(re.search(rf"^{name}:\s+(\d+)", status, re.M)[1])
    return {"rss": number("VmRSS"), "anonymous": number("RssAnon"), "threads": number("Threads"), "fds": len(os.listdir(f"/proc/{pid}/fd"))}


def folder_kib(folder):
    """Blocks of all files below a folder; those that vanish meanwhile count nothing."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(path, name)).st_blocks // 2
            except FileNotFoundError:
                pass
    return total


def disk(data):
    database = sum(os.path.getsize(f) for f in pathlib.Path(data).glob("*.db*")) // 1024
    return {"database": database, "data": folder_kib(data)}


def slope(points):
    """Least squares: units per hour of [(seconds, value)]."""
    if len(points) < 3:
        return 0.0
    times, values = zip(*points)
    mean_t, mean_v = statistics.fmean(times), statistics.fmean(values)
    spread = sum((t - mean_t) ** 2 for t in times)
    return sum((t - mean_t) * (v - mean_v) for t, v in points) / spread * 3600 if spread else 0.0


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None
