// Logs in as the owner does, on a desk in the light and on a phone in the dark, mutes something, and logs out.
// node owner.mjs URL TOKEN-FILE SCREENSHOT-PREFIX; prints what it saw as one line of JSON.

import { readFileSync } from "node:fs";
import { axe, launch, views } from "./chromium.mjs";

const [url, tokenFile, prefix] = process.argv.slice(2);
const token = readFileSync(tokenFile, "utf8").trim();

const browser = await launch();

const seen = {};
for (const [name, options] of Object.entries(views)) {
  const plain = await browser.newContext({ ...options, javaScriptEnabled: false });
  const page = await plain.newPage();
  const complaints = [];
  page.on("console", (message) => complaints.push(message.text()));
  // What the next page makes needless is no fault.
  page.on("requestfailed", (request) => {
    if (request.failure()?.errorText !== "net::ERR_ABORTED") complaints.push(`failed: ${request.url()}`);
  });
  await page.goto(`${url}/owner`, { timeout: 20_000 });
  const asked = new URL(page.url()).pathname;
  await page.screenshot({ path: `${prefix}-login-${name}.png`, fullPage: true });
  await page.getByLabel("The keeper's token").fill(token);
  await page.getByRole("button", { name: "Log in" }).click();
  const entered = new URL(page.url()).pathname;
  await page.getByLabel("Do not write about").fill("line/ping");
  await page.getByRole("button", { name: "Mute", exact: true }).click();
  const muted = await page.locator("section[aria-labelledby=mutes] li").allInnerTexts();
  await page.screenshot({ path: `${prefix}-owner-${name}.png`, fullPage: true });
  const cookies = await plain.cookies();

  // Measuring takes script, which the page's own policy forbids.
  const measuring = await browser.newContext({ ...options, bypassCSP: true, storageState: await plain.storageState() });
  const violations = [];
  let overflow = 0;
  for (const path of ["/login", "/owner"]) {
    const measured = await measuring.newPage();
    await measured.goto(`${url}${path}`, { timeout: 20_000 });
    overflow = Math.max(overflow, await measured.evaluate(() => document.documentElement.scrollWidth - window.innerWidth));
    await measured.addScriptTag({ path: axe });
    const found = await measured.evaluate(() => window.axe.run());
    violations.push(...found.violations.map((violation) => `${path} ${violation.id}: ${violation.help}`));
  }
  await measuring.close();

  await page.getByRole("button", { name: "Write again about line/ping" }).click();
  const left = await page.locator("section[aria-labelledby=mutes] li").count();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.waitForURL("**/login", { waitUntil: "load", timeout: 20_000 });
  await page.goto(`${url}/owner`, { timeout: 20_000 });
  const after = new URL(page.url()).pathname;
  seen[name] = { asked, entered, muted, left, after, complaints, violations, overflow,
    cookies: cookies.map(({ httpOnly, sameSite }) => ({ httpOnly, sameSite })) };
  await plain.close();
}
await browser.close();
console.log(JSON.stringify(seen));
