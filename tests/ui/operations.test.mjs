// Keys, roles and the operations page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, checkAccess, lastAnswer, openPage, PHONE, shoot, startBrowser, startHeddle, startUpstream } from "./harness.mjs";

let browser;
let heddle;
let upstream;
let adminKey;
before(async () => {
  upstream = await startUpstream("--delay-ms", 5, "--tokens", 60);
  heddle = await startHeddle(["--upstream", upstream.url]);
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await heddle?.drop();
  upstream?.stop();
});

test("figures move while answers are written", async () => {
  const page = await openPage(browser, heddle.url);
  await page.getByText("Answers are written by").waitFor();
  await page.goto(heddle.url + "/#/operations");
  await page.getByRole("heading", { name: "Tokens per second" }).waitFor();
  await page.waitForTimeout(2500);
  const made = await (await heddle.call("POST", "/conversations", {})).json();
  for (let i = 0; i < 12; i++) {
    const body = { content: `Question ${i}`, ground: false, stream: false };
    await heddle.call("POST", `/conversations/${made.id}/messages`, body);
  }
  const plot = page.locator(".plot", { hasText: "Time to first word" });
  await plot.getByText(/ms.*median/).waitFor();
  const tokens = page.locator(".plot", { hasText: "Tokens per second" });
  assert.match(await tokens.locator("path.line").getAttribute("d"), /L/);
  await page.locator(".panel", { hasText: "Models" }).getByText("scripted", { exact: true }).waitFor();
  await checkAccess(page, "operations");
  await shoot(page, "operations-desktop-light");
  await page.close_checked();
});

test("the first key closes the server, and its maker stays", async () => {
  const page = await openPage(browser, heddle.url, { at: "/#/operations", scheme: "dark" });
  const panel = page.locator(".panel", { hasText: "Keys" });
  await panel.getByText("No keys").waitFor();
  await panel.getByRole("button", { name: "New key" }).click();
  const dialog = page.getByRole("dialog", { name: "New key" });
  await dialog.getByText("The first key closes this server").waitFor();
  await dialog.getByLabel("Owner").fill("anna");
  await dialog.getByRole("button", { name: "New key" }).click();
  await dialog.getByText("This key is shown once").waitFor();
  adminKey = await dialog.locator("code").innerText();
  assert.match(adminKey, /^hd-/);
  await dialog.getByRole("button", { name: "Close" }).click();
  await panel.getByText("anna").first().waitFor();
  await shoot(page, "operations-desktop-dark");
  await page.close_checked();
});

test("a user logs in, asks, and sees nothing of the operation", async () => {
  const made = await (await heddle.call("POST", "/admin/keys", { owner: "bert" }, adminKey)).json();
  const page = await openPage(browser, heddle.url, { size: PHONE });
  await page.getByLabel("API key").fill("hd-wrong-key-0123456789");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("This key is not valid.").waitFor();
  await checkAccess(page, "login");
  await shoot(page, "login-phone-light");
  await page.getByLabel("API key").fill(made.key);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Ask your documents" }).waitFor();
  await ask(page, "Am I in?");
  await lastAnswer(page);
  assert.equal(await page.getByRole("link", { name: "Operations" }).count(), 0);
  await page.goto(heddle.url + "/#/operations");
  await page.getByText("Only administrators see this page.").waitFor();
  await page.goto(heddle.url + "/#/");
  // A key that is revoked ends the session; the page says so and asks for another.
  const { keys } = await (await heddle.call("GET", "/admin/keys", undefined, adminKey)).json();
  await heddle.call("DELETE", `/admin/keys/${keys.find((key) => key.owner === "bert").id}`, undefined, adminKey);
  await page.getByLabel("Message", { exact: true }).fill("Still here?");
  await page.keyboard.press("Enter");
  await page.getByText("Your session has ended").waitFor();
  await page.close_checked();
});

test("operations on a phone", async () => {
  const page = await openPage(browser, heddle.url, { size: PHONE });
  await page.getByLabel("API key").fill(adminKey);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Ask your documents" }).waitFor();
  await page.goto(heddle.url + "/#/operations");
  await page.getByText("Recent errors").waitFor();
  await page.waitForTimeout(2500);
  await checkAccess(page, "operations on a phone");
  await shoot(page, "operations-phone-light");
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.equal(wide, false, "nothing is wider than the phone");
  await page.close_checked();
});
