#!/usr/bin/env python3
"""Makes sample.pdf, the document that the client offers on first use. Needs reportlab (build/venv).

The text is ours. The same text gives the same bytes.
"""

import pathlib

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

PAGES = [
    ("Weft 40 circulation pump", [
        "This manual is a sample. The pump does not exist; the text is here to be asked about.",
        "The Weft 40 moves heating water through houses of up to 400 square metres. It runs on "
        "230 volts and draws between 5 and 40 watts.",
    ], [
        ("Before the first start", [
            "Close the drain valve and fill the system with clean water to a pressure of 1.5 bar.",
            "Open the vent screw on the front until water without bubbles comes out, then close it. "
            "Running the pump dry for longer than 20 seconds damages the bearing.",
            "Check that the arrow on the housing points in the direction of flow.",
        ]),
        ("Start and stop", [
            "The pump starts by itself when the water in the return line falls below 38 degrees "
            "Celsius, and stops when it reaches 52 degrees.",
            "Holding the round button for three seconds starts the pump by hand for ten minutes.",
        ]),
    ]),
    ("Running and maintenance", [], [
        ("Settings", [
            "The dial chooses between three speeds. Speed 1 suits floor heating, speed 2 radiators, "
            "and speed 3 is meant for filling and venting only.",
        ]),
        ("Maintenance", [
            "Clean the strainer once a year, before the heating season. Close both valves, take out "
            "the strainer with a 17 millimetre key, and rinse it.",
            "After every five years a technician should replace the shaft seal.",
        ]),
        ("Faults", []),
    ]),
    ("Warranty and disposal", [], [
        ("Warranty", [
            "The warranty covers parts and labour for twenty-four months from the day of delivery. "
            "It does not cover damage from running dry, from frost, or from water with more than "
            "50 milligrams of sand in a litre.",
            "A claim needs the serial number, which stands on the plate under the motor.",
        ]),
        ("Disposal", [
            "The pump must not go into household waste. Shops that sell pumps of this kind take old "
            "ones back free of charge.",
        ]),
    ]),
]
FAULTS = [
    ["Light", "Meaning", "What to do"],
    ["Blinks twice", "Air in the pump", "Vent, as before the first start"],
    ["Blinks four times", "Shaft blocked", "Turn the shaft with a screwdriver"],
    ["Stays red", "Motor too hot", "Wait thirty minutes; check the strainer"],
]


def story():
    styles = getSampleStyleSheet()
    text = ParagraphStyle("text", parent=styles["BodyText"], fontSize=11, leading=16, spaceAfter=6)
    for number, (title, lead, sections) in enumerate(PAGES):
        if number:
            yield PageBreak()
        yield Paragraph(title, styles["Heading1"])
        for paragraph in lead:
            yield Paragraph(paragraph, text)
        for heading, paragraphs in sections:
            yield Spacer(1, 8)
            yield Paragraph(heading, styles["Heading2"])
            for paragraph in paragraphs:
                yield Paragraph(paragraph, text)
            if heading == "Faults":
                table = Table(FAULTS, colWidths=[38 * mm, 45 * mm, 75 * mm], hAlign="LEFT")
                table.setStyle(TableStyle([("LINEBELOW", (0, 0), (-1, -1), 0.4, "#999999"),
                                           ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold")]))
                yield table


def main():
    out = pathlib.Path(__file__).resolve().parent / "sample.pdf"
    SimpleDocTemplate(str(out), pagesize=A4, title="Weft 40 circulation pump: manual (sample)",
                      author="Heddle", leftMargin=25 * mm, rightMargin=25 * mm,
                      invariant=1).build(list(story()))
    print(f"{out.name}: {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
