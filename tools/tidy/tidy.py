#!/usr/bin/env python3
"""Checks what clang-format cannot: the house's own rules (STYLE.md).

The include table, cycles, dead headers, lengths of functions, files and lines, banned names, and
coroutines written as capturing lambdas. Exceptions stand, each with its reason, in allow.txt.
Usage: tidy.py [--root DIR]; prints `path:line: rule: what` and exits 1 when anything is wrong.
"""

import argparse
import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 800
LINE_COLUMNS_MAX = 100
README_LINES_MAX = 70
SOURCES = (".cpp", ".h", ".cu", ".cuh")
SCRIPTS = (".py", ".js", ".ts", ".mjs", ".sh")

# (pattern in code without comments and strings, what to use instead, folders where it is allowed;
# "*tests" stands for test files, whose scale is set from outside)
BANNED = [
    (r"\bstd::regex\b", "RE2 or a hand-written matcher: std::regex backtracks", ()),
    (r"\b(?:std::)?(?:stoi|stol|stoul|stoll|stoull|stof|stod|atoi|atol|atof|strtol|strtoul|strtod)"
     r"\s*\(", "std::from_chars with full consumption", ("bench/",)),
    (r"\b(?:strcpy|strcat|sprintf|gets|alloca)\s*\(", "bounded containers and fmt", ()),
    (r"\b(?:std::)?rand\s*\(\)", "heddle::Rng", ()),
    (r"\b(?:std::)?(?:system|popen)\s*\(\"", "posix_spawn with arguments", ()),
    (r"\bgetenv\s*\(", "a config struct filled in by app", ("src/app", "*tests")),
    (r"\basio::detached\b", "async::TaskGroup", ("src/async",)),
    (r"\.detach\(\)", "a joined thread or a TaskGroup", ()),
    (r"\busing namespace std;", "qualified names", ()),
    (r"#include <iostream>", "fmt or the log", ()),
    (r"\bchannel<", "async::Stream: Asio's channels drop items on close", ()),
]
BANNED_PATH = re.compile(r"(?:^|/)(?:utils?|common|helpers?|misc)(?:\.[a-z]+|/)|(?:^|/)types\.h$")
TEST_FILE = re.compile(r"_(?:test|testing)\.(?:cpp|h)$|^bench/|^fuzz/|/testing/")
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX)\b")


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    rule: str
    text: str


def blank_comments_and_strings(code: str) -> str:
    """The same text with comments, strings and characters replaced by spaces; lines are kept."""
    out = []
    i = 0
    while i < len(code):
        two = code[i : i + 2]
        if two == "//":
            end = code.find("\n", i)
            end = len(code) if end < 0 else end
        elif two == "/*":
            end = code.find("*/", i + 2)
            end = len(code) if end < 0 else end + 2
        elif raw := re.compile(r'(?:u8|u|U|L)?R"([^()\s\\]{0,16})\(').match(code, i):
            if i and (code[i - 1].isalnum() or code[i - 1] == "_"):
                out.append(code[i])
                i += 1
                continue
            end = code.find(")" + raw.group(1) + '"', raw.end())
            end = len(code) if end < 0 else end + len(raw.group(1)) + 2
        elif code[i] == '"' or (code[i] == "'" and not (i and code[i - 1].isalnum())):
            quote = code[i]
            end = i + 1
            while end < len(code) and code[end] != quote and code[end] != "\n":
                end += 2 if code[end] == "\\" else 1
            end += 1
        else:
            out.append(code[i])
            i += 1
            continue
        out.append("".join(c if c == "\n" else " " for c in code[i:end]))
        i = end
    return "".join(out)


def blank_preprocessor(code: str) -> str:
    def spaces(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    return re.sub(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", spaces, code, flags=re.M)


SCOPE = re.compile(r"^(?:\s|\[\[[^\]]*\]\]|template\s*<[^{}]*>|typedef|export|inline|static)*"
                   r"(?:namespace|class|struct|union|enum|extern)\b")
CONTROL = re.compile(r"\b(?:if|for|while|switch|catch|do|else)\s*(?:\(|$)")


def matching_brace(code: str, start: int) -> int:
    depth = 0
    for i in range(start, len(code)):
        if code[i] == "{":
            depth += 1
        elif code[i] == "}":
            depth -= 1
            if depth == 0:
                return i
    return len(code) - 1


def functions(code: str):
    """(first line, last line, header) of each function body at namespace or class scope."""
    code = blank_preprocessor(code)
    i = 0
    head = 0  # where the declaration in front of a brace begins
    parens = 0
    while i < len(code):
        c = code[i]
        if c == "(":
            parens += 1
        elif c == ")":
            parens -= 1
        elif parens == 0 and c in ";}":
            head = i + 1
        elif c == "{":
            header = code[head:i]
            if parens == 0 and SCOPE.match(header) and ")" not in header.split("\n")[-1]:
                head = i + 1
            elif is_function_body(header) and parens == 0:
                end = matching_brace(code, i)
                start = head + len(header) - len(header.lstrip())
                yield code.count("\n", 0, start) + 1, code.count("\n", 0, end) + 1, header.strip()
                i = end
                head = i + 1
            else:  # an initialiser
                i = matching_brace(code, i)
        i += 1


def is_function_body(header: str) -> bool:
    text = header.rstrip()
    if ")" not in text or re.search(r"=\s*$", text):
        return False
    after = text[text.rfind(")") + 1 :]
    in_initialisers = re.search(r"\)\s*(?:noexcept\s*)?:(?!:)", text) is not None
    if in_initialisers and re.search(r"[\w>]$", text) and not after.strip() == "":
        return False  # member_{value} in a constructor's list
    return True


LAMBDA = re.compile(r"\[([^\[\]]*)\]\s*(?:<[^{}]*?>\s*)?(\((?:[^()]|\([^()]*\))*\))?\s*"
                    r"(?:mutable\b\s*)?(?:noexcept\b\s*)?(?:->\s*[^{};]*?)?\{")


def capturing_lambda_coroutines(code: str):
    code = blank_preprocessor(code)
    for match in LAMBDA.finditer(code):
        before = code[: match.start()].rstrip()
        if not match.group(1).strip() or (before and (before[-1].isalnum() or before[-1] in "])_")
                                          and not before.endswith("return")):
            continue
        open_brace = match.end() - 1
        body = code[open_brace + 1 : matching_brace(code, open_brace)]
        body = without_lambdas(body)
        if re.search(r"\bco_(?:await|return|yield)\b", body):
            yield code.count("\n", 0, match.start()) + 1


def without_lambdas(body: str) -> str:
    while inner := LAMBDA.search(body):
        open_brace = inner.end() - 1
        body = body[: inner.start()] + body[matching_brace(body, open_brace) + 1 :]
    return body


def read_table(path: pathlib.Path) -> dict:
    table = {}
    for line in path.read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            room, allowed = line.split(":")
            table[room.strip()] = set(allowed.split())
    return table


def read_allowed(path: pathlib.Path) -> set:
    allowed = set()
    if path.exists():
        for line in path.read_text().splitlines():
            fields = line.split(None, 2)
            if fields and not line.startswith("#"):
                if len(fields) < 3:
                    sys.exit(f"{path}: every exception needs a reason: {line}")
                allowed.add((fields[0], fields[1]))
    return allowed


def cycles(table: dict):
    def reaches(start, goal, seen):
        for room in table.get(start, ()):
            if room == goal or (room not in seen and reaches(room, goal, seen | {room})):
                return True
        return False

    return [room for room in table if "*" not in table[room] and reaches(room, room, set())]


def room_of(path: str):
    parts = path.split("/")
    return parts[1] if parts[0] == "src" and len(parts) > 2 else None


def check_includes(path: str, code: str, table: dict):
    room = room_of(path)
    if room is None:
        return
    if room not in table:
        yield Finding(path, 1, "rooms", f"room {room} is not in rooms.txt")
        return
    for number, line in enumerate(code.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not match:
            continue
        target = match.group(1)
        if target.startswith("."):
            yield Finding(path, number, "include", "relative include; write \"room/file.h\"")
        other = target.split("/")[0]
        if other in table and other != room and "*" not in table[room]:
            if other not in table[room]:
                yield Finding(path, number, "include", f"{room} may not include {other}")


def check_code(path: str, text: str):
    code = blank_comments_and_strings(text)
    for first, last, header in functions(code):
        if last - first + 1 > FUNCTION_LINES_MAX:
            name = re.sub(r"\s+", " ", header)[:60]
            yield Finding(path, first, "function-length", f"{last - first + 1} lines: {name}")
    for line in capturing_lambda_coroutines(code):
        yield Finding(path, line, "lambda-coroutine", "a coroutine lambda must capture nothing")
    for number, line in enumerate(code.splitlines(), 1):
        for pattern, instead, homes in BANNED:
            at_home = any(path.startswith(home) for home in homes) or (
                "*tests" in homes and TEST_FILE.search(path))
            if re.search(pattern, line) and not at_home:
                yield Finding(path, number, "banned", f"{line.strip()[:50]}: use {instead}")


def check_text(path: str, text: str):
    lines = text.splitlines()
    if len(lines) > FILE_LINES_MAX:
        yield Finding(path, 1, "file-length", f"{len(lines)} lines")
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_COLUMNS_MAX and path.endswith(SOURCES):
            yield Finding(path, number, "line-length", f"{len(line)} columns")
        if UNFINISHED.search(line) and "tools/tidy/" not in path:
            yield Finding(path, number, "unfinished", line.strip()[:60])


def check_headers_used(files: dict):
    included = set()
    for text in files.values():
        included.update(re.findall(r'#\s*include\s+"([^"]+)"', text))
    for path in files:
        if path.startswith("src/") and path.endswith((".h", ".cuh")):
            if path[4:] not in included and path != "src/pch.h":
                yield Finding(path, 1, "dead-header", "nobody includes it")


def tracked(root: pathlib.Path):
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root,
                            check=True, capture_output=True, text=True).stdout.split("\n")
    return [p for p in listed if p and (root / p).is_file()]


def check_tree(root: pathlib.Path):
    table = read_table(root / "tools/tidy/rooms.txt")
    allowed = read_allowed(root / "tools/tidy/allow.txt")
    findings = []
    for room in cycles(table):
        findings.append(Finding("tools/tidy/rooms.txt", 1, "cycle", f"{room} reaches itself"))
    sources = {}
    for path in tracked(root):
        if BANNED_PATH.search(path):
            findings.append(Finding(path, 1, "name", "say what it holds; no utils, no common"))
        if not path.endswith(SOURCES + SCRIPTS):
            continue
        text = (root / path).read_text(errors="replace")
        findings += check_text(path, text)
        if path.endswith(SOURCES):
            sources[path] = text
            findings += check_code(path, text)
            findings += check_includes(path, text, table)
    findings += check_headers_used(sources)
    for room in {room_of(path) for path in sources} - {None}:
        readme = root / "src" / room / "README.md"
        if not readme.exists():
            findings.append(Finding(f"src/{room}", 1, "readme", "a room needs a README.md"))
        elif len(readme.read_text().splitlines()) > README_LINES_MAX:
            findings.append(Finding(f"src/{room}/README.md", 1, "readme", "more than a page"))
    return [f for f in findings if (f.rule, f.path) not in allowed]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[2])
    findings = check_tree(parser.parse_args().root)
    for f in sorted(findings, key=lambda f: (f.path, f.line)):
        print(f"{f.path}:{f.line}: {f.rule}: {f.text}")
    print(f"tidy: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
