"""Writes tests/unlinked.txt: the ids of the claims whose proof is not linked to their law. It only shrinks."""

from pathlib import Path

from gnomon.find.walk import entries

LIST = Path(__file__).with_name("unlinked.txt")


def unlinked() -> list[str]:
    """The claims that still have a derivation beside their statement, sorted."""
    return sorted(id for id, entry in entries().items() if getattr(entry, "derivation", None) is not None)


if __name__ == "__main__":
    LIST.write_text("".join(f"{id}\n" for id in unlinked()), encoding="utf-8")
