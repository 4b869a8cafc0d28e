// Without JavaScript, the list is there, and nothing that needs a script.
const page = await open({ javaScriptEnabled: false });
const rows = await page.locator("#list tbody tr:not(.group)").count();
const list = await page.locator("#list").innerText();
const panel = await page.isVisible("#panel");
const search = await page.isVisible("#search");
await end({ rows, list, panel, search });
