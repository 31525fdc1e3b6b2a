"""Checks WARC files against the database they were exported from: check_warc.py DATABASE INDEX REPLAY FILE...

Every digest must hold, every payload that is the latest one of its page must equal the body in `bodies`, every revisit must
refer to a response of the same payload, every capture must have its three records, the index must be the one that cdxj-indexer
makes, and pywb, which serves the collection at the address REPLAY, must show every page.
"""

import json
import sqlite3
import sys
import time
import urllib.request
from collections import Counter

from cdxj_indexer.main import CDXJIndexer
from warcio.archiveiterator import ArchiveIterator

DATABASE, INDEX, REPLAY, *FILES = sys.argv[1:]
db = sqlite3.connect(f"file:{DATABASE}?mode=ro", uri=True)
bodies = dict(db.execute("select url, body from bodies"))
hashes = {url: f"sha256:{digest}" for url, digest in db.execute("select url, content_hash from pages where content_hash is not null")}
pages = db.execute("select count(*) from pages").fetchone()[0]


def check_records():
    responses, revisits, kinds = {}, {}, Counter()
    for path in FILES:
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
                    if digest == hashes.get(url):
                        assert payload == (bodies[url] if url in bodies else b""), f"{url}: the payload is not the body"
                    responses[field("WARC-Record-ID")] = (url, field("WARC-Date"), digest)
                elif kind == "revisit":
                    named = (field("WARC-Refers-To-Target-URI"), field("WARC-Refers-To-Date"), digest)
                    revisits[url] = (field("WARC-Refers-To"), named)
            assert records.err_count == 0, "a length does not fit"
    for url, (response, named) in revisits.items():
        assert responses.get(response) == named, f"{url}: it refers to no such response"
    assert kinds["response"] + kinds["revisit"] == kinds["request"] == kinds["metadata"] >= pages > 0, kinds
    assert kinds["warcinfo"] == len(FILES) > 1 and kinds["revisit"] > 0, kinds
    return kinds


def lines(path):
    for line in open(path):
        key, moment, told = line.split(" ", 2)
        told = json.loads(told)
        # Of what has no digest, it makes a SHA-1.
        digest = told["digest"] if told["digest"] == hashes.get(told["url"]) else ""
        yield key, moment, told["url"], told["status"], told["offset"], told["length"], told["filename"], digest


def check_index():
    CDXJIndexer(f"{INDEX}.other", FILES, sort=True).process_all()
    ours = list(lines(INDEX))
    assert sorted(ours) == sorted(lines(f"{INDEX}.other")), "cdxj-indexer makes another index"
    assert [line for line in open(INDEX)] == sorted(open(INDEX)), "the index is not sorted"
    return len(ours)


def check_replay():
    deadline = time.monotonic() + 60
    shown = 0
    for url, body in db.execute("select url, body from bodies join pages using (url) where status = 200"):
        while True:
            try:
                with urllib.request.urlopen(f"{REPLAY}/id_/{url}", timeout=30) as answer:
                    assert answer.read() == body, f"{url}: pywb shows something else"
                break
            except urllib.error.HTTPError as error:
                raise AssertionError(f"{url}: pywb says {error}") from error
            except OSError:
                assert time.monotonic() < deadline, "pywb does not answer"
                time.sleep(0.1)
        shown += 1
    assert shown > 10, shown
    return shown


print(f"{len(FILES)} files, {dict(check_records())}: all digests hold, payloads equal bodies")
print(f"{check_index()} lines of the index are those of cdxj-indexer, {check_replay()} pages are shown by pywb")
