// Prints a page, and looks at it on a desk in the light, on a phone in the dark, and on paper for who has it dark.
// node print.mjs URL PREFIX; leaves pictures and the PDF at PREFIX, and prints what it saw as one line of JSON.

import { axe, launch } from "./chromium.mjs";

const [url, prefix] = process.argv.slice(2);

const browser = await launch();

// A sheet of A4 without its margins, at 96 pixels an inch.
const paper = { width: 703, height: 1032 };
const views = {
  desk: { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  phone: { viewport: { width: 360, height: 740 }, colorScheme: "dark", isMobile: true, hasTouch: true },
  paper: { viewport: paper, colorScheme: "dark" },
};

const seen = {};
for (const [name, options] of Object.entries(views)) {
  // Measuring takes script, which the page's own policy forbids.
  const context = await browser.newContext({ ...options, bypassCSP: true });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => complaints.push(`${message.text()} ${message.location().url}`));
  page.on("requestfailed", (request) => complaints.push(`failed: ${request.url()}`));
  if (name === "paper") await page.emulateMedia({ media: "print", colorScheme: "dark" });
  const response = await page.goto(url, { waitUntil: "load", timeout: 20_000 });
  await page.screenshot({ path: `${prefix}-${name}.png`, fullPage: true });
  const colours = () => {
    const { backgroundColor, color } = getComputedStyle(document.body);
    return [backgroundColor, color];
  };
  seen[name] = {
    status: response.status(),
    overflow: await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
    colours: await page.evaluate(colours),
    complaints,
  };
  await page.addScriptTag({ path: axe });
  const { violations } = await page.evaluate(() => window.axe.run());
  seen[name].violations = violations.map((violation) => `${violation.id}: ${violation.help}`);
  await context.close();
}

{
  const context = await browser.newContext({ javaScriptEnabled: false, colorScheme: "dark" });
  const page = await context.newPage();
  await page.goto(url, { waitUntil: "load", timeout: 20_000 });
  const pdf = await page.pdf({ path: `${prefix}.pdf`, preferCSSPageSize: true, printBackground: true });
  seen.sheets = (pdf.toString("latin1").match(/\/Type\s*\/Page(?![a-z])/g) ?? []).length;
  await context.close();
}

await browser.close();
console.log(JSON.stringify(seen));
