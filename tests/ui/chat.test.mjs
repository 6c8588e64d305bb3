// Conversations with a model: what is written, how it is shown, stopped, asked again, kept.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import {
  ask, checkAccess, DESKTOP, lastAnswer, openPage, pause, PHONE, shoot, startBrowser, startHeddle, startUpstream,
} from "./harness.mjs";

const RICH = [
  "## Sorting",
  "",
  "Insertion sort is **stable** and needs $O(n^2)$ steps; merge sort needs",
  "",
  "$$\\sum_{k=1}^{\\log n} n = n \\log n$$",
  "",
  "```python",
  "def sort(items):",
  "    return sorted(items)  # stable",
  "```",
  "",
  "| name | steps |",
  "| --- | ---: |",
  "| insertion | 10,000 |",
  "| merge | 700 |",
  "",
  "1. Read the items",
  "2. Compare them",
  "",
  "See [the manual](https://example.org/sorting) for more &amp; better.",
].join("\n");

let browser;
let heddle;
let upstream;
before(async () => {
  upstream = await startUpstream("--delay-ms", 4);
  heddle = await startHeddle(["--upstream", upstream.url]);
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await heddle?.drop();
  upstream?.stop();
});

const chooseModel = (page, name) => page.getByLabel("Model", { exact: true }).selectOption(name);

test("an answer is shown as it is meant: code, table, formula, link", async () => {
  await upstream.say(RICH);
  for (const [name, size, scheme] of [["desktop", DESKTOP, "light"], ["phone", PHONE, "dark"]]) {
    const page = await openPage(browser, heddle.url, { size, scheme });
    await page.getByText("Answers are written by").waitFor();
    await ask(page, "How do I sort a list?");
    const answer = await lastAnswer(page);
    await answer.locator(".depth-2", { hasText: "Sorting" }).waitFor();
    await answer.locator(".hljs-keyword", { hasText: "def" }).waitFor();
    await answer.locator("math").first().waitFor();
    assert.equal(await answer.locator("math").count(), 2);
    assert.equal(await answer.locator("tbody tr").count(), 2);
    assert.match(await answer.locator("a").innerText(), /the manual.*example\.org/s);
    assert.match(await answer.innerText(), /more & better/);
    await answer.getByRole("button", { name: "Copy code" }).click();
    assert.equal(
      await page.evaluate(() => navigator.clipboard.readText()),
      "def sort(items):\n    return sorted(items)  # stable",
    );
    assert.match(await answer.locator(".figures").innerText(), /tokens\/s .* first word after/);
    await checkAccess(page, `an answer, ${name}`);
    await shoot(page, `answer-${name}-${scheme}`);
    await page.close_checked();
  }
});

test("stop ends an answer, what was written stays, asking again makes a version", async () => {
  await upstream.say("one two three four five six seven eight nine ten eleven twelve thirteen");
  const page = await openPage(browser, heddle.url);
  await page.getByText("Answers are written by").waitFor();
  await chooseModel(page, "slow");
  await ask(page, "Count slowly");
  await page.getByText("one two three").waitFor();
  await page.keyboard.press("Escape");
  const answer = await lastAnswer(page);
  await answer.getByText("Stopped").waitFor();
  assert.doesNotMatch(await answer.innerText(), /thirteen/);
  await chooseModel(page, "scripted");
  await answer.getByRole("button", { name: "Ask again" }).click();
  await page.getByText("thirteen").waitFor();
  const again = await lastAnswer(page);
  await again.getByText("2/2").waitFor();
  await again.getByRole("button", { name: "Previous version" }).click();
  await page.getByText("Stopped").waitFor();
  await page.close_checked();
});

test("a question is edited and both versions stay; a branch is a conversation of its own", async () => {
  await upstream.say("An answer.");
  const page = await openPage(browser, heddle.url);
  await page.getByText("Answers are written by").waitFor();
  await ask(page, "First wording");
  await lastAnswer(page);
  await page.keyboard.press("ArrowUp");
  await page.getByLabel("Edit and ask again").fill("Second wording");
  await page.keyboard.press("Enter");
  await page.locator(".bubble", { hasText: "Second wording" }).waitFor();
  await lastAnswer(page);
  assert.equal(await page.locator(".bubble").count(), 1);
  const question = page.locator("article.question");
  await question.hover();
  await question.getByText("2/2").waitFor();
  await question.getByRole("button", { name: "Previous version" }).click();
  await page.locator(".bubble", { hasText: "First wording" }).waitFor();
  const before = page.url();
  await (await lastAnswer(page)).getByRole("button", { name: "Branch from here" }).click();
  await page.waitForFunction((was) => location.href !== was, before);
  await page.locator(".bubble", { hasText: "First wording" }).waitFor();
  await page.close_checked();
});

test("conversations are found, renamed, exported and deleted", async () => {
  await upstream.say("The capital is Reykjavik.");
  const page = await openPage(browser, heddle.url);
  await page.getByText("Answers are written by").waitFor();
  await ask(page, "Which town in Iceland?");
  await lastAnswer(page);
  const entry = page.locator(".entry", { hasText: "Which town in Iceland?" });
  await entry.waitFor();
  await entry.hover();
  await entry.locator("summary").click();
  await entry.getByRole("button", { name: "Rename" }).click();
  await page.getByLabel("Title", { exact: true }).fill("Iceland");
  await page.keyboard.press("Enter");
  await page.getByLabel("Search conversations").fill("reykjavik");
  const found = page.locator(".entry", { hasText: "Iceland" });
  await found.locator(".entry-snippet", { hasText: "Reykjavik" }).waitFor();
  assert.equal(await page.locator(".entry").count(), 1);
  await shoot(page, "search-desktop-light");
  const download = page.waitForEvent("download");
  await found.hover();
  await found.locator("summary").click();
  await found.getByRole("button", { name: "Export as Markdown" }).click();
  const file = await download;
  assert.equal(file.suggestedFilename(), "Iceland.md");
  assert.match(fs.readFileSync(await file.path(), "utf8"), /^# Iceland[^]*Which town in Iceland\?[^]*Reykjavik/);
  await found.hover();
  await found.locator("summary").click();
  await found.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("Nothing found for").waitFor();
  await page.close_checked();
});

test("the settings of a conversation reach the model and are kept", async () => {
  await upstream.say("Yes.");
  const page = await openPage(browser, heddle.url);
  await page.getByText("Answers are written by").waitFor();
  await page.getByRole("button", { name: "Settings" }).click();
  const dialog = page.getByRole("dialog", { name: "Settings" });
  await dialog.getByLabel("Instructions").fill("Answer in one word.");
  await dialog.getByLabel("Temperature").fill("0.2");
  await checkAccess(page, "settings");
  await shoot(page, "settings-desktop-light");
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await page.getByRole("button", { name: "Documents", exact: true }).last().click();
  await ask(page, "Is water wet?");
  await lastAnswer(page);
  const call = (await upstream.log()).at(-1);
  assert.equal(call.temperature, 0.2);
  assert.deepEqual(call.messages, [
    { role: "system", content: "Answer in one word." },
    { role: "user", content: "Is water wet?" },
  ]);
  await page.reload();
  await page.locator(".bubble", { hasText: "Is water wet?" }).waitFor();
  await page.getByRole("button", { name: "Settings" }).click();
  assert.equal(await page.getByLabel("Instructions").inputValue(), "Answer in one word.");
  await page.close_checked();
});

test("a lost connection is taken up again, and a reload too", async () => {
  const words = [...Array(40).keys()].map((n) => `word${n}`);
  await upstream.say(words.join(" "));
  const page = await openPage(browser, heddle.url);
  await page.getByText("Answers are written by").waitFor();
  await chooseModel(page, "slow");
  await ask(page, "Write slowly");
  await page.getByText("word2").waitFor();
  await page.context().setOffline(true);
  await page.evaluate(() => window.dispatchEvent(new Event("offline")));
  await pause(1500);
  await page.context().setOffline(false);
  await page.getByText("word15").waitFor();
  await page.reload();
  const answer = await lastAnswer(page);
  assert.equal((await answer.locator(".markdown").innerText()).trim(), words.join(" "));
  await page.close_checked();
});

test("what fails says so and can be tried again", async () => {
  const page = await openPage(browser, heddle.url);
  await page.getByText("Answers are written by").waitFor();
  await upstream.say("this is quite fine again");
  await chooseModel(page, "break");
  await ask(page, "Break, please");
  const answer = await lastAnswer(page);
  await answer.getByText("This answer failed").waitFor();
  await shoot(page, "failure-desktop-light");
  await chooseModel(page, "scripted");
  await answer.getByRole("button", { name: "Ask again" }).click();
  await page.getByText("quite fine again").waitFor();
  await page.close_checked();
});

test("the palette and the keyboard reach everything", async () => {
  await upstream.say("ok");
  const page = await openPage(browser, heddle.url, { scheme: "dark" });
  await page.getByText("Answers are written by").waitFor();
  await page.keyboard.press("Control+k");
  const list = page.getByRole("listbox");
  await list.waitFor();
  await page.keyboard.type("documents");
  await checkAccess(page, "the palette");
  await shoot(page, "palette-desktop-dark");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Documents", level: 1 }).waitFor();
  await page.keyboard.press("Control+Shift+O");
  await page.getByRole("heading", { name: "Ask your documents" }).waitFor();
  await page.waitForFunction(() => document.activeElement.id === "composer");
  await page.keyboard.press("Control+b");
  await page.locator(".shell.no-sidebar").waitFor();
  await page.keyboard.press("Control+b");
  await page.keyboard.press("Control+,");
  await page.getByLabel("Appearance").selectOption("light");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "light");
  await page.close_checked();
});
