"""Uses every tool of `harvestman mcp` as an agent's program would: by the client of the package mcp."""

import asyncio
import http.server
import json
import sys
import threading

from mcp import Client, StdioServerParameters

harvestman, folder = sys.argv[1:]


def server(*options):
    return StdioServerParameters(command=harvestman, args=["mcp", "--quiet", *options], cwd=folder)


async def call(client, tool, **arguments):
    """The blocks of a tool's answer as texts, and whether it is an error."""
    result = await client.call_tool(tool, arguments)
    return [block.text for block in result.content], result.is_error


async def read():
    async with Client(server("-d", "demo.db")) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"search", "show", "explain", "query", "schema", "changes"}, tools
        assert all(tool.annotations.read_only_hint for tool in tools.values())
        (note, hits), failed = await call(client, "search", words="harvestman", limit=3)
        assert not failed and note.startswith("Untrusted content") and "skip = 3" in note, note
        url = json.loads(hits)[0]["url"]
        for part in ["summary", "text", "markdown", "headers", "links", "inbound", "metadata", "versions"]:
            blocks, failed = await call(client, "show", url=url, part=part)
            assert not failed and blocks[0].startswith("Untrusted content"), (part, blocks)
        blocks, failed = await call(client, "explain", url=url)
        assert not failed and "found" in blocks[1], blocks
        (_, rows), failed = await call(client, "query", sql="select discovered from accounting")
        assert not failed and json.loads(rows)[0]["discovered"] > 200, rows
        (schema,), failed = await call(client, "schema")
        assert not failed and any(view["view"] == "pages" for view in json.loads(schema)["views"])
        (_, changes), failed = await call(client, "changes", since="1", limit=500)
        assert not failed and len(json.loads(changes)) > 200
        blocks, failed = await call(client, "query", sql="drop table url")
        assert failed and "reading only" in blocks[0], blocks
        # The database says so, and no client: the arguments are as the schema asks for.
        blocks, failed = await call(client, "show", url="http://never.seen/")
        assert failed and "not in the database" in blocks[0], blocks


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404 if self.path == "/robots.txt" else 200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>t</title><a href=/next>n</a><a href=http://elsewhere.test/>e</a>")

    def log_message(self, *_):
        pass


async def crawl():
    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{site.server_port}/"
    async with Client(server("-d", "agent.db", "--allow-crawl", origin)) as client:
        (summary,), failed = await call(client, "crawl", seeds=[origin], max_pages=5)
        assert not failed and json.loads(summary)["fetched"] == 2, summary
        blocks, failed = await call(client, "crawl", seeds=["http://elsewhere.test/"])
        assert failed and "outside of what may be crawled" in blocks[0], blocks
    site.shutdown()


asyncio.run(read())
asyncio.run(crawl())
print("the client of the package mcp uses every tool")
