// Parts of the client that need no browser: cutting Markdown, finding addresses, reading figures.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const UI = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../ui");
const esbuild = createRequire(path.join(UI, "package.json"))("esbuild");

async function load(file) {
  const { outputFiles } = esbuild.buildSync({
    entryPoints: [path.join(UI, "src", file)],
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
  });
  return import("data:text/javascript;base64," + Buffer.from(outputFiles[0].text).toString("base64"));
}

const { cutBlocks, GrowingBlocks } = await load("text/blocks.ts");
const { addressesIn, shortAddress } = await load("chat/addresses.ts");
const { parseMetrics, quantile } = await load("operations/figures.ts");

test("a blank line ends a block, but not inside code, formulas and lists", () => {
  const cut = (text) => cutBlocks(text).blocks.map((block) => block.trim());
  assert.deepEqual(cut("one\n\ntwo\n"), ["one", "two"]);
  assert.deepEqual(cut("```\na\n\nb\n```\n\nafter"), ["```\na\n\nb\n```", "after"]);
  assert.deepEqual(cut("````\n```\n\n```\n````\n\nx"), ["````\n```\n\n```\n````", "x"]);
  assert.deepEqual(cut("$$\na\n\nb\n$$\n\nx"), ["$$\na\n\nb\n$$", "x"]);
  assert.deepEqual(cut("1. a\n\n   more\n\n2. b\n\nend"), ["1. a\n\n   more\n\n2. b", "end"]);
  assert.deepEqual(cut(""), []);
  assert.deepEqual(cut("\n\n"), []);
});

test("a text that grows has the blocks of the whole text at every length", () => {
  const pieces = ["word ", "\n", "\n\n", "```py\n", "```\n", "- item\n", "1. x\n", "$$\n", "\\[ a", " \\]\n", "   in\n", "# h\n", "|a|\n"];
  let seed = 7;
  const next = (n) => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % n;
  for (let round = 0; round < 60; round++) {
    const growing = new GrowingBlocks();
    let text = "";
    for (let i = 0; i < 60; i++) {
      text += pieces[next(pieces.length)];
      assert.deepEqual(growing.update(text), cutBlocks(text).blocks, JSON.stringify(text));
    }
    // Another text in the same place: asked again, or taken up after a restart.
    assert.deepEqual(growing.update("new\n\ntext"), cutBlocks("new\n\ntext").blocks);
  }
});

test("addresses end where a person would end them", () => {
  assert.deepEqual(addressesIn("See https://a.test/x_(y), and (https://b.test/z). Or https://a.test/x_(y)!"), [
    "https://a.test/x_(y)",
    "https://b.test/z",
  ]);
  assert.deepEqual(addressesIn("读 https://c.test/页。"), ["https://c.test/%E9%A1%B5"]);
  assert.deepEqual(addressesIn("no ftp://x.test, javascript:alert(1) or https://"), []);
  assert.equal(shortAddress("https://a.test/"), "a.test");
});

test("percentiles come from what was observed between two readings", () => {
  const before = parseMetrics('heddle:t_bucket{le="0.1"} 10\nheddle:t_bucket{le="1"} 10\nheddle:t_bucket{le="+Inf"} 10\n');
  const text = '# HELP x\nheddle:t_bucket{le="0.1"} 10\nheddle:t_bucket{le="1"} 20\nheddle:t_bucket{le="+Inf"} 20\nbad line\n';
  const now = parseMetrics(text);
  assert.equal(now.size, 3);
  assert.ok(Math.abs(quantile(before, now, "t", 0.5) - 0.55) < 1e-9);
  assert.equal(quantile(now, now, "t", 0.5), null);
  assert.equal(quantile(before, now, "unknown", 0.5), null);
});
