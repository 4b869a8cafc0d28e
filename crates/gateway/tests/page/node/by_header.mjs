// The field `x-connection` names the connection, or the key or the path does; and callers may need no key.
const page = await open();
const hasId = await page.isVisible("#conn");
if (hasId) await page.fill("#conn", "c");
const hasKey = await page.isVisible("#key");
if (hasKey) await page.fill("#key", KEY);
await page.fill("#path", "echo");
await page.click("#send");
await ended(page);
await end({ hasId, hasKey, status: await text(page, "#status"), answer: await text(page, "#answer"), curl: await text(page, "#curl") });
