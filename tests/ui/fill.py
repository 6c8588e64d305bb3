#!/usr/bin/env python3
"""Puts many rows into the database of a stopped Heddle, where asking for each would take minutes.

fill.py DATABASE messages COUNT    one conversation of so many messages; prints its id
fill.py DATABASE documents COUNT   so many ready documents of the local owner
"""

import sqlite3
import sys

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BEGUN_MS = 1_700_000_000_000


def identity(kind: int, number: int) -> str:
    """26 characters that rise with the number, as the server's own ids do."""
    digits = []
    value = kind << 60 | number
    for _ in range(26):
        digits.append(ALPHABET[value & 31])
        value >>= 5
    return "".join(reversed(digits))


def text_of(number: int) -> str:
    if number % 2 == 0:
        return f"Question {number // 2 + 1}: what does the manual say about valve {number}?"
    body = f"Answer to question {number // 2 + 1}. The valve **opens** at {number % 90} degrees.\n\n"
    if number % 10 == 1:
        body += "```python\nfor valve in valves:\n    valve.open()\n```\n\n"
    if number % 14 == 3:
        body += "| valve | degrees |\n| --- | ---: |\n| a | 38 |\n| b | 52 |\n\n"
    return body + "It closes again when the water in the return line is warm enough. " * (number % 5)


def fill_messages(db, count):
    conversation = identity(1, 1)
    rows = []
    parent = ""
    for number in range(count):
        message = identity(2, number + 1)
        role = "user" if number % 2 == 0 else "assistant"
        rows.append((message, conversation, parent, role, text_of(number), "done", BEGUN_MS + number))
        parent = message
    db.execute("INSERT INTO conversations (id, owner, title, head, settings, created_ms, updated_ms) "
               "VALUES (?, 'local', 'A long conversation', ?, '{}', ?, ?)",
               (conversation, parent, BEGUN_MS, BEGUN_MS + count))
    db.executemany("INSERT INTO conversation_messages (id, conversation, parent, role, content, state, "
                   "created_ms) VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    return conversation


def fill_documents(db, count):
    rows = [(identity(3, n), f"report-{n:04}.pdf", f"Report {n:04} of the waterworks", 20_000 + n,
             f"{n:064x}", identity(4, n), 3 + n % 40, 9 + n % 200, BEGUN_MS + n, BEGUN_MS + n)
            for n in range(1, count + 1)]
    db.executemany("INSERT INTO documents (id, owner, collection, name, title, content_type, format, "
                   "bytes, sha256, blob, job, state, pages, chunks, created_at, updated_at) VALUES "
                   "(?, 'local', 'knowledgebase', ?, ?, 'application/pdf', 'pdf', ?, ?, ?, '', "
                   "'ready', ?, ?, ?, ?)", rows)
    return str(count)


def main():
    database, what, count = sys.argv[1:4]
    with sqlite3.connect(database) as db:
        fill = {"messages": fill_messages, "documents": fill_documents}[what]
        print(fill(db, int(count)))


if __name__ == "__main__":
    main()
