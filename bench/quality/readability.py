#!/usr/bin/env python3
"""Compares main text and metadata with mozilla/readability's test pages.

Usage: readability.py --build build/release [--json OUT] [--wrong FIELD]. Needs tools/eval_data html
and the program main_text_dump. Word F1 is that of main_text.py, against the words of expected.html;
fields count as equal without regard to case, white space and the site's name behind the title.
These pages are a conformance set of another extractor: its choices, not a ground truth.
"""

import argparse
import html.parser
import json
import pathlib
import re
import subprocess
import sys
from collections import Counter

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGES = ROOT / "build" / "eval_data" / "html" / "readability" / "test" / "test-pages"
FIELDS = {"title": "title", "byline": "byline", "lang": "language", "siteName": "site_name",
          "publishedTime": "published", "excerpt": "excerpt"}


class Words(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.parts = []

    def handle_data(self, data):
        self.parts.append(data)


def words_of_html(text):
    parser = Words()
    parser.feed(text)
    return Counter(re.findall(r"\w+", " ".join(parser.parts).lower()))


def f1(found, wanted):
    both = sum((found & wanted).values())
    total = sum(found.values()) + sum(wanted.values())
    return 2 * both / total if total else 1.0


def plain(value):
    return " ".join(str(value or "").lower().split())


def same(field, found, wanted):
    found, wanted = plain(found), plain(wanted)
    if field == "lang":
        return found.split("-")[0] == wanted.split("-")[0]
    if field == "publishedTime":
        return found[:10] == wanted[:10]
    if field == "title":
        return found == wanted or bool(found) and wanted.startswith(found)
    return found == wanted


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--wrong", choices=[*FIELDS, "text"])
    arguments = parser.parse_args()
    folders = sorted(p for p in PAGES.iterdir() if (p / "expected-metadata.json").exists())
    if not folders:
        sys.exit("no pages; run tools/eval_data html")
    run = subprocess.run([arguments.build.resolve() / "bench" / "quality" / "main_text_dump"],
                         input="".join(f"{p / 'source.html'}\n" for p in folders),
                         capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in run.stdout.strip().split("\n")]
    stated, equal, scores = Counter(), Counter(), []
    for folder, answer in zip(folders, answers):
        wanted = json.loads((folder / "expected-metadata.json").read_text())
        score = f1(Counter(re.findall(r"\w+", answer["text"].lower())),
                   words_of_html((folder / "expected.html").read_text()))
        scores.append(score)
        if arguments.wrong == "text" and score < 0.8:
            print(f"{folder.name}: {score:.2f}")
        for field, ours in FIELDS.items():
            if not wanted.get(field):
                continue
            stated[field] += 1
            if same(field, answer[ours], wanted[field]):
                equal[field] += 1
            elif arguments.wrong == field:
                print(f"{folder.name}: {answer[ours]!r}, not {wanted[field]!r}")
    report = {"pages": len(folders), "word_f1": round(sum(scores) / len(scores), 4),
              "fields": {f: f"{equal[f]} of {stated[f]}" for f in FIELDS}}
    print(json.dumps(report, indent=2))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


main()
