// The browser, and the two ways in which a person looks: on a desk in the light, and on a phone in the dark.

import { chromium } from "playwright-core";
import { createRequire } from "node:module";

export const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

export const launch = (...more) => chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", ...more],
});

export const views = {
  desk: { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  phone: { viewport: { width: 360, height: 740 }, colorScheme: "dark", isMobile: true, hasTouch: true },
};
