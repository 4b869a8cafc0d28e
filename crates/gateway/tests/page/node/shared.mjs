// The browser, and the steps that several programs share. `faults` collects what a page must never cause.
import { chromium } from "playwright-core";
import assert from "node:assert/strict";

const { GATEWAY, KEY, VENDOR, CHROMIUM, PICTURES } = process.env;
const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
});

const faults = [];

// Opens the page of the gateway, or of a proxy in front of the gateway.
async function open(options = {}, at = GATEWAY) {
  const context = await browser.newContext(options);
  if (options.javaScriptEnabled !== false) {
    await context.addInitScript(() => addEventListener("securitypolicyviolation", (event) => {
      console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`);
    }));
  }
  const page = await context.newPage();
  page.on("dialog", (dialog) => { faults.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("console", (message) => {
    // Chromium reports each answer of 4xx and 5xx here.
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) faults.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    // A redirect that isn't followed is also reported. The test looks at the server that it leads to.
    if (request.redirectedFrom()) return;
    if (!request.url().startsWith(`${at}/`) && !/^(blob|data):/.test(request.url())) faults.push(`request: ${request.url()}`);
  });
  page.on("popup", (popup) => faults.push(`popup: ${popup.url()}`));
  await page.goto(`${at}/`);
  if (options.javaScriptEnabled !== false) await page.locator("#search").waitFor();
  return page;
}

// Fills the form, and sends. Waits for the end of the call unless `waits` is false.
async function call(page, { conn = "c", path = "", method = "GET", key = KEY, waits = true }) {
  await page.fill("#key", key);
  await page.fill("#conn", conn);
  await page.fill("#method", method);
  await page.fill("#path", path);
  await page.click("#send");
  if (waits) await ended(page);
}

async function ended(page) {
  await page.locator("#send:not([disabled])").waitFor({ timeout: 60000 });
}

const text = (page, selector) => page.locator(selector).textContent();

async function end(value) {
  await browser.close();
  console.log(JSON.stringify({ faults, ...value }));
}
