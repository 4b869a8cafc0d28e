// Three events: the vendor sends each only after the page has shown the one before.
const page = await open();
await call(page, { path: "events", waits: false });
const seen = [];
for (const number of [1, 2, 3]) {
  await page.waitForFunction((text) => document.getElementById("answer").textContent.includes(text), `data: event ${number}`);
  const shown = await text(page, "#answer");
  seen.push([1, 2, 3].filter((other) => shown.includes(`data: event ${other}`)));
  const running = await page.isEnabled("#cancel");
  assert(running);
  await fetch(`${VENDOR}/release/${number}`);
}
await ended(page);
const status = await text(page, "#status");
// A call that goes on can be cancelled.
await call(page, { path: "endless", waits: false });
await page.waitForFunction(() => document.getElementById("answer").textContent.includes("begun"));
await page.click("#cancel");
await ended(page);
const cancelled = await text(page, "#status");
await fetch(`${VENDOR}/gone`);
await end({ seen, status, cancelled });
