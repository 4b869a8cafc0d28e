// The code for the SDKs of a vendor, with the address of this gateway.
const page = await open();
await page.fill("#conn", "a'b\"c</script>");
await page.fill("#search", "openai");
await page.locator("#list tbody button:visible", { hasText: /^OpenAI$/ }).click();
await page.click("#tab-sdks");
const hostile = await page.locator("#pane-sdks pre").allTextContents();
await page.click("#tab-try");
await page.fill("#conn", "acme");
await page.press("#conn", "Tab");
await page.click("#tab-sdks");
const code = await page.locator("#pane-sdks pre").allTextContents();
const visible = await page.locator("#pane-sdks").innerText();
// An entry without SDKs has no such tab.
await page.fill("#search", "activecampaign");
await page.press("#search", "Enter");
const tab = await page.isVisible("#tab-sdks");
await end({ hostile, code, visible, tab });
