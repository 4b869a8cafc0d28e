// Answers of a hostile vendor are text, whatever their type is.
const page = await open();
const seen = {};
for (const path of ["script", "svg", "html", "invalid", "nul", "cut-utf8", "quotes", "cookie", "frame", "broken"]) {
  await call(page, { path });
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50))));
  seen[path] = {
    status: await text(page, "#status"), answer: await text(page, "#answer"), size: await text(page, "#size"),
    fields: await page.locator("#fields tbody").textContent(), elements: await page.locator("#answer *, #fields td *").count(),
    save: await page.isVisible("#save"), explain: await text(page, "#explain"),
  };
  if (path === "invalid") {
    const download = page.waitForEvent("download");
    await page.click("#save");
    const stream = await (await download).createReadStream();
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    seen.saved = [...Buffer.concat(chunks)];
  }
}
for (const conn of ["<img src=x onerror=alert(1)>", "a'b\"c", "\u2028${x}`", "..", "c/../../x"]) {
  await call(page, { conn, path: "x" });
  seen[`id ${conn}`] = { status: await text(page, "#status"), target: await text(page, "#target"), explain: await text(page, "#explain") };
}
const cookies = await page.context().cookies();
const title = await page.title();
await end({ seen, cookies, title });
