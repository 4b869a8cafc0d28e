// A body of 50 MB: 256 KiB of it are shown, and the page doesn't keep the rest.
const page = await open();
const session = await page.context().newCDPSession(page);
const heap = async () => {
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize, backingStorageSize } = await session.send("Runtime.getHeapUsage");
  return usedSize + (backingStorageSize ?? 0);
};
const before = await heap();
await call(page, { path: "large" });
const size = await text(page, "#size");
const shown = (await text(page, "#answer")).length;
const grown = (await heap()) - before;
const save = await page.isVisible("#save");
await call(page, { path: "medium" });
const medium = { size: await text(page, "#size"), save: await page.isVisible("#save") };
await end({ size, shown, grown, save, medium });
