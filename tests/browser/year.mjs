// Takes pictures of a page as people see it, and holds them against the stored ones; validates its HTML; goes along its bars
// by the keyboard. node year.mjs URL NAME FOLDER-FOR-NEW-PICTURES; prints what it saw as one line of JSON.
//
// UPDATE_PICTURES=1 stores the new pictures instead: look at them before they are committed.

import { HtmlValidate } from "html-validate";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pixelmatch from "pixelmatch";
import { PNG } from "pngjs";
import { axe, launch } from "./chromium.mjs";

const [url, name, fresh] = process.argv.slice(2);
const stored = new URL("stored/", import.meta.url).pathname;

// Letters are drawn as on the machine where the stored pictures were.
const browser = await launch("--font-render-hinting=none", "--force-color-profile=srgb");

const desk = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
const views = {
  desk: { ...desk, colorScheme: "light" },
  "desk-dark": { ...desk, colorScheme: "dark" },
  "desk-plain": { ...desk, colorScheme: "light", javaScriptEnabled: false },
  phone: { ...phone, colorScheme: "light" },
  "phone-dark": { ...phone, colorScheme: "dark" },
  print: { viewport: { width: 794, height: 1123 }, colorScheme: "light", media: "print" },
};
// Without script the page looks the same, so both are held against one picture.
const pictureOf = { "desk-plain": "desk" };

// Half the size of the page, with all colours: what moved, is missing or has another colour shows, and a letter that another
// machine draws a little otherwise does not.
function halved(png) {
  const { width, height, data } = png;
  const small = new PNG({ width: width >> 1, height: height >> 1 });
  for (let y = 0; y < small.height; y += 1) {
    for (let x = 0; x < small.width; x += 1) {
      for (let part = 0; part < 4; part += 1) {
        const at = (row, column) => data[((2 * y + row) * width + 2 * x + column) * 4 + part];
        small.data[(y * small.width + x) * 4 + part] = (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4;
      }
    }
  }
  return small;
}

// The share of the picture that differs from the stored one.
function difference(picture, file) {
  const now = halved(PNG.sync.read(picture));
  if (process.env.UPDATE_PICTURES === "1") writeFileSync(file, PNG.sync.write(now, { colorType: 2, deflateLevel: 9 }));
  if (!existsSync(file)) return `there is no ${file}: make it with UPDATE_PICTURES=1`;
  const then = PNG.sync.read(readFileSync(file));
  if (now.width !== then.width || now.height !== then.height) {
    return `${now.width} x ${now.height} instead of ${then.width} x ${then.height}`;
  }
  const differing = pixelmatch(now.data, then.data, null, now.width, now.height, { threshold: 0.15 });
  return differing / (now.width * now.height);
}

mkdirSync(stored, { recursive: true });
const seen = { views: {} };
for (const [view, { media, ...options }] of Object.entries(views)) {
  const context = await browser.newContext({ ...options, bypassCSP: options.javaScriptEnabled !== false });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("requestfailed", (request) => complaints.push(`failed: ${request.url()}`));
  await page.clock.install({ time: 0 });
  await page.goto(url, { waitUntil: "load", timeout: 20_000 });
  await page.emulateMedia({ media: media ?? "screen", colorScheme: options.colorScheme });
  const picture = await page.screenshot({ path: join(fresh, `${name}-${view}.png`), fullPage: true });
  const result = { difference: difference(picture, join(stored, `${name}-${pictureOf[view] ?? view}.png`)), complaints };
  if (options.javaScriptEnabled !== false) {
    result.overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    await page.addScriptTag({ path: axe });
    const { violations } = await page.evaluate(() => window.axe.run());
    result.violations = violations.map((violation) => `${violation.id}: ${violation.help}`);
  }
  seen.views[view] = result;
  await context.close();
}

// The bars by the keyboard: one stop of the tab key, and arrows from day to day.
{
  const context = await browser.newContext(desk);
  const page = await context.newPage();
  await page.goto(url, { waitUntil: "load", timeout: 20_000 });
  const bars = page.locator(".bars").first().locator("li");
  await bars.last().focus();
  const said = async () => (await page.locator(".bars li:focus span").innerText()).split(":")[0];
  const visited = [await said()];
  for (const key of ["ArrowLeft", "ArrowLeft", "ArrowRight", "Home", "ArrowLeft", "End"]) {
    await page.keyboard.press(key);
    visited.push(await said());
  }
  const stops = await page.locator(".bars").first().locator('li[tabindex="0"]').count();
  seen.keyboard = { visited, stops, days: await bars.count() };
  await context.close();
}

// By validators of others. What a printer of templates leaves at the ends of lines is nobody's business.
const validator = new HtmlValidate({ extends: ["html-validate:standard"], rules: { "no-trailing-whitespace": "off" } });
seen.html = [];
for (const path of ["", "widget", "report", "history"]) {
  const answer = await fetch(new URL(path, url));
  const report = await validator.validateString(await answer.text());
  const messages = report.results.flatMap(({ messages }) => messages);
  seen.html.push(...messages.map((it) => `/${path}, ${it.line}: ${it.ruleId}: ${it.message}`));
}

await browser.close();
console.log(JSON.stringify(seen));
