// The keyboard alone.
const page = await open({ viewport: { width: 1280, height: 900 } });
const focus = () => page.evaluate(() => {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  return [element.id || element.textContent, element.matches(":focus-visible") && style.outlineStyle !== "none"];
});
const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
const walk = [];
const step = async (...keys) => { await press(...keys); walk.push(await focus()); };
await step("Tab");
await step("Enter", "/");
await page.keyboard.type("hubspot");
await press("Enter");
const title = await text(page, "#panel-title");
const panel = (await focus())[0];
await step("Tab"); // copy
for (let presses = 0; presses < 5 && (await focus())[0] !== "tab-try"; presses += 1) await press("Tab");
walk.push(await focus());
await step("ArrowRight");
const connect = await page.isVisible("#pane-connect");
await step("ArrowLeft");
await step("Tab");
await page.keyboard.type(KEY);
await step("Tab");
await page.keyboard.type("c");
await step("Tab");
await step("Tab");
await page.keyboard.press("Control+A");
await page.keyboard.type("echo");
await press("Enter");
await ended(page);
const status = await text(page, "#status");
// `/` in a field is a character.
await press("/");
const path = await page.inputValue("#path");
await press("Escape");
const chosen = (await focus())[0];
await page.keyboard.press("/");
await press("Escape");
const search = await page.inputValue("#search");
const rows = await page.locator("#list tbody tr:not(.group):visible").count();
await end({ walk, title, panel, connect, status, path, chosen, search, rows });
