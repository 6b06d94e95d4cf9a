"""Are two files the same data set? As pydicom reads them, element by element, at every depth."""

import readers


def elements(path, containers=True):
    """{path of tags: [(VR, CRC-32 of the value)]} without file meta information; of a container its being one."""
    rows = readers.by_pydicom(path)
    assert not isinstance(rows, readers.Refused), f"{path}: {rows}"
    return {at: [(seen.vr, "container" if seen.container else seen.checksum) for seen in all_seen]
            for at, all_seen in rows.items()
            if not at.startswith("0002") and (containers or not all_seen[0].container)}


def difference(left, right):
    """Paths of elements that differ, or stand in one alone."""
    left, right = elements(left), elements(right)
    return sorted(at for at in left.keys() | right.keys() if left.get(at) != right.get(at))


def top_level(paths):
    """The tags of top-level elements among paths."""
    return sorted({at[:8] for at in paths})
