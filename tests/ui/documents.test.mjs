// Documents: dropped and chosen, many at once, read live, failed and tried again, searched, deleted.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { checkAccess, DESKTOP, openPage, PHONE, SAMPLE, shoot, startBrowser, startHeddle } from "./harness.mjs";

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

const sample = fs.readFileSync(SAMPLE);
/** The sample with bytes after its end: another file to the server, the same to a reader. */
const copy = (n) => ({
  name: `manual-${n}.pdf`,
  mimeType: "application/pdf",
  buffer: Buffer.concat([sample, Buffer.from(`\n%copy ${n}\n`)]),
});

test("many files at once go up, are read and become ready", async () => {
  const page = await openPage(browser, heddle.url, { at: "/#/documents" });
  await page.getByText("No documents yet").waitFor();
  await checkAccess(page, "no documents");
  await shoot(page, "documents-empty-desktop-light");
  const files = [...Array(6).keys()].map(copy);
  files.push({ name: "broken.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7\nno more than this") });
  files.push({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("plain") });
  await page.getByLabel("Add documents").first().setInputFiles(files);
  await page.getByText("Only uploading PDF documents are supported").waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".document.ready").length === 6, null, { timeout: 90_000 });
  const broken = page.locator(".document.failed", { hasText: "broken.pdf" });
  await broken.getByText(/Failed: \S/).waitFor();
  await checkAccess(page, "documents");
  await shoot(page, "documents-desktop-light");
  await broken.getByRole("button", { name: "Try this file again" }).click();
  await page.locator(".document.failed", { hasText: "broken.pdf" }).waitFor();
  await page.locator(".document.upload", { hasText: "notes.txt" }).getByRole("button", { name: "Dismiss" }).click();
  await page.close_checked();
});

test("passages are found by meaning", async () => {
  for (const [name, size, scheme] of [["desktop", DESKTOP, "dark"], ["phone", PHONE, "light"]]) {
    const page = await openPage(browser, heddle.url, { at: "/#/documents", size, scheme });
    await page.getByRole("searchbox", { name: "Search in passages" }).fill("guarantee period");
    await page.keyboard.press("Enter");
    const first = page.locator(".passage-list li").first();
    await first.getByText(/warranty/i).first().waitFor();
    await first.getByText(/% match/).waitFor();
    await checkAccess(page, `passages, ${name}`);
    await shoot(page, `passages-${name}-${scheme}`);
    await page.close_checked();
  }
});

test("a file that is dropped anywhere is taken", async () => {
  const page = await openPage(browser, heddle.url);
  await page.getByRole("heading", { name: "Ask your documents" }).waitFor();
  const bytes = [...copy("dropped").buffer];
  const transfer = await page.evaluateHandle((data) => {
    const carried = new DataTransfer();
    carried.items.add(new File([Uint8Array.from(data)], "dropped.pdf", { type: "application/pdf" }));
    return carried;
  }, bytes);
  await page.dispatchEvent("body", "dragenter", { dataTransfer: transfer });
  await page.getByText("Drop PDF files to add them").waitFor();
  await shoot(page, "drop-desktop-light");
  await page.dispatchEvent("body", "drop", { dataTransfer: transfer });
  await page.getByRole("heading", { name: "Documents", level: 1 }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".document.ready").length >= 7, null, { timeout: 60_000 });
  await page.close_checked();
});

test("documents are deleted, one and several, and collections keep apart", async () => {
  const page = await openPage(browser, heddle.url, { at: "/#/documents" });
  await page.waitForFunction(() => document.querySelectorAll(".document.ready").length >= 7);
  const count = await page.locator(".document").count();
  await page.locator(".document").first().getByRole("button", { name: /^Delete/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.waitForFunction((n) => document.querySelectorAll(".document").length === n, count - 1);
  for (const box of (await page.locator(".document input").all()).slice(0, 2)) await box.check();
  await page.getByRole("toolbar").getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.waitForFunction((n) => document.querySelectorAll(".document").length === n, count - 3);
  const picker = page.locator(".page-head .menu");
  await picker.locator("summary").click();
  await picker.getByRole("button", { name: "New collection" }).click();
  await page.getByLabel("Name: letters").fill("letters");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("No documents yet").waitFor();
  await page.getByRole("combobox", { name: "Collection" }).selectOption("knowledgebase");
  await page.waitForFunction((n) => document.querySelectorAll(".document").length === n, count - 3);
  await page.close_checked();
});
