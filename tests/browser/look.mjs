// Looks at a page as a person would: a desk in the light, a phone in the dark, and without script.
// node look.mjs URL SCREENSHOT-PREFIX; prints what it saw as one line of JSON.

import { axe, launch, views } from "./chromium.mjs";

const [url, prefix] = process.argv.slice(2);

const browser = await launch();

const seen = {};
for (const [name, options] of Object.entries(views)) {
  const context = await browser.newContext({ ...options, javaScriptEnabled: false });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("requestfailed", (request) => complaints.push(`failed: ${request.url()}`));
  const hosts = new Set();
  page.on("request", (request) => hosts.add(new URL(request.url()).host));
  const response = await page.goto(url, { waitUntil: "load", timeout: 20_000 });
  await page.screenshot({ path: `${prefix}-${name}.png`, fullPage: true });
  const text = async (selector) => (await page.locator(selector).allInnerTexts()).map((part) => part.trim());
  // What is folded has no inner text.
  const folded = async (selector) => (await page.locator(selector).allTextContents()).map((part) => part.trim());
  seen[name] = {
    status: response.status(),
    title: await page.title(),
    overall: await text(".overall"),
    components: await text("#components ~ article h3"),
    changes: await folded(".changes .status"),
    times: await folded('details[data-key="changes"] time'),
    hosts: hosts.size,
    complaints,
  };
  await context.close();
}

// Measuring takes script, which the page's own policy forbids, so the policy is set aside for this one look.
for (const [name, options] of Object.entries(views)) {
  const context = await browser.newContext({ ...options, bypassCSP: true });
  const page = await context.newPage();
  await page.goto(url, { waitUntil: "load", timeout: 20_000 });
  seen[name].overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  seen[name].background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.addScriptTag({ path: axe });
  const { violations } = await page.evaluate(() => window.axe.run());
  seen[name].violations = violations.map((violation) => `${violation.id}: ${violation.help}`);
  await context.close();
}

// With script, an open page follows the keeper: the clock is moved, not waited for.
{
  const context = await browser.newContext(views.desk);
  const page = await context.newPage();
  await page.clock.install();
  const complaints = [];
  page.on("console", (message) => complaints.push(message.text()));
  await page.goto(url, { waitUntil: "load", timeout: 20_000 });
  await page.evaluate(() => { document.querySelector(".overall").textContent = "Yesterday's news"; });
  const renewed = page.waitForResponse(url.replace(/\/?$/, "/"), { timeout: 10_000 });
  await page.clock.runFor(6_000);
  await renewed;
  await page.waitForFunction(() => document.querySelector(".overall").textContent !== "Yesterday's news", null,
    { timeout: 5_000, polling: 50 }).catch(() => {});
  seen.renewed = { overall: await page.locator(".overall").innerText(), complaints };
  await context.close();
}

// What a reader has done to an open page stays: what was closed, where the focus is, what is selected.
{
  const context = await browser.newContext(views.desk);
  const page = await context.newPage();
  await page.clock.install();
  await page.goto(url, { waitUntil: "load", timeout: 20_000 });
  const summary = page.locator("summary").first();
  if (await summary.count()) {
    await summary.focus();
    await summary.press("Enter");
    await page.evaluate(() => {
      getSelection().selectAllChildren(document.querySelector("h1"));
      document.querySelector(".overall").textContent = "Yesterday's news";
      document.querySelector("#components").scrollIntoView();
    });
    const where = () => page.evaluate(() => ({
      open: document.querySelector("details").open, focus: document.activeElement.tagName,
      selected: String(getSelection()), scrolled: window.scrollY }));
    const before = await where();
    const renewed = page.waitForResponse(url.replace(/\/?$/, "/"), { timeout: 10_000 });
    await page.clock.runFor(6_000);
    await renewed;
    await page.waitForFunction(() => document.querySelector(".overall").textContent !== "Yesterday's news", null,
      { timeout: 5_000, polling: 50 }).catch(() => {});
    seen.kept = { before, after: await where(), overall: await page.locator(".overall").innerText() };
  }
  await context.close();
}

await browser.close();
console.log(JSON.stringify(seen));
