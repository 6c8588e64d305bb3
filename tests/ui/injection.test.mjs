// What models, pages, files and people write is data: it makes no request to another origin, runs
// nothing, and hides nothing.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, lastAnswer, openPage, pause, shoot, startBrowser, startForeign, startHeddle, startUpstream } from "./harness.mjs";

let browser;
let foreign;
let heddle;
let upstream;
before(async () => {
  [upstream, foreign] = await Promise.all([startUpstream(), startForeign()]);
  heddle = await startHeddle(["--upstream", upstream.url]);
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await heddle?.drop();
  upstream?.stop();
  foreign?.stop();
});

function attacks(origin) {
  return [
    `![picture](${origin}/image.png)`,
    `![ref][r]\n\n[r]: ${origin}/reference.png`,
    `<img src="${origin}/html.png" onerror="window.ran=1">`,
    "<script>window.ran=1</script>",
    `<iframe src="${origin}/frame"></iframe>`,
    `<link rel="stylesheet" href="${origin}/style.css">`,
    "<svg onload=window.ran=1><use href='data:x'/></svg>",
    "[click](javascript:window.ran=1)",
    "[click](JaVaScRiPt&colon;window.ran=1)",
    "[click](data:text/html,<script>window.ran=1</script>)",
    "<javascript:window.ran=1>",
    `$\\href{javascript:window.ran=1}{x}$ $\\includegraphics{${origin}/formula.png}$`,
    `$$\\style{background:url(${origin}/css.png)}{x}$$`,
    "`<img src=x onerror=window.ran=1>`",
    "```html\n<script>window.ran=1</script>\n```",
    `| a |\n| --- |\n| <img src="${origin}/cell.png"> |`,
    "[x]: javascript:window.ran=1\n\n[x]",
    "&lt;script&gt;window.ran=1&lt;/script&gt;",
  ].join("\n\n");
}

async function harmless(page) {
  await pause(400);
  assert.equal(await page.evaluate(() => window.ran), undefined);
  assert.deepEqual(foreign.asked, []);
  const addresses = await page.$$eval("article a", (all) => all.map((one) => one.protocol));
  assert.deepEqual(addresses.filter((one) => !["http:", "https:", "mailto:"].includes(one)), []);
  const elements = "article :is(img,script,iframe,link,object,embed,style,form)";
  assert.equal(await page.locator(elements).count(), 0);
}

test("an answer full of attacks is only text", async () => {
  await upstream.say(attacks(foreign.origin));
  const page = await openPage(browser, heddle.url);
  await page.getByText("Answers are written by").waitFor();
  await ask(page, `Show me ${"<img src=x onerror=window.ran=1>"}`);
  await lastAnswer(page);
  await harmless(page);
  await page.getByText("<script>window.ran=1</script>").first().waitFor();
  await shoot(page, "injection-desktop-light");
  // The same once more from the server's store.
  await page.reload();
  await lastAnswer(page);
  await harmless(page);
  await page.close_checked();
});

test("titles and names are only text", async () => {
  const title = '<img src=x onerror="window.ran=1">';
  const made = await (await heddle.call("POST", "/conversations", { title })).json();
  const page = await openPage(browser, heddle.url, { at: `/#/c/${made.id}` });
  await page.locator(".entry.open", { hasText: "<img src=x" }).waitFor();
  await harmless(page);
  await page.close_checked();
});

test("a link shows its host and opens without telling where it came from", async () => {
  await upstream.say("Go to [your bank](https://bank.example.evil.test/login) now");
  const page = await openPage(browser, heddle.url);
  await page.getByText("Answers are written by").waitFor();
  await ask(page, "Where?");
  const link = (await lastAnswer(page)).getByRole("link");
  assert.match(await link.innerText(), /bank\.example\.evil\.test/);
  assert.equal(await link.getAttribute("rel"), "noopener noreferrer nofollow");
  await page.close_checked();
});
