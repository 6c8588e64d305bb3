#!/usr/bin/env node
// How smooth the web client stays: 200 tokens a second for 60 s, a conversation of 5,000 messages,
// a list of 1,000 documents. `node bench/ui/smooth.mjs [seconds]`; needs what tests/ui needs.
//
// A frame is the time between two calls of requestAnimationFrame; a long task is what the browser
// itself reports (50 ms or more of script, style and layout in one piece).
import os from "node:os";
import { ask, fillDatabase, openPage, pause, startBrowser, startHeddle, startUpstream } from "../../tests/ui/harness.mjs";

const seconds = Number(process.argv[2] ?? 60);
const RATE = 200;

const PARAGRAPH =
  "The **pump** starts by itself when the water falls below `38` degrees, see [the manual](https://example.org/manual). " +
  "It stops at 52 degrees.\n\n| speed | watts |\n| --- | ---: |\n| 1 | 5 |\n| 2 | 18 |\n\n" +
  "```python\ndef starts(line):\n    return line < 38\n```\n\n1. Fill the system\n2. Open the vent screw\n\n";

async function watch(page, run) {
  await page.evaluate(() => {
    window.frames_ms = [];
    window.tasks_ms = [];
    let last = performance.now();
    const next = (now) => {
      window.frames_ms.push(now - last);
      last = now;
      window.watching = requestAnimationFrame(next);
    };
    window.watching = requestAnimationFrame(next);
    window.observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.tasks_ms.push(entry.duration);
    });
    window.observer.observe({ type: "longtask" });
  });
  await run();
  return page.evaluate(() => {
    cancelAnimationFrame(window.watching);
    window.observer.disconnect();
    const sorted = [...window.frames_ms].sort((a, b) => a - b);
    const at = (share) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] * 10) / 10;
    return {
      frames: sorted.length,
      p50_ms: at(0.5),
      p99_ms: at(0.99),
      longest_ms: at(1),
      over_50_ms: sorted.filter((ms) => ms > 50).length,
      long_tasks: window.tasks_ms.length,
      longest_task_ms: Math.round(Math.max(0, ...window.tasks_ms)),
    };
  });
}

const report = (name, figures) => console.log(JSON.stringify({ name, ...figures }));

async function scroll(page, selector, px, steps) {
  await page.evaluate(
    async ([where, step, count]) => {
      const view = document.querySelector(where);
      for (let i = 0; i < count; i++) {
        view.scrollTop += step;
        await new Promise(requestAnimationFrame);
      }
    },
    [selector, px, steps],
  );
}

async function streaming(browser) {
  const upstream = await startUpstream("--rate", RATE);
  const heddle = await startHeddle(["--upstream", upstream.url]);
  const words = PARAGRAPH.split(" ");
  const text = Array.from({ length: Math.ceil((RATE * seconds) / words.length) }, () => PARAGRAPH).join("");
  await upstream.say(text);
  const page = await openPage(browser, heddle.url);
  await page.getByText("Answers are written by").waitFor();
  await ask(page, "Write");
  await page.locator("article.answer .markdown").waitFor();
  const begun = Date.now();
  const figures = await watch(page, () => pause(seconds * 1000 - 2000));
  const shown = await page.locator("article.answer .markdown").innerText();
  report("streaming", { ...figures, seconds, tokens_s: RATE, characters: shown.length, took_s: (Date.now() - begun) / 1000 });
  await page.context().close();
  await heddle.drop();
  upstream.stop();
}

async function long(browser) {
  const first = await startHeddle();
  await first.stop();
  const conversation = fillDatabase(first.database, "messages", 5000);
  fillDatabase(first.database, "documents", 1000);
  const heddle = await startHeddle([], first.folder);
  const page = await openPage(browser, heddle.url, { at: `/#/c/${conversation}` });
  await page.getByText("Answer to question 2500.").waitFor();
  report("messages_5000", await watch(page, () => scroll(page, "#thread", -120, 400)));
  await page.goto(heddle.url + "/#/documents");
  await page.getByText("1,000 documents").waitFor();
  report("documents_1000", await watch(page, () => scroll(page, ".page", 150, 400)));
  const cold = await openPage(browser, heddle.url);
  await cold.getByText("documents ready").waitFor();
  const load = await cold.evaluate(() => {
    const [page] = performance.getEntriesByType("navigation");
    const files = performance.getEntriesByType("resource").filter((one) => /assets/.test(one.name));
    return {
      transferred_bytes: page.transferSize + files.reduce((sum, one) => sum + one.transferSize, 0),
      files: files.length + 1,
      interactive_ms: Math.round(page.domInteractive),
      first_paint_ms: Math.round(performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0),
    };
  });
  report("first_load", load);
  await heddle.drop();
}

const browser = await startBrowser();
console.log(JSON.stringify({ cores: os.cpus().length, model: os.cpus()[0]?.model, browser: browser.version() }));
await streaming(browser);
await long(browser);
await browser.close();
