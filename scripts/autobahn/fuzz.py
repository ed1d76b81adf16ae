"""Runs the cases of the Autobahn testsuite against a WebSocket server that echoes, and fails where one does.

    fuzz.py URL [--cases 1.,2.3,…] [--report FILE]

The suite (`autobahntestsuite` on PyPI) is written in Python 2 and pinned to libraries that only run there. Its cases are small
classes, though, that call a client of `autobahn`, and that is kept up to date. So the cases are loaded as they were published and
run by a client of today: what is here is that client, and what makes Python 3 read Python 2. How a case is judged is the suite's.

Compression (12, 13) is left out, for Ottla does not offer it.
"""

import argparse
import ast
import asyncio
import binascii
import importlib.machinery
import importlib.util
import json
import re
import sys
import time
import types

from autobahn.asyncio.websocket import WebSocketClientFactory, WebSocketClientProtocol
from autobahn.websocket.protocol import WebSocketProtocol
from autobahn.websocket.utf8validator import Utf8Validator

# What the suite itself counts as conforming: NON-STRICT leaves a SHOULD or something canonical aside.
CONFORMING = {"OK", "NON-STRICT", "INFORMATIONAL"}
# How many cases run at once. They wait for most of their time.
AT_ONCE = 8
# Those about time and size run alone, one after the other.
ALONE = ("9.",)
# The longest time that a case gives itself is 1000 s, for a megabyte in pieces of 64 bytes.
DEADLINE = 1000


# Python 2, as far as the cases need it. A string of theirs holds octets: each is read as the character of that number, and goes
# to the wire as the octet of that number (ISO 8859-1).


def octets(text):
    return text.encode("latin-1") if isinstance(text, str) else text


def text(octets):
    return octets.decode("latin-1")


class Validator(Utf8Validator):
    def validate(self, data):
        return super().validate(octets(data))


# What the cases' modules find without importing it.
GIVEN = {
    "xrange": range,
    "unichr": chr,
    "binascii": types.SimpleNamespace(b2a_hex=lambda data: text(binascii.b2a_hex(octets(data)))),
    "Utf8Validator": Validator,
}


class WholeDivision(ast.NodeTransformer):
    """`/` of two integers is one."""

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Div):
            node.op = ast.FloorDiv()
        return node


class Python2(importlib.machinery.SourceFileLoader):
    def get_code(self, name):
        path = self.get_filename(name)
        source = text(self.get_data(path)).replace("\r\n", "\n")
        source = re.sub(r"(?m)^( *)print\b.*$", r"\1pass", source)
        source = re.sub(r"(?m)^(import binascii|from .* import Utf8Validator)$", "", source)
        # Of case 9.9, which the suite does not run, and those of compression.
        source = re.sub(r"(?m)^.*(case9_9_1|case12_x_x|Case1[23]_X_X).*$", "", source)
        source = source.replace("(object, Case, )", "(Case, )")
        return compile(WholeDivision().visit(ast.parse(source)), path, "exec")

    def exec_module(self, module):
        vars(module).update(GIVEN)
        super().exec_module(module)


def load_cases():
    """The suite's case classes by their numbers, in its order."""
    folder = importlib.util.find_spec("autobahntestsuite").submodule_search_locations[0] + "/case"
    finder = importlib.machinery.FileFinder(folder, (Python2, [".py"]))
    sys.meta_path.append(types.SimpleNamespace(find_spec=lambda name, path=None, target=None: finder.find_spec(name)))
    loader = Python2("cases", f"{folder}/__init__.py")
    cases = importlib.util.module_from_spec(importlib.util.spec_from_loader("cases", loader))
    loader.exec_module(cases)
    # Pickles are the same only where the same objects are shared.
    cases.Case.compare = lambda self, one, other: one == other
    return {case.__name__.removeprefix("Case").replace("_", "."): case for case in cases.Cases}


class Fuzzer(WebSocketClientProtocol):
    """One connection, for one case: what the suite's `FuzzingClientProtocol` offers to it."""

    createWirelog = True
    connectionWasOpen = False

    def onOpen(self):
        self.connectionWasOpen = True
        self.txFrameStats = {}
        self.run.onOpen()

    def onMessage(self, payload, isBinary):
        self.run.onMessage(text(payload), isBinary)

    def onPing(self, payload):
        self.run.onPing(text(payload))
        super().onPing(payload)

    def onPong(self, payload):
        self.run.onPong(text(payload))

    def onClose(self, wasClean, code, reason):
        self.run.onClose(wasClean, code, reason)

    def connection_lost(self, exc):
        super().connection_lost(exc)
        self.run.onConnectionLost(self.failedByMe)
        self.done.set_result(None)

    def sendFrame(self, opcode, payload=b"", *rest, **named):
        self.txFrameStats[opcode] = self.txFrameStats.get(opcode, 0) + 1
        super().sendFrame(opcode, octets(payload), *rest, **named)

    def sendMessage(self, payload, *rest, **named):
        super().sendMessage(octets(payload), *rest, **named)

    def sendMessageFrameData(self, payload, *rest, **named):
        return super().sendMessageFrameData(octets(payload), *rest, **named)

    def sendCloseFrame(self, code=None, reasonUtf8=None, isReply=False):
        super().sendCloseFrame(code, octets(reasonUtf8), isReply)

    def enableWirelog(self, _):
        pass

    def continueLater(self, delay, what, tag=None):
        self.later(delay, what)

    def killAfter(self, delay):
        self.later(delay, self._fail_connection)

    def closeAfter(self, delay):
        self.later(delay, self.sendClose)

    def later(self, delay, what):
        def unless_gone():
            if self.state != WebSocketProtocol.STATE_CLOSED:
                what()

        asyncio.get_running_loop().call_later(delay, unless_gone)


async def run(url, case):
    """Runs a case: how the other side behaved, how it closed, and why."""
    factory = WebSocketClientFactory(url)
    factory.protocol = Fuzzer
    factory.setProtocolOptions(failByDrop=False, openHandshakeTimeout=30)
    connection = factory()
    connection.run = case(connection)
    connection.done = asyncio.get_running_loop().create_future()
    began = time.monotonic()
    await asyncio.get_running_loop().create_connection(lambda: connection, factory.host, factory.port)
    await asyncio.wait_for(connection.done, DEADLINE)
    judged = connection.run
    return {
        "behavior": judged.behavior,
        "result": judged.result,
        "behaviorClose": judged.behaviorClose,
        "resultClose": judged.resultClose,
        "closeCode": connection.remoteCloseCode,
        "seconds": round(time.monotonic() - began, 3),
    }


async def run_all(url, cases):
    results = {}
    one_of_some = asyncio.Semaphore(AT_ONCE)

    async def keep(number):
        async with one_of_some:
            try:
                results[number] = await run(url, cases[number])
            except Exception as error:
                results[number] = {"behavior": "FAILED", "result": repr(error), "behaviorClose": "", "resultClose": ""}

    await asyncio.gather(*(keep(number) for number in cases if not number.startswith(ALONE)))
    for number in cases:
        if number.startswith(ALONE):
            await keep(number)
    return {number: results[number] for number in cases}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--cases", help="only those that begin with one of these, separated by commas", default="")
    parser.add_argument("--report", help="write what each case came to, as JSON")
    options = parser.parse_args()
    wanted = tuple(options.cases.split(","))
    cases = {number: case for number, case in load_cases().items() if number.startswith(wanted)}
    results = asyncio.run(run_all(options.url, cases))
    if options.report:
        with open(options.report, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
    failed = 0
    for number, it in results.items():
        if it["behavior"] not in CONFORMING or it["behaviorClose"] not in CONFORMING:
            failed += 1
            print(f"case {number}: {it['behavior']}: {it['result']}\n  closed: {it['behaviorClose']}: {it['resultClose']}")
    counts = {}
    for it in results.values():
        counts[it["behavior"]] = counts.get(it["behavior"], 0) + 1
    print(", ".join(f"{count} {behavior}" for behavior, count in sorted(counts.items())))
    print(f"{len(results) - failed} passed, {failed} failed")
    sys.exit(failed > 0 or not results)


if __name__ == "__main__":
    main()
