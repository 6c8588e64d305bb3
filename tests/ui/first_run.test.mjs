// What a person sees who has just started Heddle: what it is, which model answers, a sample, and an
// answer whose citation opens the page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, checkAccess, DESKTOP, lastAnswer, openPage, PHONE, shoot, startBrowser, startHeddle } from "./harness.mjs";

let browser;
let heddle;
before(async () => {
  heddle = await startHeddle();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await heddle?.drop();
});

test("the empty state says what this is and who answers", async () => {
  for (const [name, size] of [["desktop", DESKTOP], ["phone", PHONE]]) {
    for (const scheme of ["light", "dark"]) {
      const page = await openPage(browser, heddle.url, { size, scheme });
      await page.getByRole("heading", { name: "Ask your documents" }).waitFor();
      await page.getByText("No language model is loaded").waitFor();
      await page.getByRole("button", { name: "Try the sample" }).waitFor();
      await checkAccess(page, `first run, ${name}, ${scheme}`);
      await shoot(page, `first-run-${name}-${scheme}`);
      await page.close_checked();
    }
  }
});

test("the sample is read, asked, and its citation shows the page", async () => {
  const page = await openPage(browser, heddle.url);
  await page.getByRole("button", { name: "Try the sample" }).click();
  await page.getByText("The sample is ready").waitFor({ timeout: 60_000 });
  await shoot(page, "sample-ready-desktop-light");
  await page.getByRole("button", { name: "When does the pump start?" }).click();
  const answer = await lastAnswer(page);
  assert.match(await answer.innerText(), /38 degrees/);
  assert.match(page.url(), /#\/c\/[0-9A-Z]{26}$/);
  await answer.locator(".cite").first().click();
  const pane = page.getByRole("complementary", { name: "Sources" });
  await pane.getByText(/% match/).waitFor();
  await pane.locator("img.here, mark").first().waitFor();
  await checkAccess(page, "an open source");
  await shoot(page, "citation-desktop-light");
  await pane.getByRole("button", { name: "Text" }).click();
  assert.match(await pane.locator(".page-text").innerText(), /falls below 38 degrees/);
  assert.ok(await pane.locator("mark").count());
  await page.keyboard.press("Escape");
  await pane.waitFor({ state: "detached" });
  await page.close_checked();
});

test("on a phone the source covers the conversation and gives it back", async () => {
  const page = await openPage(browser, heddle.url, { size: PHONE, scheme: "dark" });
  await page.getByRole("button", { name: "What does the warranty cover?" }).click();
  const answer = await lastAnswer(page);
  assert.match(await answer.innerText(), /twenty-four months/);
  await shoot(page, "answer-phone-dark");
  await answer.locator(".cite").first().click();
  const pane = page.getByRole("complementary", { name: "Sources" });
  await pane.locator("img.here, mark").first().waitFor();
  await shoot(page, "citation-phone-dark");
  await checkAccess(page, "a source on a phone");
  await pane.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("link", { name: "Documents" }).waitFor();
  await page.waitForTimeout(300);
  await shoot(page, "menu-phone-dark");
  await page.close_checked();
});

test("Chinese texts, by the browser's language or by choice", async () => {
  const page = await openPage(browser, heddle.url, { locale: "zh-CN" });
  await page.getByRole("heading", { name: "向您的文档提问" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "zh");
  await page.keyboard.press("Control+k");
  await page.getByRole("option", { name: "English" }).click();
  await page.getByRole("heading", { name: "Ask your documents" }).waitFor();
  await page.close_checked();
});

test("a question without an answer in the documents is told plainly", async () => {
  const page = await openPage(browser, heddle.url);
  await page.getByRole("heading", { name: "Ask your documents" }).waitFor();
  await ask(page, "Who won the chess tournament in Reykjavik?");
  const answer = await lastAnswer(page);
  assert.equal(await answer.locator(".cite").count(), 0);
  assert.ok((await answer.innerText()).length > 10);
  await page.close_checked();
});
