"""Word F1 of extracted PDF text: multisets of lower-cased words (\\w+) of each file against a
reference, and between extractors where nobody wrote down what the page says.

usage: pdf_text.py PDF_TEXT LIBRARY PARSER OUT [--truth TXT=PDF]... FILE.pdf...
Needs pdftotext (poppler-utils). Prints one line for each file and the means.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess


def words(text):
    return collections.Counter(re.findall(r"\w+", text.lower()))


def f1(got, want):
    if not want and not got:
        return 1.0
    common = sum((got & want).values())
    if common == 0:
        return 0.0
    precision, recall = common / sum(got.values()), common / sum(want.values())
    return 2 * precision * recall / (precision + recall)


def extract(program, arguments, out, files):
    out.mkdir(parents=True, exist_ok=True)
    command = [program, *arguments, "--out", str(out), *files]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [json.loads(line) for line in lines.splitlines()]
    texts = [(out / f"{i}.txt").read_text(errors="replace") for i in range(len(files))]
    return rows, texts


def pdftotext(path):
    run = subprocess.run(["pdftotext", "-enc", "UTF-8", path, "-"], capture_output=True)
    return run.stdout.decode(errors="replace")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("library")
    parser.add_argument("parser")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--truth", action="append", default=[], help="TXT=PDF")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_intermixed_args()
    truths = dict(reversed(pair.split("=", 1)) for pair in arguments.truth)
    files = [*truths, *arguments.files]
    bare_rows, bare = extract(arguments.program, ["--bare", arguments.library],
                              arguments.out / "bare", files)
    rows, ours = extract(arguments.program, ["--sandbox", arguments.library, arguments.parser],
                         arguments.out / "heddle", files)
    sums = collections.Counter()
    print("reference: the truth where given, else pdftotext")
    print(f"{'file':44} {'heddle':>7} {'PDFium':>7} {'pdftotext':>9}  outcome")
    for i, path in enumerate(files):
        poppler = pdftotext(path)
        truth = truths.get(path)
        want = words(pathlib.Path(truth).read_text(errors="replace") if truth else poppler)
        scores = [f1(words(ours[i]), want), f1(words(bare[i]), want), f1(words(poppler), want)]
        outcome = rows[i]["error"] or f"{rows[i]['pages']} pages"
        print(f"{pathlib.Path(path).name[:44]:44} {scores[0]:7.3f} {scores[1]:7.3f} "
              f"{scores[2]:9.3f}  {outcome}")
        if not rows[i]["error"] and want:
            sums.update({"n": 1, "heddle": scores[0], "pdfium": scores[1]})
    count = max(1, sums["n"])
    print(f"mean over {sums['n']} files that were read: heddle {sums['heddle'] / count:.4f}, "
          f"PDFium {sums['pdfium'] / count:.4f}")
    seconds = [sum(row["seconds"] for row in side) for side in (rows, bare_rows)]
    pages = sum(row["pages"] for row in rows)
    print(f"{pages} pages: heddle {pages / seconds[0]:.0f}/s, PDFium alone "
          f"{pages / seconds[1]:.0f}/s")


if __name__ == "__main__":
    main()
