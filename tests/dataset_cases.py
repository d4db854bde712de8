"""Jobs, findings and small files for the tests of the dataset; the dataset takes any bytes for a picture."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from curation.dataset import Dataset
from curation.records import Claim, Found, Job, Kept

CAT, CAT_NAVER, DOG = Job("고양이", "고양이", "google"), Job("고양이", "고양이", "naver"), Job("dog", "puppy", "google")


def pictures(count: int, host: str = "x.example") -> list[Found]:
    return [Found(f"https://{host}/{number}.jpg", page=f"https://{host}/", title="제목") for number in range(count)]


def kept(dataset: Dataset, claim: Claim, data: bytes | None = None, original: bytes | None = None) -> Kept:
    data = claim.address.encode() if data is None else data
    name = f"{claim.id}.jpg"
    (dataset.incoming / name).write_bytes(data)
    digest = sha256(data).hexdigest()
    return Kept(claim.id, name, digest, sha256(original or data).hexdigest(), "jpg", 20, 10, len(data))


def settled(dataset: Dataset, claims: Sequence[Claim]) -> list[str]:
    return list(dataset.settle([kept(dataset, claim) for claim in claims], []).values())
