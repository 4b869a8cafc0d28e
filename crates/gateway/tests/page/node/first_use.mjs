// A user who sees the page for the first time: search, choose, type the key, send, read the answer.
const page = await open();
await page.keyboard.press("/");
await page.keyboard.type("hubs");
const count = await text(page, "#count");
await page.locator("#list tbody button:visible").first().click();
const title = await text(page, "#panel-title");
const path = await page.inputValue("#path");
const conn = "c";
await page.fill("#key", KEY);
await page.fill("#conn", conn);
const target = await text(page, "#target");
await page.click("#send");
await ended(page);
const status = await text(page, "#status");
await page.click("#fields summary");
const fields = await page.locator("#fields tbody").innerText();
const answer = await text(page, "#answer");
const curl = await text(page, "#curl");
// The key is neither in the document's text, nor stored, nor in the address.
const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, document.documentElement.outerHTML]));
const kept = stored.includes(KEY);
await page.click("#tab-connect");
const toml = await text(page, "#pane-connect .code pre");
// After a reload, the form is empty.
await page.reload();
await page.locator("#search").waitFor();
const reloaded = await page.inputValue("#key");
await end({ count, title, path, target, status, fields, answer, curl, kept, toml, reloaded });
