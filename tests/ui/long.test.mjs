// A conversation of 5,000 messages and 1,000 documents: only what is near is on the page, and all of
// it can be reached. How smooth that is, bench/ui measures.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fillDatabase, openPage, startBrowser, startHeddle } from "./harness.mjs";

let browser;
let heddle;
let conversation;
before(async () => {
  const first = await startHeddle();
  await first.stop();
  conversation = fillDatabase(first.database, "messages", 5000);
  fillDatabase(first.database, "documents", 1000);
  heddle = await startHeddle([], first.folder);
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await heddle?.drop();
});

test("5,000 messages open at their end and are read upwards without a jump", async () => {
  const page = await openPage(browser, heddle.url, { at: `/#/c/${conversation}` });
  await page.getByText("Answer to question 2500.").waitFor();
  const turns = () => page.locator(".turn").count();
  assert.ok((await turns()) <= 100);
  const held = await page.evaluate(async () => {
    const frames = (n) => new Promise((done) => {
      const next = () => (n-- ? requestAnimationFrame(next) : done());
      next();
    });
    const view = document.getElementById("thread");
    const jumps = [];
    for (let i = 0; i < 60; i++) {
      view.scrollTop -= 500;
      await frames(2);
      const frame = view.getBoundingClientRect();
      const seen = [...document.querySelectorAll(".turn")].find((one) => one.getBoundingClientRect().bottom > frame.top + 60);
      const top = seen.getBoundingClientRect().top;
      await frames(6);
      if (seen.isConnected) jumps.push(Math.abs(seen.getBoundingClientRect().top - top));
      else jumps.push(Infinity);
    }
    return { jumps, turns: document.querySelectorAll(".turn").length };
  });
  assert.ok(held.turns <= 100, `${held.turns} messages are on the page`);
  const far = held.jumps.filter((px) => px > 40);
  assert.ok(far.length <= 2, `what was read jumped by ${far} px`);
  await page.getByRole("button", { name: "To the newest message" }).click();
  await page.getByText("Answer to question 2500.").waitFor();
  await page.close_checked();
});

test("1,000 documents are a list of which little is on the page", async () => {
  const page = await openPage(browser, heddle.url, { at: "/#/documents" });
  await page.getByText("1,000 documents").waitFor();
  assert.ok((await page.locator(".document").count()) < 60);
  await page.evaluate(() => {
    const view = document.querySelector(".page");
    view.scrollTop = view.scrollHeight;
  });
  await page.getByText("Report 0001 of the waterworks").waitFor();
  await page.getByLabel("Filter by name").fill("0777");
  await page.getByText("Report 0777 of the waterworks").waitFor();
  assert.equal(await page.locator(".document").count(), 1);
  await page.close_checked();
});
