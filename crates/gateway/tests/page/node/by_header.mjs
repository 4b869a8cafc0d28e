// The field `x-connection` names the connection, or the key does.
const page = await open();
const hasId = await page.isVisible("#conn");
if (hasId) await page.fill("#conn", "c");
await page.fill("#key", KEY);
await page.fill("#path", "echo");
await page.click("#send");
await ended(page);
await end({ hasId, status: await text(page, "#status"), answer: await text(page, "#answer"), curl: await text(page, "#curl") });
