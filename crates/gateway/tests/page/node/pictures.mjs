// The pictures of docs/page.md.
const shots = [
  ["desktop", { width: 1280, height: 800 }, "light", "crm"], ["dark", { width: 1280, height: 800 }, "dark", "messaging"],
  ["phone-list", { width: 390, height: 780 }, "light", "crm"], ["phone", { width: 390, height: 780 }, "light", ""],
];
for (const [name, viewport, colorScheme, search] of shots) {
  const page = await open({ viewport, colorScheme, reducedMotion: "reduce" });
  await page.fill("#search", search);
  if (name !== "phone-list") {
    await page.fill("#search", "hubspot");
    await page.locator("#list tbody button:visible").first().click();
    await call(page, { conn: "acme", path: "crm/v3/objects/contacts?limit=1" });
    if (name !== "phone") await page.fill("#search", search);
    if (name === "dark") await page.click("#tab-connect");
    if (name === "phone") await page.evaluate(() => document.getElementById("result").scrollIntoView({ block: "end" }));
  }
  await page.evaluate(() => document.activeElement.blur());
  if (name === "desktop") await page.evaluate(() => { document.getElementById("panel").scrollTop = 150; });
  await page.screenshot({ path: `${PICTURES}/${name}.png` });
  await page.context().close();
}
await end({});
