"""The tables of `dataset.db`, as steps: a database at version n has had the first n steps.

A step that has been released is never changed; a new need is a new step. Every address found is one row of `addresses`
from the moment it is found; `sources` and `refusals` are what has become of them. `tallies` is kept by triggers, so
that counting a hundred thousand rows costs nothing.
"""

from __future__ import annotations

APPLICATION = 0x48575244  # "HWRD": tells our database from another program's
# An address that may be claimed; `not-needed` ones may be after all, when more pictures are wanted than before.
WAITING = "(state = 'pending' OR reason = 'not-needed')"

_ADDRESSES = """
CREATE TABLE addresses (
    id INTEGER PRIMARY KEY,
    label TEXT NOT NULL REFERENCES labels,
    keyword TEXT NOT NULL,
    engine TEXT NOT NULL,
    number INTEGER NOT NULL,            -- counts the addresses of a label at an engine in the order they were found
    address TEXT NOT NULL,
    address_key BLOB NOT NULL,          -- 16 bytes of the address's digest: data: addresses are too long for an index
    page TEXT NOT NULL DEFAULT '',
    title TEXT NOT NULL DEFAULT '',
    author TEXT NOT NULL DEFAULT '',
    licence TEXT NOT NULL DEFAULT '',
    licence_address TEXT NOT NULL DEFAULT '',
    width INTEGER NOT NULL DEFAULT 0,   -- as the engine says
    height INTEGER NOT NULL DEFAULT 0,
    thumbnail INTEGER NOT NULL DEFAULT 0,
    found_at TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'claimed', 'kept', 'refused')),
    run INTEGER REFERENCES runs,        -- that claimed or settled it
    reason TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '',
    image TEXT REFERENCES images,       -- what it became, or what it is a duplicate of
    ended_at TEXT,
    CHECK (state <> 'kept' OR image IS NOT NULL),
    CHECK ((state = 'refused') = (reason <> ''))
)"""

_SEARCHES = """
CREATE TABLE searches (
    id INTEGER PRIMARY KEY,
    label TEXT NOT NULL REFERENCES labels,
    keyword TEXT NOT NULL,
    engine TEXT NOT NULL,
    state TEXT,                         -- NULL until one has ended
    detail TEXT NOT NULL DEFAULT '',
    exhausted INTEGER NOT NULL DEFAULT 0,
    run INTEGER REFERENCES runs,        -- that is searching now
    began_at TEXT,
    ended_at TEXT,
    UNIQUE (label, keyword, engine)
)"""

_IMAGES = """
CREATE TABLE images (
    sha256 TEXT PRIMARY KEY,
    original_sha256 TEXT NOT NULL,      -- of what was fetched; differs after --convert or --max-side
    label TEXT NOT NULL REFERENCES labels,
    path TEXT NOT NULL UNIQUE,          -- below the dataset's folder, with /
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    added_at TEXT NOT NULL,
    run INTEGER NOT NULL REFERENCES runs,
    arrived_as TEXT NOT NULL            -- its name in incoming/<run>/, where it waits until it is moved to its path
) WITHOUT ROWID"""

_RUNS = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,          -- of its folder and its lock file in incoming/
    pid INTEGER NOT NULL,
    host TEXT NOT NULL,
    command TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    died INTEGER NOT NULL DEFAULT 0     -- did not end by itself
)"""

_TALLIES = """
CREATE TABLE tallies (
    label TEXT NOT NULL,
    engine TEXT NOT NULL,
    keyword TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (label, engine, keyword, state, reason)
) WITHOUT ROWID"""

_ONE_MORE = """
    INSERT INTO tallies VALUES (new.label, new.engine, new.keyword, new.state, new.reason, 1)
        ON CONFLICT DO UPDATE SET count = count + 1;"""
_ONE_LESS = """
    UPDATE tallies SET count = count - 1
        WHERE (label, engine, keyword, state, reason) = (old.label, old.engine, old.keyword, old.state, old.reason);"""
_WHERE_FROM = "a.label, a.keyword, a.engine, a.number AS rank, a.address, a.page, a.title, a.author, a.licence"

_FILES = """
CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,          -- where the file is, below the dataset's folder, with /
    home TEXT NOT NULL,                 -- where it is while it is not dropped
    label TEXT NOT NULL,                -- the one it has now
    first_home TEXT NOT NULL,           -- where the first scan met it,
    first_label TEXT NOT NULL,          -- and the label of its folder then
    part TEXT NOT NULL DEFAULT '',      -- train, validation or test when somebody else has split the folder
    sha256 TEXT NOT NULL DEFAULT '',    -- '' when it cannot be read
    bytes INTEGER NOT NULL,
    modified INTEGER NOT NULL,          -- nanoseconds since 1970, as the file system says
    state TEXT NOT NULL DEFAULT 'kept' CHECK (state IN ('kept', 'dropped', 'gone')),
    fault TEXT NOT NULL DEFAULT '',     -- why it cannot be read
    moving_from TEXT                    -- its path before a move that may not have happened yet
)"""

_PRINTS = """
CREATE TABLE prints (
    sha256 TEXT PRIMARY KEY,
    version INTEGER NOT NULL,           -- of the program that measured
    format TEXT NOT NULL,
    width INTEGER NOT NULL,             -- as shown: turned as EXIF says
    height INTEGER NOT NULL,
    hashes BLOB NOT NULL,               -- 16 perceptual hashes of 8 bytes, see phash.VARIANTS
    miniature BLOB NOT NULL,            -- grey values: 32 x 32, or 64 x 64 deflated of a drawing
    style INTEGER NOT NULL,             -- 0 photograph, 1 drawing, 2 object on a plain ground
    blur REAL NOT NULL,
    brightness REAL NOT NULL,
    contrast REAL NOT NULL,
    entropy REAL NOT NULL
)"""

_MEMBERS = """
CREATE TABLE members (
    file INTEGER PRIMARY KEY REFERENCES files,
    family INTEGER NOT NULL,            -- all that any chain of copies connects: never on two sides of a split
    cluster INTEGER,                    -- the copies of one picture; NULL when only a chain connects it
    relation TEXT NOT NULL,             -- to the picture of the cluster that is to stay
    distance INTEGER NOT NULL,          -- bits
    keep INTEGER NOT NULL
)"""

_VERDICTS = """
CREATE TABLE verdicts (
    id INTEGER PRIMARY KEY,
    file INTEGER NOT NULL REFERENCES files,
    action TEXT NOT NULL CHECK (action IN ('keep', 'drop', 'relabel', 'undo')),
    label TEXT,                         -- of a relabel
    undoes INTEGER REFERENCES verdicts,
    batch TEXT NOT NULL,                -- verdicts that were given together are undone together
    by TEXT NOT NULL,
    at TEXT NOT NULL,
    CHECK ((action = 'relabel') = (label IS NOT NULL)),
    CHECK ((action = 'undo') = (undoes IS NOT NULL))
)"""

_SPLITS = """
CREATE TABLE splits (
    file INTEGER PRIMARY KEY REFERENCES files,
    part TEXT NOT NULL CHECK (part IN ('train', 'validation', 'test'))
)"""

_FLAGS = """
CREATE TABLE flags (
    file INTEGER NOT NULL REFERENCES files,
    kind TEXT NOT NULL,
    score REAL NOT NULL,                -- from 0 to 1, most suspicious
    detail TEXT NOT NULL DEFAULT '',    -- what the words about it need: a label, a number
    PRIMARY KEY (file, kind)
) WITHOUT ROWID"""

Steps = tuple[tuple[str, ...], ...]
STEPS: Steps = (
    (
        "CREATE TABLE labels (label TEXT PRIMARY KEY, folder TEXT NOT NULL UNIQUE, folded TEXT NOT NULL UNIQUE)",
        _RUNS,
        _IMAGES,
        _SEARCHES,
        _ADDRESSES,
        _TALLIES,
        "CREATE UNIQUE INDEX addresses_once ON addresses (address_key, label, engine)",
        f"CREATE INDEX addresses_waiting ON addresses (label, engine, keyword, number) WHERE {WAITING}",
        "CREATE INDEX addresses_claimed ON addresses (run) WHERE state = 'claimed'",
        "CREATE INDEX images_original ON images (original_sha256)",
        f"CREATE TRIGGER address_added AFTER INSERT ON addresses BEGIN {_ONE_MORE} END",
        f"CREATE TRIGGER address_gone AFTER DELETE ON addresses BEGIN {_ONE_LESS} END",
        f"""CREATE TRIGGER address_moved AFTER UPDATE OF state, reason ON addresses
            WHEN old.state <> new.state OR old.reason <> new.reason BEGIN {_ONE_LESS} {_ONE_MORE} END""",
        f"""CREATE VIEW sources AS
            SELECT a.id, {_WHERE_FROM}, a.licence_address, a.thumbnail, a.found_at, a.ended_at,
                i.path, i.sha256, i.original_sha256, i.width, i.height, i.bytes
            FROM addresses a JOIN images i ON i.sha256 = a.image WHERE a.state = 'kept'""",  # noqa: S608
        f"""CREATE VIEW refusals AS
            SELECT a.id, {_WHERE_FROM}, a.licence_address, a.thumbnail, a.found_at, a.ended_at,
                a.reason, a.detail, i.path AS duplicate_of
            FROM addresses a LEFT JOIN images i ON i.sha256 = a.image WHERE a.state = 'refused'""",  # noqa: S608
    ),
    (
        _FILES,
        _PRINTS,
        _MEMBERS,
        _VERDICTS,
        _SPLITS,
        _FLAGS,
        "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",  # JSON, of the last scan and split
        "CREATE INDEX addresses_image ON addresses (image) WHERE state = 'kept'",
        "CREATE INDEX files_content ON files (sha256)",
        "CREATE INDEX files_moving ON files (moving_from) WHERE moving_from IS NOT NULL",
        "CREATE INDEX members_family ON members (family)",
        "CREATE INDEX verdicts_file ON verdicts (file)",
        "CREATE INDEX verdicts_by ON verdicts (by, id)",
        "CREATE INDEX verdicts_undoes ON verdicts (undoes) WHERE undoes IS NOT NULL",
        "CREATE INDEX verdicts_batch ON verdicts (batch)",
        "CREATE INDEX files_home ON files (home)",
        "CREATE INDEX files_first_label ON files (first_label)",
    ),
)
