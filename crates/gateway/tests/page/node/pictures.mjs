// The pictures of docs/page.md.
const shots = [["desktop", { width: 1280, height: 800 }, "light"], ["dark", { width: 1280, height: 800 }, "dark"], ["phone", { width: 390, height: 780 }, "light"]];
for (const [name, viewport, colorScheme] of shots) {
  const page = await open({ viewport, colorScheme, reducedMotion: "reduce", deviceScaleFactor: 1 });
  await page.fill("#search", name === "desktop" ? "crm" : "");
  if (name === "phone") await page.screenshot({ path: `${PICTURES}/phone-list.png` });
  await page.fill("#search", "hubspot");
  await page.locator("#list tbody button:visible").first().click();
  if (name !== "phone") await page.fill("#search", name === "desktop" ? "crm" : "");
  await call(page, { conn: "acme", path: "crm/v3/objects/contacts?limit=1" });
  await page.evaluate(() => { document.activeElement.blur(); document.getElementById("panel").scrollTop = 0; scrollTo(0, 0); });
  if (name !== "desktop") await page.evaluate(() => document.getElementById("result").scrollIntoView({ block: "end" }));
  if (name === "dark") await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: `${PICTURES}/${name}.png` });
  await page.context().close();
}
await end({});
