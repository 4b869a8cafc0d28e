// axe-core, in light and dark, on a desktop and on a phone; and nothing is wider than the phone.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const axe = readFileSync(createRequire(`${process.cwd()}/`).resolve("axe-core/axe.min.js"), "utf8");
const found = [];
const wide = [];
const phone = { width: 360, height: 740 };
const desktop = { width: 1280, height: 900 };
for (const viewport of [desktop, phone]) {
  for (const colorScheme of ["light", "dark"]) {
    const page = await open({ viewport, colorScheme, reducedMotion: "reduce" });
    const check = async (state) => {
      const session = await page.context().newCDPSession(page);
      // The policy of the page refuses scripts of others, so the script runs by the debugger.
      const { result } = await session.send("Runtime.evaluate", {
        expression: `${axe}; axe.run(document, { resultTypes: ["violations"] }).then((r) => JSON.stringify(r.violations.map((v) => [v.impact, v.id, v.nodes.slice(0, 3).map((n) => n.html + " " + n.failureSummary)])))`,
        awaitPromise: true,
      });
      for (const violation of JSON.parse(result.value)) found.push([viewport.width, colorScheme, state, ...violation]);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      if (width > viewport.width) wide.push([viewport.width, colorScheme, state, width]);
    };
    await check("list");
    await page.fill("#search", "no such integration");
    await check("nothing found");
    await page.fill("#search", "hubspot");
    await page.locator("#list tbody button:visible").first().click();
    await call(page, { path: "echo" });
    await page.click("#fields summary");
    await page.click("#query .add");
    await page.click("#headers .add");
    await page.click("details:has(#body) summary");
    await check("answer");
    await call(page, { path: "a b", key: "wrong" });
    await check("error");
    await page.click("#tab-connect");
    await check("connection");
    assert(await page.isVisible("#tab-sdks"));
    await page.click("#tab-sdks");
    await check("SDKs");
    await page.context().close();
  }
}
await end({ found, wide });
