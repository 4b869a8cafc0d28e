// A body of 50 MB: 256 KiB of it are shown, and the page doesn't keep the rest.
const page = await open();
const session = await page.context().newCDPSession(page);
const heap = async () => {
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize, backingStorageSize } = await session.send("Runtime.getHeapUsage");
  return usedSize + (backingStorageSize ?? 0);
};
const before = await heap();
// The vendor sends the last byte only when it's asked to, so that the memory is measured while the call runs.
await call(page, { path: "large", waits: false });
await page.waitForFunction(() => document.getElementById("size").textContent.startsWith("47.7 MiB"), undefined, { timeout: 60000 });
const grown = (await heap()) - before;
await fetch(`${VENDOR}/release`);
await ended(page);
const size = await text(page, "#size");
const shown = (await text(page, "#answer")).length;
const save = await page.isVisible("#save");
await call(page, { path: "medium" });
const medium = { size: await text(page, "#size"), save: await page.isVisible("#save") };
await end({ size, shown, grown, save, medium });
