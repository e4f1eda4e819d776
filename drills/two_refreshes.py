"""Two refreshes: started at the same moment on a new folder; both end well or say why not, and the state is that of one."""

from pathlib import Path

from drills.kills import judged
from drills.refreshing import small
from drills.state import contents


def run(work: Path, store: str | None = None) -> list[str]:
    """Start two at once, and one afterwards; what is wrong."""
    settings = {"pseudonym_key_file": str(work / "welfare.key")}
    undisturbed, place = small(work / "undisturbed", store, **settings), small(work / "shared", store, **settings)
    code, _ = undisturbed.refresh()
    if code:
        return [f"the undisturbed refresh ends with {code}: {undisturbed.said()}"]
    both = [place.start(*place.refreshing) for _ in range(2)]
    codes = [process.wait() for process in both]
    print(f"the two ended with {codes[0]} and {codes[1]}")
    said = place.log.read_text(errors="replace")
    problems = [f"one of the two broke: {place.said()}"] if "Traceback" in said else []
    if any(codes) and "error:" not in said:
        problems.append(f"the two ended with {codes} and nobody said why: {place.said()}")
    after, _ = place.refresh()
    return [*problems, *judged(place, after, contents(undisturbed.load()), store)]
