"""The peers of `downloads.py`, run by a Python that has them: PEER FILE-OF-ADDRESSES FOLDER. Prints a JSON line."""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import time
from importlib import import_module  # not `import`: the peers are not among our requirements
from pathlib import Path


def icrawler(addresses: Path, folder: Path, threads: int) -> None:
    """Icrawler's own crawler for a list of addresses."""
    crawler = import_module("icrawler" + ".builtin").UrlListCrawler(
        downloader_threads=threads, storage={"backend": "FileSystem", "root_dir": str(folder)}, log_level=logging.ERROR
    )
    crawler.crawl(str(addresses), max_num=10**6)


def img2dataset(addresses: Path, folder: Path, threads: int) -> None:
    """img2dataset without resizing and encoding anew."""
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    import_module(img2dataset.__name__).download(
        url_list=str(addresses),
        output_folder=str(folder),
        output_format="files",
        input_format="txt",
        processes_count=1,
        thread_count=threads,
        resize_mode="no",
        disable_all_reencoding=True,
        number_sample_per_shard=10_000,
        enable_wandb=False,
        disallowed_header_directives=[],
    )


def plain(addresses: Path, folder: Path, threads: int) -> None:
    """Thirty lines as one would write them: sha256, the stream decoded, the file saved; no database, no rules."""
    import asyncio
    from concurrent.futures import ThreadPoolExecutor
    from hashlib import sha256
    from io import BytesIO

    import aiohttp
    from PIL import Image

    def store(data: bytes) -> None:
        name = sha256(data).hexdigest()
        picture = Image.open(BytesIO(data))
        picture.draft("L", (64, 64))
        picture.load()
        (folder / f"{name}.jpg").write_bytes(data)

    async def fetch() -> None:
        left = iter(addresses.read_text().split())
        pool = ThreadPoolExecutor(threads)

        async def work() -> None:
            for address in left:
                async with session.get(address) as answer:
                    data = await answer.read()
                await asyncio.get_running_loop().run_in_executor(pool, store, data)

        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(work() for _ in range(16)))

    asyncio.run(fetch())


if __name__ == "__main__":
    name, addresses, folder, threads = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    peer = {"icrawler": icrawler, "img2dataset": img2dataset, "plain": plain}[name]
    started = time.monotonic()
    peer(addresses, folder, threads)
    seconds = time.monotonic() - started
    count = sum(1 for file in folder.rglob("*") if file.suffix in (".jpg", ".jpeg"))
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    print(json.dumps({"seconds": seconds, "count": count, "megabytes": most}))
