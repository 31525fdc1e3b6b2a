"""Checks a WARC against the database it was exported from: check_warc.py FILE DATABASE

Every digest must hold, every payload must equal the body in `bodies`, every revisit must refer to a response of the
same payload that came before it, and every page must have its three records.
"""

import sqlite3
import sys
from collections import Counter

from warcio.archiveiterator import ArchiveIterator


def check(path, database):
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    bodies = dict(db.execute("select url, body from bodies"))
    responses, kinds = {}, Counter()
    with open(path, "rb") as stream:
        records = ArchiveIterator(stream, check_digests="raise")
        for record in records:
            field = record.rec_headers.get_header
            url, digest, kind = field("WARC-Target-URI"), field("WARC-Payload-Digest"), record.rec_type
            payload = record.content_stream().read()
            kinds[kind] += 1
            # A revisit's digests are those of the payload it leaves out.
            assert kind == "revisit" or record.digest_checker.passed, f"{kind} of {url}: no digest was checked"
            if kind == "response" and field("WARC-Truncated") is None:
                assert payload == (bodies[url] if url in bodies else b""), f"{url}: the payload is not the body"
                responses[field("WARC-Record-ID")] = (url, field("WARC-Date"), digest)
            elif kind == "revisit":
                named = (field("WARC-Refers-To-Target-URI"), field("WARC-Refers-To-Date"), digest)
                assert responses.get(field("WARC-Refers-To")) == named, f"{url}: it refers to no such response"
                assert bodies[url] == bodies[named[0]], f"{url}: it refers to another body"
        assert records.err_count == 0, "a length does not fit"
    pages = db.execute("select count(*) from pages").fetchone()[0]
    assert kinds["response"] + kinds["revisit"] == kinds["request"] == kinds["metadata"] == pages > 0, kinds
    assert kinds["warcinfo"] == 1 and kinds["revisit"] > 0, kinds
    print(f"{path}: {dict(kinds)}: all digests hold, payloads equal bodies")


check(*sys.argv[1:])
