// The real binary with its default models, a scripted model server, and a real browser.
//
// HEDDLE_TEST_BINARY names the binary (default: build/release/heddle); pictures of the pages go to
// HEDDLE_TEST_SHOTS (default: build/ui-shots). Every page of these tests fails its test when it asks
// another origin for anything, runs into its own content policy, or logs an error.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const require = createRequire(path.join(ROOT, "ui/package.json"));
const { chromium } = require("playwright-core");
const AXE = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const BINARY = process.env.HEDDLE_TEST_BINARY ?? path.join(ROOT, "build/release/heddle");
const SHOTS = process.env.HEDDLE_TEST_SHOTS ?? path.join(ROOT, "build/ui-shots");
export const SAMPLE = path.join(ROOT, "ui/sample.pdf");

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));

/** Waits for the line of a process that says where it listens. */
function portOf(child, pattern, name) {
  return new Promise((resolve, reject) => {
    let text = "";
    const look = (data) => {
      text += data;
      const found = pattern.exec(text);
      if (found) resolve(Number(found[1]));
    };
    child.stdout.on("data", look);
    child.stderr.on("data", (data) => (text += data));
    child.on("exit", (code) => reject(new Error(`${name} ended with ${code}:\n${text}`)));
    setTimeout(() => reject(new Error(`${name} does not start:\n${text}`)), 60_000).unref();
  });
}

export async function startHeddle(flags = [], folder = fs.mkdtempSync(path.join(os.tmpdir(), "heddle-ui-"))) {
  const args = ["serve", "--listen", "127.0.0.1:0", "--data", path.join(folder, "data"), ...flags];
  const child = spawn(BINARY, args, { stdio: ["ignore", "pipe", "pipe"] });
  const port = await portOf(child, /http:\/\/127\.0\.0\.1:(\d+)/, "heddle");
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    folder,
    database: path.join(folder, "data/heddle.db"),
    async call(method, where, body, key) {
      const headers = { "Content-Type": "application/json" };
      if (key) headers.Authorization = `Bearer ${key}`;
      const init = { method, headers };
      if (body !== undefined) init.body = JSON.stringify(body);
      return fetch(url + where, init);
    },
    async stop() {
      if (child.exitCode !== null) return;
      const over = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      const killer = setTimeout(() => child.kill("SIGKILL"), 20_000);
      await over;
      clearTimeout(killer);
    },
    async drop() {
      await this.stop();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** tests/scripted_upstream.py; `say` sets what the model "scripted" answers. */
export async function startUpstream(...flags) {
  const child = spawn("python3", [path.join(ROOT, "tests/scripted_upstream.py"), ...flags.map(String)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const port = await portOf(child, /listening on (\d+)/, "the scripted model server");
  const url = `http://127.0.0.1:${port}`;
  return {
    url: `${url}/v1`,
    say: (reply) => fetch(`${url}/script`, { method: "POST", body: JSON.stringify({ reply }) }),
    log: async () => (await fetch(`${url}/log`)).json(),
    stop: () => child.kill("SIGTERM"),
  };
}

/** Somebody else's server: remembers what it was asked for. */
export async function startForeign() {
  const asked = [];
  const server = http.createServer((request, response) => {
    asked.push(request.url);
    response.end("x");
  });
  await new Promise((resume) => server.listen(0, "127.0.0.1", resume));
  return { asked, origin: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

export function fillDatabase(database, ...what) {
  const script = path.join(path.dirname(fileURLToPath(import.meta.url)), "fill.py");
  const done = spawnSync("python3", [script, database, ...what.map(String)], { encoding: "utf8" });
  assert.equal(done.status, 0, done.stderr);
  return done.stdout.trim();
}

export async function startBrowser() {
  return chromium.launch({
    executablePath: process.env.HEDDLE_TEST_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
}

/** A page of its own kind of person: size, colour scheme, language. */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({
    viewport: options.size ?? DESKTOP,
    colorScheme: options.scheme ?? "light",
    locale: options.locale ?? "en",
    hasTouch: options.size === PHONE,
    isMobile: options.size === PHONE,
    acceptDownloads: true,
  });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: url });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const wrong = [];
  page.on("request", (request) => {
    const to = request.url();
    if (!to.startsWith(url) && !to.startsWith("blob:")) wrong.push(`asked ${to}`);
  });
  page.on("pageerror", (error) => wrong.push(`threw ${error}`));
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    // The browser reports every failed request; the tests check those that matter.
    if (!/Failed to load resource|ERR_INTERNET_DISCONNECTED|ERR_NETWORK/.test(message.text())) {
      wrong.push(`logged ${message.text()}`);
    }
  });
  await page.goto(url + (options.at ?? "/"));
  page.close_checked = async () => {
    assert.deepEqual(wrong, []);
    await context.close();
  };
  return page;
}

export async function shoot(page, name) {
  fs.mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: path.join(SHOTS, `${name}.png`), animations: "disabled" });
}

/** No finding of axe's rules for WCAG 2.2 A and AA. */
export async function checkAccess(page, where) {
  // The page's own policy forbids foreign scripts, so axe comes through the debugging channel.
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { violations } = await window.axe.run(document, { runOnly: { type: "tag", values: tags } });
    return violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
  });
  assert.deepEqual(found, [], where);
}

export async function ask(page, text) {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
}

/** The last answer, once it is complete. */
export async function lastAnswer(page) {
  const answer = page.locator("article.answer").last();
  await page.waitForFunction(() => {
    const all = document.querySelectorAll("article.answer");
    return all.length && all[all.length - 1].getAttribute("aria-busy") === "false";
  });
  return answer;
}

export { pause };
