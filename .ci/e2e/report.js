// Opens reports as people do, on a phone and on a desk, light, dark and
// printed: report.js RUN.html RUN.json PAIR.html
const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { chromium } = require("playwright-core");

const [page, json, pair] = process.argv.slice(2);
const run = JSON.parse(fs.readFileSync(json)).result;

// Times as the report writes them, in ms.
const ms = (ns) => {
  const v = ns / 1e6;
  return v.toFixed(v < 10 ? 2 : v < 100 ? 1 : 0);
};

// rows reads the table whose head begins with a word.
const rows = (tab, first) => tab.evaluate((first) => {
  const table = [...document.querySelectorAll("table")].find((t) => t.tHead.rows[0].cells[0].textContent === first);
  return [...table.tBodies[0].rows].map((r) => [...r.cells].map((c) => c.textContent));
}, first);

// tooWide lists what sticks out of the page, tooSmall what nobody can read.
const tooWide = (tab) => tab.evaluate(() => [...document.querySelectorAll("main *")]
  .filter((e) => !e.closest("thead, svg") && (e.getBoundingClientRect().right > innerWidth + 1 || e.getBoundingClientRect().left < -1 || e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== "visible"))
  .map((e) => e.outerHTML.slice(0, 80)));
const tooSmall = (tab) => tab.evaluate(() => [...document.querySelectorAll("main *")]
  .filter((e) => e.childElementCount === 0 && e.textContent.trim() && !e.closest("svg, script") && parseFloat(getComputedStyle(e).fontSize) < 12)
  .map((e) => e.outerHTML.slice(0, 80)));

async function look(browser, file, options) {
  const tab = await browser.newPage(options);
  const trouble = [];
  tab.on("console", (m) => trouble.push(`console ${m.type()}: ${m.text()}`));
  tab.on("pageerror", (e) => trouble.push(`error: ${e.message}`));
  tab.on("request", (r) => { if (!/^(file|data):/.test(r.url())) trouble.push(`request: ${r.url()}`); });
  await tab.goto("file://" + path.resolve(file));
  const name = `${file} at ${options.viewport.width} px, ${options.colorScheme || "light"}`;
  const plot = tab.locator("figure:has(.legend) .plot").first();
  await plot.hover();
  assert.notEqual(await tab.locator("figure output").first().textContent(), "", `${name}: no value under the pointer`);
  assert.deepEqual(await tooWide(tab), [], `${name}: wider than the page`);
  assert.equal(await tab.evaluate(() => document.documentElement.scrollWidth), options.viewport.width, `${name}: scrolls sideways`);
  assert.deepEqual(await tooSmall(tab), [], `${name}: too small to read`);
  await tab.emulateMedia({ media: "print" });
  assert.equal(await tab.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)", `${name}: printed on a dark page`);
  await tab.emulateMedia({ media: "screen" });
  assert.deepEqual(trouble, [], name);
  return tab;
}

(async () => {
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  try {
    for (const file of [page, pair]) {
      for (const width of [380, 1400]) {
        for (const colorScheme of ["light", "dark"]) {
          await (await look(browser, file, { viewport: { width, height: 900 }, colorScheme })).close();
        }
      }
      await (await look(browser, file, { viewport: { width: 1400, height: 900 }, offline: true })).close();
    }
    // The tables say what the JSON does.
    const tab = await look(browser, page, { viewport: { width: 1400, height: 900 } });
    const total = run.total;
    const figures = Object.fromEntries(await rows(tab, "figure"));
    assert.equal(figures.requests, String(total.count));
    assert.equal(figures.failed.split(" ")[0], String(total.failed));
    assert.equal(figures["latency p95, ms"], ms(total.latency.p95));
    const q = total.latency;
    assert.deepEqual((await rows(tab, "latency ms"))[0].slice(1), [q.min, q.mean, q.p50, q.p90, q.p95, q.p99, q.max].map(ms));
    assert.deepEqual((await rows(tab, "replica")).map((r) => r.slice(0, 4)), run.replicas.map((r) => [r.name, r.state, String(r.count), String(r.failed)]));
    assert.deepEqual((await rows(tab, "failure")).slice(0, run.failures.length).map((r) => r.slice(0, 2)), run.failures.map((f) => [f.failure, String(f.count)]));
    assert.deepEqual((await rows(tab, "objective")).map((r) => r[0]), run.slo.map((o) => o.objective));
    console.log(`browser: ${await tab.locator("table").count()} tables, ${await tab.locator("figure").count()} charts`);
    // Without a script the page has everything but the values under the pointer.
    const plain = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 380, height: 900 } });
    const bare = await plain.newPage();
    await bare.goto("file://" + path.resolve(page));
    assert.equal(await bare.locator("table").count(), await tab.locator("table").count());
    assert.ok(await bare.locator(".plot path").count() > 0);
  } finally {
    await browser.close();
  }
})().catch((e) => { console.error(e.message || e); process.exit(1); });
